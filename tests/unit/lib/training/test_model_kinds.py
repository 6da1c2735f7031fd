"""Completions do not depend on generation settings of a model's folder, and end at any of its end
tokens.
"""

import json
import shutil
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Completion, Request, end_ids, until_end, usable_context
from scripts.evaluate.engines.transformers_engine import TransformersEngine
from scripts.evaluate.generations import Sampling
from scripts.lib.context import context_limit
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings
from scripts.lib.training.models import make_model, save_model
from scripts.pretrain.import_base import check_context, load_base
from tests.support.tiny_families import CONTEXT, FAMILIES, family_model
from tests.support.tiny_pieces import KINDS, end_adding_tokenizer, pieces_tokenizer
from tests.support.tiny_tokenizer import tiny_tokenizer

GREEDY = Sampling(temperature=0, top_p=1, samples=1, new_tokens=20)
WARM = Sampling(temperature=1.2, top_p=0.95, samples=1, new_tokens=20)
NEVER = Stop(("<no such text>",))
REQUESTS = [Request(prompt, 7 + number, NEVER) for number, prompt in enumerate(["def f(x):", "a", "int main() {"])]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    save_model(family_model("llama"), tiny_tokenizer(), folder)
    return folder


def engine(folder, **options):
    return TransformersEngine(str(folder), "float32", 4, 1, **options)


@pytest.fixture(scope="module", params=[GREEDY, WARM], ids=["greedy", "warm"])
def usual(request, plain):
    """A sampling and the completions of the plain model with it."""
    return request.param, engine(plain).complete(REQUESTS, request.param)


def changed(plain, folder, name, **values):
    """A copy of the plain model with other values in one of its JSON files."""
    shutil.copytree(plain, folder)
    path = Path(folder, name)
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return folder


SETTINGS = [
    {"repetition_penalty": 5.0, "no_repeat_ngram_size": 2},
    {"num_beams": 3, "length_penalty": 2.0, "early_stopping": True},
    {"do_sample": True, "temperature": 0.3, "top_k": 2, "top_p": 0.1, "min_p": 0.5, "typical_p": 0.2},
    {"min_length": 18, "min_new_tokens": 18, "max_length": 3, "max_new_tokens": 2},
    {"bad_words_ids": [[number] for number in range(100)], "suppress_tokens": list(range(100, 150))},
    {"begin_suppress_tokens": list(range(256)), "forced_eos_token_id": 5, "forced_bos_token_id": 6},
    {"sequence_bias": [[[65], 50.0]], "exponential_decay_length_penalty": [1, 3.0]},
    {"encoder_repetition_penalty": 4.0, "guidance_scale": 3.0, "renormalize_logits": True},
    {"num_return_sequences": 2, "num_beams": 2, "pad_token_id": 65, "bos_token_id": 66},
    {"stop_strings": ["a", "e", " "], "max_time": 0.0001},
    {"penalty_alpha": 0.6, "top_k": 4},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 1.0},
    {"num_return_sequences": 5},
    # As in published files, some of which were written before transformers refused them.
    {"temperature": 0.9, "top_p": 0.6, "use_cache": False},
    {"do_sample": True, "temperature": 0.0, "epsilon_cutoff": 0.1, "eta_cutoff": 0.1},
    {"cache_implementation": "static", "prompt_lookup_num_tokens": 10, "dola_layers": "high"},
    {"watermarking_config": {"greenlist_ratio": 0.25, "bias": 2.0, "hashing_key": 1, "seeding_scheme": "lefthash"}},
    {"force_words_ids": [[65]], "num_beams": 2, "early_stopping": "never"},
    {"max_length": 1, "some_future_setting": 1, "transformers_version": "9.0"},
]


@pytest.mark.parametrize("values", SETTINGS, ids=lambda values: "-".join(values))
@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
def test_generation_settings_in_a_model_folder_do_not_change_completions(plain, usual, tmp_path, file, values):
    sampling, expected = usual
    if file == "config.json":
        values = {key: value for key, value in values.items() if not key.endswith("_token_id")}
    folder = changed(plain, tmp_path / "model", file, **values)
    if file == "config.json":
        (folder / "generation_config.json").unlink()
    assert engine(folder).complete(REQUESTS, sampling) == expected


@pytest.mark.parametrize("values", SETTINGS, ids=lambda values: "-".join(values))
@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
def test_a_model_with_generation_settings_is_imported(plain, tmp_path, file, values):
    # Not the pad token that the import sets, so that the settings are changed before they are saved.
    folder = changed(plain, tmp_path / "model", file, **{"pad_token_id": None, **values})
    if file == "config.json":
        (folder / "generation_config.json").unlink()
    model, tokenizer = load_base({"source": "folder", "path": "model"}, str(tmp_path), offline=True)
    save_model(model, tokenizer, tmp_path / "base")
    assert engine(tmp_path / "base").complete(REQUESTS, GREEDY) == engine(plain).complete(REQUESTS, GREEDY)


def new_tokens(completer, sampling):
    """The tokens that an engine generates for the first request."""
    decodings, original = [], completer.model.generate
    completer.model.generate = lambda **options: decodings.append(options["custom_generate"]) or original(**options)
    completer.complete(REQUESTS[:1], sampling)
    return decodings[0].tokens[0]


@pytest.mark.parametrize("index", [0, 3, 9])
@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
def test_completions_end_before_the_first_end_token(plain, usual, tmp_path, file, index):
    sampling, expected = usual
    tokenizer = tiny_tokenizer()
    ids = new_tokens(engine(plain), sampling)
    assert expected[0].text == tokenizer.decode(ids)
    folder = changed(plain, tmp_path / "model", file, eos_token_id=[tokenizer.eos_token_id, ids[index]])
    if file == "config.json":
        (folder / "generation_config.json").unlink()
    # A model imported by the workflow ends there, too.
    model, loaded_tokenizer = load_base({"source": "folder", "path": "model"}, str(tmp_path), offline=True)
    save_model(model, loaded_tokenizer, tmp_path / "base")
    before = tokenizer.decode(ids[: ids.index(ids[index])])
    for model_folder in (folder, tmp_path / "base"):
        assert engine(model_folder).complete(REQUESTS, sampling)[0] == Completion(before, "end")


def test_end_tokens_come_from_generation_config_then_config_and_from_the_tokenizer(tmp_path):
    tokenizer = tiny_tokenizer()
    assert end_ids(tmp_path, tokenizer) == [256]
    (tmp_path / "config.json").write_text('{"eos_token_id": 2}')
    assert end_ids(tmp_path, tokenizer) == [2, 256]
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [256, 9, 4]}')
    assert end_ids(tmp_path, tokenizer) == [4, 9, 256]
    assert until_end([5, 9, 4], [4, 9]) == ([5], True) and until_end([5], [4]) == ([5], False)


def test_a_tokenizer_that_ends_texts_does_not_end_prompts(plain, tmp_path):
    shutil.copytree(plain, tmp_path / "model")
    end_adding_tokenizer().save_pretrained(tmp_path / "model")
    adding = engine(tmp_path / "model")
    assert adding.tokenizer("a")["input_ids"][-1] == 256
    assert adding.complete(REQUESTS, GREEDY) == engine(plain).complete(REQUESTS, GREEDY)
    prompts = PromptSettings("{diff}>", "diff", 40, 10)
    row = {"diff": "abc", "message": "short"}
    problem = Problem("0", "0", "", NEVER, target="short", row=row)
    assert adding.teacher_forced([problem], prompts) == engine(plain).teacher_forced([problem], prompts)


@pytest.mark.parametrize("kind", KINDS)
def test_the_leading_blank_of_a_completion_is_retained(tmp_path, kind, monkeypatch):
    tokenizer = pieces_tokenizer(kind)
    save_model(make_model(FAMILIES["llama"], tokenizer), tokenizer, tmp_path)
    completer = engine(tmp_path)
    expected = "  return x"
    ids = tokenizer("\n" + expected, add_special_tokens=False)["input_ids"]
    ids = ids[len(tokenizer("\n", add_special_tokens=False)["input_ids"]) :]

    def generate(custom_generate, **_):
        custom_generate.tokens = [[*ids, tokenizer.eos_token_id]]

    monkeypatch.setattr(completer.model, "generate", generate)
    assert completer.complete([Request("def f(x):\n", 1, NEVER)], GREEDY) == [Completion(expected, "end")]
    assert completer.complete([Request("def f(x):\n", 1, Stop((" x",)))], GREEDY) == [Completion("  return", "stop")]


@pytest.mark.parametrize(("family", "limit"), [("bloom", None), ("mpt", CONTEXT)])
def test_models_without_position_embeddings_are_imported_and_generate(tmp_path, family, limit):
    save_model(family_model(family), tiny_tokenizer(), tmp_path / "model")
    model, tokenizer = load_base({"source": "folder", "path": "model"}, str(tmp_path), offline=True)
    assert context_limit(model.config.to_dict()) == limit
    check_context(model, CONTEXT, family)
    save_model(model, tokenizer, tmp_path / "base")
    completer = engine(tmp_path / "base", context=CONTEXT)
    assert completer.context == CONTEXT
    near, over = completer.complete([Request("x" * (CONTEXT - 5), 1, NEVER), Request("x" * CONTEXT, 1, NEVER)], GREEDY)
    # A token is a byte, and a byte at most a character.
    assert over.finish_reason == "overflow" and 0 < len(near.text) <= 5
    alone = [completer.complete([request], GREEDY)[0] for request in REQUESTS]
    assert completer.complete(REQUESTS, GREEDY) == alone


@pytest.mark.parametrize("kind", ["mamba", "openai-gpt"])
def test_a_model_without_a_cache_of_keys_and_values_is_one_line(tmp_path, kind):
    state = {"hidden_size": 32, "num_hidden_layers": 1, "state_size": 4}
    sizes = state if kind == "mamba" else {"n_embd": 32, "n_layer": 1, "n_head": 2}
    save_model(make_model({"model_type": kind, **sizes}, tiny_tokenizer()), tiny_tokenizer(), tmp_path)
    with pytest.raises(InputError, match=f"generate with models of type {kind}, .*; set evaluate.engine to vllm"):
        engine(tmp_path, context=CONTEXT)


@pytest.mark.parametrize("special", [{}, {"eos_token": "<|endoftext|>", "pad_token": "[PAD]"}, {"eos_token": "[END]"}])
def test_padding_needs_no_token_with_an_embedding(plain, tmp_path, special):
    shutil.copytree(plain, tmp_path / "model")
    PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer().backend_tokenizer, **special).save_pretrained(
        tmp_path / "model"
    )
    assert engine(tmp_path / "model").complete(REQUESTS, GREEDY) == engine(plain).complete(REQUESTS, GREEDY)


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({"max_position_embeddings": -1}, None),
        ({"max_position_embeddings": 0, "seq_length": 5}, 5),
        ({"max_position_embeddings": None, "max_seq_length": 3}, 3),
        ({"max_position_embeddings": 2048.0}, 2048),
        ({"max_position_embeddings": True}, None),
        ({"model_max_length": 4096}, 4096),
        ({"model_max_length": 10**30}, None),
        ({"text_config": {"n_positions": 7}}, 7),
    ],
)
def test_the_context_is_read_from_the_keys_of_all_kinds(config, limit):
    assert context_limit(config) == limit


def test_a_model_without_a_context_limit_needs_one_in_its_entry():
    assert usable_context({"n_positions": 9}, 5, "m") == 9 and usable_context({}, 5, "m") == 5
    assert usable_context({"text_config": {"max_position_embeddings": 7}}, None, "m") == 7
    with pytest.raises(
        InputError, match=r"m: config\.json does not say how long a text may be; set the entry's `context`"
    ):
        usable_context({"hidden_size": 3}, None, "m")
