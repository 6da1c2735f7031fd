"""Find frontends that compile no program of a shard, from its outcome rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.lib.schemas.ir import CompileStatus

# Columns of the outcome tables that are read.
COLUMNS = ["language", "variant", "status", "compiler", "command", "diagnostics"]
# With fewer programs, the programs themselves may be the reason.
MIN_PROGRAMS = 10


class Shard:
    """Counts a shard's outcome rows; rows for which no frontend was run are ignored."""

    def __init__(self) -> None:
        self._programs: Counter[tuple[str, str, str]] = Counter()
        self._compiled: Counter[tuple[str, str, str]] = Counter()
        self._messages: dict[tuple[str, str, str], Counter[str]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row, which has at least the columns `COLUMNS`."""
        if row.get("command"):
            key = (row["language"], row["variant"], row["compiler"])
            self._programs[key] += 1
            self._compiled[key] += row["status"] == CompileStatus.OK
            if row["status"] != CompileStatus.OK:
                self._messages.setdefault(key, Counter())[f"{row['status']}: {row['diagnostics']}"] += 1

    def failing(self) -> list[str]:
        """A line for each language, variant and compiler that compiled none of at least
        `MIN_PROGRAMS` programs.
        """
        return [
            f"{language}, {variant}: none of {count} programs compiled with {compiler}; most often "
            f"{self._messages[language, variant, compiler].most_common(1)[0][0]}"
            for (language, variant, compiler), count in sorted(self._programs.items())
            if count >= MIN_PROGRAMS and not self._compiled[language, variant, compiler]
        ]


def failing_frontends(shards: Iterable[Iterable[Mapping[str, Any]]]) -> list[str]:
    """The lines of `Shard.failing` for the rows of some shards, without duplicates."""
    lines: list[str] = []
    for rows in shards:
        shard = Shard()
        for row in rows:
            shard.add(row)
        lines += shard.failing()
    return list(dict.fromkeys(lines))
