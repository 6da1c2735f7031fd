"""A corpus as rows of parquet or JSON-lines files: a Hugging Face data set, or a local copy of one."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.lib.files import sha256_bytes
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_batches, open_table
from scripts.sources.dataset_card import stated_licence
from scripts.sources.decode import Decoded, decode
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
    name = escape(corpus["names"].get(language, language))
    pattern = corpus["files"]
    if "{split}" not in pattern:
        return [("", path) for path in _matching(root, pattern.replace("{language}", name))]
    found = []
    for variant, split in corpus["splits"].items():
        exact = pattern.replace("{language}", name).replace("{split}", escape(split))
        found += [(variant, path) for path in _matching(root, exact)]
    return found


def fingerprint(root: Path, language: str, corpus: dict[str, Any]) -> str:
    """Changes when a file with programs of the language is added, changed, renamed or removed; reads no programs."""
    digest = hashlib.sha256(str(stated_licence(root)).encode())
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


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines of a file, unpacked if need be, with their numbers; blank ones are left out."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
            yield from ((number, line) for number, line in enumerate(stream, 1) if line.strip())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged ({error}); replace it") from error


def _json_rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            yield {column: row[column] for column in columns}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            fault = f"no column {error}" if isinstance(error, KeyError) else f"not a JSON object: {error}"
            raise InputError(f"{path}, line {number}: {fault}; see corpus.columns") from error


def _as_bytes(column: pa.Array) -> pa.Array:
    """Text as the bytes that it is, so that what is no valid UTF-8 can be read; other columns as they are."""
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.large_binary()) if is_text else column


def _parquet_rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    with open_table(path) as file:
        known = file.schema_arrow.names
    for column in columns:
        if column not in known:
            raise InputError(f"{path}: no column '{column}', only {', '.join(known)}; set corpus.columns")
    for batch in iter_batches(path, columns, _BATCH):
        values = [_as_bytes(batch[column]).to_pylist() for column in columns]
        yield from (dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True))


def rows_of(path: Path, columns: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of a file with our names for their columns (`columns`: theirs by ours), a few in memory at a time."""
    theirs = list(dict.fromkeys(columns.values()))
    rows = _parquet_rows(path, theirs) if path.suffix == _PARQUET else _json_rows(path, theirs)
    for row in rows:
        yield {ours: row[column] for ours, column in columns.items()}


def _label(value: Any) -> str | None:
    """A value that names something, as valid text; a list of them, such as of licences, joined by commas."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_label, value))) or None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()


def _program(value: Any, place: str, corpus: dict[str, Any]) -> tuple[bytes, Decoded]:
    """A program's bytes and what they say.

    Text of JSON has no other encoding than its own; half of a surrogate pair, which UTF-8 cannot carry, stays
    recognisable as broken. Raises `InputError` for what is neither text nor bytes.
    """
    if not isinstance(value, str | bytes | None):
        held = f"column '{corpus['columns']['source']}' holds {type(value).__name__} values"
        raise InputError(f"{place}: {held}, not text; set corpus.columns")
    data = value if isinstance(value, bytes) else (value or "").encode("utf-8", "surrogatepass")
    if len(data) > corpus["max_bytes"]:
        return data, Decoded(rejected="too_large")
    return data, decode(data, corpus["encodings"] if isinstance(value, bytes) else [])


def record(row: dict[str, Any], place: str, variant: str, corpus: dict[str, Any]) -> Record:
    """The record of a row; `place` names it where the data set has no paths."""
    data, found = _program(row["source"], place, corpus)
    text = {"source": found.text, "encoding": found.encoding, "rejected": found.rejected}
    named = {"path": _label(row.get("path")) or place, "licence": _label(row.get("licence")) or None}
    return Record(sha256=sha256_bytes(data), size=len(data), variant=variant, ir=_label(row.get("ir")), **text, **named)


def records(root: Path, language: str, corpus: dict[str, Any]) -> Iterator[Record]:
    """Every program of a language, file by file and row by row.

    A row that states no licence has the one that the data set's card states, if any.
    """
    columns = {ours: theirs for ours, theirs in corpus["columns"].items() if theirs is not None}
    wanted = corpus["names"].get(language, language)
    licence = stated_licence(root)
    for variant, path in files_of(root, language, corpus):
        name = path.relative_to(root).as_posix() if root.is_dir() else path.name
        for number, row in enumerate(rows_of(path, columns)):
            if "language" not in columns or _label(row["language"]) == wanted:
                found = record(row, f"{name}#{number}", variant, corpus)
                yield replace(found, licence=found.licence or licence)
