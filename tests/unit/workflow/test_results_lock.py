"""A results folder is held by one run at a time, and never by a run that has ended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.workflow import results_lock
from scripts.workflow.results_lock import NAME, hold_results, is_alive, is_held, is_shared, owner
from tests.support.paths import ROOT

HOLD = """
import sys, time
from scripts.workflow.results_lock import hold_results
hold_results(sys.argv[1])
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holder(results: Path, folder: Path, seconds: float = 600) -> subprocess.Popen:
    """A run in `folder` that holds `results`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(results), str(seconds)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def second(results: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """The outcome of a second run in `folder`."""
    command = [sys.executable, "-c", HOLD, str(results), "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_run_of_another_checkout_is_refused_in_one_line(tmp_path):
    results, other = tmp_path / "results", tmp_path / "other"
    other.mkdir()
    first = holder(results, tmp_path)
    try:
        done = second(results, other)
    finally:
        first.kill()
        first.wait()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: another run (process ")
    assert f"{first.pid} on " in line and f"in {tmp_path}" in line and str(results) in line


def test_a_folder_is_free_after_a_run_has_ended_or_was_killed(tmp_path):
    results = tmp_path / "results"
    assert second(results, tmp_path).returncode == 0
    assert (results / NAME).read_text() == ""
    first = holder(results, tmp_path)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert json.loads((results / NAME).read_text())["process"] == first.pid
    assert second(results, tmp_path).returncode == 0


def test_a_zombie_holds_nothing(tmp_path):
    record = owner()
    child = subprocess.Popen([sys.executable, "-c", ""])
    started = results_lock.psutil.Process(child.pid).create_time()
    while results_lock.psutil.Process(child.pid).status() != results_lock.psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not is_alive(child.pid, started)
    child.wait()
    assert is_alive(record["process"], record["started"])
    assert not is_alive(record["process"], record["started"] - 60)


HERE = owner()
DEAD = {**HERE, "started": HERE["started"] - 1000}
ELSEWHERE = {**HERE, "host": "another-host"}


@pytest.mark.parametrize(
    "recorded, locked, shared, held",
    [
        ({}, False, True, False),
        ({}, True, False, True),
        (HERE, False, False, False),  # such a run would hold the operating system's lock
        (HERE, False, True, True),
        (DEAD, False, True, False),
        (ELSEWHERE, False, True, True),  # cannot be checked from here
        (ELSEWHERE, False, False, False),  # a local disk, a container that has ended
        (ELSEWHERE, True, False, True),
    ],
)
def test_who_holds_a_folder(recorded, locked, shared, held):
    assert is_held(recorded, locked, shared) is held


def test_a_run_of_another_host_is_reported_with_a_remedy(tmp_path, monkeypatch):
    (tmp_path / NAME).write_text(json.dumps(ELSEWHERE))
    monkeypatch.setattr(results_lock, "is_shared", lambda folder: True)
    with pytest.raises(SystemExit) as refusal:
        hold_results(tmp_path)
    assert f"on another-host in {HERE['folder']}" in str(refusal.value)
    assert str(refusal.value).endswith(f"if that run has ended, delete {tmp_path / NAME}")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\x00\x00"])
def test_a_damaged_record_holds_nothing(tmp_path, text):
    (tmp_path / NAME).write_text(text)
    assert second(tmp_path, tmp_path).returncode == 0


def test_network_file_systems_are_shared(tmp_path, monkeypatch):
    part = results_lock.psutil.disk_partitions(all=True)[0]
    mounts = {"/": "ext4", str(tmp_path): "nfs4", str(tmp_path / "scratch"): "xfs"}
    parts = [part._replace(mountpoint=point, fstype=kind) for point, kind in mounts.items()]
    monkeypatch.setattr(results_lock.psutil, "disk_partitions", lambda all: parts)
    assert is_shared(tmp_path / "run" / "results")
    assert not is_shared(tmp_path / "scratch" / "results")
    assert not is_shared(Path("/somewhere"))
