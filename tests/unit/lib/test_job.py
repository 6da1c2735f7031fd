"""The frame of every script: faults of the user are one line and exit code 1, others keep their traceback."""

import logging
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.lib.job import InputError, job, progress


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


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError("of a library"), BrokenPipeError(32, "Broken pipe")])
def test_other_errors_keep_their_traceback(snakemake, tmp_path, error):
    """Also errors of the system that name no file."""
    with pytest.raises(type(error)), job(snakemake):
        raise error
    log = (tmp_path / "logs" / "rule.log").read_text()
    assert type(error).__name__ in log and "Traceback" in log


WARNS = """import sys, types, warnings
from scripts.lib.job import job
with job(types.SimpleNamespace(log=[sys.argv[1]], rule="stage_make")):
    warnings.warn("the option\\n is old", FutureWarning)
"""


def test_python_warnings_have_their_level_and_one_line(tmp_path):
    """In a process of its own: pytest records warnings itself."""
    log = tmp_path / "rule.log"
    subprocess.run([sys.executable, "-c", WARNS, log], check=True, cwd=Path(__file__).resolve().parents[3])
    (line,) = log.read_text().splitlines()
    assert line.startswith("WARNING ")
    assert line.endswith("FutureWarning: the option is old")


def test_messages_of_transformers_have_their_level(snakemake):
    logger = logging.getLogger("transformers")
    logger.addHandler(logging.StreamHandler())
    logger.propagate = False
    with job(snakemake):
        logging.getLogger("transformers.models").warning("an unusual size")
    assert Path(snakemake.log[0]).read_text() == "WARNING an unusual size\n"


def test_progress_is_reported_in_whole_lines(snakemake, capsys, monkeypatch):
    monkeypatch.setattr("scripts.lib.job._SECONDS", 0.05)
    monkeypatch.setattr("scripts.lib.job._DELAY", 0.0)
    with job(snakemake):
        for _ in progress(range(4), "reading"):
            time.sleep(0.1)
    text = Path(snakemake.log[0]).read_text()
    assert text == capsys.readouterr().err
    assert not set(text) & set("\r\x1b█")
    assert all(line.startswith("INFO reading: ") for line in text.splitlines())
    assert re.search(r"^INFO reading: 2 of 4 \(50 %\), \S+ elapsed", text, re.MULTILINE)
