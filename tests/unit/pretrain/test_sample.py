"""The sample of pairs: which are drawn, and how little of the data set is read."""

import pytest

from scripts.lib import parquet
from scripts.lib.job import InputError
from scripts.lib.parquet import read_table, write_table
from scripts.lib.schemas.pairs import PAIRS
from scripts.lib.seeds import seed_for
from scripts.pretrain.pair_documents import iter_pairs, sample_keys
from scripts.pretrain.sample import write_sample

DIRECTIONS = ["source_to_llvm", "llvm_to_source"]
LIMITS = {"seed": 5, "directions": DIRECTIONS, "train_documents": 40, "validation_documents": 7}
TABLES = (("C", "perf"), ("C", "size"), ("D", "perf"))


def names(language):
    return [f"{language}{number:04}" for number in range(1500)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three tables of two row groups each; a tenth of the pairs is for validation."""
    folder, paths = tmp_path_factory.mktemp("pairs"), []
    for language, variant in TABLES:
        rows = [
            {
                "Source_Code": f"source of {name}",
                "IR_Original": f"{variant} module of {name}",
                "id": name,
                "split": "validation" if number % 10 == 0 else "train",
            }
            for number, name in enumerate(names(language))
        ]
        paths.append(str(folder / language / f"{variant}.parquet"))
        write_table(paths[-1], rows, PAIRS.schema)
    return paths


def expected_documents(split, limit):
    """The drawn documents as the order of all documents by seed and names defines them."""
    keys = [
        (language, variant, name, direction)
        for language, variant in TABLES
        for number, name in enumerate(names(language))
        if (number % 10 == 0) == (split == "validation")
        for direction in DIRECTIONS
    ]
    return sorted(keys, key=lambda key: seed_for(5, "documents", split, *key))[:limit]


@pytest.mark.parametrize(("split", "limit"), [("train", 40), ("validation", 7)])
def test_a_sample_has_the_pairs_of_the_first_documents_in_the_seeded_order(tables, tmp_path, split, limit):
    write_sample(tables[::-1], tmp_path / "sample.parquet", "documents", LIMITS)
    drawn = {key[:3] for key in expected_documents(split, limit)}
    assert set(sample_keys(tmp_path / "sample.parquet", split)) == drawn
    for pair in iter_pairs(tmp_path / "sample.parquet", split):
        assert (pair.source, pair.llvm) == (f"source of {pair.id}", f"{pair.variant} module of {pair.id}")


def test_documents_are_drawn_from_the_sample_as_from_all_pairs(tables, tmp_path):
    from scripts.pretrain.tokens import document_ranks

    write_sample(tables, tmp_path / "sample.parquet", "documents", LIMITS)
    settings = {**LIMITS, "templates": dict.fromkeys(DIRECTIONS, "")}
    ranks = document_ranks(str(tmp_path / "sample.parquet"), "train", settings)
    found = {(*pair, direction): rank for pair, each in ranks.items() for direction, rank in each.items()}
    assert found == {key: rank for rank, key in enumerate(expected_documents("train", 40))}


def test_without_a_limit_every_pair_is_in_the_sample(tables, tmp_path):
    limits = {**LIMITS, "train_documents": None, "validation_documents": None}
    write_sample(tables, tmp_path / "sample.parquet", "documents", limits)
    assert read_table(tmp_path / "sample.parquet").num_rows == 3 * 1500


def test_losses_are_compared_on_as_many_pairs_of_each_language_and_variant(tables, tmp_path):
    write_sample(tables, tmp_path / "sample.parquet", "losses", {"seed": 5, "loss_documents": 6})
    keys = list(sample_keys(tmp_path / "sample.parquet", "validation"))
    assert {key[:2]: sum(other[:2] == key[:2] for other in keys) for key in keys} == dict.fromkeys(TABLES, 6)
    first = sorted(names("C")[::10], key=lambda name: seed_for(5, "losses", "C", name))[:6]
    assert sorted(name for language, variant, name in keys if (language, variant) == ("C", "size")) == sorted(first)


def test_texts_are_read_once_and_only_in_row_groups_with_a_chosen_pair(tables, tmp_path, monkeypatch):
    read = []
    original = parquet.CheckedFile.read_row_group

    def counted(self, group, columns=None):
        read.append((self.path, group, tuple(columns)))
        return original(self, group, columns)

    monkeypatch.setattr(parquet.CheckedFile, "read_row_group", counted)
    monkeypatch.setattr(parquet.CheckedFile, "read", None)
    write_sample(tables, tmp_path / "sample.parquet", "losses", {"seed": 5, "loss_documents": 1})
    texts = [entry[:2] for entry in read if "IR_Original" in entry[2]]
    assert len(texts) == len(set(texts)) == 3
    read.clear()
    write_sample(tables, tmp_path / "sample.parquet", "documents", LIMITS)
    texts = [entry[:2] for entry in read if "IR_Original" in entry[2]]
    assert len(texts) == len(set(texts)) == 6


@pytest.mark.parametrize(("purpose", "split"), [("documents", "training"), ("losses", "validation")])
def test_pairs_without_the_needed_split_are_refused(tmp_path, purpose, split):
    other = "train" if split == "validation" else "validation"
    row = {"Source_Code": "a", "IR_Original": "b", "id": "x", "split": other}
    write_table(tmp_path / "C" / "perf.parquet", [row], PAIRS.schema)
    with pytest.raises(InputError, match=f"no pair in the {split} split"):
        write_sample(
            [str(tmp_path / "C" / "perf.parquet")], tmp_path / "out.parquet", purpose, {**LIMITS, "loss_documents": 1}
        )
    assert not (tmp_path / "out.parquet").exists()
