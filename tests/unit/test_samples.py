"""The sample benchmarks and tuning rows: the public data sets' fields, references that pass, bugs that are caught."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

RESOURCES = ROOT / "resources"
BENCHMARKS = RESOURCES / "benchmarks"
MULTIPL_E = ("cpp", "d", "go", "js", "lua", "py", "rb", "rs", "swift")

PROBLEM = "task_id prompt entry_point canonical_solution test"
PACK = f"{PROBLEM} declaration example_test buggy_solution bug_type failure_symptoms signature docstring instruction"
PERTURBED = f"{PROBLEM} partial perturbation_name seed"
FUNCTION = (
    "repo path func_name original_string language code code_tokens docstring docstring_tokens sha url partition license"
)
FIELDS = {
    "multipl-e/humaneval-*.jsonl": "name language prompt doctests original prompt_terminology tests stop_tokens",
    "multipl-e/references/*.jsonl": "name completion",
    "humanevalpack/humanevalpack-python.jsonl": f"{PACK} text",
    "humanevalpack/humanevalpack-go.jsonl": f"{PACK} import test_setup",
    "humanevalpack/humanevalpack-cpp.jsonl": PACK,
    "humanevalpack/humanevalpack-rust.jsonl": PACK,
    "recode/nominal_HumanEval.jsonl.gz": PROBLEM,
    "recode/nominal_humaneval_partial.jsonl.gz": f"{PROBLEM} partial",
    "recode/perturbed_humaneval_func_name.jsonl.gz": PERTURBED,
    "recode/perturbed_humaneval_format.jsonl.gz": PERTURBED,
    "recode/perturbed_humaneval_natgen.jsonl.gz": PERTURBED,
    "recode/perturbed_humaneval_nlaugmenter.jsonl.gz": f"{PERTURBED} perturbed",
    "codexglue/real_functions/*.jsonl.gz": FUNCTION,
    "commitchronicle/real_commits/*.jsonl.gz": "author date timezone hash message mods diff language license repo",
}
# (perturbations, seeds, problems) of each category of ReCode
RECODE = {"func_name": (6, 51, 6), "format": (6, 15, 3), "natgen": (7, 25, 3), "nlaugmenter": (10, 73, 3)}


def rows_of(path: Path) -> list[dict]:
    """The rows of a JSON lines file, which may be gzipped."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.splitlines()]


def outcomes(programs: list[str]) -> list[bool]:
    """Run Python programs one after the other in a single interpreter; true where a program raises nothing."""
    loop = (
        "import json, sys\nresults = []\nfor program in json.load(sys.stdin):\n"
        "    try:\n        exec(program, {})\n        results.append(True)\n"
        "    except Exception:\n        results.append(False)\nprint(json.dumps(results))\n"
    )
    command = [sys.executable, "-c", loop]
    run = subprocess.run(command, input=json.dumps(programs), capture_output=True, text=True, timeout=30, check=True)
    return json.loads(run.stdout)


def tuning_rows(*names: str) -> list[dict]:
    """The rows of the named files for instruction tuning."""
    return [row for name in names for row in rows_of(RESOURCES / f"instruct/{name}.jsonl")]


@pytest.mark.parametrize("pattern", FIELDS)
def test_the_fields_are_those_of_the_public_data_sets(pattern):
    paths = sorted(BENCHMARKS.glob(pattern))
    assert paths
    for row in [row for path in paths for row in rows_of(path)]:
        assert set(row) == set(FIELDS[pattern].split())


def test_every_file_is_covered_and_carries_no_time_stamp():
    assert {path for pattern in FIELDS for path in BENCHMARKS.glob(pattern)} == set(BENCHMARKS.rglob("*.jsonl*"))
    for path in BENCHMARKS.rglob("*.gz"):
        assert path.read_bytes()[4:8] == bytes(4), path


def multipl_e(language: str) -> list[tuple[dict, str]]:
    """Pairs of a problem and its reference completion."""
    folder = BENCHMARKS / "multipl-e"
    references = {row["name"]: row["completion"] for row in rows_of(folder / f"references/humaneval-{language}.jsonl")}
    problems = rows_of(folder / f"humaneval-{language}-reworded.jsonl")
    assert {row["name"] for row in problems} == set(references)
    return [(row, references[row["name"]]) for row in problems]


@pytest.mark.parametrize("language", MULTIPL_E)
def test_no_reference_is_cut_by_a_stop_token(language):
    for problem, completion in multipl_e(language):
        assert not [token for token in problem["stop_tokens"] if token in completion], problem["name"]


def test_multipl_e_references_pass_in_python_and_an_empty_completion_fails():
    problems = multipl_e("py")
    assert outcomes([row["prompt"] + completion + "\n" + row["tests"] for row, completion in problems]) == [True] * 8
    assert outcomes([row["prompt"] + "\n" + row["tests"] for row, _ in problems]) == [False] * 8


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_multipl_e_references_pass_in_cpp(tmp_path):
    # one program for all problems: most of the time goes into the header that each of them includes
    parts, calls = [], []
    for number, (row, completion) in enumerate(multipl_e("cpp")):
        calls.append(f"run_{number}();")
        parts.append(f"{row['prompt']}{completion}\n{row['tests'].replace('int main()', f'void run_{number}()')}")
    source, program = tmp_path / "all.cpp", tmp_path / "all"
    source.write_text("\n".join([*parts, f"int main() {{ {' '.join(calls)} }}\n"]))
    subprocess.run(["g++", "-std=c++17", "-o", program, source], check=True, timeout=60)
    assert len(calls) == 8
    assert subprocess.run([program], timeout=10, check=False).returncode == 0


def test_humanevalpack_solutions_pass_and_bugs_fail():
    problems = rows_of(BENCHMARKS / "humanevalpack/humanevalpack-python.jsonl")
    for field, good in (("canonical_solution", True), ("buggy_solution", False)):
        assert outcomes([row["prompt"] + row[field] + "\n" + row["test"] for row in problems]) == [good] * 8


@pytest.mark.parametrize("language", ["cpp", "go", "python", "rust"])
def test_humanevalpack_bugs_differ_in_the_body_only(language):
    for row in rows_of(BENCHMARKS / f"humanevalpack/humanevalpack-{language}.jsonl"):
        assert row["buggy_solution"] != row["canonical_solution"]
        assert row["prompt"].endswith(row["declaration"].splitlines()[-1] + "\n") or language == "python"
        assert re.search(rf"\b{row['entry_point']}\b", row["test"])


def recode_program(row: dict) -> str:
    """The program of a reference as HumanEval builds it."""
    return f"{row['prompt']}{row['canonical_solution']}\n{row['test']}\ncheck({row['entry_point']})"


def expected_failure(row: dict) -> bool:
    """The references that cannot pass, for the same reasons as in the public data."""
    damaged = row["perturbation_name"] in ("BackTranslation", "SynonymInsertion", "SynonymSubstitution")
    return row["perturbation_name"] == "tab_indent" or (damaged and row["task_id"] == "Sample/1")


@pytest.mark.parametrize("category", RECODE)
def test_recode_references_pass_except_where_they_cannot(category):
    rows = rows_of(BENCHMARKS / f"recode/perturbed_humaneval_{category}.jsonl.gz")
    kinds, seeded, problems = RECODE[category]
    assert len({row["perturbation_name"] for row in rows}) == kinds
    assert len({(row["perturbation_name"], row["seed"]) for row in rows}) == seeded
    assert len(rows) == seeded * problems
    passed = outcomes([recode_program(row) for row in rows])
    for row, good in zip(rows, passed, strict=True):
        assert good != expected_failure(row), row


def test_recode_nominal_references_pass_and_solutions_are_joined_by_task():
    folder = BENCHMARKS / "recode"
    nominal = {row["task_id"]: row for row in rows_of(folder / "nominal_HumanEval.jsonl.gz")}
    partial = {row["task_id"]: row for row in rows_of(folder / "nominal_humaneval_partial.jsonl.gz")}
    for rows in (nominal, partial):
        assert outcomes([recode_program(row) for row in rows.values()]) == [True] * 6
    for category, source in (("func_name", nominal), ("nlaugmenter", nominal), ("format", partial)):
        for row in rows_of(folder / f"perturbed_humaneval_{category}.jsonl.gz"):
            assert row["canonical_solution"] == source[row["task_id"]]["canonical_solution"]


@pytest.mark.parametrize("language", ["go", "python", "ruby"])
def test_codexglue_docstrings_have_tokens(language):
    for row in rows_of(BENCHMARKS / f"codexglue/real_functions/{language}.jsonl.gz"):
        assert row["language"] == language and row["partition"] == "test" and row["code_tokens"]
        assert "".join(row["docstring_tokens"]) == re.sub(r"\s", "", row["docstring"].split("\n\n")[0])
        assert (row["docstring"].split("\n")[0] in row["code"]) == (language == "python")


@pytest.mark.parametrize(("name", "language"), [("Python", "Python"), ("Cpp", "C++")])
def test_commits_are_a_history(name, language):
    rows = rows_of(BENCHMARKS / f"commitchronicle/real_commits/{name}.jsonl.gz")
    assert len(rows) > 100 and len({row["hash"] for row in rows}) == len(rows)
    assert {row["language"] for row in rows} == {language}
    for row in rows:
        assert row["message"].strip()
        parts = []
        for mod in row["mods"]:
            parts.append(f"{mod['change_type'].lower()} {mod['new_path'] or mod['old_path']}\n{mod['diff']}")
            assert (mod["old_path"] is None) == (mod["change_type"] == "ADD")
            assert (mod["new_path"] is None) == (mod["change_type"] == "DELETE")
            assert (mod["diff"] == "") == (mod["change_type"] == "RENAME")
        assert row["diff"] == "\n".join(parts)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_tuning_rows_are_new_and_hold_no_benchmark_problem():
    train, validation = tuning_rows("train"), tuning_rows("validation")
    assert all(set(row) == {"instruction", "output"} for row in train + validation)
    instructions = [row["instruction"] for row in train + validation]
    assert len(train) > 150 and len(validation) > 20 and len(set(instructions)) == len(instructions)
    for problem in [row for path in BENCHMARKS.glob("humanevalpack/*.jsonl") for row in rows_of(path)]:
        for row in train + validation:
            text = squeezed(row["instruction"] + row["output"])
            assert problem["entry_point"] not in text
            assert squeezed(problem["canonical_solution"]) not in text
            assert squeezed(problem["docstring"].split(">>>")[0]) not in text


def test_corrections_in_the_tuning_rows_change_something():
    fixes = [row for row in tuning_rows("train", "validation") if row["instruction"].startswith("Fix bugs in ")]
    assert len(fixes) > 60
    for row in fixes:
        head, wrong = row["instruction"].split("\n", 1)
        assert head.removeprefix("Fix bugs in ").removesuffix(".") in row["output"]
        assert wrong != row["output"] and wrong.split("\n")[0] == row["output"].split("\n")[0]


def test_python_answers_are_valid_programs():
    outputs = [row["output"] for row in tuning_rows("train", "validation")]
    answers = [output for output in outputs if output.startswith("def ") and ":\n    " in output]
    assert len(answers) > 60
    assert all(outcomes(answers))
