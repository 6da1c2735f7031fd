"""Collects the run in one SQLite database, `provenance/run.sqlite`; replaces only parts whose inputs changed."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from scripts.lib.files import read_json, sha256_file, sha256_text
from scripts.lib.job import job
from scripts.lib.schemas.database import DATABASE
from scripts.provenance.database_file import RUN, Part, update
from scripts.provenance.database_language import LanguageRows, limit
from scripts.provenance.database_run import JOBS, RunRows
from scripts.provenance.database_task import Cell, TaskRows


class PartRows(Protocol):
    """What a part of the database is read from."""

    def files(self) -> list[str]:
        """The files that rows are read from, relative to the results."""
        ...

    def rows(self) -> Part:
        """All rows, each with its table."""
        ...


def shards_by_language(tables: Iterable[str], results: str) -> dict[str, list[str]]:
    """Names of the shards of each language, from paths `ir/{language}/{shard}.parquet`."""
    shards: dict[str, list[str]] = {}
    for table in tables:
        _, language, name = Path(table).relative_to(results).parts
        shards.setdefault(language, []).append(Path(name).stem)
    return shards


def cells_of(scores: Iterable[str], executions: Iterable[str], results: str) -> list[Cell]:
    """The cells of score files; those in `executions`, which have the same names, are executed."""

    def name_of(path: str) -> str:
        return Path(path).relative_to(results).with_suffix("").as_posix().partition("/")[2]

    executed = {name_of(path) for path in executions}
    cells = []
    for name in sorted(map(name_of, scores)):
        benchmark, task, rest = name.split("/", 2)
        cells.append(Cell(f"{benchmark}/{task}", rest, name in executed))
    return cells


def digest(part: PartRows, results: Path, recorded: dict[str, dict[str, str]], settings: object) -> str:
    """SHA-256 over the settings, and over the names and recorded digests of a part's files.

    A file without a record is read.
    """
    lines = [json.dumps(settings, sort_keys=True)]
    for name in sorted(part.files()):
        entry = recorded.get(name)
        lines.append(f"{name} {json.dumps(entry, sort_keys=True) if entry else sha256_file(results / name)}")
    return sha256_text("\n".join(lines))


def collect(
    results: Path,
    ir: Iterable[str],
    cells: list[Cell],
    *,
    variants: list[str],
    text_bytes: int,
    stages: dict[str, str],
    code: str,
) -> list[str]:
    """Bring the database below `results` up to date; return the parts that were replaced.

    ir: outcome tables of compilation. text_bytes: largest text that the database contains. stages:
    stage of each rule. code: hash of the code that reads the rows.
    """
    record, text = read_json(results / JOBS), limit(text_bytes)
    parts: dict[str, PartRows] = {RUN: RunRows(results, record, cells, stages)}
    for language, shards in shards_by_language(ir, str(results)).items():
        parts[f"language/{language}"] = LanguageRows(results, language, shards, variants, text)
    for task in sorted({cell.task for cell in cells}):
        parts[f"task/{task}"] = TaskRows(results, [cell for cell in cells if cell.task == task], text)
    settings = [text_bytes, stages, code]
    digests = {name: digest(part, results, record["files"], settings) for name, part in parts.items()}
    return update(results / DATABASE, digests, lambda name: parts[name].rows())


if __name__ == "__main__":
    with job() as snakemake:
        files, params, results = snakemake.input, snakemake.params, snakemake.config["results_dir"]
        changed = collect(
            Path(results),
            files.ir,
            cells_of(files.scores, files.executions, results),
            variants=params.variants,
            text_bytes=params.text_bytes,
            stages=params.stages,
            code=params.code,
        )
        logging.info("parts replaced: %s", ", ".join(changed) or "none")
