"""The paper's evaluation protocol by the rules: controls of all kinds of languages are scored."""

import shutil

import pytest

from scripts.lib.files import read_json
from tests.workflow.conftest import ROOT
from tests.workflow.jobs import jobs_in

FILES = [str(ROOT / "config/paper.yaml"), str(ROOT / "tests/workflow/paper_small.yaml")]
TASKS = "evaluate={tasks: {multipl-e: [py, rs]}}"

pytestmark = [
    pytest.mark.paper,
    pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc is not installed"),
]


def metrics_of(path):
    """The values of a score file, by metric."""
    return {row["metric"]: row["value"] for row in read_json(path)["rows"]}


def test_compiled_languages_have_compile_rates_and_fixdocs_a_ceiling(tmp_path, workflow):
    controls = {
        "multipl-e/rs/control/reference": {"pass@1": 100, "compiles@1": 100},
        "multipl-e/py/control/reference": {"pass@1": 100},
        "fixdocs/python/control/ceiling": {"pass@1": 100},
    }
    paths = [f"results/scores/{name}.control.json" for name in controls]
    output = workflow(tmp_path, *paths, "--configfile", *FILES, "--config", TASKS).stdout
    assert {name: metrics_of(tmp_path / path) for name, path in zip(controls, paths, strict=True)} == controls
    jobs = jobs_in(output)
    # The config selects the runner with the paper's edition of Rust.
    assert "evaluate_prepare_runner rust-paper" in jobs
    assert "evaluate_prepare_runner rust" not in jobs
