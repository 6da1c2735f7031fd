"""Summarises the outcomes of compiling in the ledgers: counts by status, compilers, and failures."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.failing_frontends import failing_frontends
from scripts.lib.ledger import counted, tables
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.ledger import Outcome

# Number of failures listed for each language and status; the ledgers have all of them.
NAMED = 20
_FAILED = [str(outcome) for outcome in Outcome if outcome.status not in (CompileStatus.OK, None)]
# Outcomes of programs for which no frontend was run.
_NOT_RUN = (Outcome.DUPLICATE, Outcome.REJECTED, Outcome.NO_TOOLCHAIN)


def statuses(ledger: str) -> Counter[tuple[str, str]]:
    """Number of programs of a ledger by variant and status of compilation."""
    counts: Counter[tuple[str, str]] = Counter()
    for (variant, outcome), count in counted(ledger, ["variant", "outcome"]).items():
        status = Outcome(outcome).status
        if status is not None:
            counts[variant, str(status)] += count
    return counts


def compilers(ledgers: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Compilers by language, each with its version of LLVM; `ledgers` has the ledger of each
    language.
    """
    versions = {language: counted(path, ["compiler", "llvm"]) for language, path in ledgers.items()}
    return {
        language: [
            {"compiler": compiler, "llvm": llvm}
            for compiler, llvm in sorted((compiler, llvm or "") for compiler, llvm in keys if compiler)
        ]
        for language, keys in sorted(versions.items())
        if any(compiler for compiler, _ in keys)
    }


def first_failures(ledger: str) -> dict[str, list[dict[str, Any]]]:
    """The first `NAMED` failures of each status in a ledger, in its order."""
    failures: dict[str, list[dict[str, Any]]] = {}
    for table in tables(ledger, ["path", "id", "variant", "outcome", "detail"]):
        for outcome in _FAILED:
            listed = failures.setdefault(str(Outcome(outcome).status), [])
            if len(listed) < NAMED:
                listed += (
                    table.filter(pc.equal(table["outcome"], pa.scalar(outcome)))
                    .slice(0, NAMED - len(listed))
                    .to_pylist()
                )
    return failures


def preparation(ledger: str) -> dict[str, int]:
    """The gain from rewriting programs for the compiler; empty where none was rewritten.

    `programs` were compiled and `rewritten` of them were rewritten; the frontend accepts `before` of
    them in their original form and `after` in the rewritten one. All are of the variant in which
    the original form was compiled as well.
    """
    counts: dict[str, Counter[str]] = {}
    for (variant, word, original), count in counted(ledger, ["variant", "outcome", "unprepared"]).items():
        status = Outcome(word).status
        if status is not None:
            of_variant = counts.setdefault(variant, Counter())
            of_variant["programs"] += count * (status != CompileStatus.REJECTED_SOURCE)
            of_variant["rewritten"] += count * (original is not None)
            of_variant["before"] += count * ((original or status) == CompileStatus.OK)
            of_variant["after"] += count * (status == CompileStatus.OK)
    return next((dict(of_variant) for of_variant in counts.values() if of_variant["rewritten"]), {})


def _shards(ledger: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The outcome rows of each shard, with the columns that `failing_frontends` reads."""
    columns = ["language", "variant", "shard", "outcome", "compiler", "detail"]
    rows = (row for table in tables(ledger, columns) for row in table.to_pylist())
    run = (row for row in rows if row["outcome"] not in _NOT_RUN)
    for _, shard in groupby(run, itemgetter("shard")):
        yield (
            {**row, "status": Outcome(row["outcome"]).status, "command": row["compiler"], "diagnostics": row["detail"]}
            for row in shard
        )


def outcomes(ledgers: dict[str, str]) -> dict[str, Any]:
    """What the report says of compilation: `counts`, `compilers`, `preparation`, `failures` and
    `failing_frontends`; `ledgers` has the ledger of each language.

    `failures` lists at most `NAMED` for each language and status; `failing_frontends` has a line for
    each frontend with which nothing compiled in a shard.
    """
    named = sorted(ledgers.items())
    gains = {language: preparation(path) for language, path in named}
    return {
        "counts": [
            {"language": language, "variant": variant, "status": status, "count": count}
            for language, path in named
            for (variant, status), count in sorted(statuses(path).items())
        ],
        "compilers": compilers(ledgers),
        "preparation": [{"language": language, **gain} for language, gain in gains.items() if gain],
        "failing_frontends": [line for _, path in named for line in failing_frontends(_shards(path))],
        "failures": [
            {"language": language, "status": status, "message": row["detail"], **row}
            for language, path in named
            for status, rows in sorted(first_failures(path).items())
            for row in rows
        ],
    }
