"""Programs whose compilation hits a limit have another status than programs that exceed one."""

import shutil

import pytest
import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.prepare_runner import prepare
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from scripts.evaluate.runners.verdict import COMPILING
from tests.support.paths import ROOT

TABLE = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))["rust"]
# Takes the compiler far longer than the limit, since each type holds two of the one before.
HEAVY = "".join(f"    type T{n} = (T{n - 1}, T{n - 1});\n" for n in range(1, 40))
SLOW = f"    type T0 = i8;\n{HEAVY}    std::mem::size_of::<T39>() as isize"
SECONDS = 4

pytestmark = pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc is not installed")


def test_the_step_that_hit_the_limit_is_named(tmp_path):
    prepare("rust", TABLE, {"mode": "bubblewrap", "wall_factor": 8}, str(tmp_path / "shared"))
    limits = {step: {**own, "seconds": SECONDS} for step, own in TABLE["limits"].items()}
    settings = {"mode": "bubblewrap", "wall_factor": 15, "scale": 1, "shared": str(tmp_path / "shared")}
    runner = make_runner("rust", {**TABLE, "limits": limits}, settings)
    test = TABLE["self_test"]
    problem = Problem("p", "p", "", Stop(), context=test["context"], tests=test["tests"], entry_point="twice")
    bodies = (SLOW, "    loop { std::hint::spin_loop() }")
    verdicts = [runner.judge(COMPOSERS["rust"](Prelude(), problem, body)) for body in bodies]
    assert [verdict.status for verdict in verdicts] == ["timeout", "timeout"]
    assert [verdict.detail.startswith(COMPILING) for verdict in verdicts] == [True, False]
