"""Outcome rows of a shard of a corpus that has modules: the table that compilation writes, without
a compiler.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from scripts.lib.failing_frontends import Shard
from scripts.lib.files import sha256_text
from scripts.lib.job import job
from scripts.lib.llvm import READER, InvalidIRError, verified
from scripts.lib.parquet import iter_rows, read_table, write_table
from scripts.lib.sandbox.isolation import IsolationError, close_isolation, isolated
from scripts.lib.sandbox.supervise import Limits
from scripts.lib.schemas.ir import IR, CompileStatus
from scripts.sources.external_sort import SortedRuns
from scripts.sources.modules import module_tables, open_modules

_LONGEST = 400
_NO_MODULE = "no module came with the program in this variant"
# Rows with modules in memory as Python texts.
_BATCH = 32


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """The limits of one compiler command, for reading one module."""
    return Limits(**{name: settings[name] for name in ("wall_seconds", "cpu_seconds", "memory_mb")})


def outcome(source: dict[str, Any], module: str | None, parts: list[str], limits: Limits) -> dict[str, Any]:
    """Status, diagnostics and IR of a program in one variant; `module` is that of the corpus, or
    None.
    """
    if source["rejected"] is not None:
        return {"status": CompileStatus.REJECTED_SOURCE, "diagnostics": source["rejected"]}
    if module is None:
        return {"status": CompileStatus.COMPILE_ERROR, "diagnostics": _NO_MODULE}
    try:
        text = isolated(verified, module, parts, limits=limits)
    except InvalidIRError as error:
        return {"status": CompileStatus.INVALID_IR, "diagnostics": str(error)[:_LONGEST]}
    except IsolationError as error:
        # A crash of the reader is attributed to the module.
        status = CompileStatus.INVALID_IR if error.status == "crashed" else CompileStatus(error.status)
        return {"status": status, "diagnostics": str(error)[:_LONGEST]}
    return {"status": CompileStatus.OK, "diagnostics": "", "ir": text, "ir_sha256": sha256_text(text)}


def modules_of(runs: SortedRuns, first: str, last: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Id and modules by variant of each program that has any, in order of id: of the programs whose
    hashes are from `first` to `last`, and of some others.
    """
    batches = (batch for table in module_tables(runs, first, last) for batch in table.to_batches(_BATCH))
    rows = (row for batch in batches for row in batch.to_pylist())
    for name, group in groupby(rows, key=itemgetter("id")):
        yield name, {row["variant"]: row["ir"] for row in group}


def modules_by_source(sources: str, modules: str) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Each row of a table of sources with its modules by variant; both are read once, in parallel."""
    hashes = cast(list[str], read_table(sources, ["source_sha256"])["source_sha256"].to_pylist())
    if not hashes:
        return
    with open_modules(Path(modules)) as runs:
        groups = modules_of(runs, hashes[0], hashes[-1])
        following = next(groups, None)
        for source in iter_rows(sources, ["id", "language", "source_sha256", "rejected"]):
            while following is not None and following[0] < source["id"]:
                following = next(groups, None)
            yield source, following[1] if following is not None and following[0] == source["id"] else {}


def outcomes(sources: str, modules: str, variants: list[str], settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each source and variant, in order of id."""
    limits = limits_of(settings["limits"])
    for source, own in modules_by_source(sources, modules):
        for variant in variants:
            # Without a list for each variant, the modules have the variant "".
            module = own.get(variant, own.get(""))
            result = {"ir": None, "ir_sha256": None, **outcome(source, module, settings["parts"], limits)}
            program = {name: source[name] for name in ("id", "language", "source_sha256")}
            tools = {"compiler": settings["origin"], "llvm": READER, "command": "", "seconds": 0.0}
            yield {**program, "variant": variant, **tools, **result, "rewrites": [], "unprepared": None}


def reported(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The outcome rows; afterwards, a line in the log for each variant of which no module is usable."""
    shard, missing, given = Shard(), Counter[tuple[str, str]](), set[tuple[str, str]]()
    for row in rows:
        key = row["language"], row["variant"]
        if row["diagnostics"] == _NO_MODULE:
            missing[key] += 1
        elif row["status"] != CompileStatus.REJECTED_SOURCE:
            given.add(key)
        # No command was run; the modules are counted like a compiler.
        is_read = row["status"] != CompileStatus.REJECTED_SOURCE
        shard.add({**row, "command": is_read, "compiler": "the modules of the corpus"})
        yield row
    for line in shard.failing():
        logging.error("%s", line)
    for language, variant in sorted(missing.keys() - given):
        count = missing[language, variant]
        problem = f"{language}, {variant}: none of the {count} programs of this shard came with a module"
        logging.warning("%s; check corpus.files, corpus.splits and corpus.columns", problem)


if __name__ == "__main__":
    with job() as snakemake:
        inputs, params = snakemake.input, snakemake.params
        rows = outcomes(inputs.sources, inputs.modules, params.variants, params.settings)
        write_table(snakemake.output[0], reported(rows), IR.schema)
        close_isolation()
