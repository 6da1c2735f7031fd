"""What a job's log says: its warnings and its error."""

import re
from collections.abc import Iterable
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]+")
_ERROR = re.compile(r"(?:ERROR|CRITICAL) ")
_TRACEBACK = "Traceback (most recent call last)"
LONGEST = 400  # characters of a line that is shown
_READ = 1 << 20  # bytes at the end of a log that are read


def printable(text: str) -> str:
    """One line that a terminal can show: no control characters, of bounded length."""
    line = _CONTROL.sub(" ", text.expandtabs(4)).rstrip()
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _lines(path: str) -> list[str]:
    """The lines at the end of a log that are not empty; none where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _READ))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def warnings_in(paths: Iterable[str]) -> list[str]:
    """The texts of the warnings in some logs, without duplicates."""
    lines = (line for path in paths for line in _lines(path))
    return list(dict.fromkeys(printable(line[8:]) for line in lines if line.startswith("WARNING ")))


def error_in(paths: Iterable[str]) -> str:
    """The last line of an error in the first log that has text; empty where none has.

    An error of the user is one line. Any other has a traceback, whose last line names it.
    """
    for path in paths:
        if lines := _lines(path):
            errors = [index for index, line in enumerate(lines) if _ERROR.match(line)]
            start = errors[-1] if errors else 0
            if not errors or any(line.startswith(_TRACEBACK) for line in lines[start:]):
                return printable(lines[-1])
            return printable(lines[start])
    return ""
