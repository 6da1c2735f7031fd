"""Stamps of local models: what counts as a change, and what does not."""

import os
from pathlib import Path

import pytest

from scripts.lib import local_models
from scripts.lib.local_models import folder_stamp


def write(path: Path, content: bytes) -> None:
    """Write a file with a fixed modification time."""
    path.write_bytes(content)
    os.utime(path, (10**9, 10**9))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with files of a model."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        write(folder / name, name.encode() * 100)
    return folder


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_another_content_of_the_same_size_and_time_is_a_change(model: Path, name: str) -> None:
    before = folder_stamp(model)
    write(model / name, (model / name).read_bytes().swapcase())
    assert folder_stamp(model) != before
    write(model / name, (model / name).read_bytes().swapcase())
    assert folder_stamp(model) == before


def test_another_content_of_one_file_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    write(path, b"GGUF1")
    before = folder_stamp(path)
    write(path, b"GGUF2")
    assert folder_stamp(path) != before


def test_large_files_are_compared_in_blocks_from_start_to_end(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_models, "_WHOLE", 1 << 20)
    monkeypatch.setattr(local_models, "_BLOCKS", 8)
    size = 4 << 20
    write(model / "model.safetensors", bytes(size))
    stamps = {folder_stamp(model)}
    for part in (slice(0, 9), slice(size // 2, size // 2 + (1 << 20)), slice(size - 9, size)):
        content = bytearray(size)
        content[part] = b"x" * (part.stop - part.start)
        write(model / "model.safetensors", content)
        stamps.add(folder_stamp(model))
    assert len(stamps) == 4


def test_links_added_and_removed_files_are_changes(model: Path, tmp_path: Path) -> None:
    stamps = [folder_stamp(model)]
    (model / "linked.safetensors").symlink_to(tmp_path / "blob")
    assert folder_stamp(model) == stamps[0]
    write(tmp_path / "blob", b"1")
    stamps.append(folder_stamp(model))
    write(tmp_path / "blob", b"2")
    stamps.append(folder_stamp(model))
    (model / "linked.safetensors").unlink()
    (model / "config.json").unlink()
    stamps.append(folder_stamp(model))
    assert len(set(stamps)) == 4 and folder_stamp(tmp_path / "nothing") == ""


def test_a_folder_behind_a_link_is_another_when_the_link_is(model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other / "config.json", b"x")
    link = tmp_path / "current"
    link.symlink_to(model)
    before = folder_stamp(link)
    link.unlink()
    link.symlink_to(other)
    assert folder_stamp(link) != before


def test_a_copy_with_its_times_is_no_change(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "model"
    copy.mkdir(parents=True)
    for file in model.iterdir():
        write(copy / file.name, file.read_bytes())
    assert folder_stamp(copy) == folder_stamp(model)
