"""Print the results of the last run: `python -m scripts.workflow.summary [FILE ...]`."""

import argparse
from pathlib import Path
from typing import Any

# The results folder of the last run in a working directory, next to Snakemake's own records.
RECORD = Path(".snakemake", "results_dir.txt")
LISTED = {"tables": "tables", "figures": "figures", "report": "report.html"}


def record_results_dir(results_dir: str) -> None:
    """Record the results folder of the run in the current folder."""
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(results_dir, encoding="utf-8")


def follow_stages(workflow: Any) -> None:
    """Let the logger of `make run` count the jobs in a workflow's plan."""
    for handler in workflow.logger_manager.get_log_handlers():
        if hasattr(handler, "follow"):
            handler.follow(workflow)


def summary(results_dir: str | Path, shown: list[str]) -> str:
    """The text of some result files, then the paths of tables, figures and report; missing ones are
    left out.
    """
    results = Path(results_dir)
    texts = [(results / name).read_text(encoding="utf-8") for name in shown if (results / name).is_file()]
    paths = [f"{what + ':':<9}{results / name}" for what, name in LISTED.items() if (results / name).exists()]
    return "\n".join([*texts, *paths])


def main() -> None:
    """Command line: result files to print, relative to the results folder."""
    parser = argparse.ArgumentParser(description="Print files of the last run's results, and the paths of the rest.")
    parser.add_argument("shown", nargs="*", metavar="FILE", help="a file below the results folder")
    arguments = parser.parse_args()
    if RECORD.is_file():
        print(summary(RECORD.read_text(encoding="utf-8"), arguments.shown))


if __name__ == "__main__":
    main()
