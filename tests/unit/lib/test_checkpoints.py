"""Checkpoint folders: found again after a death, never shared, never taken for other settings."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.checkpoints import COMPLETE, folder_digest, last_checkpoint, mark_complete, settings_key, workspace
from scripts.lib.job import InputError
from tests.support.questions import alter


def test_a_failed_training_keeps_its_folder_and_a_done_one_does_not(tmp_path):
    with pytest.raises(RuntimeError, match="died"), workspace(tmp_path, "pretrain", "0" * 16) as folder:
        (folder / "checkpoint-5").mkdir()
        raise RuntimeError("died")
    with workspace(tmp_path, "pretrain", "0" * 16) as folder:
        assert (folder / "checkpoint-5").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_death_while_deleting_leaves_no_half_folder(tmp_path, monkeypatch):
    def dies(folder, ignore_errors=False):
        if not ignore_errors:
            next(Path(folder).iterdir()).unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", dies)
        with pytest.raises(KeyboardInterrupt), workspace(tmp_path, "pretrain", "0" * 16) as folder:
            (folder / "data").touch()
    assert not folder.exists()
    with workspace(tmp_path, "pretrain", "0" * 16) as folder:
        assert [path.name for path in folder.iterdir()] == ["lock"]
    assert list(tmp_path.iterdir()) == []


def test_only_a_checkpoint_with_all_its_files_counts(tmp_path):
    for step in (2, 10, 30):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "weights").write_text("all of them")
    assert last_checkpoint(tmp_path) is None
    for step in (2, 10):
        mark_complete(tmp_path / f"checkpoint-{step}")
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")
    alter(tmp_path / "checkpoint-10" / "weights")
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-2")
    mark_complete(tmp_path / "checkpoint-10")
    os.truncate(tmp_path / "checkpoint-10" / "weights", 3)
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-2")
    for damage in (
        b"",
        b"{",
        b"[]",
        b"\xff",
        (tmp_path / "checkpoint-2" / COMPLETE).read_bytes().replace(b"weights", b"weightr"),
    ):
        (tmp_path / "checkpoint-2" / COMPLETE).write_bytes(damage)
        assert last_checkpoint(tmp_path) is None


def test_other_settings_start_afresh_and_clear_what_is_stale(tmp_path):
    for name, key in (("pretrain", "0"), ("base", "0")):
        with pytest.raises(RuntimeError), workspace(tmp_path, name, key * 16):
            raise RuntimeError("died")
    with workspace(tmp_path, "pretrain", "1" * 16) as folder:
        assert [path.name for path in folder.iterdir()] == ["lock"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["base-" + "0" * 16, "pretrain-" + "1" * 16]


def test_a_name_that_continues_another_is_left_alone(tmp_path):
    with pytest.raises(RuntimeError), workspace(tmp_path, "base-instruct", "0" * 16):
        raise RuntimeError("died")
    with workspace(tmp_path, "base", "1" * 16):
        assert (tmp_path / ("base-instruct-" + "0" * 16)).is_dir()


def test_a_folder_in_use_is_refused(tmp_path):
    code = "from scripts.lib.checkpoints import workspace\n"
    code += "with workspace(%r, 'a', '0' * 16): print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code % str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        other.stdout.readline()
        with pytest.raises(InputError, match="in use by another training"), workspace(tmp_path, "a", "0" * 16):
            pass
        other.communicate("\n", timeout=30)
    assert other.returncode == 0


def test_the_key_hangs_on_settings_and_contents(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub/model").write_text("weights")
    (tmp_path / "b/.snakemake_timestamp").touch()
    assert folder_digest(tmp_path / "a") == folder_digest(tmp_path / "b")
    key = settings_key({"lr": 1, "r": 2}, [tmp_path / "a"])
    assert key == settings_key({"r": 2, "lr": 1}, [tmp_path / "b"])
    assert key != settings_key({"r": 2, "lr": 2}, [tmp_path / "b"])
    (tmp_path / "b/sub/model").write_text("other")
    assert key != settings_key({"r": 2, "lr": 1}, [tmp_path / "b"])
