"""Markdown tables."""

from collections.abc import Collection, Sequence


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = (), aligned: bool = False
) -> list[str]:
    """Lines of a Markdown table.

    header, rows: cells as Markdown; texts from elsewhere must be escaped (`scripts.lib.escape`).
    right: indices of the columns that are aligned right.
    aligned: whether cells are padded, so that columns also line up in the text.
    """
    table = [list(header), *map(list, rows)]
    columns = range(len(header))
    widths = [max(len(line[index]) for line in table) if aligned else 3 for index in columns]
    rule = ["-" * width + ":" if index in right else "-" * width for index, width in enumerate(widths)]
    if aligned:
        sides = [str.rjust if index in right else str.ljust for index in columns]
        table = [[sides[index](line[index], widths[index]) for index in columns] for line in table]
        rule = [mark[-width:] for mark, width in zip(rule, widths, strict=True)]
    return [_line(line) for line in (table[0], rule, *table[1:])]
