"""Jobs that ask for GPUs, with stand-ins for PyTorch: one line and an early end where it has none."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.lib import gpu
from scripts.lib.gpu import check_gpus, require_gpus
from scripts.lib.job import InputError, job
from tests.support.paths import ROOT


def stand_in(cuda: str | None, devices: int, hip: str | None = None) -> SimpleNamespace:
    """A module like torch, built for a version of CUDA (or none), that sees so many devices."""
    return SimpleNamespace(
        __version__="2.13.0",
        version=SimpleNamespace(cuda=cuda, hip=hip),
        cuda=SimpleNamespace(device_count=lambda: devices),
    )


@pytest.fixture
def torch_is(monkeypatch: pytest.MonkeyPatch):
    """Replace torch by a stand-in."""

    def replace(module: SimpleNamespace) -> None:
        monkeypatch.setitem(sys.modules, "torch", module)
        monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: object())

    return replace


def test_a_build_for_cpus_is_refused_with_the_remedy(torch_is) -> None:
    torch_is(stand_in(None, 0))
    with pytest.raises(InputError, match=r"asks for 2 GPU.* 2\.13\.0 is a build for CPUs; .*CONDA_OVERRIDE_CUDA"):
        check_gpus(2, {})


def test_a_cuda_build_that_sees_too_few_devices_is_refused(torch_is) -> None:
    torch_is(stand_in("12.9", 1))
    with pytest.raises(InputError, match=r"asks for 2 GPU.* sees 1 \(CUDA_VISIBLE_DEVICES: 0\)"):
        check_gpus(2, {"CUDA_VISIBLE_DEVICES": "0"})


@pytest.mark.parametrize("module", [stand_in("12.9", 2), stand_in(None, 2, hip="7.1")])
def test_enough_devices_of_either_kind_pass(torch_is, module: SimpleNamespace) -> None:
    torch_is(module)
    check_gpus(2, {})


def test_a_job_without_gpus_does_not_import_torch(torch_is) -> None:
    torch_is(stand_in(None, 0))
    require_gpus(SimpleNamespace(mem_mb=100))
    require_gpus(SimpleNamespace(gpu=0))


def test_the_job_ends_with_one_line(torch_is, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch_is(stand_in(None, 0))
    planned = SimpleNamespace(rule="pretrain_adapter", log=[str(tmp_path / "log")], resources=SimpleNamespace(gpu=1))
    with pytest.raises(SystemExit) as end, job(planned) as snakemake:
        require_gpus(snakemake.resources)
    assert end.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert (
        (tmp_path / "log").read_text().startswith("ERROR pretrain_adapter: the job asks for 1 GPU(s), but its PyTorch")
    )


def test_every_rule_that_asks_for_gpus_checks_them_first() -> None:
    scripts = set()
    for file in (ROOT / "rules").glob("*.smk"):
        for part in re.split(r"^(?:rule|checkpoint) ", file.read_text(), flags=re.MULTILINE):
            if "gpu=MODEL.gpus(" in part:
                scripts.add(re.findall(r'"\.\./scripts/(\S+)"', part)[-1])
    assert len(scripts) == 6
    for script in scripts:
        body = (ROOT / "scripts" / script).read_text().partition("with job() as snakemake:\n")[2]
        assert body.lstrip().startswith("require_gpus(snakemake.resources)\n"), script
