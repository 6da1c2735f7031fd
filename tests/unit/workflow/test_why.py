"""What became of a program, by path, folder or id, from small ledgers."""

import pytest

from scripts.lib.job import InputError
from scripts.lib.parquet import write_table
from scripts.lib.schemas.ledger import LEDGER
from scripts.workflow.command import printable, results_folder
from scripts.workflow.why import EXPLAINED, why

PAIR = {"outcome": "pair", "detail": "", "split": "train", "compiler": "clang 19", "llvm": "19"}
PAIR |= {"source_bytes": 1234, "source_tokens": 2, "ir_bytes": 3, "ir_tokens": 4}


def row(number, variant, **fields):
    """A row of a C program."""
    named = {"path": f"C/Source_{number}/source.c", "id": f"{number:016x}", "language": "C", "shard": "000"}
    return {**named, "variant": variant, **fields}


@pytest.fixture
def results(tmp_path):
    """Results with ledgers of C, of which the third program is a near-duplicate of the first, and of Go."""
    near = {"outcome": "near_duplicate", "detail": "C/Source_1/source.c; similarity 0.912", "kept": f"{1:016x}"}
    escape = {"outcome": "compile_error", "detail": "error: \x1b[31mred"}
    rows = [row(1, "perf", **PAIR), row(1, "size", **PAIR), row(2, "perf", **escape), row(2, "size", **escape)]
    rows += [row(3, "perf", **near), row(3, "size", **near)]
    write_table(tmp_path / "pairs" / "C" / "ledger.parquet", rows, LEDGER.schema)
    go = [row(number, "perf", **PAIR) | {"language": "Go", "path": f"Go/{number}.go"} for number in range(7, 70)]
    write_table(tmp_path / "pairs" / "Go" / "ledger.parquet", go, LEDGER.schema)
    return tmp_path


def test_a_pair_has_its_table_lengths_and_compiler(results):
    answer = why(results, "C/Source_1")
    assert answer == why(results, "./C/Source_1/source.c")
    assert answer.startswith("C/Source_1/source.c  (id 0000000000000001, C)\n  perf  pair: in the data set\n")
    assert "pairs/C/perf.parquet, split train" in answer
    assert "source_bytes 1,234" in answer and "compiler: clang 19, LLVM 19" in answer


def test_a_near_duplicate_says_what_became_of_the_program_that_represents_it(results):
    answer = why(results, "C/Source_3")
    assert "C/Source_1/source.c; similarity 0.912" in answer
    assert "what became of C/Source_1/source.c (id 0000000000000001):\n    perf  pair" in answer


def test_a_program_is_found_by_the_beginning_of_its_id(results):
    assert why(results, f"{2:016x}").startswith("C/Source_2/source.c")
    assert len(why(results, "00000000").splitlines()) > EXPLAINED


def test_many_programs_are_listed_with_their_outcomes(results):
    lines = why(results, "Go").splitlines()
    assert lines[0] == "63 programs; name one of them for the details"
    assert lines[1] == "Go/7.go  0000000000000007  perf pair"
    assert lines[-1] == "… and 13 more"


def test_a_wrong_name_gets_the_nearest_whatever_its_case(results):
    with pytest.raises(InputError, match="did you mean 'C/Source_2' or"):
        why(results, "c/sorce_2")
    with pytest.raises(InputError, match="name a path of the corpus"):
        why(results, "zzzzzz")


def test_a_folder_of_one_character_more_is_another_program(results):
    with pytest.raises(InputError):
        why(results, "C/Source")


def test_results_without_ledgers_or_without_a_folder_are_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="make the pairs first"):
        why(tmp_path, "C/Source_1")
    with pytest.raises(InputError, match="no results folder 'results'"):
        results_folder("")


def test_sequences_that_a_terminal_acts_on_are_not_printed(results):
    assert "\x1b" in why(results, "C/Source_2")
    assert "error: \N{REPLACEMENT CHARACTER}[31mred" in printable(why(results, "C/Source_2"))
