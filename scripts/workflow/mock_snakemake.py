"""Builds the job of a rule without running Snakemake, so that a script can be run or debugged by hand.

In Python, from the root of the project:

    from scripts.workflow.mock_snakemake import mock_snakemake
    from scripts.lib.job import job

    snakemake = mock_snakemake("pairs_language", language="C")
    with job(snakemake):
        ...

or a whole script, with the inputs that a run has left: `python -m scripts.workflow.mock_snakemake pairs_language
language=C --configfile config/mine.yaml`.
"""

import argparse
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import snakemake.api  # noqa: F401  # Snakemake's modules import each other; this one has to be first
from snakemake.api import SnakemakeApi
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.script import Snakemake
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings
from snakemake.workflow import Workflow

from scripts.lib.job import InputError

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def _workflow_in(directory: Path, configfiles: Sequence[Path]) -> Iterator[Workflow]:
    """The workflow of the project's Snakefile with `directory` as its working directory."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow_api = api.workflow(
            ResourceSettings(cores=1),
            ConfigSettings(configfiles=[path.resolve() for path in configfiles]),
            snakefile=ROOT / "Snakefile",
            workdir=directory.resolve(),
        )
        workflow_api.dag(DAGSettings())
        # Snakemake's public interface runs jobs and has no way to look at a single one.
        yield workflow_api._workflow


def _job(workflow: Workflow, name: str, wildcards: dict[str, str]) -> Job:
    """The job of a rule for these wildcards; raise `InputError` for a wrong name of either."""
    names = sorted(rule.name for rule in workflow.rules)
    if name not in names:
        raise InputError(f"unknown rule '{name}'; choose from {', '.join(names)}")
    rule = workflow.get_rule(name)
    if wildcards.keys() != rule.wildcard_names:
        wanted = ", ".join(f"{wildcard}=…" for wildcard in sorted(rule.wildcard_names)) or "no wildcards"
        raise InputError(f"rule {name} takes {wanted}; got {', '.join(sorted(wildcards)) or 'none'}")
    return Job(rule, DAG(workflow, rules=[rule]), wildcards)


def _script(job: Job) -> Path:
    """The script of a job's rule; raise `InputError` if the rule has none."""
    if not job.rule.script:
        raise InputError(f"rule {job.rule.name} has no script; name a rule with one")
    return Path(job.rule.basedir.join(job.rule.script).get_path_or_uri(secret_free=True)).resolve()


def plan(rule: str, wildcards: dict[str, str], directory: Path, configfiles: Sequence[Path]) -> tuple[Snakemake, Path]:
    """What Snakemake would hand to the script of a rule, and the path of the script."""
    with _workflow_in(directory, configfiles) as workflow:
        job = _job(workflow, rule, wildcards)
        script = _script(job)
        files = (job.input, job.output, job.params, job.wildcards, job.threads, job.resources, job.log)
        return Snakemake(*files, workflow.globals["config"], rule, None, str(script.parent)), script


def mock_snakemake(
    rule: str, directory: str | Path = ".", configfiles: Sequence[str | Path] = (), **wildcards: str
) -> Snakemake:
    """The object that Snakemake would hand to the script of a rule, for `scripts.lib.job.job`.

    `directory` is the working directory of the run whose files the job names; `configfiles` override
    `config/config.yaml`. Nothing is executed, and inputs need not exist unless a function of the rule reads them.
    Raise `InputError` for an unknown rule, a rule without script, or other wildcards than those of the rule.
    """
    return plan(rule, wildcards, Path(directory), [Path(path) for path in configfiles])[0]


def main() -> None:
    """Run the script of a rule in this process, with the current directory as the run's working directory."""
    parser = argparse.ArgumentParser(description="Run the script of a rule by hand, in the current directory.")
    parser.add_argument("rule", help="name of the rule")
    parser.add_argument("wildcards", nargs="*", metavar="NAME=VALUE", help="wildcards of the rule")
    parser.add_argument(
        "--configfile", nargs="*", type=Path, default=[], help="config files that override config/config.yaml"
    )
    arguments = parser.parse_args()
    try:
        wildcards = dict(word.split("=", 1) for word in arguments.wildcards)
        snakemake, script = plan(arguments.rule, wildcards, Path.cwd(), arguments.configfile)
    except InputError as error:
        sys.exit(str(error))
    for output in (*snakemake.output, *snakemake.log):
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    runpy.run_path(str(script), {"snakemake": snakemake}, run_name="__main__")


if __name__ == "__main__":
    main()
