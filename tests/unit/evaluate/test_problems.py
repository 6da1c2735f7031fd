"""Problems from rows of the public data sets: prompts, stop sequences, references."""

import json

import pytest

from scripts.evaluate.benchmarks.codexglue import (
    description_prompt,
    description_reference,
    predicted_description,
    without_docstring,
)
from scripts.evaluate.benchmarks.problems import FORMS
from scripts.evaluate.benchmarks.task import Task, read_problems, read_references
from scripts.lib.files import write_text
from scripts.lib.job import InputError

HUMANEVAL = {
    "task_id": "T/0",
    "prompt": "\ndef f(x):\n    '''Doc.'''\n",
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
}


def problem(form, row, task="python", references=None):
    return FORMS[form]([row], references or {}, task)[0]


def test_humaneval_program_is_prompt_solution_tests():
    own = problem("humaneval", HUMANEVAL)
    assert own.prompt == "def f(x):\n    '''Doc.'''"
    # The newline that was stripped from the prompt is before the solution.
    assert own.context + own.solution == HUMANEVAL["prompt"].lstrip() + HUMANEVAL["canonical_solution"]
    assert own.tests.endswith("\ncheck(f)")
    assert own.stop.cut("\n    return x\nif __name__") == "\n    return x"


def test_multipl_e_stop_sequences_and_reference():
    row = {"name": "P", "prompt": "def f(x)\n", "tests": "t", "stop_tokens": ["\nend"]}
    own = problem("multipl-e", row, "rb", {"P": "  x\nend"})
    assert own.stop.sequences == ("\nend", "<file_sep>", "<|endoftext|>")
    assert own.solution == "\n  x\nend"
    assert problem("multipl-e", row, "rb").solution is None


def test_recode_has_five_seeds_and_the_nominal_prompt():
    rows = [HUMANEVAL, *({**HUMANEVAL, "perturbation_name": "Swap", "seed": seed} for seed in range(10))]
    problems = FORMS["recode"](rows, {}, "func_name")
    assert [own.id for own in problems] == ["T/0/nominal/0", *(f"T/0/Swap/{seed}" for seed in range(5))]
    assert {own.group for own in problems} == {"T/0"}


def test_fixdocs_prompt():
    row = {**HUMANEVAL, "buggy_solution": "    return -x\n"}
    own = problem("fixdocs", row)
    text = row["prompt"]
    assert own.prompt == f"### Instruction:\nFix bugs in f.\n{text}    return -x\n\n\n### Response:\n{text}".strip()
    assert own.context == text.strip()
    assert own.stop.cut("\n    return x\nassert f") == "\n    return x"
    assert FORMS["fixdocs"]([{**row, "prompt": "int f() {\n"}], {}, "cpp")[0].stop.braces


def test_a_missing_field_is_named(tmp_path):
    write_text(tmp_path / "rows.jsonl", '{"task_id": "T/0"}\n')
    with pytest.raises(InputError, match=r"rows.jsonl, line 1 lacks the field 'prompt'"):
        read_problems(Task("humaneval", "python", [str(tmp_path / "rows.jsonl")]))


@pytest.mark.parametrize(
    ("form", "changes", "message"),
    [
        ("humaneval", {"prompt": None}, "line 2: the field 'prompt' is null, not text"),
        ("recode", {"task_id": 3}, "line 2: the field 'task_id' is number, not text"),
        ("fixdocs", {"buggy_solution": ["x"]}, "line 2: the field 'buggy_solution' is list, not text"),
        ("multipl-e", {"stop_tokens": None}, "line 2: the field 'stop_tokens' is null, not a list"),
        ("multipl-e", {"stop_tokens": ["\n", 1]}, "line 2: the field 'stop_tokens' is number, not text"),
        ("codexglue", {"docstring_tokens": "a b"}, "line 2: the field 'docstring_tokens' is text, not a list"),
        ("choices", {"wrong": ...}, "line 2: the field 'wrong' is missing, not a list"),
        ("choices", {"right": "\ud800"}, "line 2: the field 'right' is not valid text"),
        ("humaneval", {"prompt": " \n"}, "line 2: the field 'prompt' is empty"),
        ("multipl-e", {"stop_tokens": ["\nend", ""]}, "line 2: the field 'stop_tokens' has an empty text"),
        ("recode", {"seed": "0"}, "line 2: the field 'seed' is '0', not a whole number"),
        ("recode", {"seed": None}, "line 2: the field 'seed' is None, not a whole number"),
        ("recode", {"seed": -1}, "line 2: the field 'seed' is -1, not a whole number"),
        ("recode", {"seed": True}, "line 2: the field 'seed' is True, not a whole number"),
        ("recode", {"perturbation_name": None}, "line 2: the field 'perturbation_name' is null, not text"),
    ],
)
def test_a_field_of_another_type_is_named_with_its_line(tmp_path, form, changes, message):
    rest = {"buggy_solution": "x", "name": "n", "tests": "t", "stop_tokens": [], "code": "c", "docstring": "d"}
    row = {**HUMANEVAL, **rest, "docstring_tokens": ["d"], "right": "r", "wrong": ["w"], **changes}
    row = {name: value for name, value in row.items() if value is not ...}
    write_text(tmp_path / "rows.jsonl", f"\n{json.dumps(row)}\n")
    with pytest.raises(InputError, match=f"rows.jsonl, {message}"):
        read_problems(Task(form, "python", [str(tmp_path / "rows.jsonl")]))


def test_a_reference_of_another_type_is_named_with_its_line(tmp_path):
    write_text(tmp_path / "own.jsonl", '{"name": "a", "completion": null}\n')
    with pytest.raises(InputError, match=r"own.jsonl, line 1: the field 'completion' is null, not text"):
        read_references([str(tmp_path / "own.jsonl")])


@pytest.mark.parametrize("form", ["humaneval", "recode", "fixdocs"])
def test_rows_of_one_name_are_refused(tmp_path, form):
    rows = [{**HUMANEVAL, "buggy_solution": "x", "test": test} for test in ("one", "two")]
    write_text(tmp_path / "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=r"rows\.jsonl: 2 rows are named 'T/0.*'; remove or rename all but one"):
        read_problems(Task(form, "python", [str(tmp_path / "rows.jsonl")]))


def test_a_limit_selects_all_prompts_of_the_first_problems(tmp_path):
    rows = [{**HUMANEVAL, "task_id": f"T/{n}", "perturbation_name": "P", "seed": s} for s in (0, 1) for n in range(3)]
    write_text(tmp_path / "rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = read_problems(Task("recode", "format", [str(tmp_path / "rows.jsonl")]), limit=2)
    assert sorted(own.id for own in found) == ["T/0/P/0", "T/0/P/1", "T/1/P/0", "T/1/P/1"]


CODE = 'def f(x):\n    """Adds one.\n    More."""\n    return x + 1\n'


def test_description_prompt_of_python_has_no_docstring():
    prompt = description_prompt(CODE, "Adds one.\n    More.", "python")
    assert prompt == 'def f(x):\n    return x + 1\n\n""" The goal of this function is to:\n'


@pytest.mark.parametrize(
    "code, docstring, bare",
    [
        ('def f(x):\n    """Add one."""\n    return x', "Add one.", "def f(x):\n    return x"),
        ("def f(x):\n    '''Add one.'''\n    return x", "Add one.", "def f(x):\n    return x"),
        # With single quotes, the closing one remains and the character before the opening one is
        # removed.
        ("def f(x):\n    'Add one.'\n    return x", "Add one.", "def f(x):'\n    return x"),
        ('def f(x): "Add one."', "Add one.", 'def f(x):"'),
        # A triple quote in the signature is mistaken for the docstring's.
        ('def f(x, s="""z"""):\n    """Add one."""\n    return x', "Add one.", "def f(x, s=\n    return x"),
        ('def f():\n    r"""Add \\d."""\n    pass', "Add \\d.", "def f():\n    r\n    pass"),
        ("def f():\n    pass", "", "def f():\n    pass"),
        ('"""Add one."""\nx = 1', "Add one.", "\nx = 1"),
    ],
)
def test_no_line_remains_between_signature_and_body(code, docstring, bare):
    assert without_docstring(code, docstring) == bare


def test_a_docstring_that_is_spelt_differently_is_located_by_the_parser():
    assert without_docstring(CODE, "Adds one. More.") == "def f(x):\n    return x + 1\n"
    umlauts = CODE.replace("Adds", "Äöü")
    assert without_docstring(umlauts, "other") == "def f(x):\n    return x + 1\n"
    assert without_docstring("not Python (", "other") == "not Python ("


@pytest.mark.parametrize("language, delimiter", [("ruby", "=begin"), ("go", "/*")])
def test_description_prompts_of_other_languages_contain_the_code_unchanged(language, delimiter):
    prompt = description_prompt("code # c", "c", language)
    assert prompt == f"code # c\n{delimiter} The goal of this function is to:\n"


def test_description_reference():
    assert description_reference(["Adds", "one", "\n", ",", "it", "'s", "fine", "."]) == "Adds one, it's fine."
    assert description_reference(["return", "x", "."]) == "eturn x."


def test_the_predicted_description_is_the_first_line():
    assert predicted_description("\n  Adds one. \nMore.") == "Adds one."
    assert predicted_description("") == ""
