"""Mutants of programs: what is changed, and what is not."""

import pytest

from scripts.evaluate.mutants import mutants
from scripts.lib.job import InputError

PROGRAM = "    while i <= 10:  # i < 3\n        i += 1 and '2 < 3'\n"


def test_a_mutant_differs_in_one_operator_constant_or_keyword() -> None:
    changes = {(mutant.change, mutant.text) for mutant in mutants(PROGRAM, "Python", "p", 1)}
    assert {change for change, _ in changes} == {
        "<= -> <",
        "10 -> 11",
        "10 -> 9",
        "+= -> -=",
        "1 -> 2",
        "1 -> 0",
        "and -> or",
    }
    assert ("<= -> <", PROGRAM.replace("<=", "<")) in changes


def test_strings_and_comments_stay_as_they_are() -> None:
    for mutant in mutants(PROGRAM, "Python", "p", 1):
        assert "# i < 3" in mutant.text and "'2 < 3'" in mutant.text


@pytest.mark.parametrize("language", ["C++", "D", "Go", "Rust", "Swift", "JavaScript"])
def test_programs_of_languages_with_braces_have_mutants(language: str) -> None:
    program = "  if (a >= b && c != 3) {\n    return a - b;\n  }\r\n"
    changed = mutants(program, language, "p", 1)
    assert {mutant.change for mutant in changed} == {">= -> >", "&& -> ||", "!= -> ==", "3 -> 4", "3 -> 2", "- -> +"}
    # Nothing else changes: neither line ends nor blanks.
    for mutant in changed:
        old, new = mutant.change.split(" -> ")
        before, after = program[: mutant.position], program[mutant.position + len(old) :]
        assert mutant.text == before + new + after


def test_the_order_is_determined_by_seed_and_name() -> None:
    first = mutants(PROGRAM, "Python", "p", 1)
    assert first == mutants(PROGRAM, "Python", "p", 1)
    others = [mutants(PROGRAM, "Python", "q", 1), mutants(PROGRAM, "Python", "p", 2)]
    assert all(first != other and set(first) == set(other) for other in others)


def test_an_unknown_language_is_one_line() -> None:
    with pytest.raises(InputError, match="Pygments knows no language 'Klingon'"):
        mutants("a", "Klingon", "p", 1)
