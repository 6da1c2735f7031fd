"""The sample corpus: what its README says about counts, sizes and planted cases holds."""

import json
import re
from pathlib import Path

import pytest
import yaml

from scripts.sources.tree import licenses
from tests.support.paths import ROOT

CORPUS = ROOT / "resources" / "corpus"
SUFFIXES = {
    "C": "c",
    "C++": "cpp",
    "D": "d",
    "Fortran": "f",
    "Go": "go",
    "Haskell": "hs",
    "Nim": "nim",
    "Objective-C": "m",
    "Python": "py",
    "Rust": "rs",
    "Swift": "swift",
}
FIRST_PLANTED = 51
ROW = re.compile(r"^\| `(?P<path>[^`]+/source\.\w+)` \| (?P<case>[^|]+) \| (?P<outcome>[^|]+) \|$", re.MULTILINE)


def planted() -> dict[str, str]:
    """Path below the corpus -> case, from the README's table."""
    return {m["path"]: m["case"] for m in ROW.finditer((CORPUS / "README.md").read_text())}


def sources(language: str) -> dict[int, Path]:
    """Number of a program -> its source file."""
    return {int(p.parent.name.removeprefix("Source_")): p for p in (CORPUS / language).glob("Source_*/[sS]ource.*")}


def with_case(start: str) -> list[str]:
    """Paths of the planted cases whose description starts with these words."""
    found = [path for path, case in planted().items() if case.startswith(start)]
    assert found, f"the README lists no case '{start}'"
    return found


def shingles(text: str, size: int = 5) -> set[tuple[str, ...]]:
    """Word 5-grams, words as in the BigCode near-deduplication script."""
    words = [word for word in re.split(r"[^A-Za-z_0-9]", text) if word]
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def jaccard(a: str, b: str) -> float:
    """Jaccard similarity of two texts' shingles."""
    one, other = shingles(a), shingles(b)
    return len(one & other) / len(one | other)


def other_of(case: str) -> Path:
    """The program that a duplicate is a duplicate of."""
    return CORPUS / re.search(r"duplicate of `([^`]+)`", case)[1]


@pytest.mark.parametrize("language", SUFFIXES)
def test_programs_per_language(language):
    numbers = sources(language)
    assert len([n for n in numbers if n < FIRST_PLANTED]) >= 14
    assert {p.suffix for p in numbers.values()} == {"." + SUFFIXES[language]}
    assert len(numbers) == len(list((CORPUS / language).iterdir()))


@pytest.mark.parametrize("language", SUFFIXES)
def test_ordinary_programs_are_small_distinct_utf8(language):
    texts = {n: p.read_text("utf-8") for n, p in sources(language).items() if n < FIRST_PLANTED}
    for n, text in texts.items():
        assert 10 <= text.count("\n") <= 100, f"{language} {n}"
        assert max(map(len, text.splitlines())) <= 130, f"{language} {n}"
        assert "\r" not in text, f"{language} {n}"
        assert (CORPUS / language / f"Source_{n}" / "input.txt").stat().st_size > 0
        assert all(jaccard(text, other) < 0.3 for m, other in texts.items() if m < n), f"{language} {n}"


def test_sizes():
    sizes = {p: p.stat().st_size for p in CORPUS.rglob("*") if p.is_file()}
    assert sum(sizes.values()) < 1_000_000
    assert max(sizes.values()) <= 350_000


def test_the_table_names_exactly_the_planted_files():
    files = {p.relative_to(CORPUS).as_posix() for s in SUFFIXES for n, p in sources(s).items() if n >= FIRST_PLANTED}
    assert files == set(planted())


def test_duplicates():
    table = planted()
    for path in with_case("exact duplicate"):
        assert (CORPUS / path).read_bytes() == other_of(table[path]).read_bytes()
    for path in with_case("near-duplicate"):
        copy, first = (CORPUS / path).read_bytes(), other_of(table[path]).read_bytes()
        assert copy != first
        assert jaccard(copy.decode(), first.decode()) > 0.8
    assert {p.split("/")[0] for p in with_case("exact duplicate")} == {"C", "Python"}
    assert sum((CORPUS / p).read_bytes().count(b"\r\n") > 20 for p in with_case("near-duplicate")) == 1


def test_unreadable_sources():
    limit = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["corpus"]["max_bytes"]
    assert all((CORPUS / p).stat().st_size > limit for p in with_case("too large"))
    assert all((CORPUS / p).stat().st_size == 0 for p in with_case("empty"))
    assert all(b"\0" in (CORPUS / p).read_bytes() for p in with_case("binary"))
    for path in with_case("not UTF-8"):
        data = (CORPUS / path).read_bytes()
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8")
        assert "Größte Lücke" in data.decode("latin-1")


def test_contaminated_programs_hold_a_problem_and_its_solution():
    for path in with_case("contaminated"):
        benchmark = re.search(r"`([^`]+\.jsonl)`", planted()[path])[1]
        problems = [json.loads(line) for line in (ROOT / benchmark).read_text().splitlines()]
        text = (CORPUS / path).read_text()
        assert sum((p["prompt"] + p["canonical_solution"]).rstrip() in text for p in problems) == 1


def test_the_sample_corpus_states_the_license_of_every_program():
    root = ROOT / "resources/corpus"
    programs = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.stem in ("source", "Source")}
    stated = [licenses(root, folder.name) for folder in root.iterdir() if folder.is_dir()]
    assert {path for languages in stated for path in languages} == programs
    assert {license for languages in stated for license in languages.values()} == {"Apache-2.0"}
