"""A rule's job without Snakemake, and its script run by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.workflow.mock_snakemake import mock_snakemake
from tests.support.paths import ROOT


def test_the_job_has_the_files_and_settings_of_the_rule(tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("results_dir: elsewhere\nshard_size: 7\n", encoding="utf-8")
    before = Path.cwd()
    snakemake = mock_snakemake("sources_read", tmp_path, [overlay], language="C")
    assert Path.cwd() == before
    assert snakemake.rule == "sources_read"
    assert snakemake.wildcards.language == "C"
    assert snakemake.output.aliases == "elsewhere/sources/C/aliases.parquet"
    assert snakemake.params.shard_size == 7
    assert snakemake.config["results_dir"] == "elsewhere"
    assert not (tmp_path / "elsewhere").exists()


def test_wrong_names_are_one_line(tmp_path):
    with pytest.raises(InputError, match=r"unknown rule 'sources_reed'; choose from .*sources_read"):
        mock_snakemake("sources_reed", tmp_path)
    with pytest.raises(InputError, match=r"rule sources_read takes language=…; got lang$"):
        mock_snakemake("sources_read", tmp_path, lang="C")
    with pytest.raises(InputError, match="rule tables has no script"):
        mock_snakemake("tables", tmp_path)


def test_a_script_runs_by_hand(tmp_path):
    command = [sys.executable, "-m", "scripts.workflow.mock_snakemake", "sources_read", "language=C"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "000" in read_json(tmp_path / "results/sources/C/shards.json")["shards"]
    assert (tmp_path / "results/sources/C/000.parquet").is_file()
