"""Files that are small and unpack to a great deal are refused without being unpacked, and long ones are not read."""

import gzip
import io
import os
import random
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.lib.job import InputError
from scripts.sources.dataset_card import stated_license
from tests.support.paths import ROOT
from tests.unit.sources.test_difficult_sources import read_corpus, table_rows

MB = 1 << 20


def test_a_sparse_file_is_rejected_by_its_size_without_being_read(tmp_path):
    (tmp_path / "in/C").mkdir(parents=True)
    (tmp_path / "in/C/a.c").write_text("int a;\n")
    for name, size in (("b.c", 64 << 30), ("c.c", 1 << 40)):
        with (tmp_path / "in/C" / name).open("wb") as stream:
            stream.truncate(size)
    (tmp_path / "in/C/link.c").symlink_to(tmp_path / "in/C/b.c")
    start = time.monotonic()
    index, rows = read_corpus(tmp_path / "in", tmp_path / "out")
    assert time.monotonic() - start < 10
    assert {path: row["rejected"] for path, row in rows.items()} == {
        "C/a.c": None,
        "C/b.c": "too_large",
        "C/c.c": "too_large",
    }
    assert (rows["C/b.c"]["bytes"], index["duplicates"]) == (64 << 30, 1)


def test_a_file_that_grows_while_it_is_read_is_too_large(tmp_path, monkeypatch):
    from scripts.sources import tree

    (tmp_path / "in/C").mkdir(parents=True)
    (tmp_path / "in/C/a.c").write_text("int a; " * 100_000)
    whole = tree._entry
    monkeypatch.setattr(tree, "_entry", lambda item, root: tree.replace(whole(item, root), size=7))
    _, rows = read_corpus(tmp_path / "in", tmp_path / "out")
    assert rows["C/a.c"]["rejected"] == "too_large"


def test_a_manifest_without_an_end_of_line_is_refused(tmp_path):
    (tmp_path / "in/C").mkdir(parents=True)
    with (tmp_path / "in/MANIFEST.tsv").open("wb") as stream:
        stream.truncate(64 << 30)
    with pytest.raises(InputError, match=r"MANIFEST\.tsv has a line of more than"):
        read_corpus(tmp_path / "in", tmp_path / "out")


def test_of_a_card_only_its_beginning_is_read(tmp_path):
    with (tmp_path / "README.md").open("wb") as stream:
        stream.write(b"---\nlicense: mit\n---\n")
        stream.truncate(64 << 30)
    assert stated_license(tmp_path) == "mit"


def packed(pieces):
    """Gzip of some pieces of bytes, not held in memory unpacked."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1, mtime=0) as stream:
        for piece in pieces:
            stream.write(piece)
    return target.getvalue()


LONG = [b'{"code": "', *[b"a" * MB] * 12, b'"}\n']


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz"])
def test_a_row_that_is_far_too_long_is_rejected_and_the_others_are_read(tmp_path, kind):
    lines = [b'{"code": "int a;"}\n', *LONG, b'{"code": "int b;"}\n']
    _, rows = table_rows(tmp_path, kind, packed(lines) if kind.endswith("gz") else b"".join(lines))
    assert {path.partition("#")[2]: row["rejected"] for path, row in rows.items()} == {
        "0": None,
        "1": "too_large",
        "2": None,
    }


def one_value(megabytes, rows=1, dictionary=False):
    """A small parquet file whose `rows` equal values have some megabytes each."""
    target = io.BytesIO()
    value = pa.array(["a" * megabytes * MB])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), value) if dictionary else value
    options = {"use_dictionary": dictionary, "compression": "zstd", "store_schema": False}
    pq.write_table(pa.table({"code": column}), target, **options)
    return target.getvalue()


READ = """
import resource, sys
sys.path.insert(0, "tests")
from pathlib import Path
from scripts.lib.job import InputError
from tests.unit.sources.test_difficult_sources import TABLES, read_corpus
folder = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    index, rows = read_corpus(folder / "in", folder / "out", **TABLES | {"files": sys.argv[2]})
    print(sorted({str(row["rejected"]) for row in rows.values()}))
except InputError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""

BOMBS = {
    "a long line": ("jsonl.gz", lambda: packed([b'{"code": "', *[b"a" * MB] * 280, b'"}\n']), "has more than 256 MB"),
    "long blanks": ("jsonl.gz", lambda: packed([b" " * MB] * 280), "has more than 256 MB"),
    "one value": ("parquet", lambda: one_value(300), r"300 MB in 1 rows of column 'code' in one row group"),
    "one value often": ("parquet", lambda: one_value(60, rows=24, dictionary=True), "too_large"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_archives_that_unpack_to_much_take_little_memory(tmp_path, case):
    kind, content, expected = BOMBS[case]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"data.{kind}").write_bytes(content())
    command = [sys.executable, "-c", READ, str(tmp_path), f"*.{kind}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome, grown = done.stdout.splitlines()[-2:]
    assert expected in outcome
    assert int(grown) < 700


def test_ordinary_rows_of_many_sizes_are_all_read(tmp_path):
    generator = random.Random(1)
    programs = [f"int x{n};" + " " * generator.choice([0, 10, 5000, 200_000]) for n in range(500)]
    _, rows = table_rows(tmp_path, "parquet", pa.table({"code": programs}))
    assert sorted(row["source"] for row in rows.values()) == sorted(programs)
    assert not [row for row in rows.values() if row["rejected"]]


def test_long_numbers_and_deep_lists_are_one_line(tmp_path):
    with pytest.raises(InputError, match=r"data\.jsonl, line 1: not JSON"):
        table_rows(tmp_path, "jsonl", b'{"code": ' + b"9" * 10_000 + b"}\n")


def often(text, rows=64):
    """A column of equal texts, which stand once in a file."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


@pytest.mark.parametrize(
    ("ours", "value"), [("path", "a" * 5000), ("license", "MIT," * 2000), ("license", ["MIT"] * 2000)]
)
def test_a_label_that_is_far_too_long_is_one_line(tmp_path, ours, value):
    column = often(value) if isinstance(value, str) else pa.array([value] * 64)
    table = pa.table({"code": ["int a;"] * 64, "name": column})
    with pytest.raises(InputError, match=rf"data\.parquet#0: column 'name' holds .* too long for a {ours}") as caught:
        table_rows(tmp_path, "parquet", table, **{ours: "name"})
    assert len(str(caught.value)) < 300


def test_a_program_with_a_module_that_is_far_too_long_is_rejected(tmp_path):
    table = pa.table({"code": ["int a;", "int b;"], "module": ["; " + "a" * (17 * MB), "@b = global i32 0\n"]})
    _, rows = table_rows(tmp_path, "parquet", table, ir="module")
    assert [rows[f"data.parquet#{number}"]["rejected"] for number in range(2)] == ["too_large", None]
