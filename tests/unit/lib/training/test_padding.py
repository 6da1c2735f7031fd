"""Losses and completions do not depend on the padding of a batch, for every architecture."""

import pytest
import torch

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request
from scripts.evaluate.engines.text_likelihood import TextLikelihoods
from scripts.evaluate.engines.transformers_engine import TransformersEngine
from scripts.evaluate.generations import Sampling
from scripts.lib.prompts import Example, PromptSettings
from scripts.lib.training.batches import Collator
from scripts.pretrain.losses import DocumentScorer
from tests.support.tiny_families import CONTEXT, FAMILIES, family_model
from tests.support.tiny_tokenizer import tiny_tokenizer

ROWS = [
    Example(list(range(40, 64)), 0),
    Example(list(range(90, 99)), 4),
    Example([(7 * n) % 200 for n in range(38)], 0),
]
PROMPTS = ["def f(x):\n    return", "a", "int main() {", "some longer text, up to here", "b"]
NEVER = Stop(("<no such text>",))


def row_losses(model, examples, pad_to):
    """The mean loss of each row of one batch, predicted from the batch's logits."""
    batch = Collator(pad_id=256, pad_to=pad_to)(examples)
    with torch.no_grad():
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2).float(), batch["labels"][:, 1:], reduction="none"
    )
    counted = batch["labels"][:, 1:] != -100
    return ((losses * counted).sum(dim=1) / counted.sum(dim=1)).tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_of_a_row_does_not_depend_on_padding(family):
    model = family_model(family)
    alone = [row_losses(model, [example], None)[0] for example in ROWS]
    for pad_to in (None, 39, CONTEXT):
        assert row_losses(model, ROWS, pad_to) == pytest.approx(alone, abs=2e-5)
        assert [row_losses(model, [example], pad_to)[0] for example in ROWS] == pytest.approx(alone, abs=2e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_likelihood_of_a_text_after_a_prompt_is_that_of_both_in_one_pass(family):
    model, prompt = family_model(family), tuple(ROWS[0].input_ids)
    texts = [(40, 41, 99), (7,), tuple(range(100, 120)), (40, 41, 100)]
    measured = TextLikelihoods(model)([(prompt, text) for text in texts])
    for text, likelihood in zip(texts, measured, strict=True):
        assert likelihood.tokens == len(text)
        whole = row_losses(model, [Example([*prompt, *text], len(prompt))], None)[0] * len(text)
        assert likelihood.nats == pytest.approx(whole, abs=2e-4)


def test_padding_is_on_the_right_and_carries_no_loss():
    batch = Collator(pad_id=256, pad_to=40)(ROWS)
    assert batch["input_ids"][1, :9].tolist() == ROWS[1].input_ids
    assert batch["input_ids"][1, 9:].eq(256).all() and batch["attention_mask"][1].tolist() == [1] * 9 + [0] * 31
    assert batch["labels"][1].tolist() == [-100] * 4 + ROWS[1].input_ids[4:] + [-100] * 31


@pytest.fixture(scope="module", params=["gpt_bigcode", "llama", "codegen", "gpt_neox", "gpt2", "qwen2"])
def folder(request, tmp_path_factory):
    """A saved model of a family."""
    path = tmp_path_factory.mktemp(request.param.replace(" ", "-"))
    family_model(request.param).save_pretrained(path)
    tiny_tokenizer().save_pretrained(path)
    return str(path)


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_completions_of_unequal_prompts_do_not_depend_on_the_batch(folder, temperature):
    sampling = Sampling(temperature=temperature, top_p=0.95, samples=1, new_tokens=16)
    requests = [Request(prompt, 100 + number, NEVER) for number, prompt in enumerate(PROMPTS)]
    together = TransformersEngine(folder, "float32", len(PROMPTS), 1).complete(requests, sampling)
    engine = TransformersEngine(folder, "float32", 1, 1)
    assert together == [engine.complete([request], sampling)[0] for request in requests]
    assert len({completion.text for completion in together}) == len(PROMPTS)


def test_teacher_forced_predictions_do_not_depend_on_the_batch(folder):
    settings = PromptSettings(template="{diff}>", shorten="diff", length=60, response_tokens=20)
    rows = [{"diff": "x" * length, "message": f"message {length}" * 2} for length in (1, 30, 9, 17)]
    problems = [Problem(str(n), str(n), "", NEVER, target=row["message"], row=row) for n, row in enumerate(rows)]
    together = TransformersEngine(folder, "float32", 4, 1).teacher_forced(problems, settings)
    assert together == TransformersEngine(folder, "float32", 1, 1).teacher_forced(problems, settings)


def test_document_losses_do_not_depend_on_the_windows_scored_together(folder):
    model = TransformersEngine(folder, "float32", 1, 1).model
    ids = [(3 * n) % 250 for n in range(45)]
    losses = [DocumentScorer(model, 256, 16, batch).losses(ids) for batch in (1, 2, 8)]
    assert torch.allclose(losses[0], losses[1], atol=1e-5) and torch.allclose(losses[0], losses[2], atol=1e-5)
