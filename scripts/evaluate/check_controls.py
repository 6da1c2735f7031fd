"""Refuse a run whose controls are off: references that do not pass, or empty completions that do."""

import logging
from collections.abc import Mapping, Sequence

from scripts.evaluate.benchmarks.problems import NOMINAL
from scripts.evaluate.executions import programs, statuses
from scripts.lib.files import write_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.evaluation import ExecutionStatus

_MOST_NAMED = 10
_DAMAGED = "the perturbed prompt and the solution make no program"

Outcomes = Mapping[str, Sequence[str]]


def is_perturbed(name: str, form: str) -> bool:
    """Whether a prompt is one of ReCode's perturbed ones."""
    return form == "recode" and f"/{NOMINAL}/" not in name


def cause_of(name: str, faults: Mapping[str, str]) -> str:
    """The cause under `faults` of a prompt, or of the problem or perturbation that it belongs to; empty for none."""
    return next((cause for fault, cause in faults.items() if f"{name}/".startswith(f"{fault}/")), "")


def failed_references(found: Outcomes, form: str, faults: Mapping[str, str]) -> dict[str, str]:
    """References that do not pass, each with its cause; the cause is empty where none is known.

    Some of ReCode's perturbations damage the prompt, so that nothing could complete it: of a perturbed prompt it is
    cause enough that the program does not compile.
    """
    failed = {}
    for name, own in sorted(found.items()):
        if ExecutionStatus.PASSED not in own:
            perturbed = is_perturbed(name, form)
            known = cause_of(name, faults) if perturbed or form != "recode" else ""
            failed[name] = known or (_DAMAGED if perturbed and set(own) == {ExecutionStatus.COMPILE_ERROR} else "")
    return failed


def passing_empties(found: Outcomes, form: str, faults: Mapping[str, str]) -> list[str]:
    """Empty completions that pass without a known cause; of ReCode's only those of unperturbed prompts count."""
    passed = [name for name, own in found.items() if ExecutionStatus.PASSED in own and not is_perturbed(name, form)]
    return sorted(name for name in passed if name not in faults)


def cut_references(reference: str, ceiling: str) -> dict[str, str]:
    """Problems whose solution the protocol cuts, with the status of what is left; both are tables of executions."""
    whole, left = programs(reference), programs(ceiling)
    return {name: own[0] for name, own in sorted(statuses(ceiling).items()) if left[name] != whole[name]}


def check(what: str, odd: Sequence[str], where: str) -> None:
    """Raise `InputError`, naming problems, when there are odd ones."""
    if odd:
        named = ", ".join(odd[:_MOST_NAMED]) + (f" and {len(odd) - _MOST_NAMED} more" if len(odd) > _MOST_NAMED else "")
        raise InputError(
            f"{where}: {what}: {named}; fix the data or the runner, or name a fault of the data with its cause under "
            "`faults` in config/benchmarks.yaml"
        )


if __name__ == "__main__":
    with job() as snakemake:
        params, files = snakemake.params, snakemake.input
        place = f"{snakemake.wildcards.benchmark} {snakemake.wildcards.task}"
        failed = failed_references(statuses(files.reference), params.form, params.faults)
        for name, cause in failed.items():
            logging.info("the reference of %s does not pass: %s", name, cause)
        check("solutions that do not pass", [name for name, cause in failed.items() if not cause], place)
        empties = passing_empties(statuses(files.empty), params.form, params.faults)
        check("empty completions that pass", empties, place)
        cut = cut_references(files.reference, files.ceiling) if files.get("ceiling") else {}
        for name, status in cut.items():
            logging.info("the stop sequences cut the solution of %s; what is left: %s", name, status)
        write_json(snakemake.output[0], {"failed_references": failed, "cut_references": cut})
