"""Pairs of source and LLVM IR as training documents: a template for each direction, and plain source."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows
from scripts.lib.token_text import marks_beginnings, prefix_ids
from scripts.pretrain.whole_texts import WholeTexts, backend_copy

DIRECTIONS = ("source_to_llvm", "llvm_to_source")
SOURCE = "source"
_BATCH = 64
# Characters of a module that are encoded for each token to be taken; the tokens of IR have two to four.
_CHARACTERS_PER_TOKEN = 8


@dataclass(frozen=True)
class PairText:
    """One row of a pairs table."""

    language: str
    variant: str
    id: str
    source: str
    llvm: str


@dataclass(frozen=True)
class Document:
    """Token ids of one document; those from `target` on are the translated half (all of them for plain source).

    `lost` is the share of the module's text, 0 to 1, that the document leaves out.
    """

    pair: PairText
    direction: str
    ids: list[int]
    target: int
    lost: float = 0.0


def table_name(path: str | Path) -> tuple[str, str]:
    """Language and variant of `pairs/{language}/{variant}.parquet`."""
    return Path(path).parent.name, Path(path).stem


def iter_ids(path: str | Path, split: str) -> Iterator[str]:
    """Ids of the pairs of one table in one split, without reading their texts."""
    return (row["id"] for row in iter_rows(path, ["id", "split"], batch_size=10_000) if row["split"] == split)


def iter_pairs(path: str | Path, split: str, wanted: Container[str] | None = None) -> Iterator[PairText]:
    """Pairs of one table in one split, all or those with a wanted id, in the table's order."""
    language, variant = table_name(path)
    for row in iter_rows(path, ["id", "split", "Source_Code", "IR_Original"], batch_size=_BATCH):
        if row["split"] == split and (wanted is None or row["id"] in wanted):
            yield PairText(language, variant, row["id"], row["Source_Code"], row["IR_Original"])


def distinct_sources(paths: Sequence[str], split: str, wanted: Container[str] | None = None) -> Iterator[PairText]:
    """Pairs of tables in one split, each source once: under its first variant."""
    seen: set[str] = set()
    for path in sorted(paths):
        for pair in iter_pairs(path, split, wanted):
            if pair.id not in seen:
                seen.add(pair.id)
                yield pair


class DocumentEncoder:
    """Turns pairs into documents with one tokenizer.

    Special tokens are recognised in the templates alone: a program that spells one out gets ordinary tokens for it.
    Each document ends in the end-of-text token and begins with what the tokenizer puts before every text.
    Source, module and the words of the template are encoded one by one and put together. A tokenizer that encodes a
    text in another way at its beginning than further on, like SentencePiece's, gets whole texts: a document then has
    the ids that the tokenizer gives for all of its text.
    """

    def __init__(self, tokenizer: Any, templates: Mapping[str, str], llvm_tokens: int | None = None) -> None:
        """`tokenizer` is a fast tokenizer of transformers; `templates` maps directions to templates.

        Of each module the first `llvm_tokens` tokens are taken (in whole texts, as many characters as they hold), or
        all. Raises `InputError` when the tokenizer has no end-of-text token.
        """
        if tokenizer.eos_token_id is None:
            raise InputError("the tokenizer has no end-of-text token; set `eos_token` in its tokenizer_config.json")
        self._backend = backend_copy(tokenizer.backend_tokenizer)
        self.llvm_tokens = llvm_tokens
        self.start = prefix_ids(tokenizer)
        self.end = tokenizer.eos_token_id
        self._whole = WholeTexts(self._backend, templates) if marks_beginnings(tokenizer) else None
        self._parts = {direction: self._parse(template) for direction, template in templates.items()}

    def _parse(self, template: str) -> list[tuple[list[int], str | None]]:
        """Template as literals (already token ids), each with the name of the field behind it."""
        self._backend.encode_special_tokens = False
        parsed = Formatter().parse(template)
        return [(self._backend.encode(text, add_special_tokens=False).ids, name) for text, name, _, _ in parsed]

    def _encode(self, texts: list[str]) -> list[list[int]]:
        self._backend.encode_special_tokens = True
        return [encoding.ids for encoding in self._backend.encode_batch_fast(texts, add_special_tokens=False)]

    def _module_heads(self, texts: list[str]) -> list[tuple[list[int], int]]:
        """Token ids of each module, at most `llvm_tokens`, and the number of characters that they hold.

        Of a long module only a head is encoded, unless its tokens are so long that it holds too few.
        """
        limit = self.llvm_tokens
        if limit is None:
            return list(zip(self._encode(texts), map(len, texts), strict=True))
        self._backend.encode_special_tokens = True
        heads = [text[: limit * _CHARACTERS_PER_TOKEN] for text in texts]
        taken = []
        for text, head in zip(texts, self._backend.encode_batch(heads, add_special_tokens=False), strict=True):
            short = len(head) <= limit
            encoding = self._backend.encode(text, add_special_tokens=False) if short else head
            end = encoding.offsets[:limit][-1][1] if encoding.offsets else len(text)
            taken.append((encoding.ids[:limit], end))
        return taken

    def _assemble(self, pair: PairText, direction: str, fields: Mapping[str, list[int]], lost: float) -> Document:
        ids, target = list(self.start), 0
        for literal, name in self._parts[direction]:
            ids.extend(literal)
            if name is not None:
                target = len(ids)
                ids.extend(fields[name])
        return Document(pair, direction, [*ids, self.end], target, lost)

    def _from_whole(self, pair: PairText, direction: str, module: str, lost: float) -> Document:
        ids, target = self._whole.encode(direction, {"source": pair.source, "llvm": module})
        return Document(pair, direction, [*self.start, *ids, self.end], len(self.start) + target, lost)

    def pair_documents(self, pairs: Sequence[PairText]) -> Iterator[Document]:
        """Documents of all directions that have a template, for a batch of pairs."""
        sources = self._encode([pair.source for pair in pairs]) if self._whole is None else [[] for _ in pairs]
        modules = self._module_heads([pair.llvm for pair in pairs])
        for pair, source, (llvm, end) in zip(pairs, sources, modules, strict=True):
            lost = 1 - end / max(1, len(pair.llvm)) if pair.llvm else 0.0
            for direction in self._parts:
                if self._whole is None:
                    yield self._assemble(pair, direction, {"source": source, "llvm": llvm}, lost)
                else:
                    yield self._from_whole(pair, direction, pair.llvm[:end], lost)

    def source_documents(self, pairs: Sequence[PairText]) -> Iterator[Document]:
        """Plain source alone, for a batch of pairs."""
        for pair, ids in zip(pairs, self._encode([pair.source for pair in pairs]), strict=True):
            yield Document(pair, SOURCE, [*self.start, *ids, self.end], len(self.start))


def batches(pairs: Iterator[PairText]) -> Iterator[list[PairText]]:
    """Lists of pairs, small enough to be encoded together."""
    batch: list[PairText] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
