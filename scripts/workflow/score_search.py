"""Finds scores of a run by words of their keys, and the files that have them."""

from collections.abc import Iterator
from pathlib import Path

from scripts.lib.csv_files import read_csv
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.schemas.scores import KEY, key_text
from scripts.workflow.command import required, suggestion

Score = dict[str, str]
VALIDATION = "validation"
LISTED = 20


def read_scores(results: Path) -> list[Score]:
    """Rows of `tables/scores.csv` as text; raise `InputError` when the run has none."""
    return read_csv(required(results / "tables" / "scores.csv", "let the run write its tables first: snakemake tables"))


def find_score(results: Path, words: list[str]) -> Score:
    """The score of which each word is a part of the key, whatever its case.

    Raises `InputError` when there is none, with similar words, and when there are several, with
    their keys.
    """
    scores = read_scores(results)
    rows = scores
    for word in words:
        fitting = [row for row in rows if word.casefold() in {row[name].casefold() for name in KEY}]
        if not fitting:
            parts = {row[name] for row in scores for name in KEY}
            is_known = word.casefold() in {part.casefold() for part in parts}
            left = {row[name] for row in rows for name in KEY}
            fault = f"no score has '{word}' together with the other words" if is_known else f"no score has '{word}'"
            raise InputError(f"{fault}; {suggestion(word, left) or f'choose from {results}/tables/scores.csv'}")
        rows = fitting
    if len(rows) > 1:
        keys = "; ".join(key_text(row) for row in rows[:LISTED]) + ("; …" if len(rows) > LISTED else "")
        raise InputError(f"{len(rows)} scores fit '{' '.join(words)}'; add a word to choose one of: {keys}")
    return rows[0]


def score_files(results: Path, benchmark: str, model: str, checkpoint: str) -> Iterator[str]:
    """Names of the files with scores of a checkpoint in a benchmark, relative to the results."""
    if benchmark == VALIDATION:
        yield f"models/{model}/losses/{checkpoint}.parquet"
        return
    for path in sorted((results / "scores" / benchmark).rglob(f"{model}.{checkpoint}.json")):
        yield path.relative_to(results).as_posix()


def file_of(results: Path, score: Score) -> str:
    """Name of the file that a score is read from; raise `InputError` when no file has it."""
    files = list(score_files(results, score["benchmark"], score["model"], score["checkpoint"]))
    if score["benchmark"] == VALIDATION:
        return files[0]
    for name in files:
        rows = read_json(results / name)["rows"]
        if any(all(row[key] == score[key] for key in KEY) for row in rows):
            return name
    raise InputError(
        f"no file below {results}/scores/{score['benchmark']} has the score '{key_text(score)}'; run again"
    )
