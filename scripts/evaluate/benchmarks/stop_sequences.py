"""Where a completion ends: at a stop sequence, or at the end of the block that its prompt opens."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """What ends a completion: the earliest stop sequence, or an earlier end of the prompt's block.

    sequences: the stop sequences, which are not part of the completion.
    braces: the prompt leaves one brace open, and the brace that closes it is the last character of
        the completion. Every brace counts, also in comments and strings, as in the original
        harness.
    indented: the completion ends before the first line that is not blank and starts with neither a
        blank nor a tab.
    """

    sequences: tuple[str, ...] = ()
    braces: bool = False
    indented: bool = False

    def position(self, text: str) -> int | None:
        """Length of `text` up to the end of the completion; None when it has not ended yet."""
        ends = [index for sequence in self.sequences if (index := text.find(sequence)) >= 0]
        end = min(ends, default=None)
        # Only the text before a stop sequence is searched for the end of the block, so that the
        # sequence does not count as the start of a line.
        block = self._block(text[:end])
        return end if block is None else block

    def may_end_within(self, tail: str) -> bool:
        """Whether a text with this tail may have ended within the tail.

        It is a quick test that engines make before they call `position`.
        """
        if any(sequence in tail for sequence in self.sequences) or (self.braces and "}" in tail):
            return True
        # The first line of the tail may have started before the tail.
        return self.indented and indented_length(tail.partition("\n")[2]) is not None

    def _block(self, text: str) -> int | None:
        """Length of the prompt's block; None when it is not closed, or blocks do not count."""
        if self.braces:
            return balanced_length(text)
        return indented_length(text) if self.indented else None

    def cut(self, text: str) -> str:
        """The part of `text`, a finished completion, that the protocol evaluates.

        Where blocks count, blanks at the end of `text` are removed first, and where the braces of a
        block never balance, the text after the last closing brace is removed. Text without any
        closing brace stays as it is.
        """
        if self.braces or self.indented:
            text = text.rstrip()
        completion = text[: self.position(text)]
        if self.braces and balanced_length(completion) is None and "}" in completion:
            return completion[: completion.rindex("}") + 1]
        return completion


def balanced_length(text: str, opened: int = 1) -> int | None:
    """Length of `text` up to and including the brace that closes `opened` open ones, else None."""
    for index, character in enumerate(text):
        if character == "{":
            opened += 1
        elif character == "}":
            opened -= 1
            if opened == 0:
                return index + 1
    return None


def indented_length(text: str) -> int | None:
    """Length of `text` before its first line that is not blank and not indented, else None.

    The line break before that line is not part of the length. Lines end at line feeds only.
    """
    start = 0
    for line in text.split("\n"):
        if line.strip() and line[0] not in " \t":
            return max(0, start - 1)
        start += len(line) + 1
    return None
