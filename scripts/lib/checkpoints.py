"""Folders with the checkpoints of an unfinished training, so that an interrupted one resumes from
its last checkpoint.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scripts.lib.files import read_json, sha256_file, sha256_text, write_json
from scripts.lib.job import InputError

# A file in each complete checkpoint, with the digests of all other files. When the process dies
# while writing, the checkpoint lacks it; when the machine dies, files can be shorter, and a disk can
# change them.
COMPLETE = "complete.json"
_DELETED = ".trash"


def folder_digest(folder: str | Path, left_out: Collection[str] = ()) -> str:
    """SHA-256 of names and contents of all files below a folder, without Snakemake's time stamp and
    files with the names `left_out`.
    """
    root, names = Path(folder), {".snakemake_timestamp", *left_out}
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name not in names)
    return sha256_text("\n".join(f"{path.relative_to(root).as_posix()} {sha256_file(path)}" for path in files))


def path_digest(path: str | Path) -> str:
    """SHA-256 of a file, or of a folder."""
    return folder_digest(path) if Path(path).is_dir() else sha256_file(path)


def settings_key(settings: Any, inputs: Iterable[str | Path]) -> str:
    """Sixteen hexadecimal digits that identify a training: a hash of its settings (JSON values) and
    inputs.
    """
    text = json.dumps([settings, [path_digest(path) for path in inputs]], sort_keys=True)
    return sha256_text(text)[:16]


def _lock(folder: Path) -> int:
    """Lock a folder for this process; raise `InputError` when another process has locked it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise InputError(f"{folder} is in use by another training; wait until it has finished, or stop it") from error
    return descriptor


def _discard(folder: Path) -> None:
    """Delete a folder; an interruption leaves the rest under another name, never a partial folder
    under its own.
    """
    trash = folder.with_name(f".{folder.name}{_DELETED}")
    shutil.rmtree(trash, ignore_errors=True)
    folder.rename(trash)
    shutil.rmtree(trash)


def _remove_others(folder: Path, name: str) -> None:
    """Delete the folders of interrupted trainings of the same name with other settings or inputs."""
    for trash in folder.parent.glob(f".{name}-*{_DELETED}"):
        shutil.rmtree(trash, ignore_errors=True)
    for other in folder.parent.glob(f"{name}-*"):
        if other != folder and len(other.name) == len(folder.name):
            with suppress(InputError):
                os.close(_lock(other))
                _discard(other)


def _digests(checkpoint: Path) -> dict[str, str]:
    """SHA-256 of each file of a checkpoint except `COMPLETE`."""
    files = [path for path in checkpoint.rglob("*") if path.is_file() and path.name != COMPLETE]
    return {path.relative_to(checkpoint).as_posix(): sha256_file(path) for path in files}


def mark_complete(checkpoint: Path) -> None:
    """Mark a checkpoint as complete."""
    write_json(checkpoint / COMPLETE, _digests(checkpoint))


def _is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint is marked as complete, and no file of it has changed since."""
    try:
        marked = read_json(checkpoint / COMPLETE)
    except (FileNotFoundError, InputError):
        return False
    return isinstance(marked, dict) and marked.items() <= _digests(checkpoint).items()


def last_checkpoint(folder: Path) -> str | None:
    """The latest complete checkpoint in a workspace; None when there is none."""
    saved = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]), reverse=True)
    return next((str(path) for path in saved if _is_complete(path)), None)


@contextmanager
def workspace(root: str | Path, name: str, key: str) -> Iterator[Path]:
    """Yield the folder `{root}/{name}-{key}`, which contains the checkpoints of an interrupted
    training with the same key.

    It is deleted at a clean exit and remains after an error, so that the next attempt resumes.
    Raises `InputError` when another process uses it.
    """
    folder = Path(root, f"{name}-{key}")
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, name)
    descriptor = _lock(folder)
    try:
        yield folder
        _discard(folder)
    finally:
        os.close(descriptor)
