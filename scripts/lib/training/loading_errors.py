"""Errors of loading a model's folder as one line, and a check that all its weights were there.

transformers initialises weights that a folder lacks at random, with a warning alone.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.lib.custom_code import code_errors
from scripts.lib.job import InputError

_LONGEST = 300


@contextmanager
def loading_errors(folder: str | Path, what: str) -> Iterator[None]:
    """Turn errors of loading `what` from a folder into `InputError`; the traceback is in the log.

    Memory that runs out is no error of the folder.
    """
    try:
        with code_errors(folder):
            yield
    # The libraries raise errors of many classes of their own for damaged and unsuitable files.
    except Exception as error:
        if isinstance(error, InputError | MemoryError) or "out of memory" in str(error).lower():
            raise
        logging.info("%s cannot be loaded", folder, exc_info=True)
        text = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
        remedy = "replace damaged or missing files, or use a model that this version of transformers knows"
        raise InputError(f"{folder}: {what} cannot be loaded ({text}); {remedy}") from error


def check_all_loaded(info: Mapping[str, Any], folder: str | Path) -> None:
    """Raise `InputError` if weights of a model were not in its folder.

    info: what `from_pretrained` returns with `output_loading_info`; tied weights do not count.
    """
    missing = sorted(info["missing_keys"])
    if missing:
        others = sorted(info["unexpected_keys"])
        problem = f"{folder}: {len(missing)} weights of the model are missing, such as {missing[0]}"
        if others:
            problem += f"; its files have {others[0]}"
        raise InputError(f"{problem}; use complete weights that match config.json")
