"""Loss and accuracy of labelled tokens, including batches without any."""

import pytest
import torch
from transformers import EvalPrediction

from scripts.lib.prompts import Example
from scripts.lib.training.batches import Collator
from scripts.lib.training.objective import IGNORED, TokenAccuracy, causal_loss, count_correct
from tests.support.tiny_families import family_model

ROWS = [Example(list(range(40, 64)), 0), Example(list(range(90, 99)), 4)]
UNLABELLED = Example(list(range(70, 90)), 20)


@pytest.mark.parametrize("family", ["gpt_bigcode", "llama", "bloom"])
def test_the_loss_equals_that_of_the_model(family):
    model = family_model(family)
    batch = Collator(256, None)(ROWS)
    with torch.no_grad():
        outputs = model(**batch)
        assert causal_loss(outputs, batch["labels"]) == outputs.loss
        for count in (3, torch.tensor(28)):
            assert causal_loss(outputs, batch["labels"], count) == model(**batch, num_items_in_batch=count).loss


def test_a_batch_without_labels_has_loss_and_gradients_of_zero():
    model = family_model("gpt_bigcode")
    batch = Collator(256, 30)([UNLABELLED, UNLABELLED])
    for count in (None, torch.tensor(0), 0):
        model.zero_grad()
        loss = causal_loss(model(**batch), batch["labels"], count)
        loss.backward()
        assert loss.item() == 0
        assert all(torch.count_nonzero(weight.grad) == 0 for weight in model.parameters() if weight.grad is not None)


def test_rows_without_labels_do_not_change_the_loss_of_others():
    model = family_model("llama")
    alone, together = Collator(256, 30)(ROWS[:1]), Collator(256, 30)([UNLABELLED, ROWS[0]])
    losses = [causal_loss(model(**batch), batch["labels"]).item() for batch in (alone, together)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_accuracy_counts_labelled_tokens_over_all_batches():
    model = family_model("gpt_bigcode")
    correct = labelled = 0
    accuracy = TokenAccuracy()
    groups = [ROWS, [UNLABELLED], ROWS[:1]]
    for number, rows in enumerate(groups):
        batch = Collator(256, None)(rows)
        with torch.no_grad():
            logits = model(input_ids=batch["input_ids"]).logits
        # Independent computation, one token at a time.
        for row, labels in zip(logits, batch["labels"].tolist(), strict=True):
            for index, label in enumerate(labels):
                if index and label != IGNORED:
                    labelled += 1
                    correct += int(row[index - 1].argmax()) == label
        counts = count_correct((logits, None) if number else logits, batch["labels"])
        result = accuracy(EvalPrediction(counts, batch["labels"]), compute_result=number == len(groups) - 1)
    assert labelled == 23 + 5 + 23
    assert result == {"accuracy": correct / labelled}
    # The next validation starts from zero.
    assert accuracy(EvalPrediction(torch.tensor([[1, 2]]), None), compute_result=True) == {"accuracy": 0.5}


def test_a_validation_without_labels_has_no_accuracy():
    batch = Collator(256, None)([UNLABELLED])
    counts = count_correct(torch.zeros(1, 20, 300), batch["labels"])
    assert TokenAccuracy()(EvalPrediction(counts, batch["labels"]), compute_result=True) == {}
