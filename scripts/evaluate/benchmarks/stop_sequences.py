"""Where a completion ends: at a stop sequence, or where the block that its prompt has opened is closed."""

from dataclasses import dataclass

END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True)
class Stop:
    """What ends a completion: the earliest of `words`, which is not kept, or before it the end of the prompt's block.

    braces: the prompt has left one brace open; the brace that closes it is kept and ends the completion. Every brace
        counts, also in comments and strings, as in the original harness.
    indented: the first line that is not blank and starts with neither a blank nor a tab ends the completion and is
        not kept.
    """

    words: tuple[str, ...] = ()
    braces: bool = False
    indented: bool = False

    def position(self, text: str) -> int | None:
        """Length of the part of `text` before its end; None when nothing has ended it, so that more may follow."""
        ends = [index for word in self.words if (index := text.find(word)) >= 0]
        end = min(ends, default=None)
        # Blocks are looked for in what the stop sequences leave, so that a sequence does not count as a line's start.
        block = self._block(text[:end])
        return end if block is None else block

    def may_end_within(self, tail: str) -> bool:
        """Whether a text with this tail may have ended within it; a quick test that engines make before `position`."""
        if any(word in tail for word in self.words) or (self.braces and "}" in tail):
            return True
        # The first line of the tail may have begun before it.
        return self.indented and indented_length(tail.partition("\n")[2]) is not None

    def _block(self, text: str) -> int | None:
        """Length of the prompt's block; None when it is not closed, or blocks do not count."""
        if self.braces:
            return balanced_length(text)
        return indented_length(text) if self.indented else None

    def cut(self, text: str) -> str:
        """What the protocol keeps of `text`, a finished completion.

        Where blocks count, blanks at the end of `text` do not, and of a block whose braces never balance everything
        after its last closing brace is dropped. Braces without any closing one leave the text as it is.
        """
        if self.braces or self.indented:
            text = text.rstrip()
        kept = text[: self.position(text)]
        if self.braces and balanced_length(kept) is None and "}" in kept:
            return kept[: kept.rindex("}") + 1]
        return kept


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


def indented_length(text: str) -> int | None:
    """Length of `text` before its first line that is not blank and not indented; None when there is no such line.

    The line break before that line is not part of the length. Lines end at line feeds only.
    """
    start = 0
    for line in text.split("\n"):
        if line.strip() and line[0] not in " \t":
            return max(0, start - 1)
        start += len(line) + 1
    return None
