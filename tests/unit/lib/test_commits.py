"""Commits: how modifications become one diff, and which rows are in which split."""

import gzip
import json

import pytest

from scripts.finetune.instruct import read_instructions
from scripts.lib.commits import file_stem, flatten_mods, read_commits
from scripts.lib.job import InputError
from scripts.lib.json_lines import read_jsonl

MODS = [
    {"change_type": "MODIFY", "old_path": "a.py", "new_path": "a.py", "diff": "@@ -1 +1 @@\n-x\n+y\n"},
    {"change_type": "ADD", "old_path": None, "new_path": "b.py", "diff": "@@ -0,0 +1 @@\n+z\n"},
    {"change_type": "DELETE", "old_path": "c.py", "new_path": None, "diff": "@@ -1 +0,0 @@\n-w\n"},
    {"change_type": "RENAME", "old_path": "d.py", "new_path": "e.py", "diff": ""},
]
FLAT = """a.py
@@ -1 +1 @@
-x
+y
new file b.py
@@ -0,0 +1 @@
+z
deleted file c.py
@@ -1 +0,0 @@
-w
rename from d.py
rename to e.py"""
SIZES = {"train": 4, "validation": 2, "test": 3}


def write(path, count, **changes):
    rows = [{"message": f" message {n}\n", "mods": MODS[:1], **changes} for n in range(count)]
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_every_kind_of_change_is_named():
    assert flatten_mods(MODS) == FLAT


def test_an_unknown_kind_of_change_is_its_path():
    assert flatten_mods([{"change_type": "UNKNOWN", "old_path": "a", "new_path": None, "diff": "+"}]) == "a\n+"


def test_no_modification_is_an_empty_diff():
    assert flatten_mods([]) == ""


def test_splits_follow_each_other_unshuffled(tmp_path):
    path = write(tmp_path / "Python.jsonl.gz", 12)
    messages = [row["message"] for split in SIZES for row in read_commits(path, split, SIZES)]
    assert messages == [f"message {n}" for n in range(9)]


def test_too_few_commits_name_file_and_remedy(tmp_path):
    path = write(tmp_path / "Python.jsonl", 8)
    assert len(read_commits(path, "validation", SIZES)) == 2
    with pytest.raises(InputError, match=r"Python.jsonl has 2 commits for the test split, not 3; lower commits.sizes"):
        read_commits(path, "test", SIZES)


WRONG = {
    "no mods": '{"message": "m"}',
    "null": '{"message": null, "mods": []}',
    "list": "[1]",
    "text": '{"message": "m", "mods": "x"}',
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_commit_of_another_form_is_named(tmp_path, row):
    path = tmp_path / "Python.jsonl"
    path.write_text('{"message": "m", "mods": []}\n' + f"{row}\n" * 9)
    with pytest.raises(InputError, match=r"Python\.jsonl, line 2"):
        read_commits(path, "train", SIZES)


def test_rows_that_name_their_split_may_come_in_any_order(tmp_path):
    path = tmp_path / "Python.jsonl"
    order = ["test", "train", "validation", "train", "test", "train", "train", "train", "validation", "test", "test"]
    rows = [{"message": f"{split} {n}", "mods": [], "split": split} for n, split in enumerate(order)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    read = {split: [row["message"] for row in read_commits(path, split, SIZES)] for split in SIZES}
    assert read["train"] == ["train 1", "train 3", "train 5", "train 6"]
    assert read["validation"] == ["validation 2", "validation 8"]
    assert read["test"] == ["test 0", "test 4", "test 9"]
    with pytest.raises(InputError, match="has 2 commits for the validation split, not 3"):
        read_commits(path, "validation", {**SIZES, "validation": 3})


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "Python.jsonl"
    path.write_text('{"message": "m", "mods": []}\n{"mess')
    with pytest.raises(InputError, match="line 2"):
        read_commits(path, "train", {"train": 2, "validation": 1, "test": 1})


def test_file_names_spell_cpp_without_signs():
    assert (file_stem("C++"), file_stem("Objective-C")) == ("Cpp", "Objective-C")


def commit(**changes):
    """A row in CommitChronicle's shape with some fields changed; those that are `...` are left out."""
    mod = {"change_type": "MODIFY", "old_path": "a.py", "new_path": "a.py", "diff": "-x\n+y\n"}
    row = {"message": "Fix", "mods": [mod | changes.pop("mod", {})]} | changes
    return {name: value for name, value in row.items() if value is not ...}


FAULTY = {
    "a null diff": (commit(mod={"diff": None}), r"line 2, modification 1: the field 'diff' is null, not text"),
    "a null kind": (commit(mod={"change_type": None}), r"the field 'change_type' is null"),
    "a path of lists": (commit(mod={"old_path": ["a"]}), r"the field 'old_path' is list"),
    "a null message": (commit(message=None), r"line 2: the field 'message' is null, not text"),
    "a list of messages": (commit(message=["Fix"]), r"line 2: the field 'message' is list"),
    "a number": (commit(message=7), r"the field 'message' is number"),
    "half a character": (commit(message="Fix \ud800"), r"the field 'message' is not valid text"),
    "no message": (commit(message=...), r"line 2 lacks the field 'message'"),
    "null modifications": (commit(mods=None), r"line 2: the field 'mods' is not a list of objects"),
    "modifications of text": (commit(mods=["a"]), r"line 2: the field 'mods' is not a list of objects"),
    "a rename from nowhere": (commit(mod={"change_type": "RENAME", "old_path": None}), "field 'old_path' is null"),
    "a copy to nowhere": (commit(mod={"change_type": "copy", "new_path": None}), "field 'new_path' is null"),
    "a new file without a name": (commit(mod={"change_type": "ADD", "new_path": None}), "field 'new_path' is null"),
    "a deletion of nothing": (commit(mod={"change_type": "DELETE", "old_path": None}), "field 'old_path' is null"),
    "a split that others lack": (commit(split="train"), "line 2 has a field 'split', unlike the rows before it"),
    "a list": ([1], r"line 2: a JSON list, not an object"),
    "null": (None, r"line 2: a JSON null, not an object"),
}


@pytest.mark.parametrize("case", FAULTY)
@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_a_fault_of_a_commit_is_one_line_with_file_and_row(tmp_path, case, suffix):
    row, told = FAULTY[case]
    content = "".join(json.dumps(each) + "\n" for each in (commit(), row, commit())).encode()
    path = tmp_path / f"commits.{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    with pytest.raises(InputError, match=told) as caught:
        read_commits(path, "train", {"train": 3, "validation": 0, "test": 0})
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_rows_without_the_split_of_others_and_unknown_splits_are_named(tmp_path):
    path = tmp_path / "commits.jsonl"
    sizes = {"train": 2, "validation": 0, "test": 0}
    for second, told in ((commit(), "line 2 lacks the field 'split'"), (commit(split="dev"), "name the splits 'dev'")):
        path.write_text("".join(json.dumps(row) + "\n" for row in (commit(split="train"), second)))
        with pytest.raises(InputError, match=told):
            read_commits(path, "train", sizes)
    assert len(read_commits(path, "train", {**sizes, "train": 1})) == 1
    assert read_commits(path, "train", {**sizes, "train": 0}) == []


def test_an_input_is_part_of_an_instruction_unless_the_template_names_it(tmp_path):
    path = tmp_path / "train.jsonl"
    rows = [{"instruction": "Sort.", "input": value, "output": "x"} for value in ("3 1 2", "", None)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [row["instruction"] for row, _ in read_instructions(str(path))] == ["Sort.\n\n3 1 2", "Sort.", "Sort."]
    named = [(row["instruction"], row["input"]) for row, _ in read_instructions(str(path), ["instruction", "input"])]
    assert named == [("Sort.", "3 1 2"), ("Sort.", ""), ("Sort.", "")]
    with pytest.raises(InputError, match=r"train\.jsonl, line 1 lacks the field 'context'"):
        read_instructions(str(path), ["instruction", "context"])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "a.jsonl",
            b'{"message": "x", "mods": [{"diff": "x", "diff": "y"}]}',
            r"line 1: .*the key 'diff' occurs twice",
        ),
        ("a.jsonl", '{"message": "x"}\n'.encode("utf-16"), r"line 1: not JSON in UTF-8"),
        ("a.jsonl", b'{"message": "x"}\r{"message": "x"}\r', r"line 1: not JSON in UTF-8"),
        ("a.jsonl", b"\x28\xb5\x2f\xfd\x04\x00", r"line 1: not JSON in UTF-8"),
        ("a.jsonl", b'{"message": "caf\xe9"}\n', r"a\.jsonl, line 1: not JSON in UTF-8"),
        ("a.jsonl", b'{"message"\n', r"line 1: not JSON in UTF-8"),
        ("a.jsonl", b"[" * 100_000 + b"\n", r"line 1: not JSON in UTF-8"),
        ("a.jsonl", b'{"message": ' + b"9" * 5000 + b"}\n", r"line 1: not JSON in UTF-8"),
        ("a.jsonl.gz", gzip.compress(b'{"message": "x"}\n' * 500, mtime=0)[:-12], r"a\.jsonl\.gz is damaged"),
        ("a.jsonl.gz", gzip.compress(b'{"message": "x"}\n' * 500, mtime=0)[:40], r"a\.jsonl\.gz is damaged"),
        ("a.jsonl.gz", b'{"message": "x"}\n', r"a\.jsonl\.gz is damaged"),
        ("a.jsonl.gz", gzip.compress(b"a" * (65 << 20), 1, mtime=0), r"a\.jsonl\.gz, line 1 has more than 64 MB"),
    ],
)
def test_damaged_files_of_rows_are_one_line(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        list(read_jsonl(tmp_path / name))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"instruction": "Say caf\xe9", "output": "x"}', r"line 2: not JSON in UTF-8"),
        (b'{"instruction": null, "output": "x"}', r"line 2: the field 'instruction' is null"),
        (b'{"instruction": "a", "output": ["x"]}', r"line 2: the field 'output' is list"),
        (b'{"instruction": "a"}', r"line 2 lacks the field 'output'"),
        (b'{"instruction": "a", "output": "b", "output": "c"}', r"line 2: .*the key 'output' occurs twice"),
        (b'{"instruction": "a", "input": 5, "output": "b"}', r"line 2: the field 'input' is number"),
        (b'{"instruction": "a", "output": "b",}', r"line 2: not JSON in UTF-8"),
        (b'{"instruction": NaN, "output": "b"}', r"line 2: the field 'instruction' is number"),
        (b'"text"', r"line 2: a JSON text, not an object"),
        (b'{"messages": "a", "output": "x"}', r"line 2: the field 'messages' is not a list of objects"),
        (b'{"messages": {"role": "user"}, "output": "x"}', r"line 2: the field 'messages' is not a list of objects"),
        (b'{"messages": [null], "output": "x"}', r"line 2: the field 'messages' is not a list of objects"),
        (b'{"messages": [{"role": "user"}], "output": "x"}', r"line 2, message 1 lacks the field 'content'"),
        (b'{"messages": [{"role": 1, "content": "a"}], "output": "x"}', r"message 1: the field 'role' is number"),
        (
            b'{"messages": [{"role": "user", "content": "\\ud800"}], "output": "x"}',
            r"message 1: the field 'content' is not valid",
        ),
    ],
)
def test_a_fault_of_an_instruction_is_one_line_with_file_and_row(tmp_path, line, told):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b'{"instruction": "a", "output": "b"}\n' + line + b"\n")
    with pytest.raises(InputError, match=told) as caught:
        read_instructions(str(path))
    assert str(caught.value).startswith(f"{path}, line 2")


def test_blank_lines_are_passed_over_and_counted(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_bytes(b'\n{"instruction": "a", "output": "b"}\n \t\r\n{"instruction": "c", "output": "d"}\n\n')
    assert [row["instruction"] for row, _ in read_instructions(str(path))] == ["a", "c"]
    path.write_bytes(b'\n\n{"instruction": "a"}\n')
    with pytest.raises(InputError, match="line 3 lacks"):
        read_instructions(str(path))
