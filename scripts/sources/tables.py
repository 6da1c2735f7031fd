"""A corpus as rows of parquet or JSON-lines files: a Hugging Face data set, or a local copy of one."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_bytes
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows, open_table
from scripts.sources.decode import decode
from scripts.sources.record import Record

_BATCH = 64
_PARQUET = ".parquet"


def _matching(root: Path, pattern: str) -> list[Path]:
    """Files that a pattern names, in order; `root` itself when it is a file."""
    if root.is_file():
        return [root]
    return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))


def files_of(root: Path, language: str, corpus: dict[str, Any]) -> list[tuple[str, Path]]:
    """Variant and path of each file with programs of a language; the variant is "" where files are not by variant.

    `corpus.files` is a pattern below `root`, in which {language} and {split} stand for what the data set calls them.
    """
    name = corpus["names"].get(language, language)
    pattern = corpus["files"]
    if "{split}" not in pattern:
        return [("", path) for path in _matching(root, pattern.replace("{language}", name))]
    found = []
    for variant, split in corpus["splits"].items():
        exact = pattern.replace("{language}", name).replace("{split}", split)
        found += [(variant, path) for path in _matching(root, exact)]
    return found


def fingerprint(root: Path, language: str, corpus: dict[str, Any]) -> str:
    """Changes when a file with programs of the language is added, changed, renamed or removed; reads no contents."""
    digest = hashlib.sha256()
    for variant, path in files_of(root, language, corpus):
        status = path.stat()
        name = path.relative_to(root).as_posix()
        digest.update(f"{variant}\0{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _text_bytes(path: Path, columns: set[str]) -> int:
    """About how many bytes of text the columns of a file have; text behind gzip is taken to be eight times as long."""
    if path.suffix != _PARQUET:
        return path.stat().st_size * (8 if path.suffix == ".gz" else 1)
    with open_table(path) as file:
        groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in columns)


def total_bytes(root: Path, language: str, corpus: dict[str, Any]) -> int:
    """About how many bytes of text the language's programs, and the modules with them, have."""
    columns = {corpus["columns"]["source"], corpus["columns"]["ir"]}
    return sum(_text_bytes(path, columns) for _, path in files_of(root, language, corpus))


def _json_rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                row = json.loads(line)
                yield {column: row[column] for column in columns}
            except (ValueError, KeyError, TypeError) as error:
                fault = f"no column {error}" if isinstance(error, KeyError) else f"not a JSON object: {error}"
                raise InputError(f"{path}, line {number}: {fault}; see corpus.columns") from error


def _parquet_rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    with open_table(path) as file:
        known = file.schema_arrow.names
    for column in columns:
        if column not in known:
            raise InputError(f"{path}: no column '{column}', only {', '.join(known)}; set corpus.columns")
    yield from iter_rows(path, columns, batch_size=_BATCH)


def rows_of(path: Path, columns: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of a file with our names for their columns (`columns`: theirs by ours), a few in memory at a time."""
    theirs = list(dict.fromkeys(columns.values()))
    rows = _parquet_rows(path, theirs) if path.suffix == _PARQUET else _json_rows(path, theirs)
    for row in rows:
        yield {ours: row[column] for ours, column in columns.items()}


def _bytes_of(value: str | bytes | None) -> bytes:
    """A program's bytes; half of a surrogate pair, which UTF-8 cannot carry, stays recognisable as broken."""
    if isinstance(value, bytes):
        return value
    return (value or "").encode("utf-8", "surrogatepass")


def record(row: dict[str, Any], place: str, variant: str, corpus: dict[str, Any]) -> Record:
    """The record of a row; `place` names it where the data set has no paths."""
    data = _bytes_of(row["source"])
    named = {"path": row.get("path") or place, "licence": row.get("licence"), "variant": variant, "ir": row.get("ir")}
    if len(data) > corpus["max_bytes"]:
        return Record(sha256=sha256_bytes(data), size=len(data), rejected="too_large", **named)
    found = decode(data, corpus["encodings"] if isinstance(row["source"], bytes) else [])
    text = {"source": found.text, "encoding": found.encoding, "rejected": found.rejected}
    return Record(sha256=sha256_bytes(data), size=len(data), **text, **named)


def records(root: Path, language: str, corpus: dict[str, Any]) -> Iterator[Record]:
    """Every program of a language, file by file and row by row."""
    columns = {ours: theirs for ours, theirs in corpus["columns"].items() if theirs is not None}
    wanted = corpus["names"].get(language, language)
    for variant, path in files_of(root, language, corpus):
        name = path.relative_to(root).as_posix() if root.is_dir() else path.name
        for number, row in enumerate(rows_of(path, columns)):
            if "language" not in columns or row["language"] == wanted:
                yield record(row, f"{name}#{number}", variant, corpus)
