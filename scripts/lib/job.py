"""The frame of every script: log file, cost, progress bar, and errors of one line."""

import logging
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from scripts.lib.cost import measured

T = TypeVar("T")


class InputError(Exception):
    """An error in the user's input; the message is one line: what is wrong, where, what to do."""


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """`items`, with a progress bar on standard error that appears after two seconds."""
    return tqdm(items, desc=what, total=total, delay=2, mininterval=5, file=sys.stderr)


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

    An `InputError` or `OSError` ends the process with exit code 1 and one line on standard error.
    Any other exception is raised again, with its traceback in the log.

    What the job costs is recorded next to its log (`scripts.lib.cost`), unless `snakemake` is given:
    such a job is a part of a process that does more.
    """
    is_whole = snakemake is None
    snakemake = snakemake or _snakemake_of_main()
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [logging.FileHandler(log, mode="w", encoding="utf-8"), console]
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=handlers, force=True)
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
            raise
        logging.debug("%s", traceback.format_exc())
        logging.error("%s: %s: %s", snakemake.rule, error.filename, error.strerror)
        sys.exit(1)
    except Exception:
        logging.exception("%s failed", snakemake.rule)
        raise
