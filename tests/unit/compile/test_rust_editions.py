"""Rust programs of MultiPL-E in this project's edition and in the paper's."""

import shutil

import pytest
import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.prepare_runner import prepare
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import Prelude, composer
from tests.support.paths import ROOT

TABLE = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
# Bodies of `fn twice(x: isize) -> isize {` that compile in one of the editions only.
SINCE_2021 = "    let y: i64 = x.try_into().unwrap();\n    2 * y as isize"
UNTIL_2018 = "    let f: Box<Fn(isize) -> isize> = Box::new(|y| 2 * y);\n    f(x)"

pytestmark = pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc is not installed")


@pytest.mark.parametrize(
    ("name", "accepted", "refused"), [("rust", SINCE_2021, UNTIL_2018), ("rust-paper", UNTIL_2018, SINCE_2021)]
)
def test_each_runner_compiles_in_its_own_edition(tmp_path, name, accepted, refused):
    prepare(name, TABLE[name], {"mode": "bubblewrap", "wall_factor": 8}, str(tmp_path / "shared"))
    settings = {"mode": "bubblewrap", "wall_factor": 8, "scale": 1, "shared": str(tmp_path / "shared")}
    runner = make_runner(name, TABLE[name], settings)
    test = TABLE[name]["self_test"]
    problem = Problem("p", "p", "", Stop(), context=test["context"], tests=test["tests"], entry_point="twice")
    for body, status in ((accepted, "passed"), (refused, "compile_error")):
        assert runner.judge(composer(TABLE[name])(Prelude(), problem, body)).status == status
