"""Three ways to pack tokenised documents into training sequences of at most `context` tokens."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator

Documents = Iterable[list[int]]


def concat(documents: Documents, context: int) -> Iterator[list[int]]:
    """Concatenate all documents and cut them every `context` tokens; the last sequence may be
    shorter.
    """
    buffer: list[int] = []
    for document in documents:
        buffer.extend(document)
        full = len(buffer) - len(buffer) % context
        for start in range(0, full, context):
            yield buffer[start : start + context]
        del buffer[:full]
    if buffer:
        yield buffer


def pad(documents: Documents, context: int) -> Iterator[list[int]]:
    """One sequence per document, truncated to `context` tokens and padded later."""
    for document in documents:
        yield document[:context]


def best_fit(documents: Documents, context: int) -> Iterator[list[int]]:
    """Best-fit packing: no document is cut that fits into a sequence (Ding et al., 2024, arXiv
    2404.10830).

    Longer documents are first cut into pieces of `context` tokens. Pieces are assigned from the
    longest to the shortest, each to the fullest sequence with enough room. Holds all documents in
    memory.
    """
    pieces = [document[start : start + context] for document in documents for start in range(0, len(document), context)]
    pieces.sort(key=len, reverse=True)
    bins: list[list[int]] = []
    rooms: list[tuple[int, int]] = []
    for piece in pieces:
        position = bisect_left(rooms, (len(piece), -1))
        if position == len(rooms):
            bins.append(list(piece))
            room, index = context - len(piece), len(bins) - 1
        else:
            room, index = rooms.pop(position)
            bins[index].extend(piece)
            room -= len(piece)
        if room:
            insort(rooms, (room, index))
    yield from bins


PACKINGS: dict[str, Callable[[Documents, int], Iterator[list[int]]]] = {
    "concat": concat,
    "best_fit": best_fit,
    "pad": pad,
}
