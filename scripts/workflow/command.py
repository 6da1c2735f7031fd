"""What the commands that read a run's results share: the folder, errors of one line, suggestions."""

import argparse
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from scripts.lib.job import InputError
from scripts.workflow.summary import RECORD


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the option `--results`."""
    parser.add_argument("--results", metavar="FOLDER", default="", help="the results folder; default: the last run's")


def results_folder(option: str) -> Path:
    """The results folder that `--results` names, or that of the last run in the working directory.

    Raises `InputError` when it does not exist.
    """
    recorded = RECORD.read_text(encoding="utf-8") if RECORD.is_file() else "results"
    folder = Path(option or recorded)
    if not folder.is_dir():
        raise InputError(f"there is no results folder '{folder}'; name one with --results, or with RESULTS= of make")
    return folder


def required(path: Path, remedy: str) -> Path:
    """A file of the results; raise `InputError` with the remedy when it does not exist."""
    if not path.is_file():
        raise InputError(f"{path} is missing; {remedy}")
    return path


def suggestion(name: str, known: Iterable[str], count: int = 3) -> str:
    """The known names that resemble a name, whatever its case, as the end of an error message."""
    folded: dict[str, str] = {}
    for word in known:
        folded.setdefault(word.casefold(), word)
    close = get_close_matches(name.casefold(), folded, count, cutoff=0.5)
    return "did you mean " + " or ".join(f"'{folded[word]}'" for word in close) + "?" if close else ""


def printable(text: str) -> str:
    """A text without control characters other than line feeds: compilers and models may write
    sequences that a terminal acts on.
    """
    return "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf") else "\N{REPLACEMENT CHARACTER}" for c in text
    )


@contextmanager
def one_line_errors(command: str) -> Iterator[None]:
    """End the process with exit code 1 and one line on standard error for an `InputError`."""
    try:
        yield
    except InputError as error:
        sys.exit(printable(f"{command}: {' '.join(str(error).split())}"))
    except BrokenPipeError:
        # The reader, such as `head`, has enough; a flush at exit must not fail again.
        sys.stdout = None
