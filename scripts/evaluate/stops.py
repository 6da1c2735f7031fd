"""Where a completion ends: at the first stop sequence, or where the braces of its function balance."""

from dataclasses import dataclass

END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True)
class Stop:
    """What ends a completion: the earliest of `words`, none of which is kept; with `braces` also the closing brace.

    The prompt has left one brace open; the brace that closes it is kept. Braces count wherever they stand, as in the
    original harness, in comments and texts too.
    """

    words: tuple[str, ...] = ()
    braces: bool = False

    def position(self, text: str) -> int | None:
        """Length of the part of `text` that belongs to the completion; None when it has not ended."""
        ends = [found for word in self.words if (found := text.find(word)) >= 0]
        closed = balanced_length(text) if self.braces else None
        if closed is not None:
            ends.append(closed)
        return min(ends, default=None)

    def cut(self, text: str) -> str:
        """The part of `text` that belongs to the completion."""
        return text[: self.position(text)]


def balanced_length(text: str, opened: int = 1) -> int | None:
    """Length of `text` up to the brace that closes `opened` open ones, included; None when they stay open."""
    for position, character in enumerate(text):
        if character == "{":
            opened += 1
        elif character == "}":
            opened -= 1
            if opened == 0:
                return position + 1
    return None
