"""Refuse a run whose controls are off: references that do not pass, or empty completions that do."""

import logging
from collections.abc import Iterable, Mapping

from scripts.evaluate.outcomes import passes
from scripts.evaluate.problems import NOMINAL
from scripts.lib.files import write_json
from scripts.lib.job import InputError, job

_MOST_NAMED = 10


def counted(names: Iterable[str], form: str) -> list[str]:
    """Prompts that the controls are known for: of ReCode's the unperturbed ones, as others may not fit the solution."""
    return sorted(name for name in names if form != "recode" or f"/{NOMINAL}/" in name)


def odd_ones(passed: Mapping[str, list[bool]], form: str, expected: bool, faults: Mapping[str, str]) -> list[str]:
    """Prompts whose control did not come out as `expected`, without the known `faults` of the data."""
    return [name for name in counted(passed, form) if any(passed[name]) != expected and name not in faults]


def check(control: str, odd: list[str], where: str) -> None:
    """Raise `InputError`, naming problems, when a control is off."""
    if not odd:
        return
    named = ", ".join(odd[:_MOST_NAMED]) + (f" and {len(odd) - _MOST_NAMED} more" if len(odd) > _MOST_NAMED else "")
    what = "solutions that do not pass" if control == "reference" else "empty completions that pass"
    raise InputError(
        f"{where}: {what}: {named}; mend data or runner, or name a fault of the data with its cause under `faults` in "
        "config/benchmarks.yaml"
    )


if __name__ == "__main__":
    with job(snakemake):
        params, files = snakemake.params, snakemake.input
        found = {name: passes(files[name]) for name in ("reference", "empty")}
        for name, passed in found.items():
            where = f"{snakemake.wildcards.benchmark} {snakemake.wildcards.task}"
            check(name, odd_ones(passed, params.form, name == "reference", params.faults), where)
        failed = sorted(name for name, own in found["reference"].items() if not any(own))
        for name in failed:
            logging.info("reference of %s does not pass: %s", name, params.faults.get(name, "perturbed prompt"))
        write_json(snakemake.output[0], {"failed_references": failed, "faults": dict(params.faults)})
