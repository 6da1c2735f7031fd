"""JSON lines: reading files of one JSON object per line, gzipped or not, with errors that name file
and line.
"""

import codecs
import gzip
import json
import re
import string
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast

from scripts.lib.job import InputError

_LONGEST_LINE = 64 << 20
# A line that is too long is skipped in pieces, up to a length that only damaged and hostile files
# have.
_PIECE = 1 << 20
_MOST_SKIPPED = 256 << 20
# Kilobytes of gzip can hold millions of blank lines.
_MOST_BLANK = 1_000_000
# Kilobytes of gzip can also hold a line of millions of values, each of which takes up to a hundred
# bytes of memory.
_MOST_VALUES = 1_000_000
# A string, or the rest of a text in which one does not end; no repetition gives anything back, so
# that the time is linear.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)


def _open(path: str | Path) -> BinaryIO:
    """A file as a stream of bytes, unpacked when its name ends in `.gz`."""
    return cast(BinaryIO, gzip.open(path, "rb")) if str(path).endswith(".gz") else Path(path).open("rb")


def _skip_line(stream: BinaryIO, path: str | Path, number: int) -> None:
    """Read to the end of a line that is too long to keep; raise `InputError` when it does not end."""
    for _ in range(_MOST_SKIPPED // _PIECE):
        piece = stream.readline(_PIECE)
        if not piece or piece.endswith(b"\n"):
            return
    raise InputError(f"{path}, line {number} has more than {_MOST_SKIPPED >> 20} MB; remove the line")


def numbered_lines(path: str | Path, longest: int = _LONGEST_LINE) -> Iterator[tuple[int, bytes | None]]:
    """Number and bytes of each line of a file that is not blank; numbers start at 1 and count blank
    lines.

    The bytes are None for a line of more than `longest` bytes. Raises `InputError` for a damaged
    gzip file, for a line of hundreds of megabytes, and for a million blank lines.
    """
    with _open(path) as stream:
        yield from _lines(stream, path, longest)


def _lines(stream: BinaryIO, path: str | Path, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """The lines of an open file, as `numbered_lines` gives them."""
    number, blank = 0, 0
    try:
        for number in count(1):
            line = stream.readline(longest + 1)
            if not line:
                return
            if len(line) > longest:
                _skip_line(stream, path, number)
                yield number, None
            elif line.strip():
                yield number, line
            elif (blank := blank + 1) > _MOST_BLANK:
                raise InputError(f"{path} has more than {_MOST_BLANK} blank lines; remove them")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged at line {number} ({error}); replace it") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raise `ValueError` if a key occurs twice, because readers differ in which they take."""
    values = dict(pairs)
    if len(values) < len(pairs):
        name = next(name for name, uses in Counter(name for name, _ in pairs).items() if uses > 1)
        raise ValueError(f"the key {name!r:.80} occurs twice")
    return values


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _text(content: bytes) -> str:
    """A JSON text in any of its encodings, as `json.loads` reads it; raise `ValueError` for anything else."""
    return content.decode(json.detect_encoding(content), "surrogatepass")


def _has_too_many_values(text: str) -> bool:
    """Whether a JSON text has more values than `_MOST_VALUES`, by the signs that precede values."""
    if len(text) <= _MOST_VALUES:
        return False
    signs = _STRING.sub("", text)
    return sum(signs.count(sign) for sign in ",[{") > _MOST_VALUES


def parse_object(line: bytes, where: str) -> dict[str, Any]:
    """The JSON object of a line; raise `InputError`, which begins with `where`, for anything else."""
    try:
        text = _text(line)
        if _has_too_many_values(text):
            raise InputError(f"{where} has more than {_MOST_VALUES} values; remove the line")
        row = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON in UTF-8 ({error}); fix or remove the line") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: a JSON {json_type(row)}, not an object; fix or remove the line")
    return row


def numbered_rows(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a JSON-lines file, each with its file and line as text for messages.

    The file is unpacked when its name ends in `.gz`; blank lines are skipped. Raises `InputError`
    naming a line that is not a JSON object in UTF-8.
    """
    with _open(path) as stream:
        yield from rows_in(stream, path)


def rows_in(stream: BinaryIO, path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of an open JSON-lines file, as `numbered_rows` gives them; `path` is its name in messages."""
    for number, line in _lines(stream, path, _LONGEST_LINE):
        where = f"{path}, line {number}"
        if line is None:
            raise InputError(f"{where} has more than {_LONGEST_LINE >> 20} MB; remove the line")
        yield where, parse_object(line, where)


def read_jsonl(path: str | Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON-lines file, as `numbered_rows` reads them."""
    return (row for _, row in numbered_rows(path))


def json_type(value: Any) -> str:
    """JSON's name for the type of a value."""
    names = {type(None): "null", list: "list", dict: "object", bool: "boolean", str: "text"}
    return names.get(type(value), "number")


def text_of(row: Mapping[str, Any], field: str, where: str) -> str:
    """The text in a field of a row; raise `InputError`, which begins with `where`, for anything
    else.
    """
    if field not in row:
        raise InputError(f"{where} lacks the field '{field}'; add it or remove the line")
    value = row[field]
    if not isinstance(value, str):
        raise InputError(f"{where}: the field '{field}' is {json_type(value)}, not text; fix or remove the line")
    if not is_text(value):
        raise InputError(f"{where}: the field '{field}' is not valid text (unpaired surrogate); fix or remove the line")
    return value


def texts_of(row: Mapping[str, Any], field: str, where: str) -> list[str]:
    """The list of texts in a field of a row; raise `InputError`, which begins with `where`, for
    anything else.
    """
    values = row.get(field)
    if not isinstance(values, list):
        kind = json_type(values) if field in row else "missing"
        raise InputError(f"{where}: the field '{field}' is {kind}, not a list; fix or remove the line")
    return [text_of({field: value}, field, where) for value in values]


def is_text(value: Any) -> bool:
    """Whether a value is a string that UTF-8 can encode; JSON also allows unpaired surrogates."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def json_rows(path: str | Path) -> Iterator[Any]:
    """The rows of a JSON file, which on the hub is either one list or JSON lines.

    Raises `InputError` naming the file, or its line, for anything else.
    """
    content = Path(path).read_bytes().lstrip(codecs.BOM_UTF8 + string.whitespace.encode())
    if content.startswith(b"["):
        yield from json_list(content, path)
    else:
        yield from read_jsonl(path)


def json_list(content: bytes, source: str | Path, remedy: str = "replace it") -> list[Any]:
    """The values of a JSON list; raise `InputError` for anything else.

    source, remedy: file or address, and what to do, for the message.
    """
    try:
        rows = _DECODER.decode(_text(content))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not JSON in UTF-8 ({error}); {remedy}") from error
    if not isinstance(rows, list):
        raise InputError(f"{source}: a JSON {json_type(rows)}, not a list; {remedy}")
    return rows
