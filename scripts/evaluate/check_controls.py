"""Stop a run with wrong controls: references that do not pass, or empty completions that do."""

import logging
from collections.abc import Mapping, Sequence

from scripts.evaluate.benchmarks.problems import NOMINAL
from scripts.evaluate.executions import Execution, read_executions
from scripts.lib.files import write_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.evaluation import ExecutionStatus

_MOST_NAMED = 10
_DAMAGED = "the perturbed prompt and the solution make no program"

Executions = Mapping[str, Sequence[Execution]]


def is_perturbed(name: str, form: str) -> bool:
    """Whether a prompt is one of ReCode's perturbed prompts."""
    return form == "recode" and f"/{NOMINAL}/" not in name


def cause_of(name: str, faults: Mapping[str, str]) -> str:
    """The cause that `faults` gives for a prompt, its problem or its perturbation; else empty."""
    return next((cause for fault, cause in faults.items() if f"{name}/".startswith(f"{fault}/")), "")


def failed_references(references: Executions, form: str, faults: Mapping[str, str]) -> dict[str, str]:
    """References that do not pass, each with its cause; the cause is empty where none is known.

    Some of ReCode's perturbations damage the prompt so that no completion can be right. For a
    perturbed prompt, a program that does not compile is therefore cause enough.
    """
    failed = {}
    for name, executions in sorted(references.items()):
        if not any(execution.passed for execution in executions):
            perturbed = is_perturbed(name, form)
            known = cause_of(name, faults) if perturbed or form != "recode" else ""
            damaged = perturbed and {execution.status for execution in executions} == {ExecutionStatus.COMPILE_ERROR}
            failed[name] = known or (_DAMAGED if damaged else "")
    return failed


def passing_empties(empties: Executions, form: str, faults: Mapping[str, str]) -> list[str]:
    """Empty completions that pass without a known cause, sorted.

    ReCode's perturbed prompts do not count.
    """
    passing = [
        name
        for name, executions in empties.items()
        if any(execution.passed for execution in executions) and not is_perturbed(name, form)
    ]
    return sorted(name for name in passing if name not in faults)


def cut_references(references: Executions, ceilings: Executions) -> dict[str, str]:
    """Problems whose solution the protocol cuts, with the status of the program that remains."""
    return {
        name: executions[0].status
        for name, executions in sorted(ceilings.items())
        if [one.program for one in executions] != [one.program for one in references[name]]
    }


def check(fault: str, names: Sequence[str], task: str) -> None:
    """Raise `InputError` naming the problems that have the fault, if there are any."""
    if names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        raise InputError(
            f"{task}: {fault}: {', '.join(names[:_MOST_NAMED])}{more}; fix the data or the runner, or list the problem "
            "under `faults` in config/benchmarks.yaml with its cause"
        )


if __name__ == "__main__":
    with job() as snakemake:
        params, files = snakemake.params, snakemake.input
        task = f"{snakemake.wildcards.benchmark} {snakemake.wildcards.task}"
        references = read_executions(files.reference)
        failed = failed_references(references, params.form, params.faults)
        for name, cause in failed.items():
            logging.info("the reference of %s does not pass: %s", name, cause)
        check("solutions that do not pass", [name for name, cause in failed.items() if not cause], task)
        empties = passing_empties(read_executions(files.empty), params.form, params.faults)
        check("empty completions that pass", empties, task)
        cut = cut_references(references, read_executions(files.ceiling)) if files.get("ceiling") else {}
        for name, status in cut.items():
            logging.info("the stop sequences cut the solution of %s; what remains: %s", name, status)
        write_json(snakemake.output[0], {"failed_references": failed, "cut_references": cut})
