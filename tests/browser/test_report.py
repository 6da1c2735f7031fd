"""The report in a browser, without a network, at two widths."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import PYTHON, ROOT
from tests.browser.layout import assert_laid_out

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small run with fixed results."""
    folder = tmp_path_factory.mktemp("report")
    small = ROOT / "tests" / "workflow" / "small_run"
    command = [PYTHON, "-m", "snakemake", "--snakefile", small / "Snakefile", "--configfile", small / "config.yaml"]
    environment = os.environ | {"PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"}
    target = "results/report.html"
    subprocess.run(
        [*command, "--directory", folder, "--cores", "2", "--quiet", "all", "--", target],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=900,
    )
    return folder / target


@pytest.mark.parametrize("width", [1366, 800])
def test_the_report_fits_the_window_and_fetches_nothing(report, browser, width):
    browser.open(report.as_uri(), width, "report")
    assert "62.0" in browser.text
    assert_laid_out(browser)
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
