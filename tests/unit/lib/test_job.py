"""The frame of every script: faults of the user are one line and exit code 1, others keep their traceback."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.lib.job import InputError, job


@pytest.fixture
def snakemake(tmp_path):
    return SimpleNamespace(log=[str(tmp_path / "logs" / "rule.log")], rule="stage_make")


def test_input_error_is_one_line(snakemake, capsys):
    with pytest.raises(SystemExit) as caught, job(snakemake):
        raise InputError("x.parquet is damaged;\n delete it")
    assert caught.value.code == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines == ["ERROR stage_make: x.parquet is damaged; delete it"]


def test_disk_error_names_the_file(snakemake, capsys):
    with pytest.raises(SystemExit), job(snakemake):
        Path("/no/such/file").read_text()
    assert "/no/such/file" in capsys.readouterr().err


def test_a_full_disk_is_one_line_with_its_remedy(snakemake, capsys):
    with pytest.raises(SystemExit), job(snakemake), Path("/dev/full").open("w") as file:
        file.write("x")
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("ERROR stage_make: No space left on device")
    assert line.endswith("make room and run again")


def test_other_errors_keep_their_traceback(snakemake, tmp_path):
    with pytest.raises(ZeroDivisionError), job(snakemake):
        1 / 0  # noqa: B018
    assert "ZeroDivisionError" in (tmp_path / "logs" / "rule.log").read_text()
