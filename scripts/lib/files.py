"""Files that are either complete or absent: written under a temporary name in the target's folder,
then renamed.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError

_BLOCK = 1 << 20


def _temporary(target: Path) -> Path:
    """A name in the folder of `target` that no other process, on this or another machine, chooses."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")


def _sync(path: Path) -> None:
    """Flush the content of a file or folder to the disk, so that it is there before a rename is."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path, which is renamed to `path` at a clean exit and removed after an
    error.
    """
    target = Path(path)
    temporary = _temporary(target)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder; it replaces the folder `path` at a clean exit and is removed
    after an error.
    """
    target = Path(path)
    temporary = _temporary(target)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        if target.exists():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, atomically and without newline translation."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON with sorted keys, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """The value of a JSON file; raise `InputError` naming it if it is damaged."""
    try:
        return json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again, or replace it") from error


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of `content`, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of `text` as UTF-8, 64 hexadecimal digits."""
    return sha256_bytes(text.encode())


def sha256_file(path: str | Path) -> str:
    """SHA-256 of a file, read in blocks, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
