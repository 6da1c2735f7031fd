"""Token ids of texts and texts of token ids, as parts of a longer text.

Some tokenizers add tokens before or after every text (`<s>`, the end of text). Some encode the
beginning of a text differently from the rest: SentencePiece adds a blank before it when encoding
and removes one when decoding.
"""

from collections.abc import Sequence
from typing import Any

from scripts.lib.literal_text import literal_ids

# Texts whose own ids do not change when a continuation follows.
_ANCHORS = ("\n", ".", "a")


def text_ids(tokenizer: Any, text: str, special: bool = True) -> list[int]:
    """Token ids of a text alone, without those that the tokenizer adds around it.

    special: whether special tokens that the text spells are recognised, as a template's must be.
    """
    ids = list(tokenizer(text, add_special_tokens=False, split_special_tokens=not special)["input_ids"])
    if special or not tokenizer.is_fast or not set(ids) & (set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}):
        return ids
    # The model of the tokenizer has special tokens among its own pieces.
    return literal_ids(tokenizer, text)


def prefix_ids(tokenizer: Any) -> list[int]:
    """Token ids that the tokenizer adds before every text; those added after one are not part of a
    prompt.
    """
    whole, plain = list(tokenizer("a")["input_ids"]), text_ids(tokenizer, "a")
    starts = (index for index in range(len(whole)) if whole[index : index + len(plain)] == plain)
    return whole[: next(starts, 0)]


def _rest(tokenizer: Any, before: str, text: str, special: bool = True) -> list[int] | None:
    """The ids of `text` in `before + text`; None if a token spans both. special: as in `text_ids`."""
    head, whole = (text_ids(tokenizer, part, special) for part in (before, before + text))
    return whole[len(head) :] if whole[: len(head)] == head else None


def marks_beginnings(tokenizer: Any) -> bool:
    """Whether the tokenizer encodes the beginning of a text differently from the rest."""
    return _rest(tokenizer, "\n", "a") != text_ids(tokenizer, "a")


def loses_line_breaks(tokenizer: Any) -> bool:
    """Whether texts lose their line breaks or indentation, as with WordPiece and some SentencePiece
    tokenizers, so that a model can neither read nor write programs.
    """
    text = "a\n  b"
    return text not in str(tokenizer.decode(text_ids(tokenizer, text), clean_up_tokenization_spaces=False))


def continuation_ids(tokenizer: Any, before: str, text: str) -> list[int]:
    """Token ids of `text` after `before`, so that the ids of both are those of the whole text.

    If a token would span both, which a prompt does not allow, the ids are those after a line break.
    Special tokens that `text` spells, such as `</s>` in HTML, are ordinary text.
    """
    plain = text_ids(tokenizer, text, special=False)
    if not marks_beginnings(tokenizer):
        return plain
    spells_none = plain == text_ids(tokenizer, text)
    candidates = (_rest(tokenizer, start, text, spells_none) for start in (before, *_ANCHORS))
    return next((ids for ids in candidates if ids is not None), plain)


class ContinuationDecoder:
    """Decodes ids that follow others: special tokens are included, a leading blank is retained."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer` is one of transformers."""
        self.tokenizer, self.anchor = tokenizer, text_ids(tokenizer, "a")
        self.start = self._decode(self.anchor)

    def _decode(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def __call__(self, ids: Sequence[int]) -> str:
        """The text of `ids`."""
        return self._decode([*self.anchor, *ids]).removeprefix(self.start)
