"""A job of executions that was killed resumes with the programs that had no verdict."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.evaluate.execute import executions, verdicts_key
from scripts.evaluate.runners.base import Verdict
from scripts.evaluate.runners.programs import Program
from scripts.evaluate.runners.records import Ending
from scripts.evaluate.runners.resumable import resumable
from scripts.lib.schemas.evaluation import ExecutionStatus
from tests.support.paths import ROOT

NUMBER = 60
PROGRAMS = [(f"problem-{number}", 0, Program((("program.py", f"{number}"),))) for number in range(NUMBER)]


class CountingRunner:
    """Judges each program by its text, and counts them."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds, self.judged = seconds, 0

    def judge(self, program: Program) -> Verdict:
        """See `Runner`."""
        self.judged += 1
        time.sleep(self.seconds)
        number = int(program.files[0][1])
        ending = Ending(number, "", "printed é\u2028\n", "\ud800 refused")
        return Verdict(ExecutionStatus.WRONG, f"exit code {number}", number / 7, "message", 0.25, ending)


def run(folder: Path, runner: CountingRunner) -> list[dict[str, object]]:
    """The rows of all programs, run on two threads."""
    with resumable(runner, folder) as resuming:
        return executions(resuming, PROGRAMS, 2)


def test_a_killed_job_runs_only_what_had_no_verdict_and_gives_the_same_rows(tmp_path: Path) -> None:
    whole = run(tmp_path, CountingRunner())
    (tmp_path / "verdicts.jsonl").unlink()
    slow = "from pathlib import Path\nfrom tests.unit.evaluate.test_resumable import CountingRunner, run\n"
    command = [sys.executable, "-c", f"{slow}run(Path({str(tmp_path)!r}), CountingRunner(0.05))"]
    with subprocess.Popen(command, cwd=ROOT) as process:
        stored = tmp_path / "verdicts.jsonl"
        while not stored.exists() or stored.read_bytes().count(b"\n") < NUMBER // 3:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    # A verdict that was not written completely.
    finished = sum(line.endswith(b"}}") for line in stored.read_bytes().splitlines())
    stored.write_bytes(stored.read_bytes() + b'{"program": "0123')
    runner = CountingRunner()
    assert run(tmp_path, runner) == whole
    assert finished >= NUMBER // 3 - 1
    assert runner.judged == NUMBER - finished


def test_verdicts_are_stored_also_after_an_incomplete_line(tmp_path: Path) -> None:
    (tmp_path / "verdicts.jsonl").write_bytes(b'{"program": "0123\0')
    whole = run(tmp_path, CountingRunner())
    runner = CountingRunner()
    assert run(tmp_path, runner) == whole
    assert runner.judged == 0


@pytest.mark.parametrize(
    "change",
    [
        {"runner": "rust"},
        {"table": {"kind": "script"}},
        {"output_characters": 10},
        {"code": "2"},
        {"scale": 2},
        {"mode": "off"},
        {"wall_factor": 2},
        {"probe": "version 2"},
        {"shared": "header 2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_verdicts_of_another_runner_are_not_used(tmp_path: Path, change: dict[str, object]) -> None:
    settings = {"mode": "bubblewrap", "wall_factor": 4, "scale": 1}
    own = {"runner": "cpp", "table": {"kind": "compiled"}, "output_characters": 200, "code": "1"}

    def key(folder: Path, changes: dict[str, object]) -> str:
        (folder / "shared").mkdir(parents=True)
        header = folder / "shared" / "header.h"
        header.write_text(str(changes.get("shared", "header")))
        os.utime(header, (1e9, 1e9))
        (folder / "probe.json").write_text(str(changes.get("probe", "version 1")))
        files = SimpleNamespace(shared=str(folder / "shared"), probe=[str(folder / "probe.json")])
        return verdicts_key(SimpleNamespace(**{**own, **changes}), files, {**settings, **changes})

    assert key(tmp_path / "one" / "run", {}) != key(tmp_path / "two" / "run", change)
    assert key(tmp_path / "three" / "run", {}) == key(tmp_path / "four" / "run", {})
