"""Asks the commands that read a run's results, as a user does."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.cpu_time import seconds_of_children
from tests.support.paths import ROOT

# CPU seconds that an answer may take; on a quiet machine about the same on the clock.
LIMIT_S = 5


def ask(command: str, *arguments: object, succeeds: bool = True) -> str:
    """What `python -m scripts.workflow.<command>` prints; fails if it takes longer than `LIMIT_S`."""
    before = seconds_of_children()
    done = subprocess.run(
        [sys.executable, "-m", f"scripts.workflow.{command}", *map(str, arguments)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    seconds = seconds_of_children() - before
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    assert seconds < LIMIT_S
    return done.stdout + done.stderr


def outcome_in(answer: str, variant: str) -> tuple[str, str]:
    """Outcome and detail that `why` prints for a variant of the first program."""
    match = re.search(rf"^  {variant} +(\w+): .*\n(?: {{8}}(.*))?", answer, re.M)
    assert match, answer
    return match[1], match[2] or ""


def alter(path: Path) -> None:
    """Change the byte in the middle of a file, which may be a link to one that must stay."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
