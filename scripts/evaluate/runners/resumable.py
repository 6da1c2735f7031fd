"""Verdicts of a job that has not ended, stored as they come, so that an interrupted job resumes."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from scripts.evaluate.runners.base import Runner, Verdict
from scripts.evaluate.runners.programs import Program
from scripts.evaluate.runners.records import Ending
from scripts.lib.checked_lines import checked_line, checked_row
from scripts.lib.schemas.evaluation import ExecutionStatus

_FILE = "verdicts.jsonl"


def _verdict(values: Mapping[str, Any]) -> Verdict:
    """The verdict that `asdict` turned into values."""
    return Verdict(**{**values, "status": ExecutionStatus(values["status"]), "ending": Ending(**values["ending"])})


def _stored(path: Path) -> dict[str, Verdict]:
    """The verdicts in a file by the digest of their program; a line that a killed process has not
    written completely, or that has changed, is left out.
    """
    verdicts = {}
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            row = checked_row(line)
            verdicts[row["program"]] = _verdict(row["verdict"])
        except (ValueError, KeyError, TypeError):
            continue
    return verdicts


class ResumableRunner:
    """Runs programs that have no stored verdict by another runner, and stores each verdict at once.

    Threads may use it at the same time.
    """

    def __init__(self, runner: Runner, stored: Mapping[str, Verdict], stream: TextIO) -> None:
        self.runner, self.stored, self.stream = runner, stored, stream
        self.lock = threading.Lock()

    def judge(self, program: Program) -> Verdict:
        """See `Runner`."""
        digest = program.digest
        if digest in self.stored:
            return self.stored[digest]
        verdict = self.runner.judge(program)
        line = checked_line({"program": digest, "verdict": asdict(verdict)})
        with self.lock:
            self.stream.write(line)
            self.stream.flush()
        return verdict


@contextmanager
def resumable(runner: Runner, folder: Path) -> Iterator[ResumableRunner]:
    """A runner whose verdicts are stored in `folder`, which outlives a killed process."""
    stored = _stored(folder / _FILE)
    if stored:
        logging.info("%d programs have verdicts from an interrupted attempt", len(stored))
    with (folder / _FILE).open("a", encoding="utf-8") as stream:
        # The first line must not continue one that is incomplete.
        stream.write("\n")
        yield ResumableRunner(runner, stored, stream)
