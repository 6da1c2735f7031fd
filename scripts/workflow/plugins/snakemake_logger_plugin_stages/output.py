"""Where the output of a run goes: all of it into a log file, some of it also to the terminal."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


class Tee(io.TextIOBase):
    """Standard error of Snakemake's own process: whole lines to a function, everything to a log."""

    def __init__(self, show: Callable[[str], None], log: TextIO) -> None:
        self._show, self._log, self._line = show, log, ""

    def writable(self) -> bool:
        """Whether text can be written."""
        return True

    def write(self, text: str) -> int:
        """Write to the log, and show every line that is complete."""
        self._log.write(text)
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._show(line)
        return len(text)

    def flush(self) -> None:
        """Show a line that has no end yet."""
        if self._line:
            self._show(self._line)
            self._line = ""


class Redirection:
    """Sends what jobs and their programs print to a log, until `close`.

    Jobs inherit the descriptors 1 and 2 of this process. `terminal` is the stream that the user
    sees. What Python code of this process prints stays visible: results such as those of `--dag`
    on standard output, and messages on standard error, which the log gets as well.
    """

    def __init__(self, log: Path, to_stdout: bool) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
        self._stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
        self.terminal = self._stdout if to_stdout else os.fdopen(os.dup(2), "w", errors="backslashreplace")
        self._python_stdout, sys.stdout = sys.stdout, self._stdout
        for descriptor in self._saved:
            os.dup2(self.log.fileno(), descriptor)

    def show_errors(self, show: Callable[[str], None]) -> None:
        """Pass each line that this process prints to standard error to a function and to the log,
        also after `close`, because Snakemake prints its last messages then.
        """
        sys.stderr = Tee(show, self.log)

    def close(self) -> None:
        """Give the descriptors back."""
        self._stdout.flush()
        self._python_stdout.flush()
        for descriptor, saved in self._saved.items():
            os.dup2(saved, descriptor)
            os.close(saved)
        self._saved = {}
        sys.stdout = self._python_stdout
