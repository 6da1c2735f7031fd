"""Compile one shard of one language, all variants, and write an outcome row for each source and
variant.

The rows are in the order of the source table, variants in the config's order; no source is left
out. `rewrites` are the changes that preparation made to the program, and `unprepared` is, in the
first variant, the status of the unchanged program. With a second output the modules are also
written as text files `{id}.{variant}.ll`.
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scripts.compile.build import make_build, with_headers
from scripts.compile.cache import Cache
from scripts.compile.compiler import Compiler, MissingCompiler, RowMaker
from scripts.compile.headers import leading_headers, longest, worthwhile
from scripts.compile.worker import compile_row, make_header, workers
from scripts.lib.failing_frontends import Shard
from scripts.lib.files import atomic_directory
from scripts.lib.job import InputError, job, progress
from scripts.lib.parquet import iter_rows, write_table
from scripts.lib.sandbox.isolation import IsolationError, close_isolation, isolated
from scripts.lib.sandbox.supervise import Limits
from scripts.lib.schemas.ir import IR, CompileStatus

_COLUMNS = ["id", "language", "source_sha256", "source", "rejected"]


def make_compiler(
    language: str,
    entry: Mapping[str, Any],
    variants: list[str],
    settings: Mapping[str, Any],
    cache: str | None,
    headers: Path,
) -> RowMaker:
    """The compiler of a shard, by the language's table `entry` and the `compile` settings.

    cache: folder of cached outcomes, or None; headers: an empty folder for precompiled headers.
    Without a toolchain, raise `InputError`, or return a `MissingCompiler` if the settings say so.
    """
    try:
        build = make_build(language, entry, settings)
    except InputError as error:
        if settings["missing_toolchain"] == "error":
            raise
        logging.warning("%s", error)
        return MissingCompiler(variants, str(error))
    build = with_headers(build, headers) if build.precompiled else build
    outcome_cache = Cache(Path(cache, language) if cache else None)
    return Compiler(build, variants, outcome_cache, preparation=settings.get("prepare", "none"))


def _headers(source: str, limits: Limits) -> tuple[str, ...]:
    """The system headers that a program begins with; none if they cannot be read within the limits."""
    try:
        return tuple(isolated(leading_headers, source, limits=limits))
    except IsolationError:
        return ()


def _precompiled(rows: list[dict[str, Any]], compiler: RowMaker, pool: ProcessPoolExecutor) -> list[dict[str, str]]:
    """For each row the names of the precompiled headers to use, by variant.

    A header is precompiled if enough rows without a cached outcome can use it.
    """
    if not isinstance(compiler, Compiler) or not compiler.build.precompiled:
        return [{} for _ in rows]
    limits = compiler.build.limits
    wanted = [_headers(row["source"], limits) if row["rejected"] is None else () for row in rows]
    needed = (
        headers
        for row, headers in zip(rows, wanted, strict=True)
        if headers and len(compiler.known(row["source"], compiler.variants)) < len(compiler.variants)
    )
    tasks = {
        headers: [pool.submit(make_header, headers, variant) for variant in compiler.variants]
        for headers in worthwhile(needed, compiler.build.precompiled["min_programs"])
    }
    names: dict[tuple[str, ...], dict[str, str]] = {(): {}}
    for headers, group in tasks.items():
        results = {variant: task.result() for variant, task in zip(compiler.variants, group, strict=True)}
        names[headers] = {variant: name for variant, name in results.items() if name}
    return [names[longest(headers, tasks)] for headers in wanted]


def outcomes(source: str, compiler: RowMaker, jobs: int) -> Iterator[dict[str, Any]]:
    """Outcome rows of a source table, in its order, made by `jobs` worker processes.

    Variants are compiled in parallel, so that a program that runs into a limit delays the others as
    little as possible.
    """
    with workers(compiler, jobs) as pool:
        rows = list(iter_rows(source, _COLUMNS))
        headers = _precompiled(rows, compiler, pool)
        close_isolation()
        tasks = [(*each, variants) for each in zip(rows, headers, strict=True) for variants in compiler.tasks()]
        for group in progress(pool.map(compile_row, *zip(*tasks, strict=True)), "compile", len(tasks)):
            yield from group


def write_shard(source: str, compiler: RowMaker, jobs: int, table: str, texts: str | None) -> None:
    """Compile a source table into an outcome table and, if `texts` is a path, a folder of module
    texts.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(atomic_directory(texts)) if texts else None

        def rows() -> Iterator[dict[str, Any]]:
            for row in outcomes(source, compiler, jobs):
                counted.add(row)
                if folder and row["status"] == CompileStatus.OK:
                    Path(folder, f"{row['id']}.{row['variant']}.ll").write_text(row["ir"], encoding="utf-8")
                yield row

        counted = Shard()
        logging.info("%d rows", write_table(table, rows(), IR.schema))
        for line in counted.failing():
            logging.error("%s", line)


if __name__ == "__main__":
    with job() as snakemake, tempfile.TemporaryDirectory() as headers:
        # Sandboxes are run by another user where this one is root.
        Path(headers).chmod(0o755)
        params, output = snakemake.params, snakemake.output
        language, cache = snakemake.wildcards.language, snakemake.config["compile"]["cache"]
        compiler = make_compiler(language, params.entry, params.variants, params.settings, cache, Path(headers))
        write_shard(snakemake.input[0], compiler, snakemake.threads, output.table, output.get("texts"))
