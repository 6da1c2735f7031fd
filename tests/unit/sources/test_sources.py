"""Reading sources: what is read, what is rejected and why, duplicates, shards by content."""

import gzip
import json
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.lib.files import read_json, sha256_bytes
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows, read_table
from scripts.sources.corpus import Corpus
from scripts.sources.decode import decode
from scripts.sources.external_sort import RunWriter, SortedRuns, leading
from scripts.sources.modules import module_tables, open_modules, write_modules
from scripts.sources.read import read
from scripts.sources.shards import shard_count
from scripts.workflow.validation import read_yaml
from tests.support.compiling import ROOT
from tests.support.pairs_pipeline import CORPUS

ENCODINGS = ["gb18030", "shift_jis", "euc_kr", "big5", "cp1251", "koi8_r", "cp1252"]
SETTINGS = CORPUS | {"max_bytes": 1000, "encodings": ENCODINGS}


def tree(root, files):
    """A corpus of the given files, contents as bytes or text."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def read_corpus(root, out, shard_size=100, language="C", suffixes=("c",), **settings):
    """Read a corpus; the index and all rows in order of shards."""
    corpus = Corpus(root, language, SETTINGS | settings, list(suffixes))
    read(corpus, shard_size, out / "shards.json", out / "aliases.parquet")
    index = read_json(out / "shards.json")
    rows = [row for shard in sorted(index["shards"], key=int) for row in iter_rows(out / f"{shard}.parquet")]
    return index, rows


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    return path


def test_tree_layouts_and_other_files(tmp_path, out):
    names = ["C/Source_1/source.c", "C/Source_2/Source.c", "C/flat.c", "C/Source_3/source.cpp", "C/notes.txt", "D/a.c"]
    index, rows = read_corpus(tree(tmp_path / "in", {name: f"int {i};" for i, name in enumerate(names)}), out)
    assert sorted(row["path"] for row in rows) == ["C/Source_1/source.c", "C/Source_2/Source.c", "C/flat.c"]
    assert index["sources"] == 3
    row = min(rows, key=lambda row: row["path"])
    assert (row["language"], row["encoding"], row["bytes"], row["rejected"]) == ("C", "utf-8", 6, None)
    assert row["source_sha256"] == sha256_bytes(b"int 0;")
    assert row["id"] == row["source_sha256"][:16]


def test_exact_duplicates_have_aliases(tmp_path, out):
    root = tree(tmp_path / "in", {"C/b.c": "int x;", "C/a.c": "int x;", "C/c.c": "int x;", "C/d.c": "int y;"})
    index, rows = read_corpus(root, out)
    assert sorted(row["path"] for row in rows) == ["C/a.c", "C/d.c"]
    assert (index["sources"], index["duplicates"]) == (4, 2)
    kept = sha256_bytes(b"int x;")
    assert read_table(out / "aliases.parquet").to_pylist() == [
        {"path": path, "source_sha256": kept, "kept_id": kept[:16], "kept_path": "C/a.c"} for path in ("C/b.c", "C/c.c")
    ]


def test_rejected_sources_have_a_reason(tmp_path, out):
    bad = {"empty": "", "blank": " \n\t", "huge": "x" * 1001, "binary": b"int\0x", "broken": b"\x81\x8d\x8f\xff\x01"}
    root = tree(tmp_path / "in", {f"C/{name}.c": content for name, content in bad.items()})
    tree(tmp_path, {"secret.c": "int secret;"})
    (root / "C" / "link.c").symlink_to(tmp_path / "secret.c")
    (root / "C" / "gone.c").symlink_to(root / "C" / "nothing.c")
    (root / "C" / "inside.c").symlink_to(root / "C" / "huge.c")
    os.mkfifo(root / "C" / "pipe.c")
    index, rows = read_corpus(root, out)
    reasons = {row["path"].removeprefix("C/"): row["rejected"] for row in rows}
    assert reasons == {
        "empty.c": "empty",
        "blank.c": "empty",
        "huge.c": "too_large",
        "binary.c": "binary",
        "broken.c": "undecodable",
        "link.c": "symlink_outside",
        "gone.c": "not_regular",
        "pipe.c": "not_regular",
    }
    assert all(row["source"] == "" and row["encoding"] is None for row in rows)
    assert (index["sources"], index["duplicates"], index["rejected"]) == (9, 1, 8)


@pytest.mark.parametrize(
    "text, encoding",
    [
        ("// größer als null\n", "utf-8"),
        ("// caf\u00e9 \u2019tis\nint main() {}\n", "cp1252"),
        ("// наибольший общий делитель двух чисел\nint main() {}\n", "cp1251"),
        ("// 最大公約数を計算するプログラム\nint main() {}\n", "shift_jis"),
        ("// 最大公约数的程序，计算两个数\nint main() {}\n", "gb18030"),
        ("int main() {}\n", "utf-8-sig"),
        ("int main() {}\n", "utf-16"),
    ],
)
def test_encodings_are_detected(text, encoding):
    decoded = decode(text.encode(encoding), ENCODINGS)
    assert (decoded.text, decoded.encoding) == (text, encoding)


def test_random_bytes_are_no_text():
    generator = random.Random(1)
    data = bytes(generator.randrange(1, 256) for _ in range(3000))
    assert decode(data, ENCODINGS).rejected == "undecodable"


@pytest.mark.parametrize("column", ["license", "licence"])
def test_licenses_from_the_manifest(tmp_path, out, column):
    root = tree(tmp_path / "in", {"C/Source_1/source.c": "int a;", "C/b.c": "int b;", "C/c.c": "int c;"})
    tree(root, {"MANIFEST.tsv": f"path\t{column}\nC/Source_1\tMIT\nC/b.c\tApache-2.0\n"})
    _, rows = read_corpus(root, out)
    assert {row["path"]: row["license"] for row in rows} == {
        "C/Source_1/source.c": "MIT",
        "C/b.c": "Apache-2.0",
        "C/c.c": None,
    }


def test_a_language_without_sources_has_one_empty_shard(tmp_path, out):
    index, rows = read_corpus(tree(tmp_path / "in", {"D/a.d": "int a;"}), out)
    assert list(index["shards"]) == ["000"]
    assert (index["sources"], rows) == (0, [])


def test_shards_hang_on_content_alone(tmp_path):
    texts = [f"int x{number};" for number in range(300)]
    results = []
    for name, order in (("one", range(300)), ("two", reversed(range(300)))):
        root = tree(tmp_path / name, {f"C/{number:03d}.c": texts[number] for number in order})
        results.append(read_corpus(root, tmp_path / f"out-{name}", shard_size=20))
    assert results[0] == results[1]
    index, rows = results[0]
    assert len(index["shards"]) == 300 / 20
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    for name in index["shards"]:
        for row in iter_rows(tmp_path / "out-one" / f"{name}.parquet"):
            assert leading(row["source_sha256"], 15) == int(name)


@pytest.mark.parametrize("rows, size", [(0, 5), (5, 5), (6, 5), (299, 20), (4_000_000, 5000), (2_920_000, 5000)])
def test_shards_have_the_size_that_was_asked_for(rows, size):
    count = shard_count(rows, size)
    assert rows / count <= size
    assert count == 1 or rows / (count - 1 - count // 16) > size


def test_the_number_of_shards_of_a_large_corpus_rarely_changes():
    assert len({shard_count(rows, 100) for rows in range(100_000, 200_000, 100)}) <= 18


def test_only_changed_shards_are_written_and_stale_ones_removed(tmp_path, out):
    root = tree(tmp_path / "in", {f"C/{number:03d}.c": f"int x{number};" for number in range(100)})
    before, _ = read_corpus(root, out, shard_size=10)
    inodes = {path.name: path.stat().st_ino for path in out.glob("*.parquet")}
    tree(root, {"C/000.c": "int other;"})
    after, rows = read_corpus(root, out, shard_size=10)
    changed = {name for name in after["shards"] if after["shards"][name] != before["shards"][name]}
    assert 1 <= len(changed) <= 2
    kept = {f"{name}.parquet" for name in after["shards"]} - {f"{name}.parquet" for name in changed}
    assert all((out / name).stat().st_ino == inodes[name] for name in kept)
    assert "int other;" in {row["source"] for row in rows}
    read_corpus(root, out, shard_size=1000)
    assert sorted(path.name for path in out.glob("*.parquet")) == ["000.parquet", "aliases.parquet"]


def test_leftovers_of_a_killed_run_are_removed(tmp_path, out):
    tree(out, {".sort/dead/0.run": "x", ".sort/dead.run": "x", ".fresh-000.parquet": "x", ".000.parquet.1.tmp": "x"})
    read_corpus(tree(tmp_path / "in", {"C/a.c": "int a;"}), out)
    assert sorted(path.name for path in out.iterdir()) == ["000.parquet", "aliases.parquet", "shards.json"]


def test_fingerprint_follows_the_files(tmp_path):
    root = tree(tmp_path / "in", {"C/a.c": "int a;", "C/b.c": "int b;", "D/a.d": "int a;"})

    def fingerprint():
        return Corpus(root, "C", SETTINGS, ["c"]).fingerprint()

    first = fingerprint()
    tree(root, {"D/b.d": "int b;", "C/README": "text"})
    assert fingerprint() == first
    seen = {first}
    for change in ("add", "change", "rename", "remove"):
        if change == "add":
            tree(root, {"C/c.c": "int c;"})
        elif change == "change":
            os.utime(root / "C" / "a.c", ns=(1, 1))
        elif change == "rename":
            (root / "C" / "c.c").rename(root / "C" / "d.c")
        else:
            (root / "C" / "d.c").unlink()
        assert fingerprint() not in seen, change
        seen.add(fingerprint())


def test_an_external_sort_keeps_all_rows_through_many_flushes(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.sources.external_sort._BUFFER_BYTES", 3000)
    schema = pa.schema([("source_sha256", pa.string()), ("source", pa.string())])
    rows = [{"source_sha256": sha256_bytes(str(n).encode()), "source": "x" * n} for n in range(100)]
    paths = [tmp_path / "one.run", tmp_path / "two.run", tmp_path / "none.run"]
    for path, own in zip(paths, (rows[:60], rows[60:], []), strict=True):
        with path.open("wb") as file, RunWriter(file, 4, schema, texts=("source",)) as run:
            for row in own:
                run.add(row)
    with SortedRuns(paths, 4) as runs:
        assert runs.rows == 100
        together = list(runs.tables())
        monkeypatch.setattr("scripts.sources.external_sort._WINDOW_BYTES", 1)
        parts = list(runs.tables())
        some = list(runs.tables(["source"], start=1, stop=3))
    assert len(together) == 1
    assert together[0].num_rows == sum(part.num_rows for part in parts) == 100
    assert [table.num_rows for table in some] == [part.num_rows for part in parts[1:3]]
    for number, part in enumerate(parts):
        assert {leading(value, 4) for value in part["source_sha256"].to_pylist()} == {number}
    by_hash = {row["source_sha256"]: row for row in rows}
    assert all(by_hash[row["source_sha256"]] == row for part in parts for row in part.to_pylist())


def in_one_file(folder, count=200):
    """A corpus of one parquet file with row groups of ten programs and their modules."""
    folder.mkdir()
    rows = {"content": [f"int x{n % 150};" for n in range(count)], "ir": [f"; {n}" for n in range(count)]}
    pq.write_table(pa.table(rows), folder / "data.parquet", row_group_size=10)
    columns = SETTINGS["columns"] | {"source": "content", "ir": "ir"}
    return Corpus(folder, "C", SETTINGS | {"format": "tables", "files": "*.parquet", "columns": columns}, ["c"])


def result_of(corpus, out, **settings):
    """Digests of what reading a corpus writes, and its modules."""
    out.mkdir(exist_ok=True)
    read(corpus, 20, out / "shards.json", out / "aliases.parquet", **settings)
    write_modules(corpus, out / "modules", **settings)
    with open_modules(out / "modules") as runs:
        modules = [row for table in module_tables(runs, "0" * 64, "f" * 64) for row in table.to_pylist()]
    return {path.name: sha256_bytes(path.read_bytes()) for path in out.glob("[!.]*.*")}, modules


def test_neither_pieces_nor_parts_nor_processes_change_the_result(tmp_path, monkeypatch):
    corpus = in_one_file(tmp_path / "in")
    first = result_of(corpus, tmp_path / "one")
    assert len(first[0]) == 10 and len(first[1]) == 150
    monkeypatch.setattr("scripts.sources.corpus._PIECE_BYTES", 300)
    assert len(list(corpus.measured().pieces())) == 20
    assert result_of(corpus, tmp_path / "two", parts=64) == first
    monkeypatch.setattr("scripts.sources.external_sort._STREAM_BYTES", 1)
    monkeypatch.setattr("scripts.sources.external_sort._WINDOW_BYTES", 1)
    assert result_of(corpus, tmp_path / "four", parts=64) == first
    assert result_of(corpus, tmp_path / "three", jobs=2) == first


@pytest.mark.parametrize("layout", ["tables", "tree"])
def test_what_an_interrupted_job_read_is_not_read_again(tmp_path, out, monkeypatch, layout):
    monkeypatch.setattr("scripts.sources.corpus._PIECE_BYTES", 300 if layout == "tables" else 10 * 4096)
    if layout == "tables":
        corpus = in_one_file(tmp_path / "in")
    else:
        tree(tmp_path / "in", {f"C/{number:03d}.c": f"int x{number};" for number in range(200)})
        corpus = Corpus(tmp_path / "in", "C", SETTINGS, ["c"])
    expected = result_of(corpus, tmp_path / "whole")
    pieces, last = [], 17
    records = Corpus.records

    def interrupted(self, piece, *more):
        pieces.append(piece)
        if len(pieces) == last:
            raise KeyboardInterrupt
        return records(self, piece, *more)

    monkeypatch.setattr(Corpus, "records", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(corpus, 20, out / "shards.json", out / "aliases.parquet")
    total = len(list(corpus.measured().pieces()))
    pieces.clear()
    last = 0
    read(corpus, 20, out / "shards.json", out / "aliases.parquet")
    assert len(pieces) == total - 16
    monkeypatch.setattr(Corpus, "records", records)
    assert result_of(corpus, out) == expected
    assert not (out / ".sort").exists()


def test_a_change_of_the_corpus_after_an_interruption_is_read(tmp_path, out, monkeypatch):
    root = tree(tmp_path / "in", {f"C/{number}.c": f"int x{number};" for number in range(9)})
    monkeypatch.setattr("scripts.sources.corpus._PIECE_BYTES", 1)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("scripts.sources.read.write_aliases", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_corpus(root, out)
    assert len(list((out / ".sort").iterdir())) == 9
    monkeypatch.undo()
    tree(root, {"C/3.c": "int y;"})
    (root / "C" / "4.c").unlink()
    _, rows = read_corpus(root, out)
    assert {row["source"] for row in rows} == {*(f"int x{number};" for number in (0, 1, 2, 5, 6, 7, 8)), "int y;"}


COLUMNS = SETTINGS["columns"] | {"source": "content", "language": "lang", "license": "license"}
ROWS = [
    {"content": "int a;", "lang": "C", "license": "MIT"},
    {"content": "int a;", "lang": "C", "license": "MIT"},
    {"content": "int b;\r\n", "lang": "D", "license": None},
    {"content": "", "lang": "C", "license": None},
]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "jsonl.gz"])
def test_tables_with_a_language_column(tmp_path, out, kind):
    file = tmp_path / "in" / f"data.{kind}"
    file.parent.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), file)
    else:
        file.write_bytes(gzip.compress(lines) if kind.endswith("gz") else lines)
    settings = {"format": "tables", "files": f"*.{kind}", "columns": COLUMNS}
    for root in (file.parent, file):
        index, rows = read_corpus(root, out, **settings)
        assert (index["sources"], index["duplicates"], index["rejected"]) == (3, 1, 1)
        good = next(row for row in rows if row["rejected"] is None)
        assert (good["path"], good["source"], good["license"]) == (f"data.{kind}#0", "int a;", "MIT")


def test_tables_name_a_missing_column(tmp_path, out):
    pq.write_table(pa.table({"code": ["int a;"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: no column 'content'"):
        read_corpus(tmp_path, out, format="tables", files="*.parquet", columns=COLUMNS)
    (tmp_path / "y.jsonl").write_text('{"content": "a", "lang": "C", "license": ""}\n[1]\n')
    with pytest.raises(InputError, match=r"y\.jsonl, line 2"):
        read_corpus(tmp_path, out, format="tables", files="*.jsonl", columns=COLUMNS)


def test_modules_come_along(tmp_path, out):
    """A program in both lists is one source; a repeated row is a duplicate; each variant keeps its own module."""
    lists = {
        "Perf_Optimized-0": [("int a;", "perf a"), ("int b;", "perf b"), ("int b;", "perf b again")],
        "Size_Optimized-0": [("int a;", "size a"), ("int c;", "size c")],
    }
    for name, pairs in lists.items():
        table = pa.table({"Source_Code": [pair[0] for pair in pairs], "IR_Original": [pair[1] for pair in pairs]})
        (tmp_path / "in" / "C").mkdir(parents=True, exist_ok=True)
        pq.write_table(table, tmp_path / "in" / "C" / f"{name}.parquet")
    columns = SETTINGS["columns"] | {"ir": "IR_Original"}
    index, rows = read_corpus(tmp_path / "in", out, shard_size=1, format="tables", columns=columns)
    assert (index["sources"], index["duplicates"]) == (4, 1)
    assert [row["source"] for row in rows] == sorted(
        ["int a;", "int b;", "int c;"], key=lambda text: sha256_bytes(text.encode())
    )
    corpus = Corpus(tmp_path / "in", "C", SETTINGS | {"format": "tables", "columns": columns}, ["c"])
    write_modules(corpus, out / "modules")
    with open_modules(out / "modules") as runs:
        modules = [row for table in module_tables(runs, "0" * 64, "f" * 64) for row in table.to_pylist()]
    by_key = {(row["id"], row["variant"]): row["ir"] for row in modules}
    ids = {row["source"]: row["id"] for row in rows}
    assert by_key == {
        (ids["int a;"], "perf"): "perf a",
        (ids["int a;"], "size"): "size a",
        (ids["int b;"], "perf"): min("perf b", "perf b again", key=lambda text: sha256_bytes(text.encode())),
        (ids["int c;"], "size"): "size c",
    }
    assert all(shard["modules"] for shard in index["shards"].values())


def bad_utf8(text, places):
    """UTF-8 with a byte that is none at some places, counted in characters."""
    parts = [text[a:b].encode() for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    return b"\xff".join(parts)


UMLAUTS = "// Größter gemeinsamer Teiler: für zwei Zahlen, natürliche\nint main() {}\n"
RUSSIAN = "// наибольший общий делитель двух чисел\nint main() {}\n"
CHINESE = "// 最大公约数的程序，计算两个数\nint main() {}\n"


@pytest.mark.parametrize("text", [UMLAUTS, RUSSIAN, CHINESE])
@pytest.mark.parametrize("places", [[0], [12], [8, 20], [3, 12, 30]])
def test_utf8_with_bad_bytes_is_utf8(text, places):
    decoded = decode(bad_utf8(text, places), ENCODINGS)
    assert (decoded.encoding, decoded.rejected, decoded.bad_bytes) == ("utf-8", None, len(places))
    assert decoded.text.replace("\ufffd", "") == text
    assert decoded.text.count("\ufffd") == len(places)


@pytest.mark.parametrize("text", [RUSSIAN, CHINESE])
def test_utf8_whose_characters_are_cut_is_utf8(text):
    data = text.encode()
    start = len(b"// ")
    for cut in range(start + 6, start + 12):
        decoded = decode(data[:cut] + data[cut + 1 :], ENCODINGS)
        assert decoded.encoding == "utf-8"
        assert 0 < decoded.bad_bytes <= 3


@pytest.mark.parametrize("text", ["// Größe für Übungen\n", "int a; // ", "int a;\n" * 1000])
def test_utf8_with_surrogate_pairs_is_utf8(text):
    decoded = decode(text.encode() + "\ud83d\ude00".encode("utf-8", "surrogatepass"), ENCODINGS)
    assert (decoded.encoding, decoded.text, decoded.bad_bytes) == ("utf-8", text + "\ufffd" * 6, 6)


def test_utf8_with_too_many_bad_bytes_is_rejected():
    data = bad_utf8(RUSSIAN * 3, list(range(3, 20)))
    assert decode(data, ENCODINGS, 17).bad_bytes == 17
    refused = decode(data, ENCODINGS, 16)
    assert (refused.rejected, refused.bad_bytes, refused.text) == ("bad_bytes", 17, "")


def test_bad_bytes_and_doubts_are_in_the_table(tmp_path, out):
    root = tree(
        tmp_path / "in", {"C/bad.c": bad_utf8(UMLAUTS, [5]), "C/good.c": UMLAUTS, "C/doubt.c": b"int a; // \xc4\xe3\n"}
    )
    _, rows = read_corpus(root, out)
    found = {row["path"]: (row["bad_bytes"], row["encoding_uncertain"], row["rejected"]) for row in rows}
    assert found == {"C/bad.c": (1, False, None), "C/good.c": (0, False, None), "C/doubt.c": (0, True, None)}
    _, rows = read_corpus(root, out, max_bad_bytes=0)
    assert {row["path"]: row["rejected"] for row in rows}["C/bad.c"] == "bad_bytes"


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "euc_kr", "cp1251", "koi8_r", "cp1252"])
def test_a_short_text_read_as_another_one_is_always_marked(encoding):
    letters = {
        "euc_kr": "가나다라마바사정수배열",
        "cp1251": "делитьчисло",
        "koi8_r": "делитьчисло",
        "cp1252": "äöüßéèñ",
    }
    generator = random.Random(encoding)
    for _ in range(150):
        word = "".join(
            generator.choice(letters.get(encoding, "大公計算出力入文字列")) for _ in range(generator.randint(1, 9))
        )
        text = f"// {word}\nint main() {{}}\n"
        decoded = decode(text.encode(encoding), ENCODINGS)
        assert decoded.text == text or decoded.uncertain or decoded.rejected, word


def test_long_text_in_one_encoding_and_valid_utf8_are_certain():
    long = "// наибольший общий делитель двух чисел и наименьшее общее кратное этих же чисел\nint main() {}\n"
    assert not decode(long.encode("cp1251"), ENCODINGS).uncertain
    for text in (UMLAUTS, RUSSIAN, CHINESE, "// déjà vu\n", "int a;\n"):
        assert not decode(text.encode(), ENCODINGS).uncertain


@pytest.mark.parametrize(("encoding", "letters"), [("iso2022_jp", "合計"), ("iso2022_kr", "합계")])
def test_text_in_seven_bit_bytes_that_is_valid_utf8_is_marked(encoding, letters):
    decoded = decode(f"// {letters}\nint main() {{}}\n".encode(encoding), ENCODINGS)
    assert decoded.encoding == "utf-8" and decoded.uncertain
    assert not decode(b'puts("\x1b$ prompt");\n', ENCODINGS).uncertain


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" * 2 + b"int a;", b"\xff\xfe" * 2 + "int a;".encode("utf-16-le")])
def test_a_repeated_byte_order_mark_is_removed(data):
    assert decode(data, ENCODINGS).text == "int a;"


def test_the_first_programs_are_those_first_in_natural_order(tmp_path, out):
    names = [f"C/Source_{number}/source.c" for number in (1, 2, 3, 9, 10, 11, 100)]
    root = tree(tmp_path / "in", {name: f"int x{place};" for place, name in enumerate(reversed(names))})
    index, rows = read_corpus(root, out, first=5)
    assert sorted(row["path"] for row in rows) == sorted(names[:5])
    assert index["sources"] == 5
    assert read_corpus(root, out, first=100)[0]["sources"] == 7


def test_the_first_rows_of_each_list_are_read(tmp_path, out):
    for split in ("Perf_Optimized", "Size_Optimized"):
        (tmp_path / "in/C").mkdir(parents=True, exist_ok=True)
        for part in range(2):
            programs = [f"int x{part}{n};" for n in range(3)]
            table = pa.table({"Source_Code": programs, "IR_Original": [f"{split} {program}" for program in programs]})
            pq.write_table(table, tmp_path / "in/C" / f"{split}-{part}.parquet")
    columns = SETTINGS["columns"] | {"ir": "IR_Original"}
    index, rows = read_corpus(tmp_path / "in", out, format="tables", columns=columns, first=4)
    assert {row["source"] for row in rows} == {"int x00;", "int x01;", "int x02;", "int x10;"}
    assert index["sources"] == 4


@pytest.mark.parametrize("suffix", ["f", "F", "f77", "f90", "F90", "f95", "f03", "f08", "for", "FOR", "fpp", "FPP"])
def test_suffixes_of_fortran_are_read(tmp_path, out, suffix):
    suffixes = read_yaml(ROOT / "config/languages.yaml")["Fortran"]["suffixes"]
    root = tree(tmp_path / "in", {f"Fortran/a.{suffix}": "end\n", "Fortran/b.o": "end\n"})
    _, rows = read_corpus(root, out, language="Fortran", suffixes=suffixes)
    assert [row["path"] for row in rows] == [f"Fortran/a.{suffix}"]
