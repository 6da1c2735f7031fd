"""JSON files and JSON lines of all kinds: their rows, or one line that names the place."""

import codecs
import gzip
from pathlib import Path

import pytest

from scripts.lib.job import InputError
from scripts.lib.json_lines import json_rows, numbered_lines

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
