"""Training documents from pairs of source and LLVM IR: one template per direction, and plain
source.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows
from scripts.lib.token_text import marks_beginnings, prefix_ids
from scripts.pretrain.whole_texts import WholeTexts, backend_copy

SOURCE = "source"
_BATCH = 64
# Characters of a module that are encoded per token to be used; tokens of IR have two to four.
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
    """One document.

    ids: token ids. target: index of the first id of the translated half, or of plain source.
    lost: share of the module's text that the document leaves out, 0 to 1.
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
    """Pairs of one table in one split, optionally those with an id in `wanted`, in order."""
    language, variant = table_name(path)
    for row in iter_rows(path, ["id", "split", "Source_Code", "IR_Original"], batch_size=_BATCH):
        if row["split"] == split and (wanted is None or row["id"] in wanted):
            yield PairText(language, variant, row["id"], row["Source_Code"], row["IR_Original"])


def distinct_sources(paths: Sequence[str], split: str, wanted: Container[str] | None = None) -> Iterator[PairText]:
    """Pairs of tables in one split, each source once, with its first variant."""
    seen: set[str] = set()
    for path in sorted(paths):
        for pair in iter_pairs(path, split, wanted):
            if pair.id not in seen:
                seen.add(pair.id)
                yield pair


class DocumentEncoder:
    """Turns pairs into documents with one tokenizer.

    Special tokens are recognised in templates only; the same text in a program becomes ordinary
    tokens. Each document ends with the end-of-text token and begins with the ids that the tokenizer
    adds before every text. Source, module and literal parts of the template are encoded separately
    and concatenated. A tokenizer that encodes the beginning of a text differently from the rest,
    such as SentencePiece's, encodes documents as whole texts instead.
    """

    def __init__(self, tokenizer: Any, templates: Mapping[str, str], llvm_tokens: int | None = None) -> None:
        """`tokenizer` is a fast tokenizer of transformers; `templates` maps directions to
        templates.

        Each module is truncated to its first `llvm_tokens` tokens, for whole texts to their
        characters; None keeps all. Raises `InputError` if the tokenizer has no end-of-text token.
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
        """Template as token ids of its literals, each with the name of the field that follows, if
        any.
        """
        self._backend.encode_special_tokens = False
        parsed = Formatter().parse(template)
        return [(self._backend.encode(text, add_special_tokens=False).ids, name) for text, name, _, _ in parsed]

    def _encode(self, texts: list[str]) -> list[list[int]]:
        self._backend.encode_special_tokens = True
        return [encoding.ids for encoding in self._backend.encode_batch_fast(texts, add_special_tokens=False)]

    def _module_heads(self, texts: list[str]) -> list[tuple[list[int], int]]:
        """Token ids of each module, at most `llvm_tokens`, and the number of characters that they
        cover.

        Only the head of a long module is encoded, unless it has too few tokens.
        """
        limit = self.llvm_tokens
        if limit is None:
            return list(zip(self._encode(texts), map(len, texts), strict=True))
        self._backend.encode_special_tokens = True
        heads = [text[: limit * _CHARACTERS_PER_TOKEN] for text in texts]
        modules = []
        for text, head in zip(texts, self._backend.encode_batch(heads, add_special_tokens=False), strict=True):
            short = len(head) <= limit
            encoding = self._backend.encode(text, add_special_tokens=False) if short else head
            end = encoding.offsets[:limit][-1][1] if encoding.offsets else len(text)
            modules.append((encoding.ids[:limit], end))
        return modules

    def _assemble(self, pair: PairText, direction: str, fields: Mapping[str, list[int]], lost: float) -> Document:
        ids, target = list(self.start), 0
        for literal, name in self._parts[direction]:
            ids.extend(literal)
            if name is not None:
                target = len(ids)
                ids.extend(fields[name])
        return Document(pair, direction, [*ids, self.end], target, lost)

    def _from_whole(self, whole: WholeTexts, pair: PairText, direction: str, module: str, lost: float) -> Document:
        ids, target = whole.encode(direction, {"source": pair.source, "llvm": module})
        return Document(pair, direction, [*self.start, *ids, self.end], len(self.start) + target, lost)

    def pair_documents(self, pairs: Sequence[PairText]) -> Iterator[Document]:
        """Documents in all directions that have a template, for a batch of pairs."""
        sources = self._encode([pair.source for pair in pairs]) if self._whole is None else [[] for _ in pairs]
        modules = self._module_heads([pair.llvm for pair in pairs])
        for pair, source, (llvm, end) in zip(pairs, sources, modules, strict=True):
            lost = 1 - end / max(1, len(pair.llvm)) if pair.llvm else 0.0
            for direction in self._parts:
                if self._whole is None:
                    yield self._assemble(pair, direction, {"source": source, "llvm": llvm}, lost)
                else:
                    yield self._from_whole(self._whole, pair, direction, pair.llvm[:end], lost)

    def source_documents(self, pairs: Sequence[PairText]) -> Iterator[Document]:
        """Documents of plain source, for a batch of pairs."""
        for pair, ids in zip(pairs, self._encode([pair.source for pair in pairs]), strict=True):
            yield Document(pair, SOURCE, [*self.start, *ids, self.end], len(self.start))


def batches(pairs: Iterator[PairText]) -> Iterator[list[PairText]]:
    """Lists of at most `_BATCH` pairs, to be encoded together."""
    batch: list[PairText] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
