"""Corpora as they come: odd names, links in circles, damaged tables, values of the wrong kind; all end clearly."""

import gzip
import json
import logging
import os
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.lib.files import read_json, sha256_bytes
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows, read_table
from scripts.sources.corpus import Corpus
from scripts.sources.dataset_card import stated_license
from scripts.sources.read import read
from tests.support.pairs_pipeline import CORPUS

TABLES = CORPUS | {"format": "tables", "columns": CORPUS["columns"] | {"source": "code"}}


def read_corpus(root, out, **settings):
    """Read a corpus of C; the index and the rows of its only shard by path."""
    out.mkdir(exist_ok=True)
    read(Corpus(root, "C", CORPUS | settings, ["c"]), 1000, out / "shards.json", out / "aliases.parquet")
    return read_json(out / "shards.json"), {row["path"]: row for row in iter_rows(out / "000.parquet")}


def table_rows(tmp_path, kind, content, **columns):
    """Rows of a corpus of one table; `content` are its bytes or rows, `columns` what of it is called how."""
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / f"data.{kind}"
    if kind == "parquet" and not isinstance(content, bytes):
        pq.write_table(content, file)
    else:
        file.write_bytes(content)
    settings = TABLES | {"files": f"*.{kind}", "columns": TABLES["columns"] | columns}
    return read_corpus(tmp_path / "in", tmp_path / "out", **settings)


@pytest.fixture
def folder(tmp_path):
    """An empty folder of C programs."""
    path = tmp_path / "in" / "C"
    path.mkdir(parents=True)
    return path


def test_a_language_without_programs_is_said(folder, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert read_corpus(folder.parent, tmp_path / "out")[0]["sources"] == 0
    assert "C: no programs below" in caplog.text


def test_file_names_of_all_kinds(folder, tmp_path):
    names = ["new\nline.c", 'tab\tquote".c', "-rf.c", "ünï.c", "a\u2028b.c"]
    for name in names:
        (folder / name).write_text(f"int {len(name)}; // {name}\n")
    Path(os.fsdecode(bytes(folder) + b"/\xff.c")).write_bytes(b"int bytes;\n")
    index, rows = read_corpus(folder.parent, tmp_path / "out")
    assert set(rows) == {*(f"C/{name}" for name in names), "C/\\xff.c"}
    assert index["sources"] == 6


def test_links_in_circles_and_folders_end(folder, tmp_path):
    (folder / "self.c").symlink_to(folder / "self.c")
    (folder / "up.c").symlink_to(folder.parent)
    (folder / "deeper").symlink_to(folder)
    (folder / "named.c").mkdir()
    (folder / "named.c" / "source.c").write_text("int a;\n")
    (folder / "link.c").symlink_to(folder / "named.c" / "source.c")
    index, rows = read_corpus(folder.parent, tmp_path / "out")
    assert {path: row["rejected"] for path, row in rows.items()} == {"C/link.c": None, "C/self.c": "not_regular"}
    assert [row["path"] for row in read_table(tmp_path / "out/aliases.parquet").to_pylist()] == ["C/named.c/source.c"]
    assert index["sources"] == 3


def test_a_deep_tree_and_a_wide_one(folder, tmp_path):
    deep = folder.joinpath(*["d"] * 200)
    deep.mkdir(parents=True)
    (deep / "a.c").write_text("int deep;\n")
    for number in range(300):
        (folder / f"Source_{number}").mkdir()
        (folder / f"Source_{number}" / "source.c").write_text(f"int x{number};\n")
    assert read_corpus(folder.parent, tmp_path / "out")[0]["sources"] == 301


def test_a_manifest_with_a_byte_order_mark(folder, tmp_path):
    (folder / "a.c").write_text("int a;\n")
    (folder.parent / "MANIFEST.tsv").write_bytes("\ufeffpath\tlicense\r\nC/a.c\tMIT\r\n".encode())
    _, rows = read_corpus(folder.parent, tmp_path / "out")
    assert rows["C/a.c"]["license"] == "MIT"


@pytest.mark.parametrize("content", ["path\tlicense\nC/a.c\tMIT\n".encode("utf-16"), b"C/a.c\tMIT\n", b""])
def test_a_manifest_whose_columns_are_not_named_causes_a_warning(folder, tmp_path, caplog, content):
    (folder / "a.c").write_text("int a;\n")
    (folder.parent / "MANIFEST.tsv").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        _, rows = read_corpus(folder.parent, tmp_path / "out")
    assert rows["C/a.c"]["license"] is None
    assert "MANIFEST.tsv states no licenses: its first line does not name the columns" in caplog.text


def test_suffixes_in_upper_case_are_those_of_programs(folder, tmp_path):
    for number, name in enumerate(["A.C", "a.c", "B.c", "b.h", "C"]):
        (folder / name).write_text(f"int x{number};\n")
    _, rows = read_corpus(folder.parent, tmp_path / "out")
    assert sorted(rows) == ["C/A.C", "C/B.c", "C/a.c"]


def test_a_manifest_with_holes(folder, tmp_path):
    (folder / "a.c").write_text("int a;\n")
    (folder / "b.c").write_text("int b;\n")
    (folder.parent / "MANIFEST.tsv").write_bytes(b"path\tlicense\nC/a.c\nC/b.c\t\xff-license\n\n\tMIT\n")
    _, rows = read_corpus(folder.parent, tmp_path / "out")
    assert (rows["C/a.c"]["license"], rows["C/b.c"]["license"]) == (None, "\\xff-license")


def test_a_huge_line_is_a_program(folder, tmp_path):
    (folder / "a.c").write_text("int a = 1; " * 200_000)
    (row,) = read_corpus(folder.parent, tmp_path / "out", max_bytes=10_000_000)[1].values()
    assert (row["bytes"], row["rejected"], len(row["source"])) == (2_200_000, None, 2_200_000)


def test_rows_without_a_program_are_rejected(tmp_path):
    programs = pa.array([None, "", "int a;", None], pa.string())
    index, rows = table_rows(tmp_path, "parquet", pa.table({"code": programs}))
    assert (index["sources"], index["duplicates"], index["rejected"]) == (4, 2, 1)
    assert {path: row["rejected"] for path, row in rows.items()} == {"data.parquet#0": "empty", "data.parquet#2": None}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_programs_in_columns_of_any_text_type(tmp_path, kind):
    _, rows = table_rows(tmp_path, "parquet", pa.table({"code": pa.array(["int a; // ü"]).cast(kind)}))
    assert rows["data.parquet#0"]["source"] == "int a; // ü"


def test_text_that_is_no_utf8_is_detected(tmp_path):
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"int a; // gr\xf6\xdfer\n"]).buffers())
    _, rows = table_rows(tmp_path, "parquet", pa.table({"code": broken}))
    assert (rows["data.parquet#0"]["source"], rows["data.parquet#0"]["encoding"]) == ("int a; // größer\n", "cp1252")


def test_broken_text_in_dictionaries_and_lists_is_no_damage(tmp_path):
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"int a; // gr\xf6\xdfer\n"]).buffers())
    references = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), broken)
    columns = {"code": references, "licenses": pa.ListArray.from_arrays([0, 1], broken)}
    _, rows = table_rows(tmp_path, "parquet", pa.table(columns), license="licenses")
    assert [row["source"] for row in rows.values()] == ["int a; // größer\n"]
    assert [row["license"] for row in rows.values()] == ["int a; // gr\\xf6\\xdfer\n"]


def test_a_time_that_python_cannot_tell_is_one_line(tmp_path):
    columns = {"code": ["int a;"], "added": pa.array([2**62], pa.timestamp("us"))}
    with pytest.raises(InputError, match=r"data\.parquet is damaged"):
        table_rows(tmp_path, "parquet", pa.table(columns), license="added")


def test_labels_of_any_type(tmp_path):
    columns = {"code": ["int a;", "int b;"], "number": [7, 8], "licenses": [["MIT", "BSD"], None]}
    _, rows = table_rows(tmp_path, "parquet", pa.table(columns), path="number", license="licenses")
    assert {path: row["license"] for path, row in rows.items()} == {"7": "MIT, BSD", "8": None}


def test_rows_that_say_the_same_name_stay_apart(tmp_path):
    columns = {"code": ["int a;", "int b;", "int a;"], "name": ["x", "x", "x"]}
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "in/data.parquet")
    settings = TABLES | {"files": "*.parquet", "columns": TABLES["columns"] | {"path": "name"}}
    index, _ = read_corpus(tmp_path / "in", tmp_path / "out", **settings)
    assert (index["sources"], index["duplicates"], index["shards"]["000"]["rows"]) == (3, 1, 2)


def test_json_with_blank_lines_marks_and_half_characters(tmp_path):
    lines = [b"\xef\xbb\xbf" + json.dumps({"code": "int a;"}).encode(), b"", b'{"code": "int \\ud800;"}', b"  ", b""]
    _, rows = table_rows(tmp_path, "jsonl", b"\r\n".join(lines))
    assert [row["rejected"] for _, row in sorted(rows.items())] == [None, "undecodable"]


GOOD = json.dumps({"code": "int a;"}).encode() + b"\n"
FAULTS = {
    "no column": (
        "jsonl",
        GOOD + b'{"source": "int b;"}\n',
        r"data\.jsonl, line 2: no column 'code'; see corpus\.columns",
    ),
    "no object": ("jsonl", b"[1]\n", r"line 1: a JSON list, not an object"),
    "no JSON": ("jsonl", GOOD + b"{'code'\n", r"line 2: not JSON"),
    "too deep": ("jsonl", b"[" * 200_000, r"line 1: not JSON"),
    "a number": ("jsonl", b'{"code": 5}\n', r"data\.jsonl#0: column 'code' holds int values, not text"),
    "cut off": ("jsonl.gz", gzip.compress(GOOD * 1000, mtime=0)[:-20], r"data\.jsonl\.gz is damaged"),
    "no gzip": ("jsonl.gz", GOOD, r"data\.jsonl\.gz is damaged"),
    "no parquet": ("parquet", b"PAR1 and no more", r"data\.parquet is not a whole parquet file"),
    "empty": ("parquet", b"", r"data\.parquet is not a whole parquet file"),
    "lists": ("parquet", pa.table({"code": [["a"]]}), r"data\.parquet#0: column 'code' holds list values, not text"),
    "no such": ("parquet", pa.table({"text": ["a"]}), r"data\.parquet: no column 'code', only text"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_table_is_one_line(tmp_path, case):
    kind, content, told = FAULTS[case]
    with pytest.raises(InputError, match=told):
        table_rows(tmp_path, kind, content)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name != ".sort" and path.suffix != ".run"]


def test_a_table_damaged_in_the_middle_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "data.parquet"
    pq.write_table(pa.table({"code": [sha256_bytes(str(n).encode()) for n in range(5000)]}), file, use_dictionary=False)
    content = bytearray(file.read_bytes())
    content[100:2000] = bytes(1900)
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"data\.parquet is damaged"):
        read_corpus(tmp_path / "in", tmp_path / "out", **TABLES | {"files": "*.parquet"})


@pytest.mark.parametrize(
    "card, license",
    [
        ("---\nlicense: cc-by-sa-4.0\n---\ntext", "cc-by-sa-4.0"),
        ("---\nlicense: [mit, apache-2.0]\n---\n", "mit, apache-2.0"),
        ("---\nlicense:\n---\n", None),
        ("---\nlicense: [\n---\n", None),
        ("no header\n---\nlicense: mit\n---\n", None),
        ("\ufeff---\nlicense: mit\n---\n", "mit"),
        ("---\nlicense: mit\ndate: 2023-02-30\nsize: 0b_\n---\n", "mit"),
        ("---\nlicense: mit\nnumber: " + "1" * 5000 + "\n---\n", "mit"),
        ("---\nlicense: [null, mit, [a], {b: c}]\n---\n", "mit"),
        ("---\nlicense: &all [*all]\n---\n", None),
        ('---\nlicense: "\\ud800"\n---\n', "\\ud800"),
        ("---\nlicense: " + "[" * 5000 + "\n---\n", None),
        ("", None),
        (None, None),
    ],
)
def test_license_of_a_data_set(tmp_path, card, license):
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    assert stated_license(tmp_path) == license


def test_rows_have_the_license_of_their_data_set_unless_they_state_their_own(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "README.md").write_text("---\nlicense: mit\n---\n")
    pq.write_table(pa.table({"code": ["int a;", "int b;"], "own": ["BSD", None]}), tmp_path / "in/data.parquet")
    settings = TABLES | {"files": "*.parquet", "columns": TABLES["columns"] | {"license": "own"}}
    _, rows = read_corpus(tmp_path / "in", tmp_path / "out", **settings)
    assert {row["source"]: row["license"] for row in rows.values()} == {"int a;": "BSD", "int b;": "mit"}


def test_lists_in_a_card_that_repeat_lists_take_no_memory(tmp_path):
    lists = "".join(f"l{number + 1}: &l{number + 1} [{', '.join([f'*l{number}'] * 9)}]\n" for number in range(12))
    (tmp_path / "README.md").write_text(f"---\nl0: &l0 [x]\n{lists}license: *l12\n---\n")
    assert stated_license(tmp_path) is None


def test_a_license_that_is_far_too_long_is_one_line(folder, tmp_path):
    (tmp_path / "README.md").write_text(f"---\nlicense: {'x' * 5000}\n---\n")
    with pytest.raises(InputError, match=r"README\.md states a license of 5000 characters"):
        stated_license(tmp_path)
    (folder / "a.c").write_text("int a;\n")
    (tmp_path / "in/MANIFEST.tsv").write_text(f"path\tlicense\nC/a.c\t{'x' * 5000}\n")
    with pytest.raises(InputError, match=r"MANIFEST\.tsv states a license of 5000 characters"):
        read_corpus(tmp_path / "in", tmp_path / "out")


def test_no_number_is_no_license_and_deep_lists_are_names(tmp_path):
    rows = [
        '{"code": "int a;", "own": NaN}',
        '{"code": "int b;", "own": ' + "[" * 900 + '"MIT"' + "]" * 900 + "}",
        '{"code": "int c;", "own": ["MIT", ["BSD", null]]}',
    ]
    _, read_rows = table_rows(tmp_path, "jsonl", "\n".join(rows).encode(), license="own")
    assert [read_rows[f"data.jsonl#{number}"]["license"] for number in range(3)] == [None, "MIT", "MIT, BSD"]


@pytest.mark.parametrize(("name", "depth"), [("d", 1200), ("x" * 200, 30)], ids=["many", "long names"])
def test_folders_that_are_nested_too_deep_are_one_line(folder, tmp_path, monkeypatch, name, depth):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.chdir(folder)
    for _ in range(depth):
        Path(name).mkdir()
        os.chdir(name)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, limits[1]))
        with pytest.raises(InputError, match="… has folders nested too deep") as caught:
            read_corpus(folder.parent, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for _ in range(depth):
            os.chdir("..")
            Path(name).rmdir()
    assert len(str(caught.value)) < 300
