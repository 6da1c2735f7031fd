"""Two ways to show a board: lines for pipes and files, bars that are redrawn for terminals."""

import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol, TextIO

from .board import Board, Stage, duration

# Seconds until the first line about running jobs; each later one takes longer, up to the second
# value, so that the log of a long run stays short.
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 1800.0
_NAMES_WIDTH = 60


class Screen(Protocol):
    """Where a run is shown. Every method may be called from any thread."""

    def message(self, text: str, style: str = "") -> None:
        """Show lines that stay; `style` is a style of rich, for terminals."""

    def update(self, board: Board, complete: Sequence[Stage]) -> None:
        """Show the state of a run; `complete` are the stages that have ended since the last call."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Lines:
    """A line for each stage that is complete, and one now and then about the jobs that run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = time.monotonic()
        self._board: Board | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._report, daemon=True)

    def message(self, text: str, style: str = "") -> None:
        """See `Screen`."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def update(self, board: Board, complete: Sequence[Stage]) -> None:
        """See `Screen`."""
        self._board = board
        if not self._thread.ident:
            self._thread.start()
        for stage in complete:
            jobs = f"{stage.done} of {stage.total} jobs done in {duration(stage.seconds)}"
            self._line(f"{stage.name:<11} {jobs}; all stages: {board.done} of {board.total}")

    def _line(self, text: str) -> None:
        self.message(f"{duration(time.monotonic() - self._start)} {text}")

    def _report(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed.wait(pause):
            board = self._board
            if board is not None and board.running:
                jobs = f"{board.done} of {board.total} jobs done"
                self._line(f"{jobs}; running: {board.running_now(time.monotonic())}")
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def close(self) -> None:
        """See `Screen`."""
        self._closed.set()


class Bars:
    """A bar for each stage, redrawn in the last lines of a terminal; messages appear above them."""

    def __init__(self, stream: TextIO) -> None:
        # Every job's Snakemake imports this package, and only the main one draws.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(file=stream, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[running]}", style="dim", markup=False),
            console=self._console,
            refresh_per_second=2,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, Any] = {}

    def message(self, text: str, style: str = "") -> None:
        """See `Screen`."""
        self._console.print(text, style=style or None, markup=False, soft_wrap=True)

    def update(self, board: Board, complete: Sequence[Stage]) -> None:
        """See `Screen`."""
        self._progress.start()
        for stage in board.stages.values():
            if stage.name not in self._tasks:
                self._tasks[stage.name] = self._progress.add_task(stage.name, start=False, running="")
            task = self._tasks[stage.name]
            if stage.start is not None:
                self._progress.start_task(task)
            names = ", ".join(" ".join(job.values) or job.rule for job in stage.running.values())
            shown = names if len(names) <= _NAMES_WIDTH else names[: _NAMES_WIDTH - 1] + "…"
            self._progress.update(
                task, total=stage.total, completed=stage.done, running=shown, visible=bool(stage.total)
            )

    def close(self) -> None:
        """See `Screen`."""
        self._progress.stop()


def screen_for(stream: TextIO) -> Screen:
    """Bars on a terminal that can redraw them, lines elsewhere."""
    return Bars(stream) if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb" else Lines(stream)
