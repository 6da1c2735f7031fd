"""Files of lines that are compressed with zstd, such as stored generations."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from scripts.lib.job import InputError

T = TypeVar("T")


def read_lines(path: str | Path, parse: Callable[[str], T]) -> list[T]:
    """The values that `parse` returns for the lines of a file, without empty ones.

    Raises `InputError` when the file is damaged.
    """
    import zstandard  # an engine alone works without this package

    try:
        text = zstandard.ZstdDecompressor().decompress(Path(path).read_bytes()).decode()
        # Not splitlines: texts may contain line separators that JSON does not escape.
        return [parse(line) for line in text.split("\n") if line]
    except (zstandard.ZstdError, ValueError, TypeError, KeyError, MemoryError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error
