"""Digests of weights: any change of a file is noticed before it is loaded, and the file named."""

import subprocess

import pytest

from scripts.lib.job import InputError
from scripts.lib.weights import DIGESTS, check_weights, write_weight_digests


@pytest.fixture
def folder(tmp_path):
    for name in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    write_weight_digests(tmp_path)
    return tmp_path


def test_whole_weights_pass_and_sha256sum_reads_the_digests(folder):
    check_weights(folder)
    assert subprocess.run(["sha256sum", "-c", "--quiet", DIGESTS], cwd=folder, check=False).returncode == 0


@pytest.mark.parametrize("byte", [0, 7, -1])
def test_a_flipped_bit_is_noticed(folder, byte):
    file = folder / "model-00002-of-00002.safetensors"
    content = bytearray(file.read_bytes())
    content[byte] ^= 4
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"model-00002-of-00002\.safetensors differs from weights\.sha256"):
        check_weights(folder)


def test_a_flipped_bit_of_the_digests_is_noticed(folder):
    content = bytearray((folder / DIGESTS).read_bytes())
    content[5] ^= 1
    (folder / DIGESTS).write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        check_weights(folder)


def test_a_missing_part_is_noticed(folder):
    (folder / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(InputError, match="model-00001-of-00002"):
        check_weights(folder)


def test_folders_without_digests_are_passed(tmp_path):
    (tmp_path / "model.safetensors").touch()
    check_weights(tmp_path)


def test_weights_in_pickle_format_are_refused_without_being_read(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"not even a pickle")
    with pytest.raises(InputError, match=r"only pytorch_model\.bin, a pickle file, .*; use a revision") as error:
        check_weights(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("lines", [0, 1])
def test_digests_that_were_cut_are_noticed(folder, lines):
    (folder / DIGESTS).write_text("".join((folder / DIGESTS).read_text().splitlines(keepends=True)[:lines]))
    with pytest.raises(InputError, match=r"weights\.sha256 does not list model-0000\d-of-00002"):
        check_weights(folder)
