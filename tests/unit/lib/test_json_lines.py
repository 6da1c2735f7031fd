"""JSON files and JSON lines of all kinds: their rows, or one line that names the place."""

import codecs
import gzip
from pathlib import Path

import pytest

from scripts.lib import json_lines
from scripts.lib.job import InputError
from scripts.lib.json_lines import json_rows, numbered_lines, parse_object, read_jsonl
from tests.support.cpu_time import assert_linear

ROWS = [{"a": 1}, {"a": "ü"}]
FILES = {
    "a list": '[{"a": 1}, {"a": "ü"}]'.encode(),
    "a list after a mark of the encoding": codecs.BOM_UTF8 + ' \n[{"a": 1}, {"a": "ü"}]\n'.encode(),
    "lines": '{"a": 1}\n\n{"a": "ü"}'.encode(),
    "lines after a mark of the encoding": codecs.BOM_UTF8 + '{"a": 1}\r\n{"a": "ü"}\r\n'.encode(),
}
FAULTS = {
    "cut": (b'[{"a": 1}', r"rows\.json: not JSON in UTF-8"),
    "not UTF-8": (b'["\xff"]', r"rows\.json: not JSON in UTF-8"),
    "deep": (b"[" * 100_000, r"rows\.json: not JSON in UTF-8"),
    "two lists": (b"[1]\n[2]", r"rows\.json: not JSON in UTF-8"),
    "a number": (b"5", r"rows\.json, line 1: a JSON number, not an object"),
    "null": (b"null", r"rows\.json, line 1: a JSON null, not an object"),
    "a text": (b'"a"', r"rows\.json, line 1: a JSON text, not an object"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_a_list_or_lines(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(FILES[name])
    assert list(json_rows(path)) == ROWS


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.json"
    content, message = FAULTS[name]
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        list(json_rows(path))
    assert "\n" not in str(error.value)


def test_millions_of_blank_lines_end_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n" * 3_000_000 + b"{}\n"))
    with pytest.raises(InputError, match="more than 1000000 blank lines; remove them"):
        list(numbered_lines(path))


VALUES = 1_000_001
MANY = {
    "objects": '{"a": [' + "{}," * VALUES + "0]}",
    "lists": '{"a": ' + "[" * 10 + "[]," * VALUES + "0" + "]" * 10 + "}",
    "numbers": '{"a": [' + "0," * VALUES + "0]}",
    "texts": '{"a": [' + '"",' * VALUES + '""]}',
    "keys": "{" + ",".join(f'"{number:x}":0' for number in range(VALUES + 1)) + "}",
    "after a text that hides them": '{"b": "\\"", "a": [' + "0," * VALUES + "0]}",
    "no JSON": '{"a": 1} "' + '\\"' * 10 + '"' + "," * VALUES + '"',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_a_line_of_millions_of_values_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch, text: str, encoding: str
) -> None:
    monkeypatch.delattr(json_lines, "_DECODER")
    with pytest.raises(InputError, match=r"^f, line 1 has more than 1000000 values; remove the line$"):
        parse_object(text.encode(encoding), "f, line 1")


def test_a_packed_line_of_millions_of_values_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": [' + b"{}," * VALUES + b"{}]}\n"))
    with pytest.raises(InputError, match=r"rows\.jsonl\.gz, line 2 has more than 1000000 values"):
        list(read_jsonl(path))


@pytest.mark.parametrize("piece", ["a, [b], {c} ", '\\", [{', "\\\\, [{", '\\\\\\", [{', "\\u0022, "])
def test_signs_inside_of_texts_are_no_values(piece: str) -> None:
    line = '{"a": "' + piece * 400_000 + '", "b": [1, 2]}'
    assert parse_object(line.encode(), "f, line 1")["b"] == [1, 2]


def refuse(line: str) -> None:
    """Read a line that is refused."""
    with pytest.raises(InputError):
        parse_object(line.encode(), "f, line 1")


@pytest.mark.parametrize("text", ['\\"', '"', '"\\', "\\", '\\""'])
def test_counting_the_values_of_a_line_is_linear_in_it(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(json_lines, "_MOST_VALUES", 10)
    assert_linear(refuse, lambda number: '"' + text * number)


def test_naming_a_key_that_occurs_twice_is_linear_in_the_line() -> None:
    assert_linear(refuse, lambda number: "{" + ", ".join(f'"{key}": 0' for key in [*range(number), number - 1]) + "}")
    with pytest.raises(InputError, match="the key 'b' occurs twice"):
        parse_object(b'{"a": 1, "b": 1, "c": 1, "b": 2, "d": 2}', "f, line 1")
