"""The peak memory of this process, and of all below it."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.lib.cost import memory_bytes

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_mb() -> int:
    """Largest resident size of this process in MB (10^6 bytes); unlike getrusage's, without that of
    its parent.
    """
    [kilobytes] = _PEAK.findall(Path("/proc/self/status").read_text())
    return int(kilobytes) // 1000


class Peak:
    """Largest memory that was measured, in MB (10^6 bytes)."""

    megabytes = 0.0

    def measure(self) -> None:
        """Measure this process and all below it; shared pages count once."""
        self.megabytes = max(self.megabytes, memory_bytes() / 1e6)


@contextmanager
def peak_of_all() -> Iterator[Peak]:
    """The peak memory of this process and all below it; measuring takes a fiftieth of the time."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        pause = 0.2
        while not ended.wait(pause):
            begun = time.perf_counter()
            peak.measure()
            pause = max(0.2, 50 * (time.perf_counter() - begun))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.measure()
