"""Control groups of Linux that limit the memory of a command, as SLURM does for a job."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")
_numbers = itertools.count()


@dataclass(frozen=True)
class MemoryGroup:
    """A group with a limit on the memory of all its processes together."""

    folder: Path

    def command(self, *words: str) -> list[str]:
        """A command that runs `words` in the group."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs"), *words]

    @property
    def peak_mb(self) -> float:
        """Largest memory of the group so far; 0 where the kernel does not record it."""
        for name in ("memory.max_usage_in_bytes", "memory.peak"):
            if (self.folder / name).exists():
                return int((self.folder / name).read_text()) / 1e6
        return 0.0


def _parents() -> list[Path]:
    """Folders in which a group may be made, in both versions of control groups: this process's
    own, and that of the machine or container.
    """
    paths = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    first = [_ROOT / "memory" / path.lstrip("/") for _, names, path in paths if "memory" in names.split(",")]
    second = [_ROOT / path.lstrip("/") for _, names, path in paths if not names]
    return [folder for folder in (*first, _ROOT / "memory", *second, _ROOT) if folder.is_dir()]


def _make_group(megabytes: int) -> Path | None:
    """A new group with a limit; None where none can be made."""
    for parent in _parents():
        folder = parent / f"ircoder-test-{os.getpid()}-{next(_numbers)}"
        with suppress(OSError):
            folder.mkdir()
            for name in ("memory.limit_in_bytes", "memory.max"):
                if (folder / name).exists():
                    (folder / name).write_text(str(megabytes * 1_000_000))
                    return folder
            folder.rmdir()
    return None


@contextmanager
def memory_group(megabytes: int) -> Iterator[MemoryGroup]:
    """A group limited to so many megabytes; the test is skipped where this user cannot make one."""
    folder = _make_group(megabytes)
    if folder is None:
        pytest.skip("this user cannot make control groups that limit memory")
    try:
        yield MemoryGroup(folder)
    finally:
        folder.rmdir()
