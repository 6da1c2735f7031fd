"""Give a tokenizer the new tokens, and cut the pairs of all languages into training sequences with it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import AddedToken, PreTrainedTokenizerBase

from scripts.lib.csv_files import write_csv
from scripts.lib.files import atomic_directory
from scripts.lib.job import InputError, job, progress
from scripts.lib.prompts import Example
from scripts.lib.schemas.training import TOKEN_STATISTICS
from scripts.lib.seeds import seed_for
from scripts.lib.training.models import load_tokenizer, save_tokenizer
from scripts.lib.training.token_shards import SHARD_SEQUENCES, write_shard
from scripts.pretrain.external_shuffle import RankedDocument, TokenSpill
from scripts.pretrain.packing import PACKINGS
from scripts.pretrain.pair_documents import DocumentEncoder, batches, iter_ids, iter_pairs, table_name

# (language, variant, id, direction) -> place in the shuffled order
Ranks = dict[tuple[str, str, str, str], int]
ALL = "all"


@dataclass
class Usage:
    """Where the tokens of one split went; counters by language."""

    documents: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    truncated: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    sequences: int = 0

    def add(self, language: str, document: RankedDocument, kept: int) -> None:
        """Count one document, of whose tokens `kept` are trained on."""
        self.documents[language] += 1
        self.tokens[language] += len(document.ids)
        self.kept[language] += kept
        self.truncated[language] += kept < len(document.ids) or document.lost > 0
        self.lost[language] += document.lost

    def rows(self, split: str, context: int, alone: bool) -> list[dict[str, Any]]:
        """A row for each language and one for all.

        `useful_share` is the share of tokens among the positions computed. Where each document has sequences of its own
        (`alone`) that is the language's own share; else sequences mix languages and it is the share over all.
        `lost_tokens` are cut off at the context; `lost_llvm` is the mean share of the modules' text left out before.
        """
        overall = self.kept.total() / (self.sequences * context)
        counters = (self.documents, self.tokens, self.kept, self.truncated, self.lost)
        rows = []
        for name in [*sorted(self.documents), ALL]:
            documents, tokens, kept, truncated, lost = (c.total() if name == ALL else c[name] for c in counters)
            rows.append(
                {
                    "split": split,
                    "language": name,
                    "documents": documents,
                    "truncated_documents": truncated,
                    "lost_llvm": round(lost / documents, 6),
                    "tokens": tokens,
                    "lost_tokens": tokens - kept,
                    "useful_share": round(kept / (documents * context) if alone else overall, 6),
                }
            )
        return rows


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase, special_tokens: Sequence[str], pad_token: str | None
) -> PreTrainedTokenizerBase:
    """Add the special tokens that the tokenizer lacks, and the one for padding."""
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special_tokens])
    if pad_token is not None:
        tokenizer.add_special_tokens({"pad_token": pad_token})
    return tokenizer


def choose(paths: Sequence[str], split: str, directions: Sequence[str], limit: int | None, seed: int) -> Ranks:
    """The first `limit` documents of a split in the order that seed and names give, and the place of each."""
    keys = []
    for path in sorted(paths):
        language, variant = table_name(path)
        keys.extend((language, variant, name, part) for name in iter_ids(path, split) for part in directions)
    keys.sort(key=lambda key: seed_for(seed, "documents", split, *key))
    return {key: rank for rank, key in enumerate(keys[:limit])}


def _spill(encoder: DocumentEncoder, paths: Sequence[str], split: str, ranks: Ranks, spill: TokenSpill) -> list[str]:
    """Encode the chosen documents of all tables into `spill`; return the languages by their numbers."""
    languages = sorted({key[0] for key in ranks})
    wanted = defaultdict(set)
    for language, variant, name, _ in ranks:
        wanted[language, variant].add(name)
    for path in progress(sorted(paths), f"tokenising {split}"):
        for batch in batches(iter_pairs(path, split, wanted[table_name(path)])):
            for document in encoder.pair_documents(batch):
                pair = document.pair
                rank = ranks.get((pair.language, pair.variant, pair.id, document.direction))
                if rank is not None:
                    spill.add(RankedDocument(rank, languages.index(pair.language), document.lost, document.ids))
    return languages


def _write_split(folder: Path, spill: TokenSpill, languages: list[str], packing: str, context: int) -> Usage:
    """Pack each bucket into a shard of its own."""
    usage = Usage()
    folder.mkdir()
    for number, documents in enumerate(spill.buckets()):
        for document in documents:
            kept = min(len(document.ids), context) if packing == "pad" else len(document.ids)
            usage.add(languages[document.language], document, kept)
        sequences = list(PACKINGS[packing]((document.ids for document in documents), context))
        usage.sequences += len(sequences)
        write_shard(folder / f"{number:03}.safetensors", [Example(ids, 0) for ids in sequences])
    return usage


def write_tokens(
    paths: Sequence[str], tokenizer: PreTrainedTokenizerBase, output: Path, settings: dict[str, Any]
) -> None:
    """Write `train/` and `validation/` shards and `statistics.csv` into the folder `output`.

    Raises `InputError` when there is no training pair, or when padding is asked of a tokenizer without a pad token.
    """
    if settings["packing"] == "pad" and tokenizer.pad_token is None:
        raise InputError("packing 'pad' needs a pad token; set `pad_token` for the model in config/models.yaml")
    encoder = DocumentEncoder(tokenizer, settings["templates"], settings["llvm_tokens"])
    rows = []
    for split in ("train", "validation"):
        limit = settings[f"{split}_documents"]
        ranks = choose(paths, split, list(settings["templates"]), limit, settings["seed"])
        if not ranks and split == "train":
            raise InputError("no pair in the training split; give the corpus more programs or relax `pairs`")
        if not ranks:
            continue
        with TokenSpill(output / f".{split}", SHARD_SEQUENCES) as spill:
            languages = _spill(encoder, paths, split, ranks, spill)
            usage = _write_split(output / split, spill, languages, settings["packing"], settings["context"])
        (output / f".{split}").rmdir()
        rows.extend(usage.rows(split, settings["context"], settings["packing"] == "pad"))
    write_csv(output / "statistics.csv", TOKEN_STATISTICS.names, rows)


if __name__ == "__main__":
    with job() as snakemake, atomic_directory(snakemake.output.tokenizer) as folder:
        params = snakemake.params
        extended = extend_tokenizer(load_tokenizer(snakemake.input.base), params.special_tokens, params.pad_token)
        save_tokenizer(extended, folder)
        with atomic_directory(snakemake.output.tokens) as tokens:
            write_tokens(snakemake.input.pairs, extended, tokens, params.settings)
