"""Folders in which a training keeps its checkpoints until it is done, so that a killed one goes on where it was."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_file, sha256_text
from scripts.lib.job import InputError

# A file in each checkpoint that was written to its end; the death of its writer leaves one without it.
COMPLETE = "complete"


def folder_digest(folder: str | Path) -> str:
    """SHA-256 over names and contents of all files below a folder, Snakemake's own mark left out."""
    root = Path(folder)
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".snakemake_timestamp")
    return sha256_text("\n".join(f"{path.relative_to(root).as_posix()} {sha256_file(path)}" for path in files))


def _digest(path: str | Path) -> str:
    return folder_digest(path) if Path(path).is_dir() else sha256_file(path)


def settings_key(settings: Any, inputs: Iterable[str | Path]) -> str:
    """Sixteen hexadecimal digits for what a training does: its settings (JSON values) and its inputs' contents."""
    text = json.dumps([settings, [_digest(path) for path in inputs]], sort_keys=True)
    return sha256_text(text)[:16]


def _lock(folder: Path) -> int:
    """Hold the folder for this process; raise `InputError` when another living process holds it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(f"{folder} is in use by another training; wait until it is done or end it") from error
    return descriptor


def _remove_others(folder: Path, name: str) -> None:
    """Delete what dead trainings of the same name with other settings or inputs left behind."""
    for other in folder.parent.glob(f"{name}-*"):
        if other != folder and len(other.name) == len(folder.name):
            with suppress(InputError):
                os.close(_lock(other))
                shutil.rmtree(other)


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint in a workspace; None when there is none."""
    marks = folder.glob(f"checkpoint-*/{COMPLETE}")
    found = {int(mark.parent.name.split("-")[1]): str(mark.parent) for mark in marks}
    return found[max(found)] if found else None


@contextmanager
def workspace(root: str | Path, name: str, key: str) -> Iterator[Path]:
    """Yield the folder `{root}/{name}-{key}`, with whatever a killed training of the same key left in it.

    At a clean exit it is deleted; after an error it stays, so that the next attempt resumes. Raises `InputError` when
    another process works in it.
    """
    folder = Path(root, f"{name}-{key}")
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, name)
    descriptor = _lock(folder)
    try:
        yield folder
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)
