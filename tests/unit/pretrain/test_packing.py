"""Packing retains every token, except those that `pad` cuts off."""

from itertools import chain
from random import Random

import numpy as np
import pytest

from scripts.pretrain import packing


@pytest.fixture
def documents():
    random = Random(7)
    return [[number] * random.randint(1, 90) for number in range(200)]


def packed(mode, documents, context):
    """The sequences of a packing, as lists of ids."""
    arrays = [np.array(document, np.int32) for document in documents]
    return [sequence.tolist() for sequence in packing.PACKINGS[mode](arrays, context)]


def test_concat_keeps_the_text_and_fills_all_but_the_last(documents):
    sequences = packed("concat", documents, 32)
    assert list(chain(*sequences)) == list(chain(*documents))
    assert {len(sequence) for sequence in sequences[:-1]} == {32}


def test_concat_of_exact_multiples_has_no_empty_last_sequence():
    assert packed("concat", [[1, 2], [3, 4]], 2) == [[1, 2], [3, 4]]


def test_pad_writes_one_truncated_sequence_per_document(documents):
    sequences = packed("pad", documents, 32)
    assert sequences == [document[:32] for document in documents]


def test_best_fit_cuts_only_what_is_too_long(documents):
    sequences = packed("best_fit", documents, 32)
    assert max(map(len, sequences)) <= 32
    assert sorted(chain(*sequences)) == sorted(chain(*documents))
    for number, document in enumerate(documents):
        holders = [sequence for sequence in sequences if number in sequence]
        assert len(holders) == -(-len(document) // 32)


def test_best_fit_fills_better_than_padding(documents):
    short = [document[: 1 + len(document) % 20] for document in documents]
    used = sum(map(len, short))
    assert used / (32 * len(packed("best_fit", short, 32))) > 0.95
    assert used / (32 * len(packed("pad", short, 32))) < 0.5


@pytest.mark.parametrize("mode", sorted(packing.PACKINGS))
def test_no_documents_make_no_sequences(mode):
    assert packed(mode, [], 8) == []
