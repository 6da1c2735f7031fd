"""Report which tools of the workflow this machine has: `python -m scripts.doctor`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from scripts.doctor import environments, host
from scripts.doctor.finding import Finding
from scripts.workflow.config import load_tables
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = ROOT / "config" / "config.yaml"


def sections(conda_prefix: Path, results: Path) -> Iterable[tuple[str, Iterable[Finding]]]:
    """The report: title and findings of each section."""
    lists = ROOT / "envs" / "host"
    languages = load_tables(ROOT).languages
    configured = read_yaml(DEFAULTS)["languages"]
    yield "Debian packages (envs/host/apt.txt)", host.debian_packages(lists / "apt.txt")
    yield "Python (envs/host/requirements.txt)", host.python_packages(lists / "requirements.txt")
    yield "Sandbox", [host.sandbox_works()]
    yield "Compilers that a run on this machine would use", host.compilers(languages, configured)
    yield f"Compilers of the run in {results}", host.earlier_runs(results)
    yield "Cluster", [host.cluster()]
    yield (
        f"Conda environments in {conda_prefix}",
        [environments.conda(), *environments.environments(ROOT / "envs", conda_prefix)],
    )


def summary(problems: int) -> str:
    """The last line of the report."""
    if not problems:
        return "no problem found: this machine has everything that the default run needs"
    return f"{problems} problem{'s' if problems > 1 else ''} found"


def main() -> int:
    """Print the report; return 1 if the default run lacks something or an environment is not as
    pinned.
    """
    parser = argparse.ArgumentParser(description="Report which tools of the workflow this machine has.")
    parser.add_argument(
        "--conda-prefix", type=Path, default=Path(".snakemake", "conda"), help="Snakemake's option --conda-prefix"
    )
    default = Path(read_yaml(DEFAULTS)["results_dir"])
    parser.add_argument("--results", type=Path, default=default, help="results_dir of a run to check")
    arguments = parser.parse_args()
    problems = 0
    for title, findings in sections(arguments.conda_prefix, arguments.results):
        print(title)
        for finding in findings:
            print(finding.line(), flush=True)
            problems += finding.is_problem
        print()
    print(summary(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
