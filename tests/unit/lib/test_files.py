"""Atomic files: whole or absent, whatever happens while they are written."""

import multiprocessing
import os
import signal
import time

import pytest

from scripts.lib.files import atomic_directory, atomic_path, read_json, sha256_file, sha256_text, write_json, write_text
from scripts.lib.job import InputError


def test_target_appears_only_at_the_end(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]


def test_error_leaves_the_old_content_and_no_litter(tmp_path):
    target = tmp_path / "table.csv"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_directory_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "model"
    with atomic_directory(target) as folder:
        (folder / "a").write_text("1")
    with atomic_directory(target) as folder:
        (folder / "b").write_text("2")
    assert [path.name for path in target.iterdir()] == ["b"]
    with pytest.raises(RuntimeError), atomic_directory(target) as folder:
        (folder / "c").write_text("3")
        raise RuntimeError
    assert [path.name for path in target.iterdir()] == ["b"]


def _write_slowly(target):
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        time.sleep(60)


def test_killed_writer_leaves_the_old_content(tmp_path):
    target = tmp_path / "table.csv"
    write_text(target, "old")
    writer = multiprocessing.get_context("fork").Process(target=_write_slowly, args=(target,))
    writer.start()
    deadline = time.monotonic() + 10
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert target.read_text() == "old"


def test_json_has_one_form(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "ä"})
    write_json(tmp_path / "b.json", {"a": "ä", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"a": "ä", "b": 1}


def test_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    write_text(tmp_path / "x", "abc")
    assert sha256_file(tmp_path / "x") == sha256_text("abc")
    assert sha256_text("abc").startswith("ba7816bf")


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b'{"a": "\xff"}', b"[" * 100_000, b'{"a" 1}'])
def test_damaged_json_is_named(tmp_path, content):
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(InputError, match=r"index\.json is damaged"):
        read_json(tmp_path / "index.json")
