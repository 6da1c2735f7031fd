"""Problems of a benchmark, from rows in the public data sets' fields."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.evaluate.benchmarks.codexglue import description_prompt, description_reference
from scripts.evaluate.benchmarks.stop_sequences import END_OF_TEXT, Stop

Row = Mapping[str, Any]
SEEDS = 5  # ReCode: perturbations of seeds 0 to 4 count
NOMINAL = "nominal"
_FIX = "### Instruction:\nFix bugs in {entry_point}.\n{prompt}{buggy_solution}\n\n### Response:\n{prompt}"
_PYTHON_DEF = re.compile(r"^def +(\w+)", re.MULTILINE)
_HUMANEVAL_STOP = Stop(("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", END_OF_TEXT))
_FIX_PYTHON_WORDS = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\nassert", END_OF_TEXT)
_FIX_STOPS = {
    "python": Stop(_FIX_PYTHON_WORDS, indented=True),
    "go": Stop(("\n//", "\nfunc main(", "struct", "\nfunc", END_OF_TEXT), braces=True),
    "cpp": Stop((END_OF_TEXT,), braces=True),
    "rust": Stop((END_OF_TEXT,), braces=True),
}


@dataclass(frozen=True)
class Problem:
    """One prompt of a benchmark and what judges its completions.

    id: names the prompt within its task.
    group: names the problem that scores are means over; several prompts may share one (perturbations, seeds).
    prompt: what a model reads.
    context: what a program starts with, up to where a completion follows; outer blanks are stripped as the prompt's.
    tests: what follows the completion in the program.
    solution: the data set's own completion, None where it has none.
    target: the text that a generated text is compared with.
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
    row: Row | None = None


def _behind(context: str, solution: str | None) -> str | None:
    """A solution as a completion: with the blanks before it that stripping took off the context's end."""
    return None if solution is None else context[len(context.rstrip()) :] + solution


def multipl_e(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """MultiPL-E: fields name, prompt, tests, stop_tokens; `references` has our own solutions by name."""
    del task
    return [
        Problem(
            id=row["name"],
            group=row["name"],
            prompt=row["prompt"].strip(),
            stop=Stop((*row["stop_tokens"], "<file_sep>", END_OF_TEXT)),
            context=row["prompt"].strip(),
            tests=row["tests"],
            solution=_behind(row["prompt"], references.get(row["name"])),
            row=row,
        )
        for row in rows
    ]


def humaneval(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """HumanEval: fields task_id, prompt, entry_point, canonical_solution, test."""
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
        solution=_behind(row["prompt"], row["canonical_solution"]),
        perturbation=perturbation,
        seed=seed,
        row=row,
    )


def recode(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """ReCode: HumanEval's fields, perturbation_name and seed; rows without a perturbation are the nominal ones."""
    del references, task
    problems = []
    for row in rows:
        perturbation, seed = row.get("perturbation_name", NOMINAL), row.get("seed", 0)
        if seed < SEEDS:
            name = f"{row['task_id']}/{perturbation}/{seed}"
            problems.append(_humaneval_problem(row, name, perturbation, seed))
    return problems


def fixdocs(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """HumanEvalPack FixDocs: the faulty function and its description in, the repaired function out."""
    del references
    return [
        Problem(
            id=row["task_id"],
            group=row["task_id"],
            prompt=_FIX.format_map(row).strip(),
            stop=_FIX_STOPS[task],
            context=row["prompt"].strip(),
            tests=row["test"],
            entry_point=row["entry_point"],
            solution=_behind(row["prompt"], row["canonical_solution"]),
            row=row,
        )
        for row in rows
    ]


def codexglue(rows: Iterable[Row], references: Mapping[str, str], task: str) -> list[Problem]:
    """CodeXGLUE code-to-text: fields code, docstring, docstring_tokens. Rows have no name, so their place is it."""
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
    """Commits as `lib.commits` reads them: fields diff, message. Their prompts are made with a model's tokenizer."""
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


FORMS: dict[str, Callable[[Iterable[Row], Mapping[str, str], str], list[Problem]]] = {
    "multipl-e": multipl_e,
    "humaneval": humaneval,
    "recode": recode,
    "fixdocs": fixdocs,
    "codexglue": codexglue,
    "commits": commits,
}


def python_head(context: str) -> tuple[str, str]:
    """Of a Python program's beginning: the text before its last function, and that function's name."""
    found = list(_PYTHON_DEF.finditer(context))
    return (context[: found[-1].start()], found[-1].group(1)) if found else ("", "")
