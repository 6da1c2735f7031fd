"""A corpus as rows of parquet or JSON-lines files: a Hugging Face data set, or a local copy of one."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_bytes, sha256_text
from scripts.lib.job import InputError
from scripts.lib.json_lines import numbered_lines, parse_object
from scripts.lib.parquet import open_table
from scripts.lib.schemas.sources import Rejection
from scripts.sources.dataset_card import LONGEST_LABEL, stated_license
from scripts.sources.decode import Decoded, decode
from scripts.sources.parquet_rows import as_bytes, unpacking
from scripts.sources.reader_process import items_of, limit_memory
from scripts.sources.record import Module, Record
from scripts.sources.table_files import files_of

_PARQUET = ".parquet"
# Maximum size in bytes of a module of the corpus.
_MOST_IR = 16 << 20
# Bytes of a line of JSON in addition to the program and its module.
_REST_OF_LINE = 1 << 20
_REMEDY = "set corpus.columns"


def fingerprint(root: Path, language: str, corpus: dict[str, Any]) -> str:
    """A text that changes when a file with programs of the language is added, changed, renamed or
    removed.
    """
    digest = hashlib.sha256(str(stated_license(root)).encode())
    for variant, path in files_of(root, language, corpus):
        status = path.stat()
        name = path.relative_to(root).as_posix()
        digest.update(f"{variant}\0{name}\0{status.st_size}\0{int(status.st_mtime)}\n".encode())
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Rows:
    """Rows of a file that are read together: the row groups `groups` of a parquet file, or a whole
    file.

    first: number of the first row in its file. source_bytes, ir_bytes: about how many bytes of text
    the programs and the modules have.
    """

    path: Path
    groups: tuple[int, ...] | None
    first: int
    source_bytes: int
    ir_bytes: int


@dataclass(frozen=True)
class TablePiece:
    """A part of the list of programs of a variant that one process reads; `limit` is the number of
    programs after which it ends, None for all.
    """

    variant: str
    rows: tuple[Rows, ...]
    limit: int | None = None

    def key(self, root: Path) -> str:
        """A text that changes when one of the files does; no contents are read."""
        return repr([(self.variant, self.limit), *(_state(rows, root) for rows in self.rows)])


def _name(path: Path, root: Path) -> str:
    """The path of a file of the corpus below its root, which may be the file."""
    return path.relative_to(root).as_posix() if root.is_dir() else path.name


def _state(rows: Rows, root: Path) -> tuple[object, ...]:
    status = rows.path.stat()
    return _name(rows.path, root), rows.groups, rows.first, status.st_size, status.st_mtime_ns


def _row_groups(path: Path, columns: tuple[str, str | None]) -> Iterator[tuple[int, int, int]]:
    """Of each row group of a parquet file, as its metadata states: number of rows, and unpacked bytes
    of two columns.
    """
    with open_table(path) as file:
        groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    for group in groups:
        sizes = dict.fromkeys(columns, 0)
        for number in range(group.num_columns):
            chunk = group.column(number)
            if chunk.path_in_schema in sizes:
                sizes[chunk.path_in_schema] += chunk.total_uncompressed_size
        yield group.num_rows, sizes[columns[0]], sizes[columns[1]] if columns[1] else 0


def _rows_of_file(path: Path, corpus: dict[str, Any]) -> Iterator[Rows]:
    """The rows of a file, in the smallest groups that can be read alone: row groups, or all of a JSON
    file, whose bytes are those of programs; gzipped text is assumed to be eight times as long.
    """
    if path.suffix != _PARQUET:
        size = path.stat().st_size * (8 if path.suffix == ".gz" else 1)
        yield Rows(path, None, 0, size, size if corpus["columns"]["ir"] else 0)
        return
    columns = corpus["columns"]["source"], corpus["columns"]["ir"]
    first = 0
    for number, (count, *sizes) in enumerate(items_of(path, lambda: _row_groups(path, columns))):
        yield Rows(path, (number,), first, *sizes)
        first += count


def _joined(rows: list[Rows]) -> tuple[Rows, ...]:
    """Consecutive row groups of one file joined."""
    groups: list[Rows] = []
    for each in rows:
        if groups and groups[-1].path == each.path:
            last = groups.pop()
            sizes = last.source_bytes + each.source_bytes, last.ir_bytes + each.ir_bytes
            each = Rows(each.path, (*(last.groups or ()), *(each.groups or ())), last.first, *sizes)
        groups.append(each)
    return tuple(groups)


def all_rows(root: Path, language: str, corpus: dict[str, Any]) -> dict[str, list[Rows]]:
    """The rows of a language by variant, in the order of files and rows."""
    listed: dict[str, list[Rows]] = {}
    for variant, path in files_of(root, language, corpus):
        listed.setdefault(variant, []).extend(_rows_of_file(path, corpus))
    return listed


def total_bytes(root: Path, language: str, corpus: dict[str, Any]) -> int:
    """About how many bytes of text the language's programs, and the modules with them, have."""
    listed = all_rows(root, language, corpus).values()
    return sum(each.source_bytes + each.ir_bytes for rows in listed for each in rows)


def pieces(listed: Mapping[str, list[Rows]], piece_bytes: int, first: int | None) -> Iterator[TablePiece]:
    """The rows of `all_rows` in pieces of about `piece_bytes` of text.

    Each variant's list is one piece where only the `first` of its programs are read, because rows
    of other languages do not count.
    """
    for variant, rows in listed.items():
        if first is not None:
            yield TablePiece(variant, _joined(rows), first)
            continue
        waiting: list[Rows] = []
        size = 0
        for each in rows:
            waiting.append(each)
            size += each.source_bytes + each.ir_bytes
            if size >= piece_bytes:
                yield TablePiece(variant, _joined(waiting))
                waiting, size = [], 0
        if waiting:
            yield TablePiece(variant, _joined(waiting))


def _json_rows(
    path: Path, columns: Mapping[str, str], longest: int, with_modules: bool
) -> Iterator[dict[str, Any] | None]:
    """The rows of a JSON-lines file with our names for its columns; None for a line of more than
    `longest` bytes.
    """
    for number, line in numbered_lines(path, longest):
        if line is None:
            yield None
            continue
        where = f"{path}, line {number}"
        row = parse_object(line, where)
        missing = next((column for column in columns.values() if column not in row), None)
        if missing is not None:
            raise InputError(f"{where}: no column '{missing}'; see corpus.columns")
        yield _named(row, columns, with_modules, where)


def _module(value: Any, with_text: bool, where: str) -> Module | None:
    """The module that a value is; without its text unless that is wanted.

    Raises `InputError`, which begins with `where`, for a value that is neither text nor bytes.
    """
    if not isinstance(value, str | bytes | None):
        raise InputError(f"{where}: the column of modules holds {type(value).__name__} values, not text; {_REMEDY}")
    text = _label(value)
    if text is None:
        return None
    is_too_long = len(text) > _MOST_IR
    # Valid UTF-8 is hashed as it is.
    sha256 = sha256_bytes(value) if isinstance(value, bytes) and len(value) == len(text) else sha256_text(text)
    return Module(sha256, is_too_long, text if with_text and not is_too_long else None)


def _named(row: Mapping[str, Any], columns: Mapping[str, str], with_modules: bool, where: str) -> dict[str, Any]:
    """A row with our names for its columns, in which "ir" is a `Module`; `where` as in `_module`."""
    named = {ours: row[column] for ours, column in columns.items()}
    return named if "ir" not in named else named | {"ir": _module(named["ir"], with_modules, where)}


def _parquet_batches(
    path: Path, columns: dict[str, str], max_bytes: int, groups: tuple[int, ...] | None, with_modules: bool
) -> Iterator[list[dict[str, Any]]]:
    """Rows of a parquet file, some at a time; limits the memory of this process."""
    theirs = list(dict.fromkeys(columns.values()))
    with open_table(path) as file:
        known = file.schema_arrow.names
    for column in theirs:
        if column not in known:
            raise InputError(f"{path}: no column '{column}', only {', '.join(known)}; set corpus.columns")
    allowed = {column: _MOST_IR if ours == "ir" else max_bytes for ours, column in columns.items()}
    count, most = unpacking(path, allowed)
    limit_memory(most)
    with open_table(path) as file:
        for batch in file.iter_batches(count, theirs, groups):
            values = [as_bytes(batch[column]).to_pylist() for column in theirs]
            rows = (dict(zip(theirs, row, strict=True)) for row in zip(*values, strict=True))
            yield [_named(row, columns, with_modules, str(path)) for row in rows]


def rows_of(
    path: Path,
    columns: dict[str, str],
    max_bytes: int,
    groups: tuple[int, ...] | None = None,
    with_modules: bool = True,
) -> Iterator[dict[str, Any] | None]:
    """Rows of a file with our names for their columns (`columns`: theirs by ours), a few in memory
    at a time; with `groups`, only those of some row groups. Modules keep their text only with
    `with_modules`; otherwise the reading process hashes them and drops the text.

    None stands for a row that is too long for a program of `max_bytes` and was not read.
    """
    if path.suffix == _PARQUET:
        for batch in items_of(path, lambda: _parquet_batches(path, columns, max_bytes, groups, with_modules)):
            yield from batch
        return
    # A byte may take six characters in JSON.
    longest = 6 * (max_bytes + _MOST_IR * ("ir" in columns)) + _REST_OF_LINE
    yield from _json_rows(path, columns, longest, with_modules)


def _leaves(value: Any) -> Iterator[Any]:
    """The values of a list and of the lists in it, however deep, in order; a value that is no list alone."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        else:
            yield each


def _name_text(value: Any) -> str:
    """A name as valid text; empty for None, and for the number NaN, which pandas writes for it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return "" if value is None or value != value else str(value).encode("utf-8", "backslashreplace").decode()


def _label(value: Any) -> str | None:
    """A name, such as a license, as valid text; a list of names joined by commas."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_name_text, _leaves(value)))) or None
    return None if value is None or value != value else _name_text(value)


def _short_label(row: dict[str, Any], ours: str, where: str, corpus: dict[str, Any]) -> str | None:
    """`_label` of one of our columns; raise `InputError` when it is too long."""
    label = _label(row.get(ours))
    if label is not None and len(label) > LONGEST_LABEL:
        held = f"column '{corpus['columns'][ours]}' holds a text of {len(label)} characters"
        raise InputError(f"{where}: {held}, too long for a {ours}; set corpus.columns, or remove the row")
    return label


def _program(value: Any, where: str, corpus: dict[str, Any]) -> tuple[bytes, Decoded]:
    """A program's bytes and their decoding.

    Text from JSON is decoded already. A lone surrogate, which UTF-8 cannot represent, becomes
    invalid bytes. Raises `InputError` for a value that is neither text nor bytes.
    """
    if not isinstance(value, str | bytes | None):
        held = f"column '{corpus['columns']['source']}' holds {type(value).__name__} values"
        raise InputError(f"{where}: {held}, not text; {_REMEDY}")
    data = value if isinstance(value, bytes) else (value or "").encode("utf-8", "surrogatepass")
    if len(data) > corpus["max_bytes"]:
        return data, Decoded(rejected=Rejection.TOO_LARGE)
    return data, decode(data, corpus["encodings"] if isinstance(value, bytes) else [], corpus["max_bad_bytes"])


def record(
    row: dict[str, Any] | None, where: str, variant: str, corpus: dict[str, Any], default: str | None = None
) -> Record:
    """The record of a row; `where` names it where the data set has no paths, `default` is the license
    of a row that states none. None is a row that was too long to read.

    A program whose module is too long is rejected like one that is too long itself.
    """
    if row is None:
        rejected = Record(where, sha256_bytes(f"path:{where}".encode()), 0, rejected=Rejection.TOO_LARGE)
        return replace(rejected, variant=variant, license=default)
    data, decoded = _program(row["source"], where, corpus)
    path, license = (_short_label(row, ours, where, corpus) or None for ours in ("path", "license"))
    module: Module | None = row.get("ir")
    read = Record.of(decoded, path or where, sha256_bytes(data), len(data))
    read = replace(read, license=license or default, variant=variant, module=module)
    if module is not None and module.is_too_long:
        return replace(read, module=None, source="", encoding=None, rejected=Rejection.TOO_LARGE)
    return read


def records(
    piece: TablePiece, root: Path, language: str, corpus: dict[str, Any], with_modules: bool
) -> Iterator[Record]:
    """Every program of a piece, file by file and row by row.

    A row that states no license has the one that the data set's card states, if any.
    """
    yield from islice(_records(piece, root, language, corpus, with_modules), piece.limit)


def _records(
    piece: TablePiece, root: Path, language: str, corpus: dict[str, Any], with_modules: bool
) -> Iterator[Record]:
    columns = {ours: theirs for ours, theirs in corpus["columns"].items() if theirs is not None}
    wanted = corpus["names"].get(language, language)
    license = stated_license(root)
    for rows in piece.rows:
        name = _name(rows.path, root)
        numbered = rows_of(rows.path, columns, corpus["max_bytes"], rows.groups, with_modules)
        for number, row in enumerate(numbered, rows.first):
            if "language" not in columns or row is None or _label(row["language"]) == wanted:
                yield record(row, f"{name}#{number}", piece.variant, corpus, license)
