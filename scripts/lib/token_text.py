"""Token ids of texts and texts of token ids, as parts of a longer text, whatever the tokenizer does at its ends.

Some tokenizers put tokens before or after every text (`<s>`, the end of text), and some encode a text in another way at
its beginning than further on: SentencePiece puts a blank before it and takes one away when decoding.
"""

from collections.abc import Sequence
from typing import Any

# Texts that a continuation may follow, ids of which it does not change.
_ANCHORS = ("\n", ".", "a")


def text_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a text alone, without any that the tokenizer puts around it."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def prefix_ids(tokenizer: Any) -> list[int]:
    """What the tokenizer puts before every text; what it puts after one ends a text and is no part of a prompt."""
    whole, plain = list(tokenizer("a")["input_ids"]), text_ids(tokenizer, "a")
    starts = (place for place in range(len(whole)) if whole[place : place + len(plain)] == plain)
    return whole[: next(starts, 0)]


def _rest(tokenizer: Any, before: str, text: str) -> list[int] | None:
    """The ids of `text` in `before + text`; None where they are mixed with those of `before`."""
    head, whole = text_ids(tokenizer, before), text_ids(tokenizer, before + text)
    return whole[len(head) :] if whole[: len(head)] == head else None


def marks_beginnings(tokenizer: Any) -> bool:
    """Whether a text has other ids at its beginning than the same text further on."""
    return _rest(tokenizer, "\n", "a") != text_ids(tokenizer, "a")


def continuation_ids(tokenizer: Any, before: str, text: str) -> list[int]:
    """Token ids of `text` as it goes on after `before`; those of the two together are the ids of the whole text.

    Where a token would span both, which no prompt allows, `text` has the ids that it has after a line break.
    """
    if not marks_beginnings(tokenizer):
        return text_ids(tokenizer, text)
    found = (_rest(tokenizer, start, text) for start in (before, *_ANCHORS))
    return next((ids for ids in found if ids is not None), text_ids(tokenizer, text))


class ContinuationDecoder:
    """Texts of ids that go on after others, special tokens included: with the blank that they may begin with."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer` is one of transformers."""
        self.tokenizer, self.anchor = tokenizer, text_ids(tokenizer, "a")
        self.start = self._decode(self.anchor)

    def _decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def __call__(self, ids: Sequence[int]) -> str:
        """The text of `ids`, as it is."""
        return self._decode([*self.anchor, *ids]).removeprefix(self.start)
