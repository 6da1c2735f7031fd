"""The frame of every script: log file, cost, progress reports, and errors of one line."""

import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from scripts.lib.cost import measured

T = TypeVar("T")


class InputError(Exception):
    """An error in the user's input; the message is one line: what is wrong, where, what to do."""


FORMAT = "%(levelname)s %(message)s"
_PROGRESS = logging.getLogger("progress")
_DELAY, _SECONDS = 2.0, 30.0  # before the first report of progress, and between two


class _ReportLines(io.StringIO):
    """What tqdm writes to: each state of a bar becomes a line of the log.

    Jobs run at the same time, and a bar that is redrawn in place would be mixed with those of
    others, on a terminal and in a file.
    """

    def write(self, text: str) -> int:
        """Log a state; tqdm separates states by control characters."""
        for state in text.replace("\r", "\n").splitlines():
            if state.strip():
                _PROGRESS.info("%s", state.strip())
        return len(text)


def progress_bar(what: str, total: int | None = None, items: Iterable[T] = ()) -> "tqdm[T]":
    """A bar of tqdm, over `items` or updated by hand, that reports every 30 seconds in a line."""
    share = "{n_fmt} of {total_fmt} ({percentage:.0f} %)" if total or isinstance(items, Sized) else "{n_fmt}"
    return tqdm(
        items,
        desc=what,
        total=total,
        bar_format=f"{{desc}}: {share}, {{elapsed}} elapsed, {{remaining}} left",
        file=_ReportLines(),
        leave=False,
        delay=_DELAY,
        mininterval=_SECONDS,
        maxinterval=_SECONDS,
    )


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """`items`, with reports of progress in the log and on standard error."""
    return progress_bar(what, total, items)


def _one_line(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None) -> str:
    """A Python warning as one line, for `warnings.formatwarning`."""
    return f"{filename}:{lineno}: {category.__name__}: {' '.join(str(message).split())}"


def log_warnings() -> None:
    """Log Python's warnings at level WARNING, each in one line, and messages of libraries that are
    imported and write theirs to standard error without a level.
    """
    for library in ("transformers", "datasets"):
        logger = logging.getLogger(library)
        logger.handlers.clear()
        logger.propagate = True
    warnings.formatwarning = lambda message, category, filename, lineno, line=None: _one_line(
        message, category, filename, lineno, line
    )
    logging.captureWarnings(True)


def _is_for_console(record: logging.LogRecord) -> bool:
    """Whether standard error gets a record of the log: warnings, errors and progress."""
    return record.levelno >= logging.WARNING or record.name == _PROGRESS.name


class Snakemake(Protocol):
    """The object that Snakemake passes to a script: files, settings and limits of one job."""

    input: Any
    output: Any
    params: Any
    wildcards: Any
    resources: Any
    log: Any
    config: dict[str, Any]
    rule: str
    threads: int


def _snakemake_of_main() -> Snakemake:
    """The object that Snakemake defines in `__main__`."""
    snakemake: Snakemake = vars(sys.modules["__main__"])["snakemake"]
    return snakemake


def _cost(snakemake: Snakemake) -> AbstractContextManager[None]:
    """Measures a job."""
    wildcards = {name: str(value) for name, value in snakemake.wildcards.items()}
    gpus = int(snakemake.resources.get("gpu", 0) or 0)
    outputs = [str(path) for path in snakemake.output]
    return measured(snakemake.log[0], snakemake.rule, wildcards, outputs, snakemake.threads, gpus)


@contextmanager
def job(snakemake: Snakemake | None = None) -> Iterator[Snakemake]:
    """Run the body of a script, with its log in `log[0]` of the job; the default is the job that
    Snakemake runs.

    An `InputError`, a full disk, or an `OSError` that names a file ends the process with exit code
    1 and one line on standard error. Any other exception is raised again, with its traceback in the
    log.

    What the job costs is recorded next to its log (`scripts.lib.cost`), unless `snakemake` is given:
    such a job is a part of a process that does more.
    """
    is_whole = snakemake is None
    snakemake = snakemake or _snakemake_of_main()
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    console = logging.StreamHandler(sys.stderr)
    console.addFilter(_is_for_console)
    handlers: list[logging.Handler] = [logging.FileHandler(log, mode="w", encoding="utf-8"), console]
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers, force=True)
    log_warnings()
    if not snakemake.rule.startswith("fetch_"):
        # transformers draws bars even into files. Those of downloads report hours of work.
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        if library := sys.modules.get("transformers.utils.logging"):
            library.disable_progress_bar()
    try:
        with _cost(snakemake) if is_whole else nullcontext():
            yield snakemake
    except InputError as error:
        logging.error("%s: %s", snakemake.rule, " ".join(str(error).split()))
        sys.exit(1)
    except OSError as error:
        if "No space left" in str(error):
            logging.error("%s: No space left on device (%s); make room and run again", snakemake.rule, error)
            sys.exit(1)
        if error.filename is None:
            logging.exception("%s failed", snakemake.rule)
            raise
        logging.debug("%s", traceback.format_exc())
        logging.error("%s: %s: %s", snakemake.rule, error.filename, error.strerror)
        sys.exit(1)
    except Exception:
        logging.exception("%s failed", snakemake.rule)
        raise
