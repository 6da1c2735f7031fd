"""Commits in CommitChronicle's format: rows with `message` and `mods` (change_type, old_path,
new_path and diff).
"""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.json_lines import numbered_rows, text_of

SPLITS = ("train", "validation", "test")
_PATHS = ("old_path", "new_path")


def _heading(mod: Mapping[str, Any]) -> str:
    """The heading of a modification: which file it changes, and how."""
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
    """One diff of all modifications of a commit, in the order of the data, joined by line feeds.

    Each modification has a heading (`new file P`, `deleted file P`, `rename from P` and `rename to
    Q`, or the path alone for other changes) and its unified diff without leading and trailing line
    feeds.
    """
    return "\n".join("\n".join(filter(None, (_heading(mod), mod["diff"].strip("\n")))) for mod in mods)


def _checked_mods(row: Mapping[str, Any], where: str) -> list[Mapping[str, Any]]:
    """The modifications of a commit; raise `InputError` when a field is missing or of another type."""
    mods = row.get("mods")
    if not isinstance(mods, list) or not all(isinstance(mod, dict) for mod in mods):
        raise InputError(f"{where}: the field 'mods' is not a list of objects; give CommitChronicle's fields")
    for number, mod in enumerate(mods, start=1):
        for field in ("change_type", "diff", *(name for name in _PATHS if mod.get(name) is not None)):
            text_of(mod, field, f"{where}, modification {number}")
    return mods


def file_stem(language: str) -> str:
    """The data set's spelling of a language in file names."""
    return {"C++": "Cpp"}.get(language, language)


def _split_rows(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[tuple[str, dict[str, Any]]]:
    """At most `sizes[split]` rows of a split, by the field `split` or, without that field, by
    position.
    """
    rows = numbered_rows(path)
    first = next(rows, None)
    if first is None:
        return []
    rows = chain([first], rows)
    if "split" in first[1]:
        return list(islice(((where, row) for where, row in rows if row.get("split") == split), sizes[split]))
    start = sum(sizes[name] for name in SPLITS[: SPLITS.index(split)])
    return list(islice(rows, start, start + sizes[split]))


def read_commits(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[dict[str, str]]:
    """The first `sizes[split]` commits of a split, each as `diff` (flattened) and `message`
    (stripped).

    The field `split` of a row names its split. In a file without that field the first
    `sizes["train"]` rows are the training split, the next `sizes["validation"]` rows the validation
    split, and the next `sizes["test"]` rows the test split. Raises `InputError` when a row lacks a
    field of CommitChronicle or the split has fewer rows.
    """
    rows = _split_rows(path, split, sizes)
    if len(rows) < sizes[split]:
        raise InputError(
            f"{path} has {len(rows)} commits for the {split} split, not {sizes[split]}; lower commits.sizes"
        )
    return [
        {"diff": flatten_mods(_checked_mods(row, where)), "message": text_of(row, "message", where).strip()}
        for where, row in rows
    ]
