"""Add new tokens to a tokenizer, and pack the pairs of all languages into training sequences."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import AddedToken, PreTrainedTokenizerBase

from scripts.lib.csv_files import write_csv
from scripts.lib.files import atomic_directory
from scripts.lib.job import InputError, job, progress
from scripts.lib.parquet import TableWriter
from scripts.lib.prompts import Example
from scripts.lib.schemas.training import TOKEN_STATISTICS, TRUNCATED_DOCUMENTS
from scripts.lib.seeds import seed_for
from scripts.lib.training.models import load_tokenizer, save_tokenizer
from scripts.lib.training.token_shards import SHARD_SEQUENCES, write_shard
from scripts.pretrain.external_shuffle import RankedDocument, TokenBuckets
from scripts.pretrain.packing import PACKINGS
from scripts.pretrain.pair_documents import Document, DocumentEncoder, batches, iter_ids, iter_pairs, table_name

# (language, variant, id, direction) -> position in the shuffled order
Ranks = dict[tuple[str, str, str, str], int]
# A function of a document's number of tokens: how many of them are in a training sequence.
Used = Callable[[int], int]
ALL = "all"


@dataclass
class Usage:
    """Token counts of one split, by language.

    used: tokens in training sequences. truncated: documents that lost tokens or a part of their
    module.
    lost: sum over documents of the shares of module text left out.
    """

    documents: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    truncated: Counter[str] = field(default_factory=Counter)
    lost: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    sequences: int = 0

    def add(self, language: str, document: RankedDocument, used: int) -> None:
        """Count one document, of whose tokens `used` are in a training sequence."""
        self.documents[language] += 1
        self.tokens[language] += len(document.ids)
        self.used[language] += used
        self.truncated[language] += used < len(document.ids) or document.lost > 0
        self.lost[language] += document.lost

    def rows(self, split: str, context: int, alone: bool) -> list[dict[str, Any]]:
        """One row per language and one for all.

        `useful_share` is the share of tokens among the computed positions: the language's own if
        each document has its own sequence (`alone`), else the overall one, since sequences mix
        languages. `lost_tokens` are cut off at the context; `lost_llvm` is the mean share of the
        modules' text that was left out before.
        """
        overall = self.used.total() / (self.sequences * context)
        counters = (self.documents, self.tokens, self.used, self.truncated)
        rows = []
        for name in [*sorted(self.documents), ALL]:
            documents, tokens, used, truncated = (c.total() if name == ALL else c[name] for c in counters)
            lost = sum(self.lost.values()) if name == ALL else self.lost[name]
            rows.append(
                {
                    "split": split,
                    "language": name,
                    "documents": documents,
                    "truncated_documents": truncated,
                    "lost_llvm": round(lost / documents, 6),
                    "tokens": tokens,
                    "lost_tokens": tokens - used,
                    "useful_share": round(used / (documents * context) if alone else overall, 6),
                }
            )
        return rows


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase, special_tokens: Sequence[str], pad_token: str | None
) -> PreTrainedTokenizerBase:
    """Add the special tokens that the tokenizer lacks, and the padding token if there is one."""
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special_tokens])
    if pad_token is not None:
        tokenizer.add_special_tokens({"pad_token": pad_token})
    return tokenizer


def document_ranks(paths: Sequence[str], split: str, directions: Sequence[str], limit: int | None, seed: int) -> Ranks:
    """The first `limit` documents of a split in the order that seed and names determine, with their
    ranks.
    """
    keys: list[tuple[str, str, str, str]] = []
    for path in sorted(paths):
        language, variant = table_name(path)
        keys.extend((language, variant, name, part) for name in iter_ids(path, split) for part in directions)
    keys.sort(key=lambda key: seed_for(seed, "documents", split, *key))
    return {key: rank for rank, key in enumerate(keys[:limit])}


def used_tokens(packing: str, context: int) -> Used:
    """How many tokens of a document a packing keeps; only `pad` cuts documents off."""
    return (lambda tokens: min(tokens, context)) if packing == "pad" else (lambda tokens: tokens)


def _truncation(document: Document, split: str, used: Used) -> list[dict[str, Any]]:
    """The row of a document that lost text; no row for another."""
    tokens, pair = len(document.ids), document.pair
    lost = {"tokens": tokens, "lost_tokens": tokens - used(tokens), "lost_llvm": round(document.lost, 6)}
    row = {"split": split, "language": pair.language, "variant": pair.variant, "id": pair.id}
    is_truncated = lost["lost_tokens"] > 0 or document.lost > 0
    return [{**row, "direction": document.direction, **lost}] if is_truncated else []


def _encode_into(
    buckets: TokenBuckets,
    encoder: DocumentEncoder,
    paths: Sequence[str],
    split: str,
    ranks: Ranks,
    truncated: TableWriter,
    used: Used,
) -> list[str]:
    """Encode the documents in `ranks` of all tables into buckets, and record those that lose text;
    return the languages in order of index.
    """
    languages = sorted({key[0] for key in ranks})
    wanted = defaultdict(set)
    for language, variant, name, _ in ranks:
        wanted[language, variant].add(name)
    for path in progress(sorted(paths), f"tokenising {split}"):
        for batch in batches(iter_pairs(path, split, wanted[table_name(path)])):
            rows: list[dict[str, Any]] = []
            for document in encoder.pair_documents(batch):
                pair = document.pair
                rank = ranks.get((pair.language, pair.variant, pair.id, document.direction))
                if rank is not None:
                    buckets.add(RankedDocument(rank, languages.index(pair.language), document.lost, document.ids))
                    rows += _truncation(document, split, used)
            truncated.write(rows)
    return languages


def _write_split(
    folder: Path, buckets: TokenBuckets, languages: list[str], packing: str, context: int, used: Used
) -> Usage:
    """Pack each bucket into one shard; return the token counts."""
    usage = Usage()
    folder.mkdir()
    for number, documents in enumerate(buckets.buckets()):
        for document in documents:
            usage.add(languages[document.language], document, used(len(document.ids)))
        sequences = list(PACKINGS[packing]((document.ids for document in documents), context))
        usage.sequences += len(sequences)
        write_shard(folder / f"{number:03}.safetensors", [Example(ids, 0) for ids in sequences])
    return usage


def write_tokens(
    paths: Sequence[str], tokenizer: PreTrainedTokenizerBase, output: Path, settings: dict[str, Any]
) -> None:
    """Write `train/` and `validation/` shards, `truncated.parquet` and `statistics.csv` into the
    folder `output`.

    Raises `InputError` if there is no training pair, or if the packing `pad` lacks a pad token.
    """
    if settings["packing"] == "pad" and tokenizer.pad_token is None:
        raise InputError("packing 'pad' needs a pad token; set `pad_token` for the model in config/models.yaml")
    encoder = DocumentEncoder(tokenizer, settings["templates"], settings["llvm_tokens"])
    packing, context = settings["packing"], settings["context"]
    used, rows = used_tokens(packing, context), []
    with TableWriter(output / "truncated.parquet", TRUNCATED_DOCUMENTS.schema) as truncated:
        for split in ("train", "validation"):
            limit = settings[f"{split}_documents"]
            ranks = document_ranks(paths, split, list(settings["templates"]), limit, settings["seed"])
            if not ranks and split == "train":
                raise InputError("no pair in the training split; add programs to the corpus or relax `pairs`")
            if not ranks:
                continue
            with TokenBuckets(output / f".{split}", SHARD_SEQUENCES) as buckets:
                languages = _encode_into(buckets, encoder, paths, split, ranks, truncated, used)
                usage = _write_split(output / split, buckets, languages, packing, context, used)
            (output / f".{split}").rmdir()
            rows.extend(usage.rows(split, context, packing == "pad"))
    write_csv(output / "statistics.csv", TOKEN_STATISTICS.names, rows)


if __name__ == "__main__":
    with job() as snakemake, atomic_directory(snakemake.output.tokenizer) as folder:
        params = snakemake.params
        extended = extend_tokenizer(load_tokenizer(snakemake.input.base), params.special_tokens, params.pad_token)
        save_tokenizer(extended, folder)
        with atomic_directory(snakemake.output.tokens) as tokens:
            write_tokens(snakemake.input.pairs, extended, tokens, params.settings)
