"""What the table of executions keeps of a process: how it ended and what it printed.

Equal runs must give equal text, so addresses, process numbers, times and the machine's own paths
are replaced.
"""

import re
import signal
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from scripts.lib.sandbox.run import Outcome

MESSAGE_LENGTH = 200
CUT = "\n[…]\n"
_SIGNAL_BASE = 128

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_UNSTABLE = (
    (re.compile(r"0x[0-9a-fA-F]+"), "0x0"),
    # Process and thread numbers, as Rust and the sanitizers print them.
    (re.compile(r"(\bthread '[^'\n]*' )\(\d+\)"), r"\1(0)"),
    (re.compile(r"==\d+=="), "==0=="),
    (re.compile(r"\b(pid|PID)([ =:]*)\d+"), r"\1\g<2>0"),
    # Durations, times of day, dates and seconds since 1970.
    (re.compile(r"\b\d+(?:\.\d+)? ?(ns|us|µs|ms|s|sec|secs|seconds)\b"), r"0 \1"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "0000-00-00"),
    (re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"), "00:00:00"),
    (re.compile(r"\b1\d{9}\.\d{2,}\b"), "0.0"),
)
_TEMPORARY = "|".join(sorted({re.escape(folder) for folder in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir())}))
_TEMPORARY_PATH = re.compile(rf"(?:{_TEMPORARY})/[^\s:'\"`,;()]+")
# Compilers write `error`; Go's does not, but writes the package after a `#` first.
_ERROR = re.compile(r"\berror\b", re.IGNORECASE)
_NO_MESSAGE = re.compile(r"#|In file included from|\s*from |.*: In (member )?function |\s*$")


@dataclass(frozen=True)
class Ending:
    """How the process ended that decided on a program: its compiler, the program or the harness.

    exit_code: None if it was killed, or if a harness reported the verdict.
    signal: name of the signal that ended it, or for which its exit code stands; else empty.
    stdout, stderr: what it printed, cut in the middle.
    """

    exit_code: int | None = None
    signal: str = ""
    stdout: str = ""
    stderr: str = ""


def signal_name(code: int) -> str:
    """Name of the signal for which an exit code above 128 stands; empty for other codes."""
    try:
        return signal.Signals(code - _SIGNAL_BASE).name if code > _SIGNAL_BASE else ""
    except ValueError:
        return ""


def clipped(text: str, characters: int) -> str:
    """The first and the last part of a text of more than `characters` characters, `CUT` between."""
    if len(text) <= characters:
        return text
    head = characters - characters // 2
    return f"{text[:head]}{CUT}{text[len(text) - characters // 2 :]}"


def error_line(text: str) -> str:
    """The first line that says what is wrong: one with the word `error`, else the first that is not
    a heading. Empty for a text without any.
    """
    lines = [line for line in text.splitlines() if not _NO_MESSAGE.match(line)]
    line = next(filter(_ERROR.search, lines), lines[0] if lines else "")
    return " ".join(line.split())[:MESSAGE_LENGTH]


@dataclass(frozen=True)
class Recorder:
    """Makes the records of a runner's processes.

    characters: how much of each stream is kept.
    folders: the machine's own paths that may occur in messages; each is replaced by its last part.
    """

    characters: int = 0
    folders: tuple[str, ...] = field(default=())

    @cached_property
    def _own_paths(self) -> list[tuple[str, str]]:
        """Paths and what replaces them, the longest first, without the system's."""
        folders = {*self.folders, str(Path.cwd())}
        own = sorted((folder for folder in folders if not Path(folder).is_relative_to("/usr")), key=len)
        return [(folder, Path(folder).name) for folder in reversed(own)]

    def stable(self, text: str) -> str:
        """A text without what differs between equal runs; characters that cannot be printed become
        spaces.
        """
        for folder, name in self._own_paths:
            text = text.replace(folder, name)
        text = _TEMPORARY_PATH.sub("/tmp/0", _COLOURS.sub("", text))
        for pattern, replacement in _UNSTABLE:
            text = pattern.sub(replacement, text)
        return "".join(sign if sign.isprintable() or sign in "\n\t" else " " for sign in text)

    def _kept(self, stream: bytes, is_whole: bool) -> str:
        """What is kept of a stream; only the start of one that was cut off at a limit, whose end
        differs between equal runs.
        """
        text = self.stable(stream.decode("utf-8", "replace").replace("\r\n", "\n"))
        return clipped(text, self.characters) if is_whole else text[: self.characters // 2]

    def ending(self, outcome: Outcome) -> Ending:
        """The record of a run."""
        ended = outcome.status == "exited"
        stdout, stderr = (self._kept(stream, ended) for stream in (outcome.stdout, outcome.stderr))
        if not ended:
            return Ending(None, signal.SIGKILL.name, stdout, stderr)
        return Ending(outcome.returncode, signal_name(outcome.returncode), stdout, stderr)

    def reported(self, outcome: Outcome, output: str) -> Ending:
        """The record of a harness that reported a verdict, and the program's output with it."""
        return replace(self.ending(replace(outcome, stdout=output.encode())), exit_code=None, signal="")

    def error_line(self, stream: bytes) -> str:
        """The first error line of a stream; see `error_line`."""
        return error_line(self.stable(stream.decode("utf-8", "replace")))


def unique_paths(paths: Iterable[str]) -> tuple[str, ...]:
    """Absolute paths, each once."""
    return tuple(dict.fromkeys(str(Path(path).absolute()) for path in paths))
