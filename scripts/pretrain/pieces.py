"""Encodes texts line by line: only as much of a text as is needed, and equal lines once.

The tokens of a text are those of its pieces if no token spans two pieces. A piece ends before a line
break, after a character that no token of the vocabulary joins with one. Tokenizers for which this
is not so, or which fail a comparison with whole texts, encode whole texts.
"""

import os
import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

_IDS = np.dtype(np.int32)
# Precedes a piece that is not the first, so that tokenizers that mark beginnings do not mark it.
_ANCHOR = "a"
# Characters of a text that are encoded at first for each token to be used; tokens of IR have two to
# four. Then the text's own average decides how much more is needed.
_CHARACTERS_PER_TOKEN = 1.5
# Characters of the pieces in a generation of the cache, and of the longest piece in it.
_CACHED, _LONGEST = 8_000_000, 1000
_LETTERS_AND_DIGITS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_VISIBLE = frozenset(map(chr, range(33, 127)))
# How vocabularies write a line break: as it is, byte-level, and as a fallback byte.
_BREAK = "(?:\n|Ċ|<0x0A>)"
# Texts with blanks, empty lines, digits, punctuation and line breaks next to each other.
_PROBE = (
    "define i32 @f(i32 %0) {\n\n\n  %1 = add i32 %0, 12345678\n\t ret i32 %1 \n}\n   \n  \n!0 = !{i32 1}\r\n\r\n"
    "x = 'é';\n"
    "  int a[3] = {1, 2,\n      3};   // a\n\n    */\n#define A\\\n  B\n----\n\n==\n  ...\n"
    "\"\"\"\n'''\n  'll\n 's\n(\n)\n日本\n  1\n"
)


def use_threads(threads: int) -> None:
    """Let the library tokenizers use so many threads; it must not have encoded anything before."""
    os.environ |= {"RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}


class Cache:
    """Token ids of pieces, as bytes; forgets the pieces that were not used for the longest time."""

    def __init__(self) -> None:
        self._new: dict[str, bytes] = {}
        self._old: dict[str, bytes] = {}
        self._characters = 0

    def known(self, pieces: Iterable[str]) -> dict[str, bytes]:
        """The ids of those pieces that the cache has."""
        new = self._new
        ids = {piece: new[piece] for piece in pieces if piece in new}
        again = {piece: self._old[piece] for piece in pieces if piece not in new and piece in self._old}
        self.learn(again)
        return ids | again

    def learn(self, ids: Mapping[str, bytes]) -> None:
        """Remember the ids of pieces."""
        short = {piece: part for piece, part in ids.items() if len(piece) <= _LONGEST}
        if self._characters > _CACHED:
            self._old, self._new, self._characters = self._new, {}, 0
        self._new |= short
        self._characters += sum(map(len, short))


@dataclass(frozen=True)
class Encoded:
    """The first tokens of a text.

    ids: token ids, int32. pieces: the encoded pieces. ends: number of tokens up to the end of each.
    is_whole: whether the pieces are the whole text.
    """

    encoder: "PieceEncoder"
    ids: np.ndarray
    pieces: list[str]
    ends: list[int]
    is_whole: bool

    def characters(self, tokens: int) -> int:
        """Number of characters up to the end of the first `tokens` tokens."""
        number = int(np.searchsorted(self.ends, tokens))
        before = sum(map(len, self.pieces[:number]))
        rest = tokens - (self.ends[number - 1] if number else 0)
        return before + self.encoder.offsets(self.pieces[number], number > 0)[rest - 1][1] if rest else before

    def head(self, tokens: int) -> tuple[int, int]:
        """Characters and tokens of the first pieces that have at most `tokens` tokens together; of
        so many tokens if the first piece alone has more.
        """
        number = int(np.searchsorted(self.ends, tokens, side="right"))
        return (
            (sum(map(len, self.pieces[:number])), self.ends[number - 1])
            if number
            else (self.characters(tokens), tokens)
        )

    def tokens(self, characters: int) -> int:
        """Number of tokens that begin before a number of characters."""
        starts = [0, *accumulate(map(len, self.pieces))]
        number = int(np.searchsorted(starts, characters, side="right")) - 1
        if number == len(self.pieces):
            return len(self.ids)
        before = self.ends[number - 1] if number else 0
        offsets = self.encoder.offsets(self.pieces[number], number > 0)
        return before + sum(begin < characters - starts[number] for begin, _ in offsets)


class PieceEncoder:
    """Encodes texts with a tokenizer of the library tokenizers, without special tokens."""

    def __init__(self, backend: Any) -> None:
        """`backend` recognises no special tokens in texts; it must not change later."""
        self._backend, self._cache, self._first = backend, Cache(), Cache()
        self._anchor = len(backend.encode(_ANCHOR, add_special_tokens=False).ids)
        self.breakable = self._breakable_after()

    def _breakable_after(self) -> frozenset[str]:
        """Characters after which a line break begins a piece; empty for whole texts."""
        if type(self._backend.model).__name__ != "BPE" or self._backend.model.dropout:
            return frozenset()
        tokens = "\0".join(self._backend.get_vocab(with_added_tokens=True))
        joined = set(re.findall(f"([^\0]){_BREAK}", tokens))
        for candidates in (_VISIBLE, _LETTERS_AND_DIGITS):
            if not candidates & joined and self._is_exact(candidates):
                return candidates
        return frozenset()

    def _is_exact(self, breakable: frozenset[str]) -> bool:
        """Whether the pieces of some texts have the tokens of the whole texts."""
        self.breakable = breakable
        texts = [_PROBE, *(_PROBE[start:] for start in range(len(_PROBE)) if _PROBE[start - 1] == "\n")]
        whole = self._backend.encode_batch(texts, add_special_tokens=False)
        pieces = self.encode(texts, [None] * len(texts))
        return all(part.ids.tolist() == each.ids for part, each in zip(pieces, whole, strict=True))

    def offsets(self, piece: str, later: bool) -> list[tuple[int, int]]:
        """First and last character of each token of a piece; `later`: it is not a text's first."""
        encoding = self._backend.encode(_ANCHOR + piece if later else piece, add_special_tokens=False)
        if not later:
            return list(encoding.offsets)
        shift = len(_ANCHOR)
        return [(begin - shift, end - shift) for begin, end in encoding.offsets[self._anchor :]]

    def _cut(self, text: str, at: int) -> int:
        """The end of the piece that contains the character `at`."""
        while (at := text.find("\n", at)) >= 0:
            if at and text[at - 1] in self.breakable:
                return at
            at += 1
        return len(text)

    def _pieces(self, text: str) -> list[str]:
        """The pieces of a text that ends where a piece ends."""
        pieces, breakable = [], self.breakable
        lines = text.split("\n")
        current = lines[0]
        for line in lines[1:]:
            if current and current[-1] in breakable:
                pieces.append(current)
                current = "\n" + line
            else:
                current += "\n" + line
        return [*pieces, current]

    def _learn(self, cache: Cache, pieces: set[str], later: bool) -> dict[str, bytes]:
        """Ids of pieces; those that the cache lacks are encoded, on all threads."""
        ids = cache.known(pieces)
        missing = list(pieces - ids.keys())
        texts = [_ANCHOR + piece for piece in missing] if later else missing
        drop = self._anchor if later else 0
        encodings = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        fresh = {
            piece: array(_IDS.char, encoding.ids[drop:]).tobytes()
            for piece, encoding in zip(missing, encodings, strict=True)
        }
        cache.learn(fresh)
        return ids | fresh

    def encode(self, texts: Sequence[str], needs: Sequence[int | None]) -> list[Encoded]:
        """The first tokens of each text: at least as many as needed, unless the text has fewer; None
        for all.
        """
        growing = [_Growing(text, need) for text, need in zip(texts, needs, strict=True)]
        while active := [each for each in growing if not each.is_done]:
            begins = [each for each in active if not each.pieces]
            for each in active:
                each.grow(self._cut, self._pieces)
            firsts = self._learn(self._first, {each.pieces[0] for each in begins}, later=False)
            for each in begins:
                each.add([firsts[each.pieces[0]]])
            later = self._learn(self._cache, {piece for each in active for piece in each.waiting}, later=True)
            for each in active:
                each.add([later[piece] for piece in each.waiting])
        return [each.encoded(self) for each in growing]


class _Growing:
    """A text of which more and more is encoded."""

    def __init__(self, text: str, need: int | None) -> None:
        self.text, self.need = text, need
        self.end = 0  # characters in pieces
        self.pieces: list[str] = []
        self.ids: list[bytes] = []
        self.ends: list[int] = []

    @property
    def is_done(self) -> bool:
        """Whether there are enough tokens, or the whole text is encoded."""
        if not self.ends:
            return False
        return self.end == len(self.text) or (self.need is not None and self.ends[-1] >= self.need)

    def _target(self) -> int:
        """Up to which character the text should be encoded next."""
        if self.need is None:
            return len(self.text)
        if not self.ends:
            return int(self.need * _CHARACTERS_PER_TOKEN)
        each = self.end / max(1, self.ends[-1])
        return self.end + int((self.need - self.ends[-1]) * each * 1.02) + 1

    @property
    def waiting(self) -> list[str]:
        """Pieces whose ids are not known yet."""
        return self.pieces[len(self.ids) :]

    def grow(self, cut: Callable[[str, int], int], split: Callable[[str], list[str]]) -> None:
        """Take the next pieces of the text."""
        end = cut(self.text, min(self._target(), len(self.text)))
        self.pieces += split(self.text[self.end : end])
        self.end = end

    def add(self, ids: list[bytes]) -> None:
        """Add the ids of the next pieces."""
        tokens = self.ends[-1] if self.ends else 0
        lengths = (len(part) // _IDS.itemsize for part in ids)
        self.ids += ids
        self.ends += [tokens := tokens + length for length in lengths]

    def encoded(self, encoder: PieceEncoder) -> Encoded:
        """What has been encoded."""
        ids = np.frombuffer(b"".join(self.ids), _IDS)
        return Encoded(encoder, ids, self.pieces, self.ends, self.end == len(self.text))
