"""Which pairs models are trained and measured on: determined by seed, settings and ids of rows."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from scripts.lib.schemas.pairs import Split
from scripts.lib.schemas.training import PLAIN_SOURCE
from scripts.lib.seeds import seed_for

# Language, variant and id of a pair.
PairKey = tuple[str, str, str]
# The same and a direction: a key of `pretrain.templates`.
DocumentKey = tuple[str, str, str, str]
# Pairs of a split by its name.
PairsOf = Callable[[str], Iterable[PairKey]]
# Chosen pairs by split; None for all pairs of the split.
Choice = dict[str, frozenset[PairKey] | None]
T = TypeVar("T")


def _first(keys: Iterable[T], limit: int | None, rank: Callable[[T], int]) -> list[T]:
    """The first `limit` keys in the order of `rank`; None for all. Memory holds no others."""
    return sorted(keys, key=rank) if limit is None else heapq.nsmallest(limit, keys, key=rank)


def draw_documents(
    pairs: Iterable[PairKey], split: str, directions: Sequence[str], limit: int | None, seed: int
) -> list[DocumentKey]:
    """The first `limit` documents of a split in the order that seed and names determine.

    The pairs of the drawn documents are enough to draw the same documents again.
    """
    keys = ((*pair, direction) for pair in pairs for direction in directions)
    return _first(keys, limit, lambda key: seed_for(seed, "documents", split, *key))


def draw_sources(ids: Iterable[str], limit: int | None, seed: int) -> list[str]:
    """The first `limit` ids of sources, each once, in the order that seed and id determine."""
    return _first(sorted(set(ids)), limit, lambda name: seed_for(seed, "sources", name))


def draw_losses(language: str, ids: Iterable[str], limit: int | None, seed: int) -> frozenset[str]:
    """At most `limit` of a language's ids, the first in the order that seed and id determine."""
    return frozenset(_first(sorted(set(ids)), limit, lambda name: seed_for(seed, "losses", language, name)))


def first_variants(pairs: Iterable[PairKey]) -> Iterator[PairKey]:
    """Pairs, each program of a language once, with its first variant."""
    seen: set[tuple[str, str]] = set()
    for language, variant, name in pairs:
        if (language, name) not in seen:
            seen.add((language, name))
            yield language, variant, name


def choose_documents(pairs_of: PairsOf, settings: Mapping[str, Any]) -> Choice:
    """Pairs of the documents for training and for the validation loss during training.

    `settings` has seed, directions, train_documents and validation_documents. Documents of plain
    source need each program once.
    """
    is_source = list(settings["directions"]) == [PLAIN_SOURCE]
    choice: Choice = {}
    for split in (Split.TRAIN, Split.VALIDATION):
        limit = settings[f"{split}_documents"]
        pairs = first_variants(pairs_of(split)) if is_source else pairs_of(split)
        drawn = draw_documents(pairs, split, settings["directions"], limit, settings["seed"]) if limit else []
        choice[split] = frozenset(key[:3] for key in drawn) if limit else None
    return choice


def choose_losses(pairs_of: PairsOf, settings: Mapping[str, Any]) -> Choice:
    """Pairs of the documents whose losses are compared: as many of each language and variant.

    `settings` has seed and loss_documents.
    """
    if settings["loss_documents"] is None:
        return {Split.VALIDATION: None}
    ids: dict[tuple[str, str], list[str]] = defaultdict(list)
    for language, variant, name in pairs_of(Split.VALIDATION):
        ids[language, variant].append(name)
    return {
        Split.VALIDATION: frozenset(
            (language, variant, name)
            for (language, variant), names in ids.items()
            for name in draw_losses(language, names, settings["loss_documents"], settings["seed"])
        )
    }


CHOICES: dict[str, Callable[[PairsOf, Mapping[str, Any]], Choice]] = {
    "documents": choose_documents,
    "losses": choose_losses,
}
