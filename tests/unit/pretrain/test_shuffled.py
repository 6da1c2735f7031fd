"""A placebo: sources with the modules of other programs."""

from scripts.pretrain.pair_documents import PairText
from scripts.pretrain.shuffled import shuffled


def pairs(language: str, variant: str, count: int) -> list[PairText]:
    return [PairText(language, variant, f"id{n}", f"source {n}", f"{language} {variant} {n}") for n in range(count)]


def test_every_source_has_the_module_of_another_program_of_its_language_and_variant():
    before = [*pairs("C", "perf", 20), *pairs("C", "size", 3), *pairs("D", "perf", 2)]
    after = list(shuffled(before, "train", 1))
    assert [(pair.language, pair.variant, pair.id, pair.source) for pair in after] == [
        (pair.language, pair.variant, pair.id, pair.source) for pair in before
    ]
    assert all(old.llvm != new.llvm for old, new in zip(before, after, strict=True))
    for old, new in zip(before, after, strict=True):
        assert new.llvm.startswith(f"{old.language} {old.variant} ")
    assert sorted(pair.llvm for pair in before) == sorted(pair.llvm for pair in after)


def test_the_order_depends_on_seed_and_ids_alone():
    before = pairs("C", "perf", 20)
    modules = {pair.id: pair.llvm for pair in shuffled(before, "train", 1)}
    assert modules == {pair.id: pair.llvm for pair in shuffled(before[::-1], "train", 1)}
    assert modules != {pair.id: pair.llvm for pair in shuffled(before, "train", 2)}


def test_a_program_without_another_one_is_left_out():
    assert list(shuffled(pairs("C", "perf", 1), "train", 1)) == []
