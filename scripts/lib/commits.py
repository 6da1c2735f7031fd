"""Commits in CommitChronicle's format: rows with `message` and `mods` (change_type, old_path,
new_path and diff).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.json_lines import numbered_rows, text_of

SPLITS = ("train", "validation", "test")
_PATHS = ("old_path", "new_path")
# The paths without which a kind of change has no heading.
_NEEDED = {"RENAME": _PATHS, "COPY": _PATHS, "ADD": ("new_path",), "DELETE": ("old_path",)}


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
        place = f"{where}, modification {number}"
        kind = text_of(mod, "change_type", place).upper()
        for field in ("diff", *(name for name in _PATHS if name in _NEEDED.get(kind, ()) or mod.get(name) is not None)):
            text_of(mod, field, place)
    return mods


def file_stem(language: str) -> str:
    """The data set's spelling of a language in file names."""
    return {"C++": "Cpp"}.get(language, language)


def _checked_split(row: Mapping[str, Any], where: str, is_named: bool) -> Any:
    """The split that a row names, if any; raise `InputError` if only some rows of a file name one."""
    if ("split" in row) != is_named:
        state = "lacks the field 'split' of the rows" if is_named else "has a field 'split', unlike the rows"
        raise InputError(f"{where} {state} before it; give it to all rows or to none")
    return row.get("split")


def _split_rows(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[tuple[str, dict[str, Any]]]:
    """The first `sizes[split]` rows of a split, by the field `split` or, without that field, by
    position.

    Raises `InputError` if there are fewer.
    """
    rows = numbered_rows(path)
    first = next(rows, None)
    is_named = first is not None and "split" in first[1]
    start = 0 if is_named else sum(sizes[name] for name in SPLITS[: SPLITS.index(split)])
    others: set[str] = set()

    def matching() -> Iterator[tuple[str, dict[str, Any]]]:
        for where, row in chain([first] if first else [], rows):
            name = _checked_split(row, where, is_named)
            if not is_named or name == split:
                yield where, row
            else:
                others.add(repr(name)[:40])

    selected = list(islice(matching(), start, start + sizes[split]))
    if len(selected) < sizes[split]:
        unknown = sorted(others - set(map(repr, SPLITS)))[:5]
        known = f"; its rows name the splits {', '.join(unknown)}" if unknown else ""
        fault = f"{path} has {len(selected)} commits for the {split} split, not {sizes[split]}{known}"
        raise InputError(f"{fault}; lower commits.sizes")
    return selected


def read_commits(path: str | Path, split: str, sizes: Mapping[str, int]) -> list[dict[str, str]]:
    """The first `sizes[split]` commits of a split, each as `diff` (flattened) and `message`
    (stripped).

    The field `split` of a row names its split. In a file without that field the first
    `sizes["train"]` rows are the training split, the next `sizes["validation"]` rows the validation
    split, and the next `sizes["test"]` rows the test split. Raises `InputError` when a row lacks a
    field of CommitChronicle or the split has fewer rows.
    """
    return [
        {"diff": flatten_mods(_checked_mods(row, where)), "message": text_of(row, "message", where).strip()}
        for where, row in _split_rows(path, split, sizes)
    ]
