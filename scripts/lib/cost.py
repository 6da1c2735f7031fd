"""What a job costs: time, CPU time, memory and bytes written of its process and all below it.

The record of a job is next to its log, `<name>.cost.json`, and has an entry for each attempt: those
that were killed or failed, and the one that succeeded. Equal runs have equal results, but not equal
costs, so no digest covers these files.

CPU time is what the kernel has counted (getrusage) for the process and for children that were waited
for, plus what it has counted for those that still run, such as sandboxes that wait for their next
program. The kernel forgets what a program used that is killed together with its sandbox; the
sandbox reports it (`add_killed`), and it is counted separately.
"""

import contextlib
import json
import os
import platform
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from scripts.lib.process_tree import descendants

SUFFIX = ".cost.json"
RUNNING, DONE, FAILED = "running", "done", "failed"
_KILLED_FILE = "IRCODER_KILLED_SECONDS"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Seconds between measurements of memory, between writes of the record, and the share of time that
# measuring may take.
_MEASURE_SECONDS, _WRITE_SECONDS, _MEASURING_SHARE = 1.0, 10.0, 0.01


@dataclass(frozen=True)
class Attempt:
    """One attempt of a job.

    state: `running`, which stays where the process was killed; `done` or `failed`.
    started: seconds since 1970; wall_seconds, from the start of the process.
    user_seconds, system_seconds: CPU time of the process and all below it.
    killed_seconds: CPU time of programs that a sandbox killed, which the kernel has not counted.
    peak_memory_mb: largest memory of all processes together, in 10^6 bytes; shared pages count once.
    bytes_written: bytes that the processes sent to storage, without in-memory file systems.
    output_bytes: size of the job's outputs.
    threads, gpus: what the job was given.
    machine, cpu: name of the machine and of its processor.
    slurm_job: identifier of the SLURM job; empty without SLURM.
    """

    state: str
    started: float
    wall_seconds: float = 0.0
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    killed_seconds: float = 0.0
    peak_memory_mb: float = 0.0
    bytes_written: int = 0
    output_bytes: int = 0
    threads: int = 1
    gpus: int = 0
    machine: str = ""
    cpu: str = ""
    slurm_job: str = ""


def _stat(pid: int | str) -> list[bytes]:
    """Fields of `/proc/{pid}/stat` after the name, from the state on; empty if the process is gone."""
    try:
        content = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return content.rpartition(b")")[2].split()


def cpu_seconds() -> tuple[float, float]:
    """User and system time of this process and of all processes below it, ended or not, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    user, system = sum(each.ru_utime for each in used), sum(each.ru_stime for each in used)
    for fields in map(_stat, descendants(os.getpid())[1:]):
        if fields:
            own_user, own_system, user_below, system_below = (int(field) / _TICKS for field in fields[11:15])
            user, system = user + own_user + user_below, system + own_system + system_below
    return user, system


def _status_bytes(pid: int, file: str, name: bytes) -> int | None:
    """A value in bytes of a file of /proc with lines such as `VmHWM: 12 kB`; None if it is not
    readable.
    """
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_bytes().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) << 10
    return None


def _peak_of_this_process() -> int:
    """Largest memory of this program in bytes. The kernel's `ru_maxrss` would include the program
    that started it.
    """
    return _status_bytes(os.getpid(), "status", b"VmHWM:") or 0


def memory_bytes(at_least: int = 0) -> int:
    """Bytes of memory of this process and all below it; 0 if that is certainly less than `at_least`.

    Shared pages are counted once (PSS), where the kernel allows to read that.
    """
    resident = {pid: int(fields[21]) * _PAGE for pid in descendants(os.getpid()) if (fields := _stat(pid))}
    if len(resident) == 1 or sum(resident.values()) < at_least:
        return sum(resident.values()) if len(resident) == 1 else 0
    shares = {pid: _status_bytes(pid, "smaps_rollup", b"Pss:") for pid in resident}
    return sum(share if (share := shares[pid]) is not None else size for pid, size in resident.items())


def _bytes_written() -> int:
    """Bytes that this process and its ended children sent to storage; 0 where the kernel does not
    count them.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/io").read_text().splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    return 0


def _started() -> float:
    """When this process started, in seconds since 1970."""
    since_boot = int(_stat("self")[19]) / _TICKS
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


@cache
def _cpu() -> str:
    """Name of the processor."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def size_of(path: str | Path) -> int:
    """Bytes of a file or of all files in a folder; 0 for what does not exist."""
    top = Path(path)
    files = top.rglob("*") if top.is_dir() else [top]
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.lstat().st_size if not file.is_dir() else 0
    return total


def add_killed(seconds: float) -> None:
    """Report CPU time of a program that was killed and that the kernel has not counted, from any
    process of a job.
    """
    file = os.environ.get(_KILLED_FILE)
    if file and seconds > 0:
        with contextlib.suppress(OSError):
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            os.write(descriptor, f"{seconds:.3f}\n".encode())
            os.close(descriptor)


def _killed() -> float:
    """The sum of what was reported."""
    file = os.environ.get(_KILLED_FILE)
    return sum(map(float, Path(file).read_text(encoding="ascii").split())) if file and Path(file).exists() else 0.0


def record_path(log: str | Path) -> Path:
    """Path of the record of the job with a log."""
    return Path(log).with_suffix(SUFFIX)


def read_record(path: str | Path) -> dict[str, Any]:
    """A record: `rule`, `wildcards` and `attempts`; one without attempts where there is none or it is
    damaged.
    """
    with contextlib.suppress(OSError, ValueError):
        record: dict[str, Any] = json.loads(Path(path).read_bytes())
        if isinstance(record, dict) and isinstance(record.get("attempts"), list):
            return record
    return {"rule": "", "wildcards": {}, "attempts": []}


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record atomically; it is not worth a job, so a full disk is no error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        temporary.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(path)


class Meter:
    """Measures this process as one attempt of a job, from the start of the process.

    The record is written at once, then every ten seconds, and at the end, so that a killed attempt
    leaves what it had used until shortly before.
    """

    def __init__(self, path: Path, rule: str, wildcards: Mapping[str, str], attempt: Attempt) -> None:
        earlier = read_record(path)["attempts"]
        # After a success the job's cost starts again: it replaces the earlier result.
        self.earlier = [] if earlier and earlier[-1]["state"] == DONE else earlier
        self.path, self.about = path, {"rule": rule, "wildcards": dict(wildcards)}
        self.attempt = attempt
        self.peak = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, name="meter", daemon=True)

    def start(self) -> None:
        """Write the record and begin to measure memory."""
        self._write(RUNNING)
        self.thread.start()

    def end(self, state: str, outputs: list[str]) -> None:
        """Write the record for the last time."""
        self.ended.set()
        self.thread.join()
        self._measure()
        self.attempt = replace(self.attempt, output_bytes=sum(map(size_of, outputs)))
        self._write(state)

    def _measure(self) -> None:
        self.peak = max(self.peak, memory_bytes(self.peak))

    def _watch(self) -> None:
        written, pause = time.monotonic(), 0.0
        while not self.ended.wait(max(_MEASURE_SECONDS, pause)):
            begun = time.thread_time()
            self._measure()
            if time.monotonic() - written >= _WRITE_SECONDS:
                self._write(RUNNING)
                written = time.monotonic()
            pause = (time.thread_time() - begun) / _MEASURING_SHARE

    def _write(self, state: str) -> None:
        user, system = cpu_seconds()
        self.attempt = replace(
            self.attempt,
            state=state,
            wall_seconds=round(time.time() - self.attempt.started, 3),
            user_seconds=round(user, 3),
            system_seconds=round(system, 3),
            killed_seconds=round(_killed(), 3),
            peak_memory_mb=round(max(self.peak, _peak_of_this_process()) / 1e6, 1),
            bytes_written=_bytes_written(),
        )
        write_record(self.path, {**self.about, "attempts": [*self.earlier, asdict(self.attempt)]})


def new_attempt(threads: int, gpus: int) -> Attempt:
    """A new attempt of this process."""
    slurm = os.environ.get("SLURM_JOB_ID", "")
    started = round(_started(), 3)
    return Attempt(
        RUNNING, started, threads=threads, gpus=gpus, machine=socket.gethostname(), cpu=_cpu(), slurm_job=slurm
    )


@contextlib.contextmanager
def measured(
    log: str | Path, rule: str, wildcards: Mapping[str, str], outputs: list[str], threads: int, gpus: int
) -> Iterator[None]:
    """Measure the body, which does all the work of this process, and record it next to `log`."""
    with tempfile.NamedTemporaryFile(prefix="killed-seconds-") as killed:
        os.environ[_KILLED_FILE] = killed.name
        meter = Meter(record_path(log), rule, wildcards, new_attempt(threads, gpus))
        meter.start()
        state = FAILED
        try:
            yield
            state = DONE
        finally:
            meter.end(state, outputs)
            del os.environ[_KILLED_FILE]
