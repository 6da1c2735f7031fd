"""What the vLLM engine asks vLLM for, with a stand-in for the package."""

import importlib
import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request, RequestGroup
from scripts.evaluate.generations import Sampling
from scripts.lib.training.models import make_model, save_model
from tests.support.tiny_families import CONTEXT, FAMILIES
from tests.support.tiny_pieces import end_adding_tokenizer
from tests.support.tiny_tokenizer import tiny_tokenizer

WARM = Sampling(temperature=0.8, top_p=0.95, samples=1, new_tokens=20)
GREEDY = Sampling(temperature=0, top_p=0.95, samples=1, new_tokens=20)
SETTINGS = {
    "repetition_penalty": 5.0,
    "no_repeat_ngram_size": 2,
    "num_beams": 3,
    "temperature": 0.1,
    "top_k": 2,
    "top_p": 0.3,
    "min_p": 0.5,
    "min_length": 18,
    "max_length": 3,
    "bad_words_ids": [[65]],
    "suppress_tokens": [66],
}


class LLM:
    """Remembers how it was started and what it was asked."""

    def __init__(self, **options):
        self.options, self.asked = options, []
        self.llm_engine = SimpleNamespace(
            add_request=lambda name, prompt, params: self.asked.append((prompt["prompt_token_ids"], vars(params))),
            has_unfinished_requests=lambda: False,
        )


@pytest.fixture
def engine(monkeypatch):
    """The engine's class, with the stand-in."""
    package, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    package.__version__, package.LLM, package.SamplingParams = "0", LLM, SimpleNamespace
    package.RequestOutput = package.CompletionOutput = object
    sampling.RequestOutputKind = SimpleNamespace(FINAL_ONLY="final")
    monkeypatch.setitem(sys.modules, "vllm", package)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    name = "scripts.evaluate.engines.vllm_engine"
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module(name).VllmEngine
    sys.modules.pop(name)


def folder_of(path, architecture=None, tokenizer=None, **settings):
    """A model's folder with these generation settings."""
    save_model(make_model(architecture or FAMILIES["llama"], tiny_tokenizer()), tokenizer or tiny_tokenizer(), path)
    (path / "generation_config.json").write_text(json.dumps({"eos_token_id": 256, **settings}))
    return str(path)


def asked(vllm_engine, prompt, sampling, stop=("\nclass",)):
    list(vllm_engine.complete_groups([RequestGroup([Request(prompt, 7, Stop(stop))], sampling)]))
    return vllm_engine.model.asked[-1]


@pytest.mark.parametrize(("sampling", "temperature", "top_p"), [(WARM, 0.8, 0.95), (GREEDY, 0, 1.0)])
def test_requests_are_those_of_the_sampling_plan_alone(engine, tmp_path, sampling, temperature, top_p):
    plain = engine(folder_of(tmp_path / "plain"), "float32")
    other = engine(folder_of(tmp_path / "other", **SETTINGS), "float32")
    ids, params = asked(plain, "def f(x):", sampling)
    assert (ids, params) == asked(other, "def f(x):", sampling)
    assert (params["temperature"], params["top_p"], params["seed"], params["max_tokens"]) == (temperature, top_p, 7, 20)
    assert plain.model.options["generation_config"] == other.model.options["generation_config"] == "vllm"
    assert not {"top_k", "min_p", "repetition_penalty", "min_tokens", "logit_bias", "bad_words"} & set(params)


def test_requests_end_at_all_end_tokens_and_prompts_at_none(engine, tmp_path):
    ending = engine(folder_of(tmp_path / "m", tokenizer=end_adding_tokenizer(), eos_token_id=[70, 9]), "float32")
    ids, params = asked(ending, "abc", GREEDY)
    assert (len(ids), params["stop_token_ids"], params["stop"]) == (3, [9, 70, 256], ["\nclass"])
    assert 256 not in ids


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({}, CONTEXT),
        # vLLM would multiply the limit by the factor.
        ({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}}, CONTEXT),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}, CONTEXT),
    ],
)
def test_the_context_is_that_of_the_model_as_with_transformers(engine, tmp_path, changes, limit):
    scaled = engine(folder_of(tmp_path / "m", {**FAMILIES["llama"], **changes}), "float32")
    assert scaled.model.options["max_model_len"] == scaled.context == limit
    assert asked(scaled, "x" * (limit - 5), GREEDY)[1]["max_tokens"] == 5


def test_a_model_without_a_limit_has_that_of_its_entry(engine, tmp_path):
    unlimited = engine(folder_of(tmp_path / "m", FAMILIES["bloom"]), "float32", 48)
    assert unlimited.model.options["max_model_len"] == unlimited.context == 48
