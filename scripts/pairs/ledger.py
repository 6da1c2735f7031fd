"""Rows of the ledger: what became of a source in a variant, and why."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from scripts.lib.parquet import iter_rows
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.ledger import Outcome
from scripts.lib.schemas.pairs import Split
from scripts.pairs.contamination import Match
from scripts.pairs.outcomes import Language, RepresentativePaths

Entry = dict[str, Any]
# Characters of a compiler's error or of an n-gram; both may be as long as a program.
_LONGEST = 500


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def first_line(message: str | None) -> str:
    """The first line of a compiler's message that is not blank."""
    return _shortened(next((line.strip() for line in (message or "").splitlines() if line.strip()), ""))


def base_entry(row: dict[str, Any], source: dict[str, Any], shard: str) -> Entry:
    """What the ledger has of every program: `row` is that of the IR table, `source` that of the
    sources.
    """
    about = {name: row[name] or None for name in ("compiler", "llvm", "unprepared")}
    named = {name: row[name] for name in ("id", "language", "variant")}
    return {**named, **about, "path": source["path"], "license": source["license"], "shard": shard, "detail": ""}


def failed(row: dict[str, Any], source: dict[str, Any]) -> Entry:
    """Outcome and detail of a program without a module."""
    if row["status"] == CompileStatus.REJECTED_SOURCE:
        return {"outcome": Outcome.REJECTED, "detail": source["rejected"] or first_line(row["diagnostics"])}
    return {"outcome": Outcome(row["status"]), "detail": first_line(row["diagnostics"])}


def near_duplicate(language: Language, paths: RepresentativePaths, index: int, representative: int) -> Entry:
    """Outcome and detail of a program that another one represents in a variant."""
    kept, similarity = int(language.kept[index]), float(language.similarity[index])
    entry: Entry = {"outcome": Outcome.NEAR_DUPLICATE, "kept": language.name(representative), "similarity": None}
    path = paths.of(representative)
    if math.isnan(similarity):
        return {**entry, "detail": f"{path}; not compared"}
    if kept == representative:
        return {**entry, "detail": f"{path}; similarity {similarity:.3f}", "similarity": similarity}
    # The similarity to the cluster's representative is known, but that one has no module here.
    if kept == index:
        return {**entry, "detail": f"{path}; same cluster"}
    return {**entry, "detail": f"{path}; same cluster, similarity {similarity:.3f} to {language.name(kept)}"}


def contaminated(matches: Iterable[Match]) -> Entry:
    """Outcome and detail of a program that shares text with benchmark problems."""
    problems = [
        f'{match.benchmark} {match.problem}: {match.ngrams} n-grams in its {match.parts}, such as "{match.text}"'
        for match in matches
    ]
    return {"outcome": Outcome.CONTAMINATED, "detail": "; ".join(map(_shortened, problems))}


def filtered(length: str, lengths: dict[str, int], limit: int) -> Entry:
    """Outcome and detail of a program of which one length exceeds its limit."""
    detail = f"{length} {lengths[length]}, at most {limit}"
    return {"outcome": Outcome.FILTERED, "detail": detail, "exceeded": length, **lengths}


def paired(split: Split, lengths: dict[str, int]) -> Entry:
    """Outcome of a program that is in the data set."""
    return {"outcome": Outcome.PAIR, "split": split, **lengths}


def duplicates(aliases: str, language: str, variants: list[str]) -> Iterator[Entry]:
    """Rows of the exact duplicates in the table `aliases`, one for each variant."""
    for row in iter_rows(aliases, batch_size=4096):
        for variant in variants:
            named = {"path": row["path"], "id": row["kept_id"], "language": language, "variant": variant}
            kept = {"detail": row["kept_path"], "kept": row["kept_id"], "similarity": 1.0}
            yield {**named, "outcome": Outcome.DUPLICATE, **kept}
