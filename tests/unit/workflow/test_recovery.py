"""Finding and ending what an interrupted run left, and refusing beside a live one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scripts.workflow import recovery

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def start(command: list[str], folder: Path, run: str | None = None) -> subprocess.Popen:
    """Start a process in `folder`, marked as a part of the run in `run`, and wait for its first line."""
    environment = {key: value for key, value in os.environ.items() if key != recovery.MARKER}
    if run is not None:
        environment[recovery.MARKER] = run
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def snakemake_like(tmp_path: Path) -> list[str]:
    """A command line that looks like Snakemake's."""
    program = tmp_path / "bin" / "snakemake"
    program.parent.mkdir()
    program.write_text(SLEEP[2])
    return [sys.executable, str(program)]


def test_a_marked_process_and_its_unmarked_child_are_ended(tmp_path: Path) -> None:
    child = f"import os, subprocess; subprocess.run({SLEEP!r}, env={{}})"
    parent = start([sys.executable, "-c", child], tmp_path, recovery.run_id(tmp_path))
    (grandchild,) = psutil.Process(parent.pid).children()
    found = {process.pid for process in recovery.leftovers(tmp_path)}
    assert found == {parent.pid, grandchild.pid}
    recovery.prepare(tmp_path)
    assert not psutil.pid_exists(parent.pid)
    # The first process of some containers takes no zombies away.
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_ignores_sigterm_is_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "GRACE_SECONDS", 0.5)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP[2]}"
    process = start([sys.executable, "-c", deaf], tmp_path, recovery.run_id(tmp_path))
    recovery.prepare(tmp_path)
    assert not psutil.pid_exists(process.pid)


def test_processes_of_other_folders_are_left_alone(tmp_path: Path) -> None:
    process = start(SLEEP, tmp_path, recovery.run_id(tmp_path / "elsewhere"))
    try:
        recovery.prepare(tmp_path)
        time.sleep(0.2)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_live_run_is_refused_in_one_line(tmp_path: Path, snakemake_like: list[str]) -> None:
    process = start(snakemake_like, tmp_path)
    try:
        with pytest.raises(SystemExit) as refusal:
            recovery.prepare(tmp_path)
        message = str(refusal.value)
        assert str(process.pid) in message
        assert "\n" not in message
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_nested_snakemake_of_a_dead_run_is_a_leftover_not_a_live_run(
    tmp_path: Path, snakemake_like: list[str]
) -> None:
    process = start(snakemake_like, tmp_path, recovery.run_id(tmp_path))
    recovery.prepare(tmp_path)
    assert not psutil.pid_exists(process.pid)


def test_a_lock_of_a_dead_run_is_taken_away(tmp_path: Path) -> None:
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/x\n")
    assert recovery.is_locked(tmp_path)
    recovery.prepare(tmp_path)
    assert not recovery.is_locked(tmp_path)


def test_a_zombie_that_nobody_waits_for_is_not_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "GRACE_SECONDS", 5)
    # The parent starts a process of the run and never asks for it, as the first process of many a container.
    careless = f"""
import os, subprocess, sys, time
child = subprocess.Popen({SLEEP!r}, env={{**os.environ, {recovery.MARKER!r}: {recovery.run_id(tmp_path)!r}}}, stdout=-1)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
    environment = {key: value for key, value in os.environ.items() if key != recovery.MARKER}
    parent = subprocess.Popen([sys.executable, "-c", careless], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        child = psutil.Process(int(parent.stdout.readline()))
        started = time.monotonic()
        recovery.prepare(tmp_path)
        assert time.monotonic() - started < 4
        assert child.status() == psutil.STATUS_ZOMBIE
        assert recovery.live_runs(tmp_path) == []
        recovery.prepare(tmp_path)
    finally:
        parent.kill()
        parent.wait()
