"""Deduplication: signatures, bands, candidates, true similarity, clusters and the kept one of each."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bench.dedup import unfounded
from bench.similar_pairs import brute_force, join, shingle_sets
from scripts.dedup import clusters, signatures, verify
from scripts.dedup.bands import Bands, balanced, recalling
from scripts.dedup.candidates import Buckets, band_buckets, components, estimates, pairs_by_distance
from scripts.lib.files import sha256_text
from scripts.lib.job import InputError
from scripts.lib.parquet import read_table, write_table
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.schemas.sources import SOURCES
from scripts.sources.record import Record
from tests.support.cpu_time import assert_linear
from tests.support.pairs_pipeline import DEDUP as SETTINGS

IR = pa.schema([("id", pa.string()), ("variant", pa.string()), ("status", pa.string())])


def program(seed, words=200):
    """A text of random words, so that two of them share no shingle."""
    generator = random.Random(seed)
    return " ".join(f"w{generator.randrange(10**6)}" for _ in range(words))


def changed(text, share, seed=0):
    """A text with a share of its words replaced."""
    generator = random.Random(seed)
    return " ".join(f"c{seed}_{i}" if generator.random() < share else word for i, word in enumerate(text.split()))


def true_similarity(one, other, ngram=5):
    def grams(text):
        words = text.split()
        return {tuple(words[i : i + ngram]) for i in range(len(words) - ngram + 1)}

    first, second = grams(one), grams(other)
    return len(first & second) / len(first | second)


def identity(text):
    return sha256_text(text)[:16]


def cluster(folder, texts, shards=1, compiled=None, **changes):
    """The clusters table of texts as a dictionary by text; `compiled` gives the variants in which a text compiled."""
    settings = SETTINGS | changes
    folder.mkdir(parents=True, exist_ok=True)
    digests = {sha256_text(text): text for text in texts}
    sources, signed, outcomes = [], [], []
    for number in range(shards):
        own = [d for d in sorted(digests) if int(d[:8], 16) * shards >> 32 == number]
        for paths, name in ((sources, "s"), (signed, "g"), (outcomes, "i")):
            paths.append(str(folder / f"{name}{number}"))
        rows = [
            Record(d, d, len(digests[d]), digests[d], "utf-8", rejected=None if digests[d] else "empty") for d in own
        ]
        write_table(sources[-1], [row.row("C") for row in rows], SOURCES.schema)
        write_table(signed[-1], signatures.signatures([sources[-1]], settings), signatures_table(256).schema)
        status = [
            {"id": d[:16], "variant": v, "status": "ok" if v in (compiled or {}).get(digests[d], ()) else "timeout"}
            for d in own
            for v in ("perf", "size")
        ]
        write_table(outcomes[-1], status, IR)
    table = clusters.clusters(signed, sources, outcomes, settings)
    by_id = {row["id"]: row for row in table.to_pylist()}
    return {text: by_id[digest[:16]] for digest, text in digests.items()}


@pytest.mark.parametrize("threshold, cut", [(0.7, Bands(25, 10)), (0.5, Bands(42, 6))])
def test_balanced_bands_are_the_original_ones(threshold, cut):
    assert balanced(threshold, 256) == cut


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_recalling_bands_find_what_is_at_the_threshold(threshold):
    bands = recalling(threshold, 256, 0.99)
    assert bands.recall(threshold) >= 0.99
    assert bands.count * bands.rows <= 256
    more = Bands(256 // (bands.rows + 1), bands.rows + 1)
    assert more.recall(threshold) < 0.99


def test_components_are_those_of_a_plain_search():
    generator = np.random.default_rng(3)
    first, second = generator.integers(0, 300, (2, 250))
    labels = components(300, first, second)
    links = {node: {node} for node in range(300)}
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        links[a].add(b)
        links[b].add(a)
    for start in range(300):
        reached, waiting = {start}, [start]
        while waiting:
            for node in links[waiting.pop()] - reached:
                reached.add(node)
                waiting.append(node)
        assert labels[start] == min(reached)


def test_signature_estimates_similarity():
    text = program(1, 2000)
    other = changed(text, 0.05)
    matrix, counts = signatures.signature_matrix([text, other], SETTINGS)
    assert counts.tolist() == [2000, 2000]
    estimate = estimates(matrix, np.array([0]), np.array([1]))[0]
    assert estimate == pytest.approx(true_similarity(text, other), abs=0.12)


def test_pairs_of_a_large_bucket_stay_linear_and_linked():
    bucket = Buckets(np.arange(1000, dtype=np.int32), np.zeros(1000, dtype=np.int32))
    pairs = list(pairs_by_distance([bucket]))
    assert sum(len(first) for first, _ in pairs) < 64 * 1000
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    assert len(np.unique(components(1000, first, second))) == 1


def test_every_pair_of_a_small_bucket_is_a_candidate():
    matrix = np.zeros((20, 256), dtype=np.uint32)
    pairs = list(pairs_by_distance(band_buckets(matrix, Bands(4, 8))))
    assert sum(len(first) for first, _ in pairs) == 20 * 19 // 2


def test_jaccard_of_sets():
    one, other = np.arange(0, 10, dtype=np.uint64), np.arange(5, 20, dtype=np.uint64)
    assert verify.jaccard(one, other) == 5 / 20
    assert verify.jaccard(one, one) == 1
    assert verify.jaccard(one, np.zeros(0, dtype=np.uint64)) == 0


@pytest.mark.parametrize("bits", [4, 16])
def test_jaccard_to_many_is_that_to_each(monkeypatch, bits):
    monkeypatch.setattr(verify, "_TABLE_BITS", bits)
    monkeypatch.setattr(verify, "_TABLE_MASK", np.uint64((1 << bits) - 1))
    generator = np.random.default_rng(4)
    sets = [np.unique(generator.integers(0, 300, size, dtype=np.uint64)) for size in (0, 1, 40, 200, 200, 0, 900)]
    for one in sets:
        assert verify.jaccard_to_many(one, sets).tolist() == [verify.jaccard(one, other) for other in sets]


def test_programs_around_one_template_are_compared_one_by_one(tmp_path):
    """All are similar below the threshold, so that each has many candidates; only true copies are joined."""
    template = program(0, 140)
    texts = [f"{template} {program(seed, 60)}" for seed in range(1, 60)]
    copies = [changed(text, 0.01, seed) for seed, text in enumerate(texts[:20], 1)]
    assert 0.45 < true_similarity(texts[0], texts[1]) < 0.7
    found = cluster(tmp_path, texts + copies)
    near = {(a, b) for a, b in zip(texts, copies, strict=False) if true_similarity(a, b) >= 0.7}
    assert len(near) > 10
    for one, other in zip(texts, copies, strict=False):
        assert (found[one]["cluster"] == found[other]["cluster"]) == ((one, other) in near)
    assert {found[text]["members"] for text in texts[20:]} == {1}


@pytest.mark.parametrize("shards", [1, 8])
def test_verified_clusters(tmp_path, shards):
    originals = [program(seed) for seed in range(40)]
    near = [changed(f"{text} end", 0.02, seed) for seed, text in enumerate(originals)]
    far = [changed(text, 0.2, seed) for seed, text in enumerate(originals)]
    found = cluster(tmp_path, originals + near + far, shards)
    for original, close, away in zip(originals, near, far, strict=True):
        similarity = true_similarity(original, close)
        assert (found[original]["cluster"] == found[close]["cluster"]) == (similarity >= 0.7)
        assert found[away]["cluster"] == identity(away)
        if similarity >= 0.7:
            dropped = found[close if found[original]["kept"] == identity(original) else original]
            assert dropped["similarity"] == pytest.approx(similarity)
            assert found[close]["members"] == 2
    assert sum(true_similarity(a, b) >= 0.7 for a, b in zip(originals, near, strict=True)) > 20


def test_result_is_the_same_for_any_number_of_shards(tmp_path):
    texts = [changed(program(seed), 0.03, n) for seed in range(20) for n in range(4)]
    assert cluster(tmp_path / "1", texts, 1) == cluster(tmp_path / "16", texts, 16)


def test_result_is_the_same_when_memory_holds_few_documents(tmp_path, monkeypatch):
    texts = [changed(program(seed), 0.03, n) for seed in range(10) for n in range(6)]
    whole = cluster(tmp_path / "whole", texts, 2)
    monkeypatch.setattr(verify, "MOST_HASHES", 900)
    assert cluster(tmp_path / "cut", texts, 2) == whole


def test_kept_is_the_one_that_compiled_most_then_the_smallest_id(tmp_path):
    texts = [changed(program(7), 0.01, n) for n in range(5)]
    order = sorted(texts, key=identity)
    found = cluster(tmp_path / "none", texts)
    assert {row["kept"] for row in found.values()} == {identity(order[0])}
    found = cluster(tmp_path / "one", texts, compiled={order[3]: ["perf"], order[4]: ["size"]})
    assert {row["kept"] for row in found.values()} == {identity(order[3])}
    found = cluster(tmp_path / "two", texts, compiled={order[1]: ["perf"], order[4]: ["perf", "size"]})
    assert {row["kept"] for row in found.values()} == {identity(order[4])}
    assert {row["cluster"] for row in found.values()} == {identity(order[0])}


SHORT = ["print(1 + 2)", "print(1 + 2)  \r\n", "print(1 * 2)", "x = 1", "y = 2", "puts 3"]


def test_short_documents_are_compared_exactly(tmp_path):
    found = cluster(tmp_path, SHORT)
    assert found[SHORT[0]]["cluster"] == found[SHORT[1]]["cluster"]
    assert len({row["cluster"] for row in found.values()}) == 5


def test_short_documents_as_in_the_paper_all_but_one_vanish(tmp_path):
    found = cluster(tmp_path, [*SHORT, program(1)], short_documents="paper")
    assert len({found[text]["kept"] for text in SHORT}) == 1
    assert found[program(1)]["members"] == 1
    assert sorted(str(found[text]["similarity"]) for text in SHORT) == ["1.0"] + ["None"] * 5


def test_unverified_joins_below_the_threshold(tmp_path):
    """Of many pairs of similarity 0.55, the original's bands join some; verification joins none."""
    texts = [program(seed, 400) for seed in range(60)]
    half = [changed(text, 0.065, seed) for seed, text in enumerate(texts)]
    assert all(true_similarity(a, b) < 0.7 for a, b in zip(texts, half, strict=True))
    loose = cluster(tmp_path / "loose", texts + half, verify=False)
    strict = cluster(tmp_path / "strict", texts + half)
    assert any(row["members"] > 1 for row in loose.values())
    assert all(row["members"] == 1 for row in strict.values())
    joined = next(row for row in loose.values() if row["kept"] != row["id"])
    assert 0.3 < joined["similarity"] < 0.85


def test_rejected_sources_stay_alone(tmp_path):
    found = cluster(tmp_path, ["", program(1)])
    assert found[""]["cluster"] == identity("")
    assert (found[""]["members"], found[""]["similarity"], found[""]["tokens"]) == (1, 1.0, 0)


def test_no_sources(tmp_path):
    assert cluster(tmp_path, []) == {}


def test_layout_counts_only_as_the_original_splits(tmp_path):
    text = "\n".join(program(1).split())
    windows = text.replace("\n", "\r\n")
    assert cluster(tmp_path / "words", [text, windows])[text]["members"] == 2
    assert cluster(tmp_path / "split", [text, windows], tokens="split")[text]["members"] == 1


def test_signatures_of_mixed_up_shards_are_refused(tmp_path):
    cluster(tmp_path, [program(seed) for seed in range(30)], shards=2)
    paths = [str(tmp_path / name) for name in ("g1", "g0")]
    assert read_table(paths[0]).num_rows and read_table(paths[1]).num_rows
    with pytest.raises(InputError, match="in order"):
        clusters.Documents(paths, 256)


@pytest.mark.parametrize("tokens", ["words", "split"])
def test_all_truly_similar_real_files_are_found(tmp_path, tokens):
    """Modules of this environment and edited copies of them, against all pairs by brute force."""
    files = [path for path in sorted(Path(np.__file__).parent.rglob("*.py")) if path.stat().st_size < 30_000][:150]
    texts = [path.read_text(encoding="utf-8") for path in files]
    edited = [text.replace("self", f"me{place}") for place, text in enumerate(texts)]
    documents = sorted({*texts, *edited}, key=sha256_text)
    sets = shingle_sets(documents, SETTINGS | {"tokens": tokens})
    pairs = brute_force(sets, 0.7)
    assert sorted(map(tuple, join(sets, 0.7).tolist())) == sorted(map(tuple, pairs.tolist()))
    found = cluster(tmp_path, documents, 4, tokens=tokens)
    long = [(documents[a], documents[b]) for a, b in pairs.tolist() if found[documents[a]]["tokens"] >= 8]
    together = [found[one]["cluster"] == found[other]["cluster"] for one, other in long]
    assert len(together) > 50
    assert sum(together) >= 0.98 * len(together)
    assert unfounded(pairs, [found[text]["cluster"] for text in documents]) == 0


@pytest.mark.parametrize("changes", [{}, {"verify": False, "short_documents": "paper"}])
def test_without_deduplication_every_source_is_a_cluster_of_its_own(tmp_path, changes):
    text = program(1)
    texts = [text, changed(text, 0.02), program(2), "short", "short one", ""]
    rows = cluster(tmp_path, texts, shards=2, compiled={text: ("perf",)}, enabled=False, **changes)
    assert {row["members"] for row in rows.values()} == {1}
    assert all(row["kept"] == row["cluster"] == row["id"] and row["similarity"] == 1 for row in rows.values())
    assert [rows[each]["tokens"] for each in texts] == [200, 200, 200, 1, 2, 0]
    assert (rows[text]["variants_ok"], rows["short"]["variants_ok"]) == (1, 0)


@pytest.mark.parametrize("run", [" ", "\t ", " x ", "\r", " \n"])
def test_a_long_run_of_blanks_takes_linear_time(run):
    assert_linear(signatures.exact_key, lambda number: run * number + "x")


def test_blanks_before_line_ends_do_not_matter_to_a_short_document():
    assert signatures.exact_key("a \t\r\n  \n b  c\r d ") == signatures.exact_key("a\n\n b  c\n d")
    assert signatures.exact_key("a b") != signatures.exact_key("a  b")
