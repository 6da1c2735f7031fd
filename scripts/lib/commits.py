"""Commits in CommitChronicle's shape: rows with `message` and `mods` (change_type, old_path, new_path, diff each)."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError

SPLITS = ("train", "validation", "test")


def _heading(mod: Mapping[str, Any]) -> str:
    """The line that names what one modification does to which file."""
    kind = mod["change_type"].upper()
    old, new = mod.get("old_path"), mod.get("new_path")
    if kind in ("RENAME", "COPY"):
        return f"{kind.lower()} from {old}\n{kind.lower()} to {new}"
    if kind == "ADD":
        return f"new file {new}"
    if kind == "DELETE":
        return f"deleted file {old}"
    return new or old or ""


def flatten_mods(mods: Sequence[Mapping[str, Any]]) -> str:
    """One diff of all modifications of a commit, in the order of the data.

    Each modification is a heading (`new file P`, `deleted file P`, `rename from P` / `rename to Q`, or the path alone
    for a change in place) and its unified diff without outer line breaks; a line break stands between two of them.
    """
    return "\n".join("\n".join(filter(None, (_heading(mod), mod["diff"].strip("\n")))) for mod in mods)


def read_jsonl(path: str | Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON-lines file, gzipped when its name ends in `.gz`; raise `InputError` naming a damaged line."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path}, line {number}: not JSON ({error}); mend or remove the line") from error


def file_stem(language: str) -> str:
    """How the data set's files spell a language."""
    return {"C++": "Cpp"}.get(language, language)


def _names_split(row: Any, split: str) -> bool:
    return isinstance(row, dict) and row.get("split") == split


def _split_rows(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    """The rows of a split, as many as `sizes` says or as there are: those named so, or else those at its position."""
    rows = read_jsonl(path)
    first = next(rows, None)
    rows = chain([] if first is None else [first], rows)
    if isinstance(first, dict) and "split" in first:
        return list(islice((row for row in rows if _names_split(row, split)), sizes[split]))
    start = sum(sizes[name] for name in SPLITS[: SPLITS.index(split)])
    return list(islice(rows, start, start + sizes[split]))


def _commit(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as `diff` and `message`; `KeyError`, `TypeError` or `AttributeError` for fields of another shape."""
    return {"diff": flatten_mods(row["mods"]), "message": row["message"].strip()}


def read_commits(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[dict[str, str]]:
    """The first `sizes[split]` commits of a split, each as `diff` (flattened) and `message` (stripped).

    Rows with the field `split` are of the split that it names. In a file without that field the splits follow each
    other in the data's order: the first `sizes["train"]` rows are the training split, the next `sizes["validation"]`
    the validation split, the next `sizes["test"]` the test split. Raises `InputError` when a row has not
    CommitChronicle's fields or the split has fewer rows.
    """
    rows = _split_rows(path, split, sizes)
    if len(rows) < sizes[split]:
        raise InputError(
            f"{path} has {len(rows)} commits for the {split} split, not {sizes[split]}; lower commits.sizes"
        )
    commits = []
    for number, row in enumerate(rows, start=1):
        try:
            commits.append(_commit(row))
        except (KeyError, TypeError, AttributeError) as error:
            fault = f"{path}, commit {number} of the {split} split lacks the fields of CommitChronicle"
            raise InputError(f"{fault} ({type(error).__name__}: {error}); correct or remove it") from error
    return commits
