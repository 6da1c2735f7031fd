"""FixDocs completions, CodeXGLUE prompts, BLEU and ROUGE, compared with the original."""

from functools import cache

import pytest

from scripts.evaluate.benchmarks.codexglue import description_prompt
from scripts.evaluate.benchmarks.problems import FORMS
from scripts.evaluate.metrics import rouge, sentence_bleu
from tests.conformance.oracles import SHARED, Rows, read_rows, with_oracles

FUNCTIONS = SHARED / "benchmarks" / "codexglue" / "real_functions"


@cache
def fixdocs_stop(language):
    """What ends completions of FixDocs in a language."""
    fields = ("task_id", "prompt", "buggy_solution", "canonical_solution", "test", "entry_point")
    return FORMS["fixdocs"]([dict.fromkeys(fields, "f")], {}, language)[0].stop


@with_oracles
def test_oracle_of_cut_fixdocs_completions(rows: Rows):
    table = rows("fixdocs_trim")
    wrong = [
        (row["language"], row["task_id"], row["case"])
        for row in table
        if fixdocs_stop(row["language"]).cut(row["completion"]) != row["kept"]
    ]
    assert wrong == []
    assert {row["language"] for row in table} == {"python", "go", "cpp", "rust"}


@with_oracles
def test_oracle_of_fixdocs_completions_that_an_engine_has_ended(rows: Rows):
    """Engines stop at the end of a completion, which changes only blanks at the end of the cut."""
    for row in rows("fixdocs_trim"):
        stop = fixdocs_stop(row["language"])
        ended = row["completion"][: stop.position(row["completion"])]
        assert stop.cut(ended).rstrip() == row["kept"].rstrip(), (row["language"], row["task_id"], row["case"])


@cache
def functions(language):
    """Functions in the form of the public data set; the complete oracle refers to them by row."""
    return read_rows(FUNCTIONS / f"{language}.jsonl.gz")


@with_oracles
def test_oracle_of_codexglue_prompts(rows: Rows):
    wrong = []
    for row in rows("codexglue_prompts"):
        function = row if "code" in row else functions(row["language"])[row["row"]]
        prompt = description_prompt(function["code"], function["docstring"], row["language"])
        if prompt != row["prompt"]:
            wrong.append((row["language"], row.get("source", row.get("row")), prompt))
    assert wrong == []


@with_oracles
def test_oracle_of_sentence_bleu(rows: Rows):
    for row in rows("bleu_pairs"):
        value = 100 * sentence_bleu(row["prediction"], row["reference"])
        assert value == pytest.approx(row["ircoder_harness_bleu"], abs=1e-9), row["id"]


@with_oracles
def test_oracle_of_rouge(rows: Rows):
    for row in rows("rouge_pairs"):
        for kind, value in rouge(row["prediction"], row["reference"]).items():
            assert value == pytest.approx(row[kind]["fmeasure"], abs=1e-9), (row["id"], kind)
