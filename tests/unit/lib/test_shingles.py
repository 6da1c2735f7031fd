"""Shingle hashes: the same as a plain split says, whatever the block, and different for different shingles."""

import random
import re

import pytest

from scripts.lib import shingles as module
from scripts.lib.shingles import shingles

TEXTS = [
    "int main() {\n\treturn a_1 + b;\n}\n",
    "",
    "one",
    "größer als — null ; x=y\r\n",
    "a b c d e",
    " lead and trail ",
    "x" * 3000 + " y z " + "w" * 70,
]


def plain(text, ngram, empty):
    pieces = re.split(r"[^A-Za-z_0-9]", text)
    tokens = pieces if empty else [piece for piece in pieces if piece]
    return tokens, [tuple(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1)]


def noise(count):
    generator = random.Random(5)
    words = ["a", "b", "foo", "bar_9", "\n", "\t", "(", "é", "漢", "  "]
    return ["".join(generator.choices(words, k=generator.randrange(60))) for _ in range(count)]


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("ngram", [1, 2, 5])
def test_same_shingles_as_a_plain_split(ngram, empty):
    texts = TEXTS + noise(200)
    found = shingles([text.encode() for text in texts], ngram, empty)
    hashes = {}
    for index, text in enumerate(texts):
        tokens, expected = plain(text, ngram, empty)
        assert found.tokens[index] == len(tokens)
        values = found.of(index).tolist()
        assert len(values) == len(expected)
        for shingle, value in zip(expected, values, strict=True):
            assert hashes.setdefault(shingle, value) == value
    assert len(set(hashes.values())) == len(hashes)


def test_blocks_make_no_difference(monkeypatch):
    texts = [text.encode() for text in TEXTS + noise(100)]
    whole = shingles(texts, 3)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 50)
    cut = shingles(texts, 3)
    assert (whole.values == cut.values).all()
    assert (whole.offsets == cut.offsets).all()


def test_nothing_and_short_texts():
    assert len(shingles([], 5).values) == 0
    found = shingles([b"", b"a b", b"a b c"], 3)
    assert found.offsets.tolist() == [0, 0, 0, 1]
    assert found.tokens.tolist() == [0, 2, 3]
