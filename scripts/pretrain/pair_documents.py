"""Training documents from pairs of source and LLVM IR: one template per direction, and plain
source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Formatter
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.batches import batched
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_batches
from scripts.lib.prompts import NO_END
from scripts.lib.schemas.training import PLAIN_SOURCE
from scripts.lib.token_text import marks_beginnings, prefix_ids
from scripts.pretrain.draw import PairKey
from scripts.pretrain.pieces import Encoded, PieceEncoder
from scripts.pretrain.whole_texts import WholeTexts, backend_copy

_BATCH = 64
# Tokens that a shortened document may have in addition, where its parts meet.
_SEAMS = 8


@dataclass(frozen=True)
class PairText:
    """One row of a sample of pairs."""

    language: str
    variant: str
    id: str
    source: str
    llvm: str


@dataclass(frozen=True)
class Document:
    """One document, or the beginning of one.

    ids: token ids, int32 of shape (tokens,). target: index of the first id of the translated half,
    or of plain source.
    lost_source, lost_llvm: shares of the source's and the module's characters that the document
    leaves out, 0 to 1.
    """

    pair: PairText
    direction: str
    ids: np.ndarray
    target: int
    lost_source: float = 0.0
    lost_llvm: float = 0.0

    @property
    def is_truncated(self) -> bool:
        """Whether the document leaves out text."""
        return self.lost_source > 0 or self.lost_llvm > 0


# A pair with the direction of its document.
Request = tuple[PairText, str]
T = TypeVar("T")


def sample_keys(path: str | Path, split: str) -> Iterator[PairKey]:
    """Language, variant and id of the pairs of a sample in one split, without reading their texts."""
    for batch in iter_batches(path, ["language", "variant", "id", "split"], batch_size=1000):
        rows = batch.filter(pc.equal(batch["split"], pa.scalar(split)))
        yield from zip(*(rows[name].to_pylist() for name in ("language", "variant", "id")), strict=True)


def iter_pairs(path: str | Path, split: str) -> Iterator[PairText]:
    """Pairs of a sample in one split, in order."""
    columns = ["language", "variant", "id", "Source_Code", "IR_Original", "split"]
    for batch in iter_batches(path, columns, batch_size=_BATCH):
        rows = batch.filter(pc.equal(batch["split"], pa.scalar(split)))
        yield from map(PairText, *(rows[name].to_pylist() for name in columns[:-1]))


def distinct_sources(pairs: Iterable[PairText]) -> Iterator[PairText]:
    """Pairs, each source of a language once, with its first variant."""
    seen: set[tuple[str, str]] = set()
    for pair in pairs:
        key = pair.language, pair.id
        if key not in seen:
            seen.add(key)
            yield pair


class DocumentEncoder:
    """Turns pairs into documents with one tokenizer.

    Special tokens are recognised in templates only; the same text in a program becomes ordinary
    tokens. Each document ends with the end-of-text token and begins with the ids that the tokenizer
    adds before every text. Source, module and literal parts of the template are encoded separately
    and concatenated. A tokenizer that encodes the beginning of a text differently from the rest,
    such as SentencePiece's, encodes documents as whole texts instead.
    """

    def __init__(
        self, tokenizer: Any, templates: Mapping[str, str], llvm_tokens: int | None = None, limit: int | None = None
    ) -> None:
        """`tokenizer` is a fast tokenizer of transformers; `templates` maps directions to
        templates.

        Each module is truncated to its first `llvm_tokens` tokens, for whole texts to their
        characters, and each document to its first `limit` tokens; None keeps all. Text beyond a
        limit is not encoded. Raises `InputError` if the tokenizer has no end-of-text token or is slow.
        """
        if tokenizer.eos_token_id is None:
            raise InputError(NO_END)
        if not tokenizer.is_fast:
            raise InputError("the tokenizer runs in Python; training needs a model with a tokenizer.json")
        backend = tokenizer.backend_tokenizer
        self.llvm_tokens, self.limit, self.directions = llvm_tokens, limit, list(templates)
        self.start = np.array(prefix_ids(tokenizer), np.int32)
        self._end = np.array([tokenizer.eos_token_id], np.int32)
        self._whole = WholeTexts(backend, templates) if marks_beginnings(tokenizer) else None
        self._pieces = self._whole.first if self._whole else PieceEncoder(backend_copy(backend))
        reader = type(backend).from_str(backend.to_str())
        reader.no_padding()
        reader.no_truncation()
        reader.encode_special_tokens = False
        self._parts = {direction: self._parse(reader, template) for direction, template in templates.items()}

    def _parse(self, reader: Any, template: str) -> list[tuple[np.ndarray, str | None]]:
        """Template as token ids of its literals, each with the name of the field that follows, if
        any.
        """
        parsed = [(text, name) for text, name, _, _ in Formatter().parse(template)]
        return [(np.array(reader.encode(text, add_special_tokens=False).ids, np.int32), name) for text, name in parsed]

    def pair_documents(self, requests: Sequence[Request]) -> list[Document]:
        """A document for each pair and direction of a batch."""
        documents = self._joined(requests) if self._whole is None else self._from_whole(self._whole, requests)
        return [self._within_limit(document) for document in documents]

    def _within_limit(self, document: Document) -> Document:
        return document if self.limit is None else replace(document, ids=document.ids[: self.limit])

    # --- parts encoded separately ----------------------------------------------------------------

    def _rooms(self, direction: str, fields: Mapping[str, Encoded | None]) -> Iterator[tuple[str, int | None]]:
        """The fields of a direction in order, each with how many of its tokens may be used: None for
        all; up to the first that is not encoded.
        """
        used = len(self.start)
        for literal, name in self._parts[direction]:
            used += len(literal)
            if name is None:
                continue
            room = None if self.limit is None else max(0, self.limit - used)
            most = [number for number in (room, self.llvm_tokens if name == "llvm" else None) if number is not None]
            yield name, min(most, default=None)
            encoded = fields.get(name)
            if encoded is None:
                return
            used += min([len(encoded.ids), *most])

    def _fields(self, requests: Sequence[Request]) -> dict[tuple[int, str], Encoded]:
        """What the documents need of source and module, by the pair's identity and the field's name;
        both directions of a pair share a field.
        """
        encoded: dict[tuple[int, str], Encoded] = {}
        for _ in ("first fields", "second fields"):
            needs: dict[tuple[int, str], int | None] = {}
            texts: dict[tuple[int, str], str] = {}
            for pair, direction in requests:
                known = {name: encoded.get((id(pair), name)) for name in ("source", "llvm")}
                *_, (name, need) = self._rooms(direction, known)
                key, part = (id(pair), name), known[name]
                if part is None or not (part.is_whole or (need is not None and need <= len(part.ids))):
                    before = needs.get(key, 0)
                    needs[key] = None if need is None or before is None else max(need, before)
                    texts[key] = pair.source if name == "source" else pair.llvm
            encodings = self._pieces.encode([texts[key] for key in needs], list(needs.values()))
            encoded |= dict(zip(needs, encodings, strict=True))
        return encoded

    def _joined(self, requests: Sequence[Request]) -> Iterator[Document]:
        encoded = self._fields(requests)
        for pair, direction in requests:
            fields = {name: encoded[id(pair), name] for name in ("source", "llvm")}
            rooms, lost = dict(self._rooms(direction, fields)), {}
            ids, target = [self.start], 0
            for literal, name in self._parts[direction]:
                ids.append(literal)
                if name is not None:
                    target = sum(map(len, ids))
                    text = pair.source if name == "source" else pair.llvm
                    ids.append(fields[name].ids[: rooms[name]])
                    lost[name] = _lost(fields[name], len(ids[-1]), len(text))
            yield Document(pair, direction, np.concatenate([*ids, self._end]), target, lost["source"], lost["llvm"])

    # --- whole texts -----------------------------------------------------------------------------

    def _from_whole(self, whole: WholeTexts, requests: Sequence[Request]) -> Iterator[Document]:
        heads = self._module_ends([pair.llvm for pair, _ in requests])
        fields = [
            (direction, {"source": pair.source, "llvm": pair.llvm[:end]})
            for (pair, direction), end in zip(requests, heads, strict=True)
        ]
        limit = None if self.limit is None else self.limit - len(self.start)
        for (pair, direction), text in zip(requests, whole.encode(fields, limit), strict=True):
            ids = np.concatenate([self.start, *text.ids, self._end])
            lost = {name: _share(text.covered[name], len(getattr(pair, name))) for name in text.covered}
            yield Document(pair, direction, ids, len(self.start) + text.target, lost["source"], lost["llvm"])

    def _module_ends(self, modules: Sequence[str]) -> list[int]:
        """Number of characters of each module that `llvm_tokens` keeps."""
        if self.llvm_tokens is None:
            return [len(text) for text in modules]
        heads = self._pieces.encode(modules, [self.llvm_tokens + 1] * len(modules))
        return [
            len(text) if len(head.ids) <= self.llvm_tokens else head.characters(self.llvm_tokens)
            for text, head in zip(modules, heads, strict=True)
        ]

    # --- sources, and documents of a bounded length -----------------------------------------------

    def source_documents(self, pairs: Sequence[PairText]) -> Iterator[Document]:
        """Documents of plain source, for a batch of pairs."""
        room = None if self.limit is None else max(0, self.limit - len(self.start))
        encoded = self._pieces.encode([pair.source for pair in pairs], [room] * len(pairs))
        for pair, text in zip(pairs, encoded, strict=True):
            used = text.ids[:room]
            ids, lost = np.concatenate([self.start, used, self._end]), _lost(text, len(used), len(pair.source))
            yield self._within_limit(Document(pair, PLAIN_SOURCE, ids, len(self.start), lost))

    def of_sources(self, requests: Sequence[Request]) -> list[Document]:
        """Documents of plain source, for a batch of pairs with that direction."""
        return list(self.source_documents([pair for pair, _ in requests]))

    def shortened(self, pairs: Sequence[PairText], tokens: int) -> list[PairText]:
        """Pairs whose documents have about `tokens` tokens at most, none of whose halves is left out.

        A longer source loses its last lines beyond half of the tokens, and then the module its last
        lines beyond the rest.
        """
        empty = PairText("", "", "", "", "")
        literals = max(len(document.ids) for document in self.pair_documents([(empty, each) for each in self._parts]))
        room = max(2, tokens - literals - _SEAMS)
        sources = self._pieces.encode([pair.source for pair in pairs], [room + 1] * len(pairs))
        modules = self._pieces.encode([pair.llvm for pair in pairs], [room + 1] * len(pairs))
        shortened = []
        for pair, source, module in zip(pairs, sources, modules, strict=True):
            characters, used = _head(pair.source, source, max(room // 2, room - len(module.ids)))
            end, _ = _head(pair.llvm, module, room - used)
            shortened.append(replace(pair, source=pair.source[:characters], llvm=pair.llvm[:end]))
        return shortened


def _head(text: str, encoded: Encoded, tokens: int) -> tuple[int, int]:
    """Characters and tokens of the first lines of a text that have at most `tokens` tokens."""
    is_short = encoded.is_whole and len(encoded.ids) <= tokens
    return (len(text), len(encoded.ids)) if is_short else encoded.head(tokens)


def _share(covered: int, length: int) -> float:
    """Share of a text that is left out where `covered` of its characters are not."""
    return 1 - covered / length if length else 0.0


def _lost(encoded: Encoded, tokens: int, length: int) -> float:
    """Share of a text of `length` characters that its first `tokens` tokens leave out."""
    is_all = encoded.is_whole and tokens == len(encoded.ids)
    return 0.0 if is_all else _share(encoded.characters(tokens), length)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most `_BATCH` items, to be encoded together."""
    return batched(items, _BATCH)
