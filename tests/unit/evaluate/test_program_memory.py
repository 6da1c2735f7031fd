"""Programs that run at the same time never change each other's verdicts by the memory they use."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from scripts.evaluate.runners.memory import SHARE_MB, MemoryPool, job_mb, needed_mb
from scripts.lib.sandbox.run import Limits, Outcome
from tests.support.control_groups import MemoryGroup, memory_group
from tests.support.paths import ROOT
from tests.unit.evaluate.hungry_job import table_of

RUNNERS = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
LIMITS = Limits(wall_seconds=10, cpu_seconds=10, memory_mb=2000)


def outcome(status: str) -> Outcome:
    """The outcome of a run that ended in a status."""
    return Outcome(status, 0, b"", b"", 0.0, 0.0, 0.0)


class Programs:
    """Stands for programs that all use the same memory; records how much was in use at most."""

    def __init__(self, uses_mb: int) -> None:
        self.uses_mb, self.used, self.most, self.starts = uses_mb, 0, 0, 0
        self.lock = threading.Lock()

    def start(self, limits: Limits) -> Outcome:
        """A run that ends as soon as it uses what it may."""
        amount = min(self.uses_mb, limits.watched_mb)
        with self.lock:
            self.used, self.starts = self.used + amount, self.starts + 1
            self.most = max(self.most, self.used)
        threading.Event().wait(0.01)
        with self.lock:
            self.used -= amount
        return outcome("memory_limit" if self.uses_mb > limits.watched_mb else "exited")

    def run(self, pool: MemoryPool, number: int, workers: int) -> list[str]:
        """Statuses of so many programs."""
        with ThreadPoolExecutor(workers) as threads:
            return [each.status for each in threads.map(lambda _: pool.run(LIMITS, self.start), range(number))]


@pytest.mark.parametrize(
    ("uses_mb", "status", "starts"), [(300, "exited", 1), (1900, "exited", 2), (5000, "memory_limit", 2)]
)
def test_programs_together_use_no_more_than_there_is(uses_mb: int, status: str, starts: int) -> None:
    programs, pool = Programs(uses_mb), MemoryPool(16 * SHARE_MB, 16)
    assert programs.run(pool, 48, 16) == [status] * 48
    assert programs.starts == 48 * starts
    assert programs.most <= pool.megabytes
    assert pool.free == pool.megabytes


def test_a_program_starts_once_where_its_share_is_all_that_it_may_use() -> None:
    programs = Programs(1900)
    programs.run(MemoryPool(), 1, 1)
    programs.run(MemoryPool(needed_mb(2000), 1), 1, 1)
    assert programs.starts == 2


def test_a_program_starts_alone_where_its_limits_allow_more_than_there_is() -> None:
    programs = Programs(1900)
    assert programs.run(MemoryPool(800, 4), 8, 4) == ["exited"] * 8
    assert programs.most <= 1900


def test_programs_that_need_little_do_not_overtake_one_that_waits_for_much() -> None:
    pool, order = MemoryPool(1000, 1), []

    def reserve(megabytes: int) -> None:
        with pool.reserved(megabytes):
            order.append(megabytes)

    threads = []
    with pool.reserved(600):
        for megabytes in (900, 100):
            threads.append(threading.Thread(target=reserve, args=(megabytes,)))
            threads[-1].start()
            while len(pool.waiting) < len(threads):
                threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    assert order == [900, 100]


def test_a_run_that_fails_gives_its_memory_back() -> None:
    pool = MemoryPool(1000, 1)
    with pytest.raises(OSError, match="no sandbox"), pool.reserved(600):
        raise OSError("no sandbox")
    assert pool.free == 1000


@pytest.mark.parametrize("name", RUNNERS)
def test_a_job_has_room_for_its_largest_program_and_a_share_for_each_thread(name: str) -> None:
    table = RUNNERS[name]
    largest = max(step["memory_mb"] for step in table["limits"].values())
    for threads in (1, 2, 16, 64):
        pool = MemoryPool.of_job(job_mb(table, threads), threads)
        assert pool.megabytes >= needed_mb(largest)
        assert pool.share * threads <= pool.megabytes
        assert pool.share >= SHARE_MB
    # Far less than what 16 programs may use together.
    assert job_mb(table, 16) < 16 * largest / 2


def test_a_job_of_scripts_has_room_for_program_and_tests() -> None:
    assert MemoryPool.of_job(job_mb(RUNNERS["lua"], 1), 1).megabytes >= needed_mb(2000, programs=2)


def run_job(
    folder: Path, completions: Sequence[str], limit: int, workers: int, megabytes: int, group: MemoryGroup | None
) -> list[dict[str, object]]:
    """The rows of a job that runs completions; none if the job was killed."""
    arguments = [sys.executable, "-m", "tests.unit.evaluate.hungry_job", str(folder), str(limit), str(workers)]
    command = [*arguments, str(megabytes)]
    done = subprocess.run(
        group.command(*command) if group else command,
        input=json.dumps(completions),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        assert done.returncode < 0, done.stderr[-2000:]
        return []
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


ORDINARY = [
    "    block = bytearray(b'x') * 50_000_000\n    import time; time.sleep(0.3)\n    return 8\n",
    "    return 9\n",
    "    raise ValueError('no')\n",
    "    return 8 +\n",
    "    raise SystemExit(0)\n",
]


def test_a_hungry_completion_changes_no_verdict_in_the_memory_of_its_job(tmp_path: Path) -> None:
    hungry = "    block = bytearray(b'x') * 1_800_000_000\n    return 8\n"
    completions, megabytes = [hungry, *ORDINARY * 3], job_mb(table_of(2000), 16)
    with memory_group(megabytes) as group:
        rows = run_job(tmp_path, completions, 2000, 16, megabytes, group)
        assert 1800 < group.peak_mb < megabytes
    ordinary = ["passed", "wrong", "runtime_error", "compile_error", "runtime_error"]
    assert {row["id"]: row["status"] for row in rows} == {
        f"problem-{number}": status for number, status in enumerate(["passed", *ordinary * 3])
    }
    alone = run_job(tmp_path, [hungry, *ORDINARY], 2000, 1, 0, None)
    assert [row for row in rows if row["id"] in {each["id"] for each in alone}] == alone


def test_many_hungry_completions_change_no_verdict_though_they_would_exhaust_the_memory(tmp_path: Path) -> None:
    """Without reservations the kernel kills programs or the job, which shows that it enforces the limit."""
    megabytes = job_mb(table_of(1150), 4)
    statuses = {}
    # Without reservations they hold their memory until all of them have started, even on a busy machine.
    for reserved, seconds in ((megabytes, 0.2), (0, 10)):
        hungry = f"    block = bytearray(b'x') * 950_000_000\n    import time; time.sleep({seconds})\n    return 8\n"
        with memory_group(megabytes) as group:
            rows = run_job(tmp_path, [hungry] * 4, 1150, 4, reserved, group)
        statuses[reserved] = [row["status"] for row in rows]
    assert statuses[megabytes] == ["passed"] * 4
    assert statuses[0] != ["passed"] * 4
