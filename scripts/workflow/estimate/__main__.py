"""Print what a run of a config will take: `python -m scripts.workflow.estimate --help`, or `make
estimate`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.cli import parse_config

from scripts.evaluate.plan import Plan
from scripts.lib.job import InputError
from scripts.workflow.config import prepare
from scripts.workflow.disk_budget import stated_size
from scripts.workflow.estimate.planned import ROOT, PlannedJob, disk_of, plan, source_counts
from scripts.workflow.estimate.rates import SHIPPED, Rates, measured_rates, read_rates, write_rates
from scripts.workflow.estimate.summary import forecast, text
from scripts.workflow.estimate.units import ASSUMED_PROBLEMS, Counts
from scripts.workflow.pin import merged_config
from scripts.workflow.validation import ConfigError


def planned(files: Sequence[str], values: Sequence[str], results: Path | None) -> tuple[list[PlannedJob], list[str]]:
    """The jobs of a config, and remarks on what was assumed; `results` may have the shards of a run."""
    config = merged_config(files, values)
    languages, models, runners, benchmarks, _ = prepare(config, str(ROOT))
    sources = source_counts(config, languages, results)
    counts = Counts(config, Plan(config, benchmarks, runners, ROOT), sources, models)
    jobs = plan([Path(file).resolve() for file in files], parse_config(list(values)), counts)
    return jobs, _remarks(config, counts)


def _remarks(config: dict[str, Any], counts: Counts) -> list[str]:
    """What was assumed."""
    notes = []
    if isinstance(stated_size(config)[0], int):
        notes.append("assumed: all languages have as many programs (estimate.rows is a total)")
    tasks = [task for task in counts.plan.tasks() if not any(Path(path).is_file() for path in task.data_files)]
    if tasks:
        notes.append(f"assumed: {ASSUMED_PROBLEMS} problems in each of {len(tasks)} tasks whose data are not here")
    if cache := disk_of(counts).hub_cache:
        notes.append(f"in addition, about {cache / 1e9:,.0f} GB of disk in the cache of the hub (HF_HOME)")
    return notes


def rates_for(results: Path | None) -> Rates:
    """The shipped rates, replaced by those of a finished run where that has them.

    Raises `InputError` for a folder without costs.
    """
    rates = read_rates(ROOT / SHIPPED)
    if results is None:
        return rates
    if not (results / "provenance" / "job_costs.csv").is_file():
        raise InputError(f"{results}/provenance/job_costs.csv is missing; name the results folder of a finished run")
    jobs, _ = planned([str(results / "provenance" / "config.yaml")], [], results)
    return {**rates, **measured_rates(results, jobs)}


def main() -> None:
    """Command line: a config, given as to Snakemake, and the run whose rates are used."""
    parser = argparse.ArgumentParser(description="Print jobs, CPU and GPU hours, disk and time of a run, by stage.")
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="update config/config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="update the files")
    parser.add_argument("--rates", type=Path, metavar="FOLDER", help="results folder of a finished run to measure by")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="cores of the machine; default: of this")
    parser.add_argument("--write-rates", type=Path, metavar="FILE", help="write the rates of --rates, print nothing")
    arguments = parser.parse_args()
    try:
        rates = rates_for(arguments.rates)
        if arguments.write_rates:
            write_rates(arguments.write_rates, rates)
            return
        jobs, notes = planned(arguments.configfile, arguments.config, None)
        print(text([forecast(job, rates, arguments.cores) for job in jobs], rates, arguments.cores, notes))
    except (ConfigError, InputError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
