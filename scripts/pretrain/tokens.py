"""Add new tokens to a tokenizer, and pack the pairs of all languages into training sequences."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from transformers import AddedToken, PreTrainedTokenizerBase

from scripts.lib.csv_files import write_csv
from scripts.lib.files import atomic_directory
from scripts.lib.job import InputError, job, progress
from scripts.lib.parquet import TableWriter
from scripts.lib.schemas.training import PLAIN_SOURCE, TOKEN_STATISTICS, TRUNCATED_DOCUMENTS
from scripts.lib.training.model_tokenizer import load_tokenizer, save_tokenizer
from scripts.lib.training.token_shards import SHARD_SEQUENCES, write_shard
from scripts.lib.worker_pool import ParallelMap, parallel_map
from scripts.pretrain.draw import PairKey, draw_documents, first_variants
from scripts.pretrain.external_shuffle import RankedDocument, TokenBuckets, read_bucket
from scripts.pretrain.packing import PACKINGS
from scripts.pretrain.pair_documents import Document, DocumentEncoder, Request, batches, iter_pairs, sample_keys
from scripts.pretrain.shuffled import shuffled

# Rank in the shuffled order of each drawn document of a pair, by direction.
Ranks = dict[PairKey, dict[str, int]]
ALL = "all"
_KILLED = "a process that tokenises was killed; give the rule more memory (`resources.mem_mb`) and run again"
# The encoder of this process, set before it encodes.
_encode: Callable[[list[Request]], list[Document]] | None = None


@dataclass
class Usage:
    """Counts of one split, by language.

    tokens: tokens in training sequences. truncated: documents that lost text.
    lost_source, lost_llvm: sums over documents of the shares of source and module left out.
    """

    documents: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    truncated: Counter[str] = field(default_factory=Counter)
    lost_source: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    lost_llvm: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    sequences: int = 0

    def add(self, language: str, document: RankedDocument) -> None:
        """Count one document."""
        for name in (language, ALL):
            self.documents[name] += 1
            self.tokens[name] += len(document.ids)
            self.truncated[name] += document.lost_source > 0 or document.lost_llvm > 0
            self.lost_source[name] += document.lost_source
            self.lost_llvm[name] += document.lost_llvm

    def merge(self, other: "Usage") -> None:
        """Add the counts of other documents."""
        self.documents.update(other.documents)
        self.tokens.update(other.tokens)
        self.truncated.update(other.truncated)
        for own, others in ((self.lost_source, other.lost_source), (self.lost_llvm, other.lost_llvm)):
            for name, share in others.items():
                own[name] += share
        self.sequences += other.sequences

    def rows(self, split: str, context: int, alone: bool) -> list[dict[str, Any]]:
        """One row per language and one for all.

        `useful_share` is the share of tokens among the computed positions: the language's own if
        each document has its own sequence (`alone`), else the overall one, since sequences mix
        languages.
        """
        overall = self.tokens[ALL] / (self.sequences * context)
        names = [*sorted(self.documents.keys() - {ALL}), ALL]
        return [
            {
                "split": split,
                "language": name,
                "documents": self.documents[name],
                "truncated_documents": self.truncated[name],
                "lost_source": round(self.lost_source[name] / self.documents[name], 6),
                "lost_llvm": round(self.lost_llvm[name] / self.documents[name], 6),
                "tokens": self.tokens[name],
                "useful_share": round(self.tokens[name] / (self.documents[name] * context) if alone else overall, 6),
            }
            for name in names
        ]


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase, special_tokens: Sequence[str], pad_token: str | None
) -> PreTrainedTokenizerBase:
    """Add the special tokens that the tokenizer lacks, and the padding token if there is one."""
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special_tokens])
    if pad_token is not None:
        tokenizer.add_special_tokens({"pad_token": pad_token})
    return tokenizer


def directions_of(settings: Mapping[str, Any]) -> list[str]:
    """Directions of the documents of a training: keys of the templates, or plain source."""
    return [PLAIN_SOURCE] if settings.get("documents") == "source" else list(settings["templates"])


def usable_keys(sample: str, split: str, settings: Mapping[str, Any]) -> Iterator[PairKey]:
    """The pairs of a sample that documents are made of: for plain source each program once, and
    none without another module for shuffled ones.
    """
    if settings.get("documents") == "source":
        yield from first_variants(sample_keys(sample, split))
        return
    modules = Counter((language, variant) for language, variant, _ in sample_keys(sample, split))
    is_usable = settings.get("modules") != "shuffled"
    yield from (key for key in sample_keys(sample, split) if is_usable or modules[key[:2]] > 1)


def document_ranks(sample: str, split: str, settings: Mapping[str, Any]) -> Ranks:
    """The drawn documents of a split, with their ranks in the order that seed and names determine."""
    ranks: Ranks = defaultdict(dict)
    limit, keys = settings[f"{split}_documents"], usable_keys(sample, split, settings)
    drawn = draw_documents(keys, split, directions_of(settings), limit, settings["seed"])
    for rank, (*pair, direction) in enumerate(drawn):
        ranks[pair[0], pair[1], pair[2]][direction] = rank
    return ranks


def drawn_documents(sample: str, split: str, settings: Mapping[str, Any], ranks: Ranks) -> Iterator[Request]:
    """The drawn documents of a split, in the order of the sample and of the directions."""
    pairs, directions = iter_pairs(sample, split), directions_of(settings)
    if settings.get("modules") == "shuffled":
        pairs = shuffled(pairs, split, settings["seed"])
    for pair in progress(pairs, f"tokenising {split}", len(ranks)):
        drawn = ranks.get((pair.language, pair.variant, pair.id), {})
        yield from ((pair, direction) for direction in directions if direction in drawn)


def _prepare(encode: Callable[[list[Request]], list[Document]]) -> None:
    """Set the encoder of this process."""
    global _encode
    _encode = encode


def _encoded(requests: list[Request]) -> list[Document]:
    """Encode documents; the texts of their pairs are dropped, so that they are not sent back."""
    assert _encode is not None, "no encoder in this process"
    return [replace(document, pair=replace(document.pair, source="", llvm="")) for document in _encode(requests)]


def _truncation(document: Document, split: str) -> dict[str, Any]:
    """The row of a document that lost text."""
    pair = document.pair
    return {
        "split": split,
        "language": pair.language,
        "variant": pair.variant,
        "id": pair.id,
        "direction": document.direction,
        "tokens": len(document.ids),
        "lost_source": round(document.lost_source, 6),
        "lost_llvm": round(document.lost_llvm, 6),
    }


def _add_to(
    buckets: TokenBuckets, documents: Iterator[list[Document]], ranks: Ranks, languages: Sequence[str]
) -> Iterator[Document]:
    """Put documents into buckets; yield those that lose text."""
    for document in chain.from_iterable(documents):
        pair = document.pair
        rank = ranks[pair.language, pair.variant, pair.id][document.direction]
        lost = document.lost_source, document.lost_llvm
        buckets.add(RankedDocument(rank, languages.index(pair.language), *lost, document.ids))
        if document.is_truncated:
            yield document


def _pack(bucket_and_shard: tuple[Path, Path], languages: Sequence[str], packing: str, context: int) -> Usage:
    """Pack a bucket into a shard and delete it; return the counts."""
    bucket, shard = bucket_and_shard
    usage, documents = Usage(), read_bucket(bucket)
    for document in documents:
        usage.add(languages[document.language], document)
    sequences = list(PACKINGS[packing]((document.ids for document in documents), context))
    usage.sequences = len(sequences)
    write_shard(shard, sequences, [0] * len(sequences))
    bucket.unlink()
    return usage


def _write_split(
    folder: Path, buckets: list[Path], languages: Sequence[str], settings: Mapping[str, Any], mapped: ParallelMap
) -> Usage:
    """Pack each bucket into one shard; return the counts."""
    folder.mkdir()
    usage = Usage()
    shards = ((path, folder / f"{number:03}.safetensors") for number, path in enumerate(buckets))
    pack = partial(_pack, languages=languages, packing=settings["packing"], context=settings["context"])
    for part in mapped(pack, shards):
        usage.merge(part)
    return usage


def write_tokens(
    sample: str, tokenizer: PreTrainedTokenizerBase, output: Path, settings: dict[str, Any], processes: int = 1
) -> None:
    """Write `train/` and `validation/` shards, `truncated.parquet` and `statistics.csv` into the
    folder `output`; `sample` is the table of the drawn pairs.

    `settings` has the keys of `AblationPlan.tokens`; without `documents` and `modules` they are
    IRCoder's. The files are the same for any number of processes.

    Raises `InputError` if the packing `pad` lacks a pad token, or if no pair of the sample can be
    trained on.
    """
    if settings["packing"] == "pad" and tokenizer.pad_token is None:
        raise InputError("packing 'pad' needs a pad token; set `pad_token` for the model in config/models.yaml")
    # Parallelism comes from processes; each encodes in one thread.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    limit = settings["context"] if settings["packing"] == "pad" else None
    encoder = DocumentEncoder(tokenizer, settings["templates"], settings["llvm_tokens"], limit)
    encode = encoder.of_sources if settings.get("documents") == "source" else encoder.pair_documents
    rows: list[dict[str, Any]] = []
    with (
        parallel_map(processes, _KILLED, partial(_prepare, encode)) as mapped,
        TableWriter(output / "truncated.parquet", TRUNCATED_DOCUMENTS.schema) as truncated,
    ):
        for split in ("train", "validation"):
            ranks = document_ranks(sample, split, settings)
            if not ranks and split == "train":
                raise InputError("no program has another one of its language and variant; train on more programs")
            if not ranks:
                continue
            languages = sorted({language for language, _, _ in ranks})
            with TokenBuckets(output / f".{split}", SHARD_SEQUENCES) as buckets:
                documents = mapped(_encoded, batches(drawn_documents(sample, split, settings, ranks)))
                lost = _add_to(buckets, documents, ranks, languages)
                truncated.write(_truncation(document, split) for document in lost)
            usage = _write_split(output / split, buckets.paths(), languages, settings, mapped)
            (output / f".{split}").rmdir()
            rows.extend(usage.rows(split, settings["context"], settings["packing"] == "pad"))
    write_csv(output / "statistics.csv", TOKEN_STATISTICS.names, rows)


if __name__ == "__main__":
    with job() as snakemake, atomic_directory(snakemake.output.tokenizer) as folder:
        params = snakemake.params
        extended = extend_tokenizer(load_tokenizer(snakemake.input.base), params.special_tokens, params.pad_token)
        save_tokenizer(extended, folder)
        with atomic_directory(snakemake.output.tokens) as tokens:
            write_tokens(snakemake.input.sample, extended, tokens, params.settings, snakemake.threads)
