"""Frontends of which nothing compiles, seen from the outcome rows of a shard."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.lib.schemas.ir import CompileStatus

# Columns of the outcome tables that are looked at.
COLUMNS = ["language", "variant", "status", "compiler", "command", "diagnostics"]
# With fewer programs, it may be the programs.
FEWEST = 10


class Shard:
    """Counts a shard's outcome rows, one by one; what a program's frontend was not run for does not
    count.
    """

    def __init__(self) -> None:
        self._programs: Counter = Counter()
        self._compiled: Counter = Counter()
        self._messages: dict[tuple[str, str, str], Counter] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row, of which `COLUMNS` are looked at."""
        if row.get("command"):
            key = (row["language"], row["variant"], row["compiler"])
            self._programs[key] += 1
            self._compiled[key] += row["status"] == CompileStatus.OK
            if row["status"] != CompileStatus.OK:
                self._messages.setdefault(key, Counter())[f"{row['status']}: {row['diagnostics']}"] += 1

    def failing(self) -> list[str]:
        """A line for each language, variant and compiler of which nothing of at least `FEWEST`
        programs compiled.
        """
        return [
            f"{language}, {variant}: none of {count} programs compiled with {compiler}; most often "
            f"{self._messages[language, variant, compiler].most_common(1)[0][0]}"
            for (language, variant, compiler), count in sorted(self._programs.items())
            if count >= FEWEST and not self._compiled[language, variant, compiler]
        ]


def failing_frontends(shards: Iterable[Iterable[Mapping[str, Any]]]) -> list[str]:
    """The lines of `Shard.failing` of some shards' rows, equal ones once."""
    lines: list[str] = []
    for rows in shards:
        shard = Shard()
        for row in rows:
            shard.add(row)
        lines += shard.failing()
    return list(dict.fromkeys(lines))
