"""Documents encoded as whole texts, for tokenizers that encode the beginning of a text differently.

Like the library tokenizers, this module splits a text at special tokens and encodes the segments
between them; it recognises the special tokens of a template, but not those in a program's text.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

import numpy as np

from scripts.lib.literal_text import without_special_pieces
from scripts.pretrain.pieces import Encoded, PieceEncoder


def backend_copy(backend: Any, **changes: Any) -> Any:
    """Copy of a tokenizer of the library tokenizers, without padding, truncation and special tokens
    in texts.

    changes: replacements of top-level parts of its JSON.
    """
    content = backend.to_str()
    if changes or type(backend.model).__name__ == "Unigram":
        content = json.dumps({**without_special_pieces(json.loads(content)), **changes})
    copy = type(backend).from_str(content)
    copy.no_padding()
    copy.no_truncation()
    copy.encode_special_tokens = True
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

    def text(self, fields: Mapping[str, str]) -> tuple[str, dict[str, int]]:
        """The segment with the fields in it, and at which character each of them begins."""
        text, starts = "", {}
        for literal, name in self.parts:
            text += literal
            if name is not None:
                starts[name] = len(text)
                text += fields[name]
        return text, starts


@dataclass
class WholeText:
    """A document that is being encoded.

    ids: token ids. target: index of the first id of its last field.
    covered: characters of each field that the ids cover.
    """

    direction: str
    fields: Mapping[str, str]
    ids: list[np.ndarray] = field(default_factory=list)
    target: int = 0
    covered: dict[str, int] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Number of tokens so far."""
        return sum(map(len, self.ids))

    def add(self, encoded: Encoded, starts: Mapping[str, int], special: int | None, room: int | None) -> None:
        """Add a segment of which `room` tokens may be used."""
        count = len(encoded.ids) if room is None else min(room, len(encoded.ids))
        is_all = encoded.is_whole and count == len(encoded.ids)
        for name, start in starts.items():
            length = len(self.fields[name])
            self.covered[name] = length if is_all else min(max(encoded.characters(count) - start, 0), length)
            self.target = self.tokens + min(encoded.tokens(start), count)
        self.ids.append(encoded.ids[:count])
        if special is not None:
            self.ids.append(np.array([special], np.int32))


class WholeTexts:
    """Encodes documents exactly as the tokenizer encodes their whole text."""

    def __init__(self, backend: Any, templates: Mapping[str, str]) -> None:
        """`backend` is a tokenizer of the library tokenizers; `templates` maps directions to
        templates.
        """
        self.first = PieceEncoder(backend_copy(backend))
        content = json.loads(backend.to_str())
        later = _after_the_first(content["pre_tokenizer"])
        is_same = later == content["pre_tokenizer"]
        self._later = self.first if is_same else PieceEncoder(backend_copy(backend, pre_tokenizer=later))
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

    def encode(self, documents: Sequence[tuple[str, Mapping[str, str]]], limit: int | None) -> list[WholeText]:
        """Documents of directions and fields, encoded; at least their first `limit` tokens, None for
        all.
        """
        texts = [WholeText(direction, fields) for direction, fields in documents]
        for number in range(max(map(len, self._segments.values()))):
            active = [each for each in texts if number < len(self._segments[each.direction])]
            rooms = [None if limit is None else max(0, limit - each.tokens) for each in active]
            segments = [self._segments[each.direction][number] for each in active]
            parts = [segment.text(each.fields) for segment, each in zip(segments, active, strict=True)]
            encoder = self._later if number else self.first
            encoded = encoder.encode([text for text, _ in parts], rooms)
            for each, segment, (_, starts), part, room in zip(active, segments, parts, encoded, rooms, strict=True):
                each.add(part, starts, segment.special, room)
        return texts
