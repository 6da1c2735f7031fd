"""Three ways to pack tokenised documents into training sequences of at most `context` tokens.

Documents and sequences are arrays of token ids (int32).
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator

import numpy as np

Documents = Iterable[np.ndarray]


def concat(documents: Documents, context: int) -> Iterator[np.ndarray]:
    """Concatenate all documents and cut them every `context` tokens; the last sequence may be
    shorter.
    """
    waiting: list[np.ndarray] = []
    length = 0
    for document in documents:
        waiting.append(document)
        length += len(document)
        if length >= context:
            buffer = np.concatenate(waiting)
            full = length - length % context
            yield from (buffer[start : start + context] for start in range(0, full, context))
            waiting, length = [buffer[full:]], length - full
    if length:
        yield np.concatenate(waiting)


def pad(documents: Documents, context: int) -> Iterator[np.ndarray]:
    """One sequence per document, truncated to `context` tokens and padded later."""
    for document in documents:
        yield document[:context]


def best_fit(documents: Documents, context: int) -> Iterator[np.ndarray]:
    """Best-fit packing: no document is cut that fits into a sequence (Ding et al., 2024, arXiv
    2404.10830).

    Longer documents are first cut into pieces of `context` tokens. Pieces are assigned from the
    longest to the shortest, each to the fullest sequence with enough room. Holds all documents in
    memory.
    """
    pieces = [document[start : start + context] for document in documents for start in range(0, len(document), context)]
    pieces.sort(key=len, reverse=True)
    bins: list[list[np.ndarray]] = []
    rooms: list[tuple[int, int]] = []
    for piece in pieces:
        position = bisect_left(rooms, (len(piece), -1))
        if position == len(rooms):
            bins.append([piece])
            room, index = context - len(piece), len(bins) - 1
        else:
            room, index = rooms.pop(position)
            bins[index].append(piece)
            room -= len(piece)
        if room:
            insort(rooms, (room, index))
    yield from map(np.concatenate, bins)


PACKINGS: dict[str, Callable[[Documents, int], Iterator[np.ndarray]]] = {
    "concat": concat,
    "best_fit": best_fit,
    "pad": pad,
}
