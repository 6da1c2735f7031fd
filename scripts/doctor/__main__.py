"""What this machine has of all that the workflow may use: `python -m scripts.doctor`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from scripts.doctor import environments, host
from scripts.doctor.finding import Finding
from scripts.workflow.config import load_tables, read_yaml

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = ROOT / "config" / "config.yaml"


def sections(conda_prefix: Path, results: Path) -> Iterable[tuple[str, Iterable[Finding]]]:
    """The report: title and findings of each section."""
    lists = ROOT / "envs" / "host"
    languages = load_tables(ROOT).languages
    wanted = read_yaml(DEFAULTS)["languages"]
    yield "Debian packages (envs/host/apt.txt)", host.debian_packages(lists / "apt.txt")
    yield "Python (envs/host/requirements.txt)", host.python_packages(lists / "requirements.txt")
    yield "Sandbox", [host.sandbox_works()]
    yield "Compilers that a run on this machine would use", host.compilers(languages, wanted)
    yield f"Compilers in the run below {results}", host.earlier_runs(results)
    yield "Cluster", [host.cluster()]
    yield (
        f"Conda environments in {conda_prefix}",
        [environments.conda(), *environments.environments(ROOT / "envs", conda_prefix)],
    )


def main() -> int:
    """Print the report; 1 when the default run here lacks something, or an environment is not as pinned."""
    parser = argparse.ArgumentParser(description="What this machine has of all that the workflow may use.")
    parser.add_argument("--conda-prefix", type=Path, default=Path(".snakemake", "conda"), help="as given to Snakemake")
    default = Path(read_yaml(DEFAULTS)["results_dir"])
    parser.add_argument("--results", type=Path, default=default, help="results_dir of a run to look at")
    given = parser.parse_args()
    bad = 0
    for title, findings in sections(given.conda_prefix, given.results):
        print(title)
        for finding in findings:
            print(finding.line(), flush=True)
            bad += finding.needed and not finding.good
        print()
    print(f"{bad} things to mend" if bad else "all that the default run needs is here")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
