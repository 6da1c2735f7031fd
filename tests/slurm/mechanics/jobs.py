"""A job that holds memory for a while and then writes a file: `jobs.py MEGABYTES SECONDS FILE`."""

import sys
import time
from pathlib import Path


def hold(megabytes: int, seconds: float, file: Path) -> None:
    """Use `megabytes` of memory for `seconds`, then write `file`."""
    block = bytearray(megabytes << 20)
    block[::4096] = b"x" * len(block[::4096])
    time.sleep(seconds)
    file.write_text(f"{len(block)}\n")


if __name__ == "__main__":
    hold(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
