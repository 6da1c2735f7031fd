"""Generation with a tiny model: stop sequences, seeds, batches, room, chunks; stored files."""

import random
from dataclasses import replace

import pytest
import torch
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request
from scripts.evaluate.engines.generation_requests import generate, in_chunks, sample_seeds
from scripts.evaluate.engines.transformers_engine import TransformersEngine, nucleus
from scripts.evaluate.generations import Generation, Sampling, read_generations, write_generations
from scripts.evaluate.metrics import rouge
from scripts.lib.files import write_bytes
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings
from tests.support.tiny_tokenizer import tiny_tokenizer

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


def test_no_token_is_generated_after_a_stop_sequence(engine, monkeypatch):
    whole = engine.complete(requests(["abc"]), WARM)[0]
    lengths = []
    original = engine.model.generate
    monkeypatch.setattr(engine.model, "generate", lambda **k: lengths.append(o := original(**k)) or o)
    engine.complete(requests(["abc"], Stop((whole.text[2],))), WARM)
    assert lengths[0].shape[1] - len(b"abc") <= len(whole.text[: whole.text.index(whole.text[2]) + 1].encode())


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
    assert nucleus(logits, 0.75).isfinite().tolist() == [[True, True, False, False]]
    assert nucleus(logits, 0.1).isfinite().tolist() == [[True, False, False, False]]


def test_draws_follow_the_distribution():
    from scripts.evaluate.engines.transformers_engine import SeededDraw

    chances = torch.tensor([0.6, 0.3, 0.1])
    draw = SeededDraw(range(4000), Sampling(1.0, 1.0, 1, 1))
    picked = draw(None, torch.log(chances).repeat(4000, 1)).argmax(dim=1)
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


def problems_of(count):
    return [Problem(f"P/{n}", f"P/{n}", f"text {n}", NEVER) for n in range(count)]


def test_stored_chunks_are_not_generated_again(engine, tmp_path):
    chunks = []

    def make(chunk):
        chunks.append([problem.id for problem in chunk])
        if len(chunks) == 3:
            raise KeyboardInterrupt
        return generate(engine, chunk, WARM, 484, "task")

    with pytest.raises(KeyboardInterrupt):
        in_chunks(problems_of(7), 2, tmp_path, make)
    resumed = in_chunks(problems_of(7), 2, tmp_path, make)
    assert chunks == [["P/0", "P/1"], ["P/2", "P/3"], ["P/4", "P/5"], ["P/4", "P/5"], ["P/6"]]
    assert resumed == generate(engine, problems_of(7), WARM, 484, "task")
    assert all(len(own.completions) == len(own.seeds) == WARM.samples for own in resumed)


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
