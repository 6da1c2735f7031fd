import pytest

from scripts.lib.csv_files import csv_text, read_csv, write_csv
from scripts.lib.job import InputError


def test_rows_come_back_as_text(tmp_path):
    path = tmp_path / "folder" / "table.csv"
    write_csv(
        path, ("name", "value"), [{"name": 'a, "b"\nc', "value": 1.5}, {"name": "d"}, {"name": "e", "value": None}]
    )
    assert path.read_bytes().startswith(b'name,value\n"a, ""b""\nc",1.5\n')
    assert read_csv(path) == [
        {"name": 'a, "b"\nc', "value": "1.5"},
        {"name": "d", "value": ""},
        {"name": "e", "value": ""},
    ]


def test_a_table_without_rows_has_its_header():
    assert csv_text(("a", "b"), []) == "a,b\n"


def test_a_row_with_another_column_is_an_error():
    with pytest.raises(ValueError, match="other"):
        csv_text(("a",), [{"a": 1, "other": 2}])


@pytest.mark.parametrize(
    "content", [b"a,b\n1\n", b"a,b\n1,2,3\n", b"a,b\n1,\xff\n", b'a,b\n"1,2\n'], ids=["cut", "long", "bytes", "quote"]
)
def test_a_damaged_table_is_named(tmp_path, content):
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"table\.csv is damaged"):
        read_csv(tmp_path / "table.csv")
