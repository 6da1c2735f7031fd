"""Generation with a tiny model: stop sequences, seeds, batches, room, chunks and their cache; stored files."""

import functools
import math
import random
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

import scripts.evaluate.generate as generate_script
from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.chunks import ChunkFolder, chunk_key
from scripts.evaluate.engines.base import Request, RequestGroup
from scripts.evaluate.engines.decoding import SeededDraw, nucleus
from scripts.evaluate.engines.generation_requests import Part, sample_seeds
from scripts.evaluate.engines.transformers_engine import TransformersEngine
from scripts.evaluate.generate import Generator, chunk_folder, engine_identity, number_format
from scripts.evaluate.generations import Generation, Sampling, read_generations, write_generations
from scripts.evaluate.metrics import rouge
from scripts.lib.files import write_bytes
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import add_lora, load_model, merge_into, save_adapter
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.support.tiny_training import LORA

GREEDY = Sampling(temperature=0, top_p=1, samples=1, new_tokens=12)
WARM = Sampling(temperature=1.5, top_p=0.95, samples=2, new_tokens=12)
NEVER = Stop(("<no such text>",))
CONTEXT = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random model of bytes."""
    path = tmp_path_factory.mktemp("model")
    tokenizer = tiny_tokenizer()
    torch.manual_seed(3)
    size = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": CONTEXT, "vocab_size": len(tokenizer)}
    end = tokenizer.eos_token_id
    model = GPTBigCodeForCausalLM(GPTBigCodeConfig(**size, bos_token_id=end, eos_token_id=end))
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def engine(folder):
    return TransformersEngine(folder, "float32", 4, 1)


def requests(prompts, stop=NEVER):
    return [Request(prompt, 100 + number, stop) for number, prompt in enumerate(prompts)]


PROMPTS = ["def f(x):", "a", "int main() {", "some longer text here", "b", "func g("]


def test_completions_do_not_depend_on_the_batch(folder, engine):
    alone = TransformersEngine(folder, "float32", 1, 1)
    for sampling in (GREEDY, WARM):
        together = engine.complete(requests(PROMPTS), sampling)
        assert together == alone.complete(requests(PROMPTS), sampling)
        backwards = engine.complete(requests(PROMPTS)[::-1], sampling)
        assert together == backwards[::-1]


def test_seeds_determine_sampled_completions(engine):
    first = engine.complete([Request("abc", seed, NEVER) for seed in (1, 2, 1)], WARM)
    assert first[0] == first[2] != first[1]


def test_generation_ends_at_a_stop_sequence(engine):
    whole = engine.complete(requests(["abc"]), WARM)[0]
    assert whole.finish_reason == "length"
    sequence = whole.text[3:5]
    cut = engine.complete(requests(["abc"], Stop((sequence,))), WARM)[0]
    assert cut.text == whole.text[: whole.text.index(sequence)]
    assert cut.finish_reason == "stop"


@pytest.fixture
def shapes(engine, monkeypatch):
    """The shapes of all inputs of the engine's model: rows and tokens."""
    seen, original = [], engine.model.forward
    forward = functools.wraps(original)(
        lambda **inputs: seen.append(tuple(inputs["input_ids"].shape)) or original(**inputs)
    )
    monkeypatch.setattr(engine.model, "forward", forward)
    return seen


def test_no_token_is_generated_after_a_stop_sequence(engine, shapes):
    whole = engine.complete(requests(["abc"]), WARM)[0]
    shapes.clear()
    engine.complete(requests(["abc"], Stop((whole.text[2],))), WARM)
    # Every token but the last is an input.
    assert len(shapes) <= len(whole.text[: whole.text.index(whole.text[2]) + 1].encode())


def test_equal_prompts_are_read_once_and_rows_that_have_ended_leave_the_batch(engine, shapes):
    longest = requests(["abc", "abc", "abc", "some"])
    whole = engine.complete(longest, WARM)
    assert shapes[0] == (2, 4)
    assert set(shapes[1:]) == {(4, 1)}
    # The first row ends before the others.
    stops = [Stop((whole[0].text[1],)), NEVER, NEVER, NEVER]
    shapes.clear()
    shorter = engine.complete([replace(row, stop=stop) for row, stop in zip(longest, stops, strict=True)], WARM)
    assert shapes[-1] == (3, 1)
    assert shorter[0].text == whole[0].text[: whole[0].text.index(whole[0].text[1])]
    assert shorter[1:] == whole[1:]


def test_prompts_near_the_context_limit_get_the_tokens_that_fit(engine):
    long, full = "x" * (CONTEXT - 5), "x" * CONTEXT
    short, near, over = engine.complete(requests(["x", long, full]), GREEDY)
    assert over.text == ""
    assert over.finish_reason == "overflow"
    assert near.finish_reason in ("length", "end")
    assert len(engine.tokenizer(near.text)["input_ids"]) <= 5
    assert short == engine.complete(requests(["x"]), GREEDY)[0]


def test_nucleus_contains_the_most_likely_tokens():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]]))
    for mass, kept in ((0.75, [0, 1]), (0.1, [0]), (1.0, [0, 1, 2, 3])):
        values, tokens = nucleus(logits, mass)
        assert tokens[values.isfinite()].tolist() == kept


def sorted_nucleus(logits, mass):
    """The tokens of the nucleus by its definition: the whole vocabulary is sorted."""
    shares, order = logits.double().softmax(dim=-1).sort(descending=True)
    return set(order[: 1 + int((shares.cumsum(dim=-1) < mass).sum())].tolist())


@pytest.mark.parametrize("spread", [0.01, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("mass", [0.5, 0.95])
def test_nucleus_of_a_large_vocabulary_is_that_of_the_sorted_vocabulary(spread, mass):
    # From some tokens to nearly all of them.
    logits = spread * torch.randn(4, 6000, generator=torch.Generator().manual_seed(1))
    values, tokens = nucleus(logits, mass)
    for row in range(4):
        kept = set(tokens[row][values[row].isfinite()].tolist())
        # Of thousands of tokens that are nearly as likely, rounding decides on the last ones.
        assert len(kept ^ sorted_nucleus(logits[row], mass)) <= len(kept) // 1000


def test_draw_of_a_row_is_the_same_however_many_tokens_its_batch_needs():
    generator = torch.Generator().manual_seed(2)
    peaked, flat = 10 * torch.randn(1, 6000, generator=generator), torch.zeros(1, 6000)
    for seed in range(20):
        (alone,) = SeededDraw([seed], WARM)([0], peaked)
        first, _ = SeededDraw([seed, 0], WARM)([0, 1], torch.cat([peaked, flat]))
        assert alone == first


def test_draws_follow_the_distribution():
    chances = torch.tensor([0.6, 0.3, 0.1])
    draw = SeededDraw(range(4000), Sampling(1.0, 1.0, 1, 1))
    picked = draw(range(4000), torch.log(chances).repeat(4000, 1))
    shares = torch.bincount(picked, minlength=3) / 4000
    assert torch.allclose(shares, chances, atol=0.03)


def test_seeds_depend_on_task_problem_temperature_and_sample():
    seeds = {
        tuple(sample_seeds(1, task, problem, Sampling(temperature, 1, 2, 9)))
        for task in ("py", "cpp")
        for problem in ("a", "b")
        for temperature in (0.2, 0.8)
    }
    assert len(seeds) == 8
    assert sample_seeds(1, "py", "a", WARM)[0] == sample_seeds(1, "py", "a", Sampling(1.5, 1, 9, 9))[0]


def test_teacher_forced_message(engine):
    settings = PromptSettings(template="{diff}>", shorten="diff", length=40, response_tokens=10)
    rows = [{"diff": "abc", "message": "short"}, {"diff": "d", "message": "another one"}]
    problems = [Problem(str(n), str(n), "", NEVER, target=row["message"], row=row) for n, row in enumerate(rows)]
    predictions = engine.teacher_forced(problems, settings)
    assert [forced.message for forced in predictions] == ["short", "another one"]
    # The expected value, one text at a time: the most likely byte after each prefix.
    ids = engine.tokenizer("abc>short")["input_ids"] + [engine.tokenizer.eos_token_id]
    logits = engine.model(torch.tensor([ids])).logits[0]
    expected = engine.tokenizer.decode(logits[3:-1].argmax(dim=-1), skip_special_tokens=True)
    assert predictions[0].prediction == expected


def test_teacher_forcing_cuts_prompt_and_message_as_training_does(engine):
    cut = PromptSettings("{diff}>", "diff", 20, 10, overflow="truncate_right")
    rows = [
        {"diff": "x" * 40, "message": "lost"},
        {"diff": "x" * 14, "message": "some words"},
        {"diff": "x", "message": "m"},
    ]
    problems = [Problem(str(n), str(n), "", NEVER, target=row["message"], row=row) for n, row in enumerate(rows)]
    lost, half, whole = engine.teacher_forced(problems, cut)
    assert (lost.prediction, lost.message) == ("", "")
    assert (half.message, whole.message) == ("some ", "m")
    assert half.prediction and max(rouge(lost.prediction, "lost").values()) == 0
    shortened = engine.teacher_forced(problems, replace(cut, overflow="shorten"))
    assert shortened[0].message == "lost"


def test_likelihoods_are_those_of_the_models_probabilities(folder, engine):
    texts = [("def f(x):", " return 1"), ("a", "b"), ("int main() {", "\n  return 0;\n}")]
    likelihoods = engine.likelihoods(texts)
    for (prompt, text), likelihood in zip(texts, likelihoods, strict=True):
        ids = torch.tensor([engine.tokenizer(prompt + text)["input_ids"]])
        with torch.inference_mode():
            logs = torch.log_softmax(engine.model(input_ids=ids).logits[0].double(), dim=-1)
        own = range(len(prompt), len(prompt + text))
        assert likelihood.nats == pytest.approx(-sum(logs[at - 1, ids[0, at]].item() for at in own), abs=1e-4)
        assert likelihood.tokens == len(text)
    alone = TransformersEngine(folder, "float32", 1, 1).likelihoods(texts[::-1])[::-1]
    assert [one.nats for one in alone] == pytest.approx([one.nats for one in likelihoods], abs=1e-4)


def test_the_likelihood_of_a_text_does_not_depend_on_what_else_is_measured(folder, engine):
    texts = [("abc", "def"), ("abc", "d"), ("x", "def"), ("abc", "xyz" * 9), ("abc", "def")]
    together = engine.likelihoods(texts)
    assert together[0] == together[4]
    for pair, likelihood in zip(texts, together, strict=True):
        assert TransformersEngine(folder, "float32", 4, 1).likelihoods([pair]) == [likelihood]


def test_a_prompt_is_read_once_for_all_its_texts(engine, monkeypatch):
    lengths, forward = [], engine.model.forward
    monkeypatch.setattr(
        engine.model, "forward", lambda ids, **kwargs: lengths.append(ids.shape[1]) or forward(ids, **kwargs)
    )
    engine.likelihoods([("never read", text) for text in ("one", "four", "one")])
    assert lengths == [len("never read"), len("one") - 1, len("four") - 1]


def test_long_prompts_do_not_share_a_batch_with_short_ones(engine, monkeypatch):
    monkeypatch.setattr(engine, "context", 1000)
    batches = [indices for _, indices in engine._batches([90, 10, 60, 70, 20, 200, 130], 4)]
    assert batches == [[1, 4, 2], [3, 0, 6], [5]]


def test_the_likelihoods_of_all_texts_of_one_token_add_up_to_one(engine):
    letters = list(map(chr, range(128)))
    total = sum(math.exp(-one.nats) for one in engine.likelihoods([("abc", letter) for letter in letters]))
    assert 0.3 < total < 1  # the other half of the 257 tokens are parts of characters


def test_a_text_that_does_not_fit_has_no_likelihood_and_its_problem_is_left_out(folder, tmp_path):
    fitting = replace(problems_of(1)[0], prompt="abc", solution="x" * (CONTEXT - 3), wrong=("y",))
    longer = replace(fitting, id="longer", wrong=("y" * (CONTEXT - 2),))
    unsolved = replace(fitting, id="unsolved", solution=None)
    part = Part("t", [fitting, longer, unsolved], GREEDY, likelihood=True)
    [[measured]] = generator_of(folder, tmp_path).generate([part])
    assert (measured.id, measured.completions) == (fitting.id, [fitting.solution, "y"])
    assert measured.tokens == [CONTEXT - 3, 1]
    assert [len(row) for row in measured.nats] == [2]
    # Another alternative is another chunk; a part that is generated is no part that is measured.
    others = [replace(part, problems=[replace(fitting, wrong=("z",))]), replace(part, likelihood=False)]
    assert len({chunk_key(own, 484, {}) for own in (part, *others)}) == 3


def problems_of(count, text="text"):
    return [Problem(f"P/{n}", f"P/{n}", f"{text} {n}", NEVER) for n in range(count)]


def generator_of(folder, store, chunk_requests=4):
    """A generator whose chunks have two problems of `WARM` each, unless said otherwise."""
    settings = {"seed": 484, "engine": "transformers", "dtype": "float32", "batch_size": 4}
    return Generator(folder, {**settings, "chunk_requests": chunk_requests}, False, 1, ChunkFolder(store))


def test_groups_are_completed_with_the_longest_prompts_first_and_as_if_alone(engine):
    groups = [RequestGroup(requests(["a", "b"]), WARM), RequestGroup(requests(PROMPTS), GREEDY)]
    completed = list(engine.complete_groups(groups))
    assert [index for index, _ in completed] == [1, 0]
    for index, completions in completed:
        assert completions == engine.complete(groups[index].requests, groups[index].sampling)


def test_an_interrupted_generation_loses_at_most_the_chunk_that_was_generated(folder, tmp_path, monkeypatch):
    parts = [Part("one", problems_of(5), WARM), Part("two", problems_of(3, "a longer text"), WARM)]
    whole = list(generator_of(folder, tmp_path / "whole").generate(parts))
    generator, stored = generator_of(folder, tmp_path / "killed"), []

    def put(store, key, generations):
        stored.append([generation.id for generation in generations])
        if len(stored) == 3:
            raise KeyboardInterrupt
        write_generations(store.folder / f"{key}.jsonl.zst", generations)

    monkeypatch.setattr(ChunkFolder, "put", put)
    with pytest.raises(KeyboardInterrupt):
        list(generator.generate(parts))
    assert list(generator.generate(parts)) == whole
    # Chunks of the longer prompts come first. The third was not stored.
    assert stored == [["P/0", "P/1"], ["P/2"], ["P/0", "P/1"], ["P/0", "P/1"], ["P/2", "P/3"], ["P/4"]]
    assert all(len(own.completions) == len(own.seeds) == WARM.samples for part in whole for own in part)


def test_the_engine_starts_once_for_all_parts_and_for_new_ones_alone(folder, tmp_path, monkeypatch):
    started, generated = [], []
    load, complete = generate_script.load_engine, TransformersEngine.complete_groups

    def count(self, groups):
        generated.extend(request.prompt for group in groups for request in group.requests)
        yield from complete(self, groups)

    monkeypatch.setattr(generate_script, "load_engine", lambda *words: started.append(words[0]) or load(*words))
    monkeypatch.setattr(TransformersEngine, "complete_groups", count)
    greedy, warm = Part("one", problems_of(2), GREEDY), Part("one", problems_of(2), WARM)
    first = list(generator_of(folder, tmp_path).generate([greedy, warm]))
    assert started == ["transformers"]
    assert len(generated) == 2 + 4
    generated.clear()
    new = Part("two", problems_of(1), GREEDY)
    again = list(generator_of(folder, tmp_path).generate([greedy, new, warm]))
    assert [again[0], again[2]] == first
    assert (started, generated) == (["transformers"] * 2, ["text 0"])
    list(generator_of(folder, tmp_path).generate([warm, new]))
    assert len(started) == 2


def test_a_damaged_chunk_is_generated_again(folder, tmp_path):
    part = Part("one", problems_of(4), WARM)
    [whole] = generator_of(folder, tmp_path).generate([part])
    path = sorted(tmp_path.iterdir())[0]
    path.write_bytes(path.read_bytes()[:-3])
    assert list(generator_of(folder, tmp_path).generate([part])) == [whole]


def test_what_determines_completions_is_part_of_the_name_of_a_chunk(engine):
    prompts = PromptSettings("{diff}>", "diff", 40, 10)
    commit = [Problem("0", "0", "", NEVER, target="m", row={"diff": "abc", "message": "m"})]
    other = [replace(commit[0], row={"diff": "abx", "message": "m"})]
    settings = {"engine": "transformers", "dtype": "float32", "batch_size": 4, "context": None}
    part, identity = Part("one", problems_of(2), WARM), engine_identity(settings, False)
    stop = [replace(problem, stop=Stop(("x",))) for problem in problems_of(2)]
    variants = [
        (part, 484, identity),
        (part, 485, identity),
        (part, 484, engine_identity({**settings, "dtype": "bfloat16"}, False)),
        (part, 484, engine_identity(settings, True)),
        (part, 484, {**identity, "versions": ["9.9", None]}),
        *(
            (changed, 484, identity)
            for changed in (
                replace(part, task="two"),
                replace(part, sampling=GREEDY),
                replace(part, problems=problems_of(3)),
                replace(part, problems=problems_of(2, "other")),
                replace(part, problems=stop),
                Part("one", commit, WARM, prompts),
                Part("one", other, WARM, prompts),
                Part("one", commit, WARM, replace(prompts, length=30)),
                Part("one", commit, WARM, prompts, teacher_forced=True),
            )
        ),
    ]
    assert len({chunk_key(*variant) for variant in variants}) == len(variants)
    assert chunk_key(*variants[0]) == chunk_key(Part("one", tuple(problems_of(2)), WARM), 484, dict(identity))


def test_versions_of_the_engine_are_those_of_its_packages(engine):
    settings = {"engine": "transformers", "dtype": "float32", "batch_size": 4}
    *versions, dtype = engine.version.replace("torch ", "").split(", ")
    assert engine_identity(settings, False)["versions"] == versions
    assert dtype == settings["dtype"]


def test_native_number_format_is_that_of_the_machine(monkeypatch):
    monkeypatch.setattr("scripts.evaluate.generate.has_native_bf16", lambda gpu: gpu)
    assert number_format("native", gpu=True) == "bfloat16"
    assert number_format("native", gpu=False) == "float32"
    assert number_format("float16", gpu=True) == "float16"


def test_files_that_only_describe_a_model_do_not_change_the_folder_of_its_chunks(folder, tmp_path):
    params = SimpleNamespace(settings={}, files=[], checkpoints=tmp_path / "work", name="job")
    model = tmp_path / "model"
    shutil.copytree(folder, model)

    def name():
        with chunk_folder(str(tmp_path / "cache"), params, [str(model)], []) as store:
            return store.folder

    first = name()
    (model / "README.md").write_text("A model.")
    assert name() == first
    config = model / "config.json"
    config.write_text(config.read_text() + " ")
    assert name() != first


def test_an_adapter_is_merged_in_scratch_space_while_its_model_generates(folder, tmp_path):
    tokenizer = load_tokenizer(folder)
    lora = {**LORA, "modules_to_save": []}
    adapted = add_lora(load_model(folder), lora, quantized=False, checkpointing=False)
    torch.manual_seed(5)
    with torch.no_grad():
        for weight in adapted.parameters():
            if weight.requires_grad:
                weight.add_(0.3 * torch.randn(weight.shape))
    adapter, merged, scratch = tmp_path / "adapter", tmp_path / "merged", tmp_path / "scratch"
    save_adapter(adapted, adapter, folder, None, tokenizer, new_tokens=False)
    merge_into(folder, adapter, adapter, "mean", merged)
    scratch.mkdir()
    parts = [Part("one", problems_of(2), GREEDY)]
    plain, whole = (
        list(generator_of(str(model), tmp_path / name).generate(parts))
        for name, model in (("plain", folder), ("whole", merged))
    )
    generator = replace(generator_of(str(adapter), tmp_path / "own"), base=folder, scratch=str(scratch))
    assert list(generator.generate(parts)) == whole != plain
    assert list(scratch.iterdir()) == []
    alone = replace(generator_of(str(adapter), tmp_path / "alone"), scratch=str(scratch))
    with pytest.raises(InputError, match="is an adapter, whose base is not known"):
        list(alone.generate(parts))


def test_without_a_cache_chunks_are_kept_until_the_job_is_done(folder, tmp_path):
    params = SimpleNamespace(settings={}, files=[], checkpoints=tmp_path / "work", name="job")
    with chunk_folder(None, params, [folder], []) as store:
        list(generator_of(folder, store.folder).generate([Part("one", problems_of(1), GREEDY)]))
        assert len(list(store.folder.glob("*.zst"))) == 1
    assert not store.folder.exists()


def test_stored_generations_are_read_back_and_equal_ones_give_equal_bytes(tmp_path):
    path = tmp_path / "g.jsonl.zst"
    one = Generation("P/0", "p", ["a\u2028\n"], ["stop"], "e", "1", [7], WARM)
    write_generations(path, [one, one])
    assert read_generations(path) == [one, one]
    before = path.read_bytes()
    write_generations(path, [one, one])
    assert path.read_bytes() == before
    write_bytes(path, before[:-3])
    with pytest.raises(InputError, match=r"g\.jsonl\.zst is damaged"):
        read_generations(path)


def test_a_flipped_bit_in_stored_generations_is_an_error_or_harmless(tmp_path):
    path, random_numbers = tmp_path / "g.jsonl.zst", random.Random(3)
    sampling = Sampling(0.2, 0.95, 1, 100)
    stored = [Generation(f"p{i}", "def f():", ["x"], ["stop"], "e", "1", [i], sampling) for i in range(50)]
    write_generations(path, stored)
    data = path.read_bytes()
    for _ in range(200):
        changed = bytearray(data)
        changed[random_numbers.randrange(len(data))] ^= 1 << random_numbers.randrange(8)
        path.write_bytes(changed)
        try:
            assert read_generations(path) == stored
        except InputError as error:
            assert "g.jsonl.zst is damaged" in str(error)
