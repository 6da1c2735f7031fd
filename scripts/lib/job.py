"""What surrounds every script: its log file, its progress bar, and errors made for people."""

import logging
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

T = TypeVar("T")


class InputError(Exception):
    """A fault of what the user gave; the message is one line: what is wrong, where, what to do."""


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """`items` again, with a progress bar on standard error that is quiet for anything under two seconds."""
    return tqdm(items, desc=what, total=total, delay=2, mininterval=5, file=sys.stderr)


class Snakemake(Protocol):
    """The object that Snakemake hands to a script: the files, settings and limits of one job."""

    input: Any
    output: Any
    params: Any
    wildcards: Any
    resources: Any
    log: Any
    config: dict[str, Any]
    rule: str
    threads: int


def _of_main() -> Snakemake:
    """The job of the script that Snakemake runs, which it defines in `__main__`."""
    snakemake: Snakemake = vars(sys.modules["__main__"])["snakemake"]
    return snakemake


@contextmanager
def job(given: Snakemake | None = None) -> Iterator[Snakemake]:
    """Run a script's body with its log in the job's `log[0]`; the job is Snakemake's unless one is given.

    An `InputError` ends the process with exit code 1 and its one line on standard error; any other exception leaves
    its traceback in the log and on standard error.
    """
    snakemake = given or _of_main()
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    handlers = [logging.FileHandler(log, mode="w", encoding="utf-8"), logging.StreamHandler(sys.stderr)]
    handlers[1].setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", handlers=handlers, force=True)
    try:
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
