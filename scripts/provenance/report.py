"""Writes the report of the run: one HTML page that needs no network, `report.html`."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import read_json, write_text
from scripts.lib.job import job
from scripts.lib.scores import evaluated_checkpoints
from scripts.provenance import outcomes as compiling
from scripts.provenance import page
from scripts.provenance.crate_entities import time_text
from scripts.provenance.digests import END_OF_VARYING, VARYING
from scripts.provenance.execution_failures import execution_failures
from scripts.provenance.fidelity import run_table
from scripts.provenance.jobs import RECORDS
from scripts.provenance.run_record import commit_of
from scripts.provenance.score_views import problem_matrices, robustness
from scripts.provenance.snakemake_records import closure, jobs_of
from scripts.provenance.yaml_dump import yaml_dump

TEMPLATE = "report.html.j2"
PROJECT = SCRIPTS.parent


def by_stem(paths: list[str]) -> dict[str, str]:
    """Paths by file name without suffix, in order."""
    return {Path(path).stem: path for path in paths}


def relative(path: str, results: str) -> str:
    """The path of a result relative to the folder of results."""
    return Path(path).relative_to(results).as_posix()


def fragment(path: str) -> Markup:
    """Read a part of the page that the stage of the tables wrote."""
    return Markup(Path(path).read_text(encoding="utf-8"))


def context(inputs: Any, params: Any, results: str) -> dict[str, Any]:
    """All values of the template; paths in it are relative to the folder `results`."""
    config = dict(params.config)
    ledgers = dict(zip(config["languages"], inputs.ledgers, strict=True))
    record, outcomes = read_json(inputs.jobs), compiling.outcomes(ledgers)
    funnel = page.funnel(ledgers, config["variants"])
    commit, changed = commit_of(PROJECT)
    failures = page.reference_failures(list(inputs.scores))
    return {
        "config": config,
        "config_text": yaml_dump(config),
        "compares": len(evaluated_checkpoints(config)) > 1 and "base" in evaluated_checkpoints(config),
        "totals": page.totals(funnel, config, record),
        "main": fragment(inputs.main),
        "titles": params.titles,
        "tables": {name: fragment(path) for name, path in by_stem(list(inputs.tables)).items()},
        "figures": {name: page.inline_svg(path) for name, path in by_stem(list(inputs.figures)).items()},
        "varying": (Markup(VARYING), Markup(END_OF_VARYING)),
        "cost": fragment(inputs.cost),
        "timeline": page.inline_svg(inputs.timeline),
        "captions": {name: page.caption(text) for name, text in params.captions.items()},
        "figure_data": page.figure_data(record["files"]),
        "state": {"commit": commit, "changed": changed, "times": run_times(list(inputs), results)},
        "matrices": problem_matrices(list(inputs.scores), params.headlines),
        "robustness": robustness(inputs.table),
        "execution_failures": execution_failures(list(inputs.executions), results),
        "funnel": funnel,
        "funnel_columns": page.FUNNEL,
        "statuses": page.statuses(outcomes["counts"]),
        "preparation": outcomes["preparation"],
        "failing_frontends": outcomes["failing_frontends"],
        "failures": outcomes["failures"],
        "reference_failures": [entry | {"file": relative(entry["file"], results)} for entry in failures],
        "fidelity": run_table(params.deviations, config),
        "compilers": outcomes["compilers"],
        "tools": read_json(inputs.tools),
        "rules": page.rules_of(record["jobs"]),
        "lineage": page.example_lineage(record["jobs"]),
        "digests": page.digests(record["files"], record["jobs"]),
    }


def render(values: dict[str, Any]) -> str:
    """Render the page; a name of the template without a value is an error."""
    loader = FileSystemLoader(SCRIPTS / "provenance")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["with_code"] = page.with_code
    return environment.get_template(TEMPLATE).render(values)


def run_times(files: list[str], results: str) -> list[str]:
    """Start of the first job that contributed to some files, and end of the last one; empty where
    Snakemake has not recorded them.
    """
    jobs = closure(files, jobs_of(RECORDS), results)
    starts = [job.started for job in jobs if job.started is not None]
    ends = [job.ended for job in jobs if job.ended is not None]
    return [time_text(min(starts)), time_text(max(ends))] if starts and ends else []


if __name__ == "__main__":
    with job() as snakemake:
        values = context(snakemake.input, snakemake.params, snakemake.config["results_dir"])
        write_text(snakemake.output[0], render(values))
