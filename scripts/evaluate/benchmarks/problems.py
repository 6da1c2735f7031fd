"""Problems of a benchmark, read from rows with the fields of the public data sets.

`FORMS` has a reader for each form of data. Add an entry there for a benchmark whose rows have
fields of their own, and one in `TEXTS` with those fields; `form` in config/benchmarks.yaml names
the reader.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.evaluate.benchmarks.codexglue import description_prompt, description_reference
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.lib.job import InputError
from scripts.lib.json_lines import text_of, texts_of
from scripts.lib.special_tokens import END_OF_TEXT

Row = Mapping[str, Any]
# ReCode evaluates the perturbations of seeds 0 to 4.
SEEDS = 5
NOMINAL = "nominal"
_FIXDOCS_PROMPT = "### Instruction:\nFix bugs in {entry_point}.\n{prompt}{buggy_solution}\n\n### Response:\n{prompt}"
_HUMANEVAL_STOP = Stop(("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", END_OF_TEXT))
_FIXDOCS_PYTHON_SEQUENCES = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\nassert", END_OF_TEXT)
_FIXDOCS_STOP = {
    "python": Stop(_FIXDOCS_PYTHON_SEQUENCES, indented=True),
    "go": Stop(("\n//", "\nfunc main(", "struct", "\nfunc", END_OF_TEXT), braces=True),
    "cpp": Stop((END_OF_TEXT,), braces=True),
    "rust": Stop((END_OF_TEXT,), braces=True),
}


@dataclass(frozen=True)
class Problem:
    """One prompt of a benchmark, and what its completions are judged by.

    id: name of the prompt within its task.
    group: name of the problem; scores are means over problems, and several prompts may belong to
        one problem (perturbations, seeds).
    prompt: the text that a model reads.
    stop: where a completion ends.
    context: the start of the program, which the completion follows; stripped like the prompt.
    tests: the part of the program that follows the completion.
    entry_point: name of the function that the tests call.
    solution: the data set's completion; None where it has none.
    target: the reference that a generated text is compared with.
    perturbation, seed: of ReCode's prompts.
    wrong: wrong alternatives of `solution`, for a choice between them.
    row: the data set's row.
    """

    id: str
    group: str
    prompt: str
    stop: Stop
    context: str = ""
    tests: str = ""
    entry_point: str = ""
    solution: str | None = None
    target: str = ""
    perturbation: str = ""
    seed: int = 0
    wrong: tuple[str, ...] = ()
    row: Row = field(default_factory=dict)


def solution_after(context: str, solution: str | None) -> str | None:
    """A solution as a completion: after the blanks that were stripped from the context's end."""
    return None if solution is None else context[len(context.rstrip()) :] + solution


def multipl_e(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """MultiPL-E (Cassano et al. 2022, arXiv 2208.08227): fields name, prompt, tests, stop_tokens.

    `references` has this project's solutions by the problem's name; the data set has none.
    """
    del task
    return [
        Problem(
            id=row["name"],
            group=row["name"],
            prompt=row["prompt"].strip(),
            stop=Stop((*row["stop_tokens"], "<file_sep>", END_OF_TEXT)),
            context=row["prompt"].strip(),
            tests=row["tests"],
            solution=solution_after(row["prompt"], references.get(row["name"])),
            row=row,
        )
        for row in rows
    ]


def humaneval(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """HumanEval (Chen et al. 2021, arXiv 2107.03374).

    Fields: task_id, prompt, entry_point, canonical_solution, test.
    """
    del references, task
    return [_humaneval_problem(row, row["task_id"]) for row in rows]


def _humaneval_problem(row: Row, name: str, perturbation: str = "", seed: int = 0) -> Problem:
    return Problem(
        id=name,
        group=row["task_id"],
        prompt=row["prompt"].strip(),
        stop=_HUMANEVAL_STOP,
        context=row["prompt"].strip(),
        tests=f"{row['test']}\ncheck({row['entry_point']})",
        entry_point=row["entry_point"],
        solution=solution_after(row["prompt"], row["canonical_solution"]),
        perturbation=perturbation,
        seed=seed,
        row=row,
    )


def recode(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """ReCode (Wang et al. 2022, arXiv 2212.10264): HumanEval's fields, perturbation_name and seed.

    Rows without a perturbation are the nominal prompts.
    """
    del references, task
    problems = []
    for row in rows:
        perturbation, seed = row.get("perturbation_name", NOMINAL), row.get("seed", 0)
        if seed < SEEDS:
            name = f"{row['task_id']}/{perturbation}/{seed}"
            problems.append(_humaneval_problem(row, name, perturbation, seed))
    return problems


def fixdocs(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """HumanEvalPack FixDocs (Muennighoff et al. 2023, arXiv 2308.07124).

    The prompt has the buggy function and its description; the completion is the repaired function.
    Fields: HumanEval's and buggy_solution.
    """
    del references
    return [
        Problem(
            id=row["task_id"],
            group=row["task_id"],
            prompt=_FIXDOCS_PROMPT.format_map(row).strip(),
            stop=_FIXDOCS_STOP[task],
            context=row["prompt"].strip(),
            tests=row["test"],
            entry_point=row["entry_point"],
            solution=solution_after(row["prompt"], row["canonical_solution"]),
            row=row,
        )
        for row in rows
    ]


def codexglue(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """CodeXGLUE code-to-text: fields code, docstring, docstring_tokens.

    Rows have no name, so problems are named by the row's index.
    """
    del references
    stop = Stop(('"""', "'''", END_OF_TEXT) if task == "python" else ("\n", END_OF_TEXT))
    problems = []
    for number, row in enumerate(rows):
        target = description_reference(row["docstring_tokens"])
        problems.append(
            Problem(
                id=f"{task}/{number}",
                group=f"{task}/{number}",
                prompt=description_prompt(row["code"], row["docstring"], task),
                stop=stop,
                solution=target,
                target=target,
                row=row,
            )
        )
    return problems


def commits(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """Commits as `lib.commits` reads them: fields diff, message.

    Prompts are empty, because building them requires the model's tokenizer (`generate.py`).
    """
    del references
    return [
        Problem(
            id=f"{task}/{number}",
            group=f"{task}/{number}",
            prompt="",
            stop=Stop((END_OF_TEXT,)),
            solution=row["message"],
            target=row["message"],
            row=row,
        )
        for number, row in enumerate(rows)
    ]


def choices(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """Choices between a right and wrong programs, as `choices.py` writes them."""
    del references, task
    return [
        Problem(
            id=row["name"],
            group=row["name"],
            prompt=row["prompt"],
            stop=Stop(),
            solution=row["right"],
            wrong=tuple(row["wrong"]),
            row=row,
        )
        for row in rows
    ]


def source_to_llvm(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """Held-out pairs of source and module, of which the module is to be written (`task.held_out_pairs`)."""
    del references, task
    return [
        Problem(
            id=row["name"],
            group=row["name"],
            prompt=row["prompt"],
            stop=Stop((END_OF_TEXT,)),
            solution=row["module"],
            target=row["module"],
            row=row,
        )
        for row in rows
    ]


FORMS: dict[str, Callable[[Iterable[Row], Mapping[str, str], str], list[Problem]]] = {
    "multipl-e": multipl_e,
    "humaneval": humaneval,
    "recode": recode,
    "fixdocs": fixdocs,
    "codexglue": codexglue,
    "commits": commits,
    "choices": choices,
    "source-to-llvm": source_to_llvm,
}

_HUMANEVAL_TEXTS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
# The fields of each form that are texts, and those that are lists of texts.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "multipl-e": ("name", "prompt", "tests"),
    "humaneval": _HUMANEVAL_TEXTS,
    "recode": _HUMANEVAL_TEXTS,
    "fixdocs": (*_HUMANEVAL_TEXTS, "buggy_solution"),
    "codexglue": ("code", "docstring"),
    "choices": ("name", "prompt", "right"),
}
LISTS: Mapping[str, tuple[str, ...]] = {
    "multipl-e": ("stop_tokens",),
    "codexglue": ("docstring_tokens",),
    "choices": ("wrong",),
}


def checked_row(form: str, row: Row, where: str) -> Row:
    """A row of a form of data; raise `InputError`, which begins with `where`, if a field that its
    reader needs is missing, empty where nothing could be generated, or has another type.
    """
    for name in TEXTS.get(form, ()):
        text_of(row, name, where)
    for name in LISTS.get(form, ()):
        texts_of(row, name, where)
    if "prompt" in TEXTS.get(form, ()) and not row["prompt"].strip():
        raise InputError(f"{where}: the field 'prompt' is empty; fix or remove the line")
    if form == "multipl-e" and "" in row["stop_tokens"]:
        raise InputError(f"{where}: the field 'stop_tokens' has an empty text, which ends all completions; remove it")
    if form == "recode":
        _check_perturbation(row, where)
    return row


def _check_perturbation(row: Row, where: str) -> None:
    """Raise `InputError` if the fields of a perturbed prompt, if there are any, have another type."""
    if "perturbation_name" in row:
        text_of(row, "perturbation_name", where)
    seed = row.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"{where}: the field 'seed' is {repr(seed)[:40]}, not a whole number from 0; fix the line")
