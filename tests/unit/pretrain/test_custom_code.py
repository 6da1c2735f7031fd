"""Code in a model's repository runs only if the config trusts it."""

import json

import pytest

from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request
from scripts.evaluate.engines.transformers_engine import TransformersEngine
from scripts.evaluate.generations import Sampling
from scripts.lib.custom_code import is_trusted
from scripts.lib.job import InputError
from scripts.lib.training.models import load_model, save_model
from scripts.pretrain.import_base import load_base
from tests.support.tiny_training import LLAMA, write_base

# The code writes a file when it is imported.
CODE = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM
Path("{ran}").touch()
class OwnConfig(LlamaConfig):
    model_type = "own_llama"
class OwnModel(LlamaForCausalLM):
    config_class = OwnConfig
"""
ENTRY = {"source": "folder", "path": "model"}


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """The file that the code of the model in `tmp_path` writes."""
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = tmp_path / "model"
    write_base(folder, LLAMA)
    config = json.loads((folder / "config.json").read_text())
    names = {"AutoConfig": "own_code.OwnConfig", "AutoModelForCausalLM": "own_code.OwnModel"}
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "own_llama", "auto_map": names}))
    (folder / "own_code.py").write_text(CODE.format(ran=tmp_path / "ran"))
    return tmp_path / "ran"


@pytest.mark.parametrize("marked", [False, True])
def test_code_is_refused_without_the_key_in_one_line(ran, tmp_path, marked):
    if marked:
        # A mark that the repository itself contains counts for nothing.
        (tmp_path / "model/trusted_code").touch()
    with pytest.raises(InputError, match=r"needs Python code of its repository, .*trust_remote_code: true") as error:
        load_base(ENTRY, str(tmp_path), offline=True)
    assert "\n" not in str(error.value)
    assert not ran.exists()


def test_trusted_code_runs_and_later_jobs_load_the_saved_model(ran, tmp_path):
    model, tokenizer = load_base({**ENTRY, "trust_remote_code": True}, str(tmp_path), offline=True)
    assert ran.exists() and type(model).__name__ == "OwnModel"
    save_model(model, tokenizer, tmp_path / "base")
    assert is_trusted(tmp_path / "base")
    assert type(load_model(tmp_path / "base")).__name__ == "OwnModel"
    completer = TransformersEngine(str(tmp_path / "base"), "float32", 1, 1)
    assert completer.complete([Request("a", 1, Stop(("<none>",)))], Sampling(0, 1, 1, 4))


def test_models_of_transformers_are_not_marked(tmp_path):
    write_base(tmp_path, LLAMA)
    assert not is_trusted(tmp_path)
