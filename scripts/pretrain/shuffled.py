"""Pairs of a source with the module of another program, as a placebo."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from scripts.lib.seeds import seed_for
from scripts.pretrain.pair_documents import PairText


def shuffled(pairs: Iterable[PairText], split: str, seed: int) -> Iterator[PairText]:
    """Pairs of a split, each with the module of the next one of its language and variant, in the
    order that seed and ids determine; the last has that of the first.

    pairs: sorted by language and variant; those of one language and variant are in memory together.
    A pair that is alone in its group has no other module and is left out.
    """
    for (language, variant), group in groupby(pairs, lambda pair: (pair.language, pair.variant)):
        members = list(group)
        order = sorted(members, key=lambda pair: seed_for(seed, "shuffled", language, variant, split, pair.id))
        following = dict(zip((pair.id for pair in order), [*order[1:], *order[:1]], strict=True))
        if len(members) > 1:
            yield from (replace(pair, llvm=following[pair.id].llvm) for pair in members)
