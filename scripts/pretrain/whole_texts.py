"""Documents encoded as whole texts, for tokenizers that encode the beginning of a text differently.

Like the library tokenizers, this module splits a text at special tokens and encodes the segments
between them; it recognises the special tokens of a template, but not those in a program's text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any


def backend_copy(backend: Any, **changes: Any) -> Any:
    """Copy of a tokenizer of the library tokenizers, without padding and truncation.

    changes: replacements of top-level parts of its JSON.
    """
    content = {**json.loads(backend.to_str()), **changes}
    copy = type(backend).from_str(json.dumps(content))
    copy.no_padding()
    copy.no_truncation()
    return copy


def _after_the_first(part: Any) -> Any:
    """Part of a tokenizer's JSON for segments after the first: without a prefix of the first
    segment only.
    """
    if isinstance(part, list):
        return [_after_the_first(each) for each in part]
    if not isinstance(part, dict):
        return part
    changed = {key: _after_the_first(value) for key, value in part.items()}
    return {**changed, "prepend_scheme": "never"} if changed.get("prepend_scheme") == "first" else changed


@dataclass(frozen=True)
class Segment:
    """Part of a template up to a special token.

    parts: literal texts, each with the name of the field that follows, if any.
    special: id of the special token; None after the last one.
    """

    parts: tuple[tuple[str, str | None], ...]
    special: int | None


class WholeTexts:
    """Encodes documents exactly as the tokenizer encodes their whole text."""

    def __init__(self, backend: Any, templates: Mapping[str, str]) -> None:
        """`backend` is a tokenizer of the library tokenizers; `templates` maps directions to
        templates.
        """
        self._first = backend_copy(backend)
        content = json.loads(backend.to_str())
        self._later = backend_copy(backend, pre_tokenizer=_after_the_first(content["pre_tokenizer"]))
        for copy in (self._first, self._later):
            copy.encode_special_tokens = True
        self._special = {
            token.content: number for number, token in backend.get_added_tokens_decoder().items() if token.special
        }
        self._segments = {direction: self._parse(template) for direction, template in templates.items()}

    def _parse(self, template: str) -> list[Segment]:
        """The template, split at its special tokens."""
        segments: list[Segment] = []
        parts: list[tuple[str, str | None]] = []
        for literal, name, _, _ in Formatter().parse(template):
            text = literal
            while (match := self._next_special(text)) is not None:
                position, token = match
                segments.append(Segment((*parts, (text[:position], None)), self._special[token]))
                text, parts = text[position + len(token) :], []
            parts.append((text, name))
        return [*segments, Segment(tuple(parts), None)]

    def _next_special(self, text: str) -> tuple[int, str] | None:
        """Position and text of the first special token in a text, the longest one there; None if
        none.
        """
        matches = [(text.find(token), -len(token), token) for token in self._special if token in text]
        return (min(matches)[0], min(matches)[2]) if matches else None

    def encode(self, direction: str, fields: Mapping[str, str]) -> tuple[list[int], int]:
        """Token ids of a document, and the index of the first id of its last field."""
        ids: list[int] = []
        target = 0
        for number, segment in enumerate(self._segments[direction]):
            text, start = "", None
            for literal, name in segment.parts:
                text += literal
                if name is not None:
                    start = len(text)
                    text += fields[name]
            encoding = (self._later if number else self._first).encode(text, add_special_tokens=False)
            if start is not None:
                target = len(ids) + sum(begin < start for begin, _ in encoding.offsets)
            ids.extend(encoding.ids)
            ids.extend([] if segment.special is None else [segment.special])
        return ids, target
