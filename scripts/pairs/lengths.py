"""Lengths of sources and modules in bytes and lexical tokens, and which of them exceed a limit."""

import numpy as np

from scripts.lib.schemas.pairs import LENGTHS

_BLANK, _WORD, _OTHER = 0, 1, 2


def _classes() -> np.ndarray:
    """Class of each byte; bytes of letters beyond ASCII count as word characters."""
    classes = np.full(256, _OTHER, dtype=np.uint8)
    classes[[9, 10, 11, 12, 13, 32]] = _BLANK
    classes[list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")] = _WORD
    classes[128:] = _WORD
    return classes


_CLASSES = _classes()


def count_tokens(text: bytes) -> int:
    """Lexical tokens of a UTF-8 text: runs of letters, digits and underscores, and each other
    character but blanks.

    They need no tokenizer, so the content of the data set does not depend on a model.
    """
    classes = _CLASSES.take(np.frombuffer(text, dtype=np.uint8))
    word = classes == _WORD
    starts = int(np.count_nonzero(word[1:] & ~word[:-1])) + int(word[:1].sum())
    return starts + int(np.count_nonzero(classes == _OTHER))


def measure(source: str, ir: str) -> dict[str, int]:
    """The lengths of a pair, by the names of `LENGTHS`."""
    texts = {"source": source.encode(), "ir": ir.encode()}
    sizes = {f"{name}_bytes": len(text) for name, text in texts.items()}
    return sizes | {f"{name}_tokens": count_tokens(text) for name, text in texts.items()}


def too_long(lengths: dict[str, int], limits: dict[str, int | None]) -> str | None:
    """The first field that is over its limit (`max_<field>`, None for none), or None."""
    for field in LENGTHS:
        limit = limits[f"max_{field}"]
        if limit is not None and lengths[field] > limit:
            return field
    return None
