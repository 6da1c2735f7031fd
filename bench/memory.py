"""The peak memory of this process."""

import re
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_mb() -> int:
    """Largest resident size of this process in MB (10^6 bytes); unlike getrusage's, without that of
    its parent.
    """
    [kilobytes] = _PEAK.findall(Path("/proc/self/status").read_text())
    return int(kilobytes) // 1000
