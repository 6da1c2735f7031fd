"""Tokenizers of the library tokenizers that read special tokens in a text as ordinary text.

Their option `encode_special_tokens` is enough for BPE, but a Unigram model has the special tokens
among its own pieces and would find `</s>` in HTML by itself.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

# Precedes pieces that no text shall contain.
_NEVER = "\uffff"


def without_special_pieces(content: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a tokenizer, in which a Unigram model does not find special tokens; ids are kept."""
    model = content["model"]
    if model["type"] != "Unigram":
        return content
    special = {token["content"] for token in content["added_tokens"] if token["special"]}
    own = special & {piece for piece, _ in model["vocab"]}
    vocab = [[_NEVER + piece if piece in own else piece, score] for piece, score in model["vocab"]]
    # Those that the model has not got keep their places after its vocabulary.
    added = [token for token in content["added_tokens"] if token["content"] not in own]
    return {**content, "model": {**model, "vocab": vocab}, "added_tokens": added}


@lru_cache(maxsize=4)
def _backend(from_str: Callable[[str], Any], content: str) -> Any:
    """A tokenizer that recognises no special tokens, made by `from_str` of its class from JSON."""
    backend = from_str(json.dumps(without_special_pieces(json.loads(content))))
    backend.no_padding()
    backend.no_truncation()
    backend.encode_special_tokens = True
    return backend


def literal_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a text with a fast tokenizer of transformers, none of them of a special token."""
    backend = tokenizer.backend_tokenizer
    return list(_backend(type(backend).from_str, backend.to_str()).encode(text, add_special_tokens=False).ids)
