"""Texts encoded in pieces have the tokens of the whole texts, with tokenizers of all kinds."""

from random import Random

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from scripts.pretrain import pieces
from scripts.pretrain.pieces import Cache, PieceEncoder
from scripts.pretrain.whole_texts import backend_copy
from tests.support.tiny_pieces import KINDS, TEXTS, pieces_tokenizer, prefixing_tokenizer
from tests.support.tiny_tokenizer import tiny_tokenizer

# The regular expressions with which GPT-4's, DeepSeek-Coder's and Llama 3's tokenizers find words.
GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+"]
LINES = [
    "define i32 @main(i32 %0, ptr %1) local_unnamed_addr #0 {",
    "  %3 = add nsw i32 %0, 1234567890",
    "  ret i32 %3",
    "}",
    "",
    "   ",
    "\t; preds = %2, %1   ",
    "int a[3] = {1, 2,",
    "        3};  // done",
    "    */",
    "x = 'l';   y = \"é日本\"",
    "----------==",
    '@.str = private constant [4 x i8] c"%d\\0A\\00", align 1\r',
    "```",
]


def text(random, lines):
    """Lines of IR and programs in any order, with blank lines, blanks and punctuation at their ends."""
    return "\n".join(random.choice(LINES) + random.choice(["", "", " ", "(", "a", "9"]) for _ in range(lines))


def byte_level(splits):
    """A byte-level tokenizer that finds words by regular expressions, trained on a few texts."""
    backend = Tokenizer(models.BPE())
    words = [pre_tokenizers.Split(Regex(split), behavior="isolated") for split in splits]
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [*words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not splits)]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    random = Random(3)
    backend.train_from_iterator([*TEXTS, *(text(random, 30) for _ in range(20))], trainer)
    backend.add_special_tokens(["<|endoftext|>"])
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|endoftext|>")


def joining():
    """A tokenizer with tokens of letters and line breaks, which no piece may separate."""
    return byte_level([r"[^\n]*\n"])


MAKE = {
    **{kind: lambda kind=kind: pieces_tokenizer(kind) for kind in KINDS},
    "blank before a text": prefixing_tokenizer,
    "bytes": tiny_tokenizer,
    "GPT-2": lambda: byte_level([]),
    "GPT-4": lambda: byte_level([GPT4]),
    "DeepSeek": lambda: byte_level(DEEPSEEK),
    "joined lines": joining,
}


@pytest.fixture(scope="module", params=MAKE)
def backend(request):
    return backend_copy(MAKE[request.param]().backend_tokenizer)


def test_pieces_have_the_tokens_and_offsets_of_the_whole_text(backend):
    random, encoder = Random(1), PieceEncoder(backend)
    texts = ["", "\n", "a\n", "\n\na", *(text(random, random.randint(1, 40)) for _ in range(60))]
    for each, encoded in zip(texts, encoder.encode(texts, [None] * len(texts)), strict=True):
        whole = backend.encode(each, add_special_tokens=False)
        assert encoded.is_whole and encoded.ids.tolist() == whole.ids
        for tokens in {1, len(whole.ids) // 2, len(whole.ids)} - {0}:
            if tokens <= len(whole.ids):
                assert encoded.characters(tokens) == whole.offsets[tokens - 1][1]
        for characters in (0, len(each) // 3, len(each)):
            assert encoded.tokens(characters) == sum(begin < characters for begin, _ in whole.offsets)


def test_the_first_tokens_of_a_text_are_those_of_the_whole_text(backend):
    random, encoder = Random(2), PieceEncoder(backend)
    texts = [text(random, random.randint(1, 60)) for _ in range(60)]
    needs = [random.choice([0, 1, 7, 50, 300, 100_000]) for _ in texts]
    for each, need, encoded in zip(texts, needs, encoder.encode(texts, needs), strict=True):
        whole = backend.encode(each, add_special_tokens=False).ids
        assert encoded.ids.tolist() == whole[: len(encoded.ids)]
        assert len(encoded.ids) >= min(need, len(whole))
        assert encoded.is_whole == ("".join(encoded.pieces) == each)


def test_only_the_head_of_a_long_text_is_encoded():
    encoder = PieceEncoder(backend_copy(byte_level([]).backend_tokenizer))
    (encoded,) = encoder.encode([text(Random(4), 5000)], [100])
    assert 100 <= len(encoded.ids) < 160 and not encoded.is_whole


def test_a_tokenizer_that_joins_lines_encodes_whole_texts():
    known = {name: PieceEncoder(backend_copy(make().backend_tokenizer)).breakable for name, make in MAKE.items()}
    assert known["joined lines"] == frozenset()
    assert "}" not in known["GPT-4"] and known["GPT-4"] >= set("aZ9")
    assert all("}" in known[name] for name in ("GPT-2", "DeepSeek", "bytes", *KINDS))


def test_a_tokenizer_that_fails_the_comparison_encodes_whole_texts(monkeypatch):
    monkeypatch.setattr(PieceEncoder, "_is_exact", lambda self, breakable: False)
    encoder = PieceEncoder(backend_copy(tiny_tokenizer().backend_tokenizer))
    (encoded,) = encoder.encode(["a\nb\nc"], [1])
    assert encoded.is_whole and encoded.pieces == ["a\nb\nc"]


def test_the_cache_forgets_what_was_not_used(monkeypatch):
    monkeypatch.setattr(pieces, "_CACHED", 100)
    cache = Cache()
    for number in range(1000):
        cache.learn({f"piece {number:04}": b"1234"})
        assert cache.known({"piece 0000"}) == {"piece 0000": b"1234"}
    assert cache.known({"piece 0500", "piece 0999"}) == {"piece 0999": b"1234"}
    assert len(cache._new) + len(cache._old) < 30
    cache.learn({"x" * 2000: b"1234"})
    assert cache.known({"x" * 2000}) == {}
