"""Processes and locks of an interrupted run are found and removed, and an active run is refused."""

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
    """Start a process in `folder`, marked as a part of the run in `run`, and wait for its first
    line.
    """
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
    pids = {process.pid for process in recovery.leftovers(tmp_path)}
    assert pids == {parent.pid, grandchild.pid}
    recovery.prepare(tmp_path)
    assert not psutil.pid_exists(parent.pid)
    # The first process of some containers does not reap zombies.
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_lock_of_a_dead_run_is_removed(tmp_path: Path) -> None:
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/x\n")
    assert recovery.is_locked(tmp_path)
    recovery.prepare(tmp_path)
    assert not recovery.is_locked(tmp_path)


def test_a_zombie_that_its_parent_does_not_reap_counts_as_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "GRACE_SECONDS", 5)
    # The parent starts a process of the run and never waits for it, like the first process of many
    # containers.
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


def test_times_in_the_future_are_reset_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, ahead = tmp_path / "old", tmp_path / "folder" / "ahead"
    ahead.parent.mkdir()
    for file in (old, ahead):
        file.touch()
    os.utime(old, (1000, 1000))
    os.utime(ahead, (time.time() + 3600, time.time() + 3600))
    recovery.reset_future_times(tmp_path)
    assert old.stat().st_mtime == 1000
    assert ahead.stat().st_mtime <= time.time()
    printed = capsys.readouterr().err
    assert printed.startswith(f"warning: reset 1 modification times in the future, the first of {ahead}; ")
    recovery.reset_future_times(tmp_path)
    assert capsys.readouterr().err == ""


def test_what_killed_jobs_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    stale, folder = tmp_path / "a" / f".x.csv.{'0a' * 16}.tmp", tmp_path / f".model.{'b1' * 16}.tmp"
    kept = [tmp_path / "a" / name for name in ("x.csv", ".x.tmp", "x.tmp", f"x.{'0a' * 16}.tmp")]
    for file in (stale, folder / "weights" / "part", *kept):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    recovery.remove_temporary_files(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    assert not folder.exists()
    recovery.remove_temporary_files(tmp_path / "absent")
