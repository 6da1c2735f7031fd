"""Compile one shard of one language, both variants, and write an outcome row for each source and variant.

The rows are in the order of the source table, variants in the config's order; no source is left out. Sources are
compiled by worker processes, which die with this one. With a second output the modules are also written as text files
`{id}.{variant}.ll`.
"""

import ctypes
import hashlib
import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.compile.cache import Cache
from scripts.compile.unit import Build, Result, compile_source
from scripts.lib.code import SCRIPTS, code_hash
from scripts.lib.files import atomic_directory, sha256_text
from scripts.lib.job import InputError, job, progress
from scripts.lib.llvm import READER
from scripts.lib.parquet import iter_rows, write_table
from scripts.lib.sandbox import Limits, Sandbox, probe
from scripts.lib.toolchain import find_toolchain

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "language", "variant", "source_sha256", "status", "compiler", "llvm")),
        ("command", pa.string()),
        ("seconds", pa.float64()),
        *((name, pa.string()) for name in ("diagnostics", "ir", "ir_sha256")),
        ("rewrites", pa.list_(pa.string())),
    ]
)
_COLUMNS = ["id", "language", "source_sha256", "source", "rejected"]
_LIMITED = ("timeout", "memory_limit")
_DIE_WITH_PARENT = 1


class Compiler:
    """What a worker does with a source: look its outcomes up, compile what is missing, keep what came out."""

    def __init__(self, build: Build | None, variants: list[str], cache: Cache, missing: str = "") -> None:
        self.build = build
        self.variants = variants
        self.cache = cache
        self.missing = missing
        self.base = _base_key(build) if build else ""

    def _keys(self, source: str, variant: str) -> tuple[str, str]:
        """Cache keys of a variant's outcome: one for what depends on no limit, one for what does."""
        plain = sha256_text("\0".join([self.base, self.build.command(variant), source]))
        return plain, sha256_text(f"{plain} {self.build.limits}")

    def _known(self, part: str, source: str) -> dict[str, Result]:
        """Kept outcomes of a source by variant."""
        found = {}
        for variant in self.variants:
            plain, limited = self._keys(source, variant)
            found[variant] = self.cache.get(part, plain) or self.cache.get(part, limited)
        return {variant: result for variant, result in found.items() if result}

    def outcomes(self, source: str) -> dict[str, Result]:
        """Outcomes of a source in all variants."""
        part = hashlib.sha256(source.encode()).hexdigest()[-1]
        known = self._known(part, source)
        missing = [variant for variant in self.variants if variant not in known]
        fresh = compile_source(source, self.build, missing) if missing else {}
        for variant, result in fresh.items():
            self.cache.put(part, self._keys(source, variant)[result.status in _LIMITED], result)
        return known | fresh

    def rows(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The outcome rows of a row of the source table."""
        if row["rejected"] is not None:
            results = {variant: Result("rejected_source", diagnostics=row["rejected"]) for variant in self.variants}
        elif self.build is None:
            results = {variant: Result("no_toolchain", diagnostics=self.missing) for variant in self.variants}
        else:
            results = self.outcomes(row["source"])
        return [self._row(row, variant, results[variant]) for variant in self.variants]

    def _row(self, row: Mapping[str, Any], variant: str, result: Result) -> dict[str, Any]:
        """One outcome row; the compiler is named where one was run."""
        tried = result.status not in ("rejected_source", "no_toolchain")
        return {
            "id": row["id"],
            "language": row["language"],
            "variant": variant,
            "source_sha256": row["source_sha256"],
            "status": result.status,
            "compiler": self.build.toolchain.compiler if tried else "",
            "llvm": self.build.toolchain.llvm if tried else "",
            "command": self.build.command(variant) if tried else "",
            "seconds": result.seconds,
            "diagnostics": result.diagnostics,
            "ir": result.ir,
            "ir_sha256": sha256_text(result.ir) if result.status == "ok" else "",
            "rewrites": [],
        }


def _base_key(build: Build) -> str:
    """Everything that an outcome depends on beside source, command and limits."""
    toolchain = build.toolchain
    support = {name: hashlib.sha256(content).hexdigest() for name, content in build.support.items()}
    made_by = [toolchain.frontend["name"], toolchain.compiler, toolchain.llvm, READER, code_hash("lib/llvm.py")]
    return json.dumps([*made_by, list(build.parts), support, build.output, toolchain.sandbox.mode], sort_keys=True)


def make_build(language: str, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Build:
    """The build of a language by its table entry and the `compile` settings; raise `InputError` without a toolchain."""
    mode = "off" if settings["sandbox"] in (False, "off") else "bubblewrap"
    probe(mode)
    limits = settings["limits"]
    sandbox = Sandbox(mode=mode, work_mb=limits["work_mb"])
    toolchain = find_toolchain(language, entry, sandbox)
    frontend = toolchain.frontend
    return Build(
        toolchain,
        frontend["flags"],
        Limits(
            wall_seconds=limits["wall_seconds"],
            cpu_seconds=limits["cpu_seconds"],
            memory_mb=limits["memory_mb"],
            file_mb=limits["file_mb"],
            processes=limits["processes"],
        ),
        tuple(part for part, wanted in sorted(settings["normalise"].items()) if wanted),
        {name: Path(SCRIPTS.parent, path).read_bytes() for name, path in frontend.get("support", {}).items()},
    )


def make_compiler(
    language: str, entry: Mapping[str, Any], variants: list[str], settings: Mapping[str, Any], cache: str | None
) -> Compiler:
    """The compiler of a shard; without a toolchain an `InputError` or, if the settings say so, one that records it."""
    folder = Path(cache, language) if cache else None
    try:
        return Compiler(make_build(language, entry, settings), variants, Cache(folder))
    except InputError as error:
        if settings["missing_toolchain"] == "error":
            raise
        logging.warning("%s", error)
        return Compiler(None, variants, Cache(None), str(error))


_compiler: Compiler | None = None


def _start_worker(compiler: Compiler, parent: int) -> None:
    """Make this process a worker that dies with its parent and leaves an interruption to it."""
    global _compiler
    _compiler = compiler
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() != parent:
        os._exit(1)


def _work(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A worker's task."""
    return _compiler.rows(row)


def compiled(rows: Iterable[dict[str, Any]], compiler: Compiler, jobs: int) -> Iterator[list[dict[str, Any]]]:
    """Outcome rows of each source row, in order, made by `jobs` worker processes."""
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(jobs, fork, _start_worker, (compiler, os.getpid()))
    try:
        # All workers are forked at the first task, before the table's reader starts threads.
        pool.submit(os.getpid).result()
        yield from pool.map(_work, rows)
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InputError("a worker process was killed; run again, finished programs are kept") from error
    finally:
        for worker in multiprocessing.active_children():
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def write_shard(source: str, compiler: Compiler, jobs: int, table: str, texts: str | None) -> None:
    """Compile a source table into an outcome table and, if asked for, a folder of texts."""
    with ExitStack() as stack:
        folder = stack.enter_context(atomic_directory(texts)) if texts else None

        def rows() -> Iterator[dict[str, Any]]:
            for group in progress(compiled(iter_rows(source, _COLUMNS), compiler, jobs), "compile"):
                for row in group:
                    if folder and row["status"] == "ok":
                        Path(folder, f"{row['id']}.{row['variant']}.ll").write_text(row["ir"], encoding="utf-8")
                    yield row

        logging.info("%d rows", write_table(table, rows(), SCHEMA))


if __name__ == "__main__":
    with job(snakemake):
        params = snakemake.params
        language, cache = snakemake.wildcards.language, snakemake.config["compile"]["cache"]
        compiler = make_compiler(language, params.entry, params.variants, params.settings, cache)
        output = snakemake.output
        write_shard(snakemake.input[0], compiler, snakemake.threads, output.table, output.get("texts"))
