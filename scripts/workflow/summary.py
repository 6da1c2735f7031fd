"""What a run has to show: `python -m scripts.workflow.summary [FILE ...]` prints files of the last run's results."""

import argparse
from pathlib import Path

# Where the last run in a working directory put its results; Snakemake keeps its own records beside it.
NOTE = Path(".snakemake", "results_dir.txt")
PLACES = {"tables": "tables", "figures": "figures", "report": "report.html"}


def note_results(results_dir: str) -> None:
    """Write down where the run in the current folder puts its results."""
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(results_dir, encoding="utf-8")


def closing(results_dir: str | Path, shown: list[str]) -> str:
    """The text of some result files, then the paths of tables, figures and report; only what is there."""
    results = Path(results_dir)
    texts = [(results / name).read_text(encoding="utf-8") for name in shown if (results / name).is_file()]
    paths = [f"{what + ':':<9}{results / name}" for what, name in PLACES.items() if (results / name).exists()]
    return "\n".join([*texts, *paths])


def main() -> None:
    """Command line: result files to print, relative to the results' folder."""
    parser = argparse.ArgumentParser(description="Print files of the last run's results and where the rest is.")
    parser.add_argument("shown", nargs="*", metavar="FILE", help="a file below the results' folder")
    given = parser.parse_args()
    if NOTE.is_file():
        print(closing(NOTE.read_text(encoding="utf-8"), given.shown))


if __name__ == "__main__":
    main()
