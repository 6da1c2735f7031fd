"""The record of a job has what the job and all processes below it used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.cost import Attempt, Meter, read_record, record_path, size_of
from tests.support.cpu_time import seconds_of_children
from tests.support.paths import ROOT

BUSY = "import time\nwhile time.process_time() < {seconds}: pass\n"
JOB = """
import subprocess, sys
from types import SimpleNamespace
from scripts.lib.job import job
from scripts.lib.sandbox.run import Limits, Sandbox, run

class Names(SimpleNamespace):
    def items(self): return vars(self).items()
    def get(self, name, default): return vars(self).get(name, default)

snakemake = SimpleNamespace(
    log=[sys.argv[1]], rule="stage_make", wildcards=Names(language="C"), resources=Names(gpu=2), output=[sys.argv[2]],
    threads=3,
)
LIMITS = Limits(wall_seconds=60, cpu_seconds=float(sys.argv[3]), memory_mb=400)

def sandboxed(program):
    # A shell is between the sandbox and the program.
    script = f"/usr/bin/python3 -c '{program}'; exit 3"
    return run(["sh", "-c", script], sandbox=Sandbox(work_mb=8), limits=LIMITS)

with job():
    exec(sys.argv[4])
"""


def run_job(tmp_path: Path, body: str, limit: float = 30.0) -> tuple[dict, float]:
    """The last attempt in the record of a job with this body, and the CPU seconds of its process by the kernel."""
    log, output = tmp_path / "make.log", tmp_path / "output.txt"
    before = seconds_of_children()
    command = [sys.executable, "-c", JOB, str(log), str(output), str(limit), body]
    subprocess.run(command, cwd=ROOT, env=os.environ, check=False)
    spent = seconds_of_children() - before
    record = read_record(record_path(log))
    assert (record["rule"], record["wildcards"]) == ("stage_make", {"language": "C"})
    return record["attempts"][-1], spent


def test_programs_in_a_sandbox_that_waits_for_more_are_counted(tmp_path: Path) -> None:
    body = f"outcome = sandboxed({BUSY.format(seconds=1.5)!r}); assert outcome.returncode == 3, outcome"
    attempt, spent = run_job(tmp_path, body)
    assert attempt["state"] == "done"
    recorded = attempt["user_seconds"] + attempt["system_seconds"]
    assert recorded > 1.5
    assert recorded == pytest.approx(spent, rel=0.05, abs=0.05)
    assert attempt["killed_seconds"] == 0
    assert (attempt["threads"], attempt["gpus"]) == (3, 2)


def test_a_program_that_was_killed_is_counted_separately(tmp_path: Path) -> None:
    body = f"assert sandboxed({BUSY.format(seconds=50)!r}).status == 'cpu_limit'"
    attempt, spent = run_job(tmp_path, body, limit=1.0)
    assert attempt["killed_seconds"] == pytest.approx(1.0, abs=0.4)
    # The kernel has not counted it, neither here nor for the command `time`. This job is so short that
    # what a process spends to end, after its record, counts: it is measured with a job without a program.
    (tmp_path / "idle").mkdir()
    idle, spent_idle = run_job(tmp_path / "idle", "sandboxed('')")
    end = spent_idle - idle["user_seconds"] - idle["system_seconds"]
    assert attempt["user_seconds"] + attempt["system_seconds"] == pytest.approx(spent - end, rel=0.05, abs=0.05)


def test_memory_is_that_of_the_tree_and_not_of_the_parent(tmp_path: Path) -> None:
    ballast = bytearray(400_000_000)
    child = "import time; held = bytearray(120_000_000); time.sleep(3)"
    body = f"children = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]"
    attempt, _ = run_job(tmp_path, f"{body}; [child.wait() for child in children]")
    assert 240 < attempt["peak_memory_mb"] < 390
    assert len(ballast) > 0


def test_outputs_and_failures_are_recorded(tmp_path: Path) -> None:
    done, _ = run_job(tmp_path, "open(snakemake.output[0], 'w').write('x' * 1000)")
    assert done["output_bytes"] == 1000
    failed, _ = run_job(tmp_path, "from scripts.lib.job import InputError; raise InputError('no')")
    assert failed["state"] == "failed"


def test_an_attempt_that_was_killed_is_added_to_the_next_one(tmp_path: Path) -> None:
    run_job(tmp_path, "import os, signal; sum(range(10_000_000)); os.kill(os.getpid(), signal.SIGKILL)")
    run_job(tmp_path, "pass")
    states = [attempt["state"] for attempt in read_record(tmp_path / "make.cost.json")["attempts"]]
    assert states == ["running", "done"]
    run_job(tmp_path, "pass")
    # After a success the result is made again, so its cost starts again.
    assert len(read_record(tmp_path / "make.cost.json")["attempts"]) == 1


def test_a_damaged_record_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "make.cost.json"
    path.write_text("{", encoding="utf-8")
    Meter(path, "stage_make", {}, Attempt("running", 0.0))
    assert json.loads(json.dumps(read_record(path)["attempts"])) == []


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"12345")
    assert (size_of(tmp_path), size_of(tmp_path / "none")) == (5, 0)
