"""The files of a corpus of tables: which of them have the programs of a language and a variant."""

from glob import escape
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError


def _matching(root: Path, pattern: str) -> list[Path]:
    """Files that a pattern names, in order; `root` itself when it is a file."""
    if root.is_file():
        return [root]
    return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))


def files_of(root: Path, language: str, corpus: dict[str, Any]) -> list[tuple[str, Path]]:
    """Variant and path of each file with programs of a language; the variant is "" where files have
    no variant.

    `corpus.files` is a pattern below `root` in which {language} and {split} stand for the data
    set's own names.
    """
    name = escape(corpus["names"].get(language, language))
    pattern = corpus["files"]
    if "{split}" not in pattern:
        return [("", path) for path in _matching(root, pattern.replace("{language}", name))]
    files = []
    for variant, split in corpus["splits"].items():
        exact = pattern.replace("{language}", name).replace("{split}", escape(split))
        files += [(variant, path) for path in _matching(root, exact)]
    names = list(corpus["splits"].values())
    # A file as the corpus, and equal names, are for runs of one variant, as the check of the config
    # makes sure.
    if corpus["columns"]["ir"] and not root.is_file() and len(set(names)) == len(names):
        _check_variants(files, pattern)
    return files


def _check_variants(files: list[tuple[str, Path]], pattern: str) -> None:
    """Raise `InputError` if a file with modules is in the lists of two variants."""
    variants: dict[Path, str] = {}
    for variant, path in files:
        other = variants.setdefault(path, variant)
        if other != variant:
            problem = f"{path}: matches '{pattern}' in corpus.files for the variants {other} and {variant}"
            raise InputError(f"{problem}; correct the pattern, or the names in corpus.splits")
