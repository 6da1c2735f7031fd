"""Attention inside the documents of packed sequences."""

import pytest
import torch

from scripts.lib.job import InputError
from scripts.lib.prompts import Example
from scripts.lib.training.batches import Collator, check_isolation, document_positions
from scripts.lib.training.objective import IGNORED, causal_loss
from tests.support.tiny_families import FAMILIES, family_model

END = 256
DOCUMENTS = [[5, 6, 7, END], [9, END], [11, 12, 13, 14, 15, END]]
# The tail of a sequence may be a part of a document.
PACKED = Example([*DOCUMENTS[0], *DOCUMENTS[1], *DOCUMENTS[2], 30, 31, 32], 0)
# Their positions are distances, which attention applies to the whole sequence.
WITHOUT_POSITIONS = ("bloom", "mpt")


def test_positions_start_again_after_the_end_of_each_document():
    expected = [*range(4), *range(2), *range(6), *range(3)]
    assert document_positions(torch.tensor(PACKED.input_ids), END).tolist() == expected
    assert document_positions(torch.tensor([3]), END).tolist() == [0]
    assert document_positions(torch.tensor([END, END, 3]), END).tolist() == [0, 0, 0]


def test_padding_is_a_document_and_first_tokens_carry_no_loss():
    batch = Collator(pad_id=0, pad_to=18, end=END)([PACKED])
    assert set(batch) == {"input_ids", "position_ids", "labels"}
    assert batch["position_ids"][0, 12:].tolist() == [0, 1, 2, 0, 1, 2]
    assert batch["labels"][0].tolist() == [
        *(IGNORED, 6, 7, END),
        *(IGNORED, END),
        *(IGNORED, 12, 13, 14, 15, END),
        *(IGNORED, 31, 32),
        *[IGNORED] * 3,
    ]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in WITHOUT_POSITIONS])
def test_the_loss_of_a_packed_sequence_is_that_of_its_documents_apart(family):
    model = family_model(family)
    model.config.use_cache = False
    check_isolation(model, 2, "none", family)
    apart = []
    for ids in [*DOCUMENTS, PACKED.input_ids[-3:]]:
        batch = Collator(0, None)([Example(ids, 0)])
        labels = batch.pop("labels")
        apart.append(causal_loss(model(**batch), labels).item() * (len(ids) - 1))
    batch = Collator(0, 20, END)([PACKED, PACKED])
    labels = batch.pop("labels")
    count = labels.ne(IGNORED).sum().item()
    assert causal_loss(model(**batch), labels).item() * count == pytest.approx(2 * sum(apart), rel=1e-5)


@pytest.mark.parametrize("family", WITHOUT_POSITIONS)
def test_a_model_that_attends_across_documents_is_a_one_line_error(family):
    with pytest.raises(InputError, match=r"attention of owner/name crosses the documents .*isolate_documents"):
        check_isolation(family_model(family), 2, "none", "owner/name")


def test_cached_keys_switch_isolation_off_which_the_check_notices():
    class Caching(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = family_model("llama")

        def forward(self, use_cache, **batch):
            return self.model(use_cache=True, **batch)

    with pytest.raises(InputError, match="crosses the documents"):
        check_isolation(Caching(), 2, "none", "llama")
