"""What differs between two runs apart from their scores: config, code, tools and inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import yaml

from scripts.lib.files import read_json, sha256_file
from scripts.lib.job import InputError
from scripts.lib.ledger import counted, tables
from scripts.provenance.run_record import read_starts

ABSENT = "–"
# Beginnings of the names of files that no job of a run wrote.
_OUTSIDE = ("project/", "package/")


@dataclass(frozen=True)
class Difference:
    """A value that two runs do not share; `part` is config, code, tool, input or data."""

    part: str
    name: str
    first: str
    second: str


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Keys and values of nested mappings, the keys joined by dots."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n...\n").strip()


def _changes(part: str, first: Mapping[str, str], second: Mapping[str, str]) -> list[Difference]:
    """The values that differ, sorted by name; a name that one run lacks is `ABSENT` there."""
    names = sorted({*first, *second})
    values = ((name, first.get(name, ABSENT), second.get(name, ABSENT)) for name in names)
    return [Difference(part, name, one, other) for name, one, other in values if one != other]


def _pairs_record(results: Path) -> dict[str, Any]:
    """The record of a run that ended with the pairs; empty where there is none."""
    path = results / "provenance" / "pairs.json"
    return read_json(path) if path.is_file() else {}


def _config(results: Path) -> dict[str, str]:
    path = results / "provenance" / "config.yaml"
    config = (
        yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else _pairs_record(results).get("config")
    )
    if config is None:
        raise InputError(f"{results} has no record of a run, provenance/config.yaml; let the run end first")
    return {key: value for key, value in _flat(config) if key != "results_dir"}


def _code(results: Path) -> dict[str, str]:
    """Commit and digest of the code of a run, and the digests of the workflow's files."""
    folder = results / "provenance" / "workflow"
    code = {
        path.relative_to(folder).as_posix(): f"sha256 {sha256_file(path)[:12]}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if starts := read_starts(results):
        latest = starts[-1]
        code["commit"] = latest["commit"] or "unknown"
        code["files changed since the commit"] = ", ".join(latest["changed"]) or "none"
    return code


def _tools(results: Path) -> dict[str, str]:
    path = results / "provenance" / "tools.json"
    tools = read_json(path) if path.is_file() else _pairs_record(results).get("tools")
    if tools is None:
        return {}
    software = {name.rpartition(" ")[0] or name: name.rpartition(" ")[2] for name in tools["software"]}
    return {**software, **{name: str(tools[name]) for name in ("snakemake", "python", "deployment")}}


def _inputs(results: Path) -> dict[str, str]:
    """Digests of the files that jobs read and no job wrote."""
    path = results / "provenance" / "jobs.json"
    record = read_json(path) if path.is_file() else _pairs_record(results)
    files = {name: entry for name, entry in record.get("files", {}).items() if name.startswith(_OUTSIDE)}
    return {name: f"sha256 {entry['sha256'][:12]}" for name, entry in files.items() if "sha256" in entry}


def _ids(ledger: Path) -> np.ndarray:
    """The ids of the programs of a ledger as numbers, sorted and each once."""
    parts = [np.array([int(name, 16) for name in cast(list[str], table["id"].unique().to_pylist())], dtype=np.uint64)
             for table in tables(str(ledger), ["id"])]  # fmt: skip
    return np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *parts]))


def _data(first: Path, second: Path) -> list[Difference]:
    """Programs that only one run has, and outcomes with different counts, by language."""
    names = sorted({path.parent.name for run in (first, second) for path in run.glob("pairs/*/ledger.parquet")})
    changes = []
    for language in names:
        ledgers = [run / "pairs" / language / "ledger.parquet" for run in (first, second)]
        present = [path for path in ledgers if path.is_file()]
        if len(present) == 2:
            ids = [_ids(path) for path in ledgers]
            only = [str(len(np.setdiff1d(one, other))) for one, other in (ids, ids[::-1])]
            if only != ["0", "0"]:
                changes.append(Difference("data", f"{language}: programs that only this run has", *only))
        counts = [counted(str(path), ["variant", "outcome"]) if path.is_file() else {} for path in ledgers]
        texts = [{f"{language}, {v}: {o}": str(n) for (v, o), n in count.items()} for count in counts]
        for change in _changes("data", *texts):
            changes.append(
                Difference("data", change.name, *(v.replace(ABSENT, "0") for v in (change.first, change.second)))
            )
    return changes


def run_differences(first: Path, second: Path) -> list[Difference]:
    """All differences between two runs apart from scores; raise `InputError` without records."""
    return [
        *_changes("config", _config(first), _config(second)),
        *_changes("code", _code(first), _code(second)),
        *_changes("tool", _tools(first), _tools(second)),
        *_changes("input", _inputs(first), _inputs(second)),
        *_data(first, second),
    ]
