"""Commits in CommitChronicle's shape: rows with `message` and `mods` (change_type, old_path, new_path, diff each)."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
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


def read_commits(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[dict[str, str]]:
    """The commits of a split, each as `diff` (flattened) and `message` (stripped).

    The splits follow each other in the data's order, unshuffled: the first `sizes["train"]` rows are the training
    split, the next `sizes["validation"]` the validation split, the next `sizes["test"]` the test split. Raises
    `InputError` when a row lacks a field or the data ends before the split does.
    """
    start = sum(sizes[name] for name in SPLITS[: SPLITS.index(split)])
    rows = list(islice(read_jsonl(path), start, start + sizes[split]))
    if len(rows) < sizes[split]:
        raise InputError(f"{path} has {start + len(rows)} commits, too few for the {split} split; lower commits.sizes")
    try:
        return [{"diff": flatten_mods(row["mods"]), "message": row["message"].strip()} for row in rows]
    except KeyError as error:
        raise InputError(f"{path}: a commit lacks the field {error}; give CommitChronicle's fields") from error
