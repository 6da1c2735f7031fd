"""What this machine has of all that the workflow may use: `python -m scripts.doctor`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from scripts.doctor import environments, host
from scripts.doctor.finding import Finding
from scripts.lib.config import load_tables, read_yaml

ROOT = Path(__file__).resolve().parents[2]


def sections(conda_prefix: Path) -> Iterable[tuple[str, Iterable[Finding]]]:
    """The report: title and findings of each section."""
    lists = ROOT / "envs" / "host"
    languages = load_tables(ROOT)[0]
    wanted = read_yaml(ROOT / "config" / "config.yaml")["languages"]
    yield "Debian packages (envs/host/apt.txt)", host.debian_packages(lists / "apt.txt")
    yield "Python (envs/host/requirements.txt)", host.python_packages(lists / "requirements.txt")
    yield "Sandbox", [host.sandbox_works()]
    yield "Compilers that a run on this machine would use", host.compilers(languages, wanted)
    yield "Cluster", [host.cluster()]
    yield (
        f"Conda environments in {conda_prefix}",
        [environments.conda(), *environments.environments(ROOT / "envs", conda_prefix)],
    )


def main() -> int:
    """Print the report; 1 when the default run here lacks something, or an environment is not as pinned."""
    parser = argparse.ArgumentParser(description="What this machine has of all that the workflow may use.")
    parser.add_argument("--conda-prefix", type=Path, default=Path(".snakemake", "conda"), help="as given to Snakemake")
    bad = 0
    for title, findings in sections(parser.parse_args().conda_prefix):
        print(title)
        for finding in findings:
            print(finding.line(), flush=True)
            bad += finding.needed and not finding.good
        print()
    print(f"{bad} things to mend" if bad else "all that the default run needs is here")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
