"""What the jobs of a run need and this machine lacks, reported in one list before anything runs.

A run that lacks something is refused (`check_requirements`). A dry run prints the same list as
warnings (`warn_at_exit`). Only jobs that would run are checked. Something that this machine lacks
but a cluster's nodes may have, such as a GPU, is only a note.
"""

import atexit
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.lib.instructions import NO_INSTRUCTIONS
from scripts.lib.revisions import Revision, gated_in, revisions_in
from scripts.workflow.disk import Budget
from scripts.workflow.disk_budget import disk_budget
from scripts.workflow.environments import pins

# Rules whose jobs are checked; a run can have many thousands of others.
_RULES = ("fetch_", "pretrain_", "finetune_", "evaluate_generate")


@dataclass(frozen=True, order=True)
class Need:
    """A line of the list: what is missing and what to do. A `note` does not refuse the run."""

    text: str
    note: bool = False


@dataclass(frozen=True)
class Job:
    """What is checked of a job; `env` is the file of its conda environment."""

    rule: str
    params: Mapping[str, Any]
    model: str | None = None
    gpus: int = 0
    env: Path | None = None


@dataclass(frozen=True)
class Site:
    """Where jobs run.

    cluster: on a cluster, not on this machine. conda: in conda environments, not with this Python.
    gated: repositories that need a token. results: the absolute results folder.
    """

    cluster: bool
    conda: bool
    gated: frozenset[str]
    results: Path


def visible_gpus() -> int:
    """Number of NVIDIA GPUs that this process may use."""
    installed = len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return installed
    return min(installed, len([name for name in visible.split(",") if name not in ("", "-1")]))


def _packages_of(env: Path) -> set[str]:
    """Names of the packages in an environment file, including its pip section."""
    return {pin.name.lower().replace("-", "_") for pin in pins(env)}


def remedy_for(package: str, job: Job, site: Site) -> str:
    """How to add a Python package that the environment of a job lacks; empty where it is installed."""
    if site.conda and job.env is not None:
        return "" if package in _packages_of(job.env) else f"add it to envs/{job.env.name}"
    return "" if importlib.util.find_spec(package) else f"pip install {package} into the environment of Snakemake"


def packages_of(job: Job) -> dict[str, str]:
    """The optional Python packages that a job's settings need, each with the setting that needs it."""
    settings = job.params.get("settings") or {}
    training = settings.get("training") or {}
    needed = {"vllm": "evaluate.engine: vllm"} if settings.get("engine") == "vllm" else {}
    needed |= {"bitsandbytes": "quantization"} if training.get("quantization", "none") != "none" else {}
    needed |= {"deepspeed": "deepspeed"} if training.get("deepspeed") else {}
    return needed | dict.fromkeys(training.get("trackers", []), "trackers")


def package_needs(jobs: Iterable[Job], site: Site) -> Iterator[Need]:
    """Packages that settings need and the jobs' environments lack, and the key of a tracker."""
    rules_by_need: dict[tuple[str, str, str], set[str]] = {}
    for job in jobs:
        for package, setting in packages_of(job).items():
            rules_by_need.setdefault((package, setting, remedy_for(package, job, site)), set()).add(job.rule)
    for (package, setting, remedy), rules in rules_by_need.items():
        if remedy:
            yield Need(
                f"the Python package {package} ({setting}; {', '.join(sorted(rules))}) is not installed; {remedy}"
            )
    if any(package == "wandb" for package, _, _ in rules_by_need) and not (
        os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_MODE")
    ):
        yield Need("WANDB_API_KEY is not set, but trackers contains wandb; set it, or WANDB_MODE=offline")


def hub_needs(job: Job, site: Site) -> Iterator[Need]:
    """What a job that fetches from the network lacks."""
    if not job.rule.startswith("fetch_"):
        return
    params = dict(job.params.items())
    revisions = revisions_in(params)
    if job.rule == "fetch_instruct" and not revisions:
        yield Need(NO_INSTRUCTIONS)
        return
    if params.get("offline") and ("source" not in params or "package" not in params["source"]):
        yield Need(
            f"rule {job.rule} needs the network, but hub.offline is true; set it to false, or use a local folder"
        )
    # The base of a checkpoint is fetched only if the checkpoint turns out to be an adapter.
    optional = revisions_in((params.get("settings") or {}).get("base"))
    for revision in revisions:
        for need in _revision_needs(revision, site):
            yield replace(need, note=need.note or revision in optional)


def _hub_token() -> str | None:
    """The token that the hub's client uses: HF_TOKEN, or the one saved at a login."""
    # Imported here because every job parses the Snakefile, which imports this module, and few need
    # the hub.
    from huggingface_hub import get_token

    return get_token()


def _revision_needs(revision: Revision, site: Site) -> Iterator[Need]:
    name = f"the {revision.kind} {revision.repository}"
    if not revision.revision:
        yield Need(f"{name} has no revision; set the commit to use, or run make pin")
    elif not revision.is_commit:
        text = f"{name} is at '{revision.revision}', which is not a whole commit and may change; run make pin"
        yield Need(text, note=True)
    if revision.repository in site.gated and not _hub_token():
        yield Need(f"{name} is gated; accept its terms on the hub and set HF_TOKEN in the environment")


def gpu_needs(jobs: Iterable[Job], site: Site) -> Iterator[Need]:
    """GPUs that jobs ask for and this machine lacks."""
    most = max(jobs, key=lambda job: job.gpus, default=None)
    if most is None or most.gpus <= (available := visible_gpus()):
        return
    fault = f"rule {most.rule} asks for {most.gpus} GPUs, this machine has {available}"
    if site.cluster:
        yield Need(f"{fault}; the cluster's nodes must have them", note=True)
    else:
        yield Need(f"{fault}; run on such a machine or a cluster (docs/how-to/slurm.md), or choose smaller models")


def disk_needs(budget: Budget, results: Path) -> Iterator[Need]:
    """Disk space for all that the jobs of a run write; `results` is the absolute results folder."""
    folder = next(path for path in (results, *results.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if budget.total > free:
        room = f"about {budget.total / 1e9:,.0f} GB of disk ({budget.by_folder()}), but {free / 1e9:,.0f} GB are free"
        yield Need(f"the run needs {room} below {results}; make room, or set results_dir")


def missing(jobs: list[Job], site: Site, budget: Budget | None = None) -> list[Need]:
    """Everything that the jobs lack, without duplicates; notes come last.

    budget: the disk of all jobs.
    """
    needs = {need for job in jobs for need in hub_needs(job, site)}
    needs |= {need for part in (package_needs, gpu_needs) for need in part(jobs, site)}
    needs |= set(disk_needs(budget or Budget(), site.results))
    return sorted(needs, key=lambda need: (need.note, need.text))


def listed(head: str, needs: Iterable[Need]) -> str:
    """The list as text: a heading, and a line for each need."""
    return "\n".join([head, *(f"  - {'note: ' if need.note else ''}{need.text}" for need in needs)])


def jobs_to_run(workflow: Any) -> list[Job]:
    """The jobs of Snakemake's plan that will run and are checked."""
    # A dry run counts its jobs as finished.
    planned = workflow.dag.needrun_jobs(exclude_finished=False)
    known: dict[tuple[str, str | None], int] = {}
    return [_job(job, known) for job in planned if job.rule.name.startswith(_RULES)]


def _job(job: Any, known: dict[tuple[str, str | None], int]) -> Job:
    env, model = job.rule.conda_env, job.wildcards_dict.get("model")
    if callable(env):  # it depends on whether the model runs on GPUs
        env = env(job.wildcards)
    # GPUs depend on rule and model only; evaluating the resources of every job takes seconds.
    if (key := (job.rule.name, model)) not in known:
        known[key] = int(job.resources.get("gpu", 0))
    return Job(
        rule=job.rule.name,
        params=job.params,
        model=model,
        gpus=known[key],
        env=Path(job.rule.basedir, env) if isinstance(env, str) else None,
    )


def site_of(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any], results: Path) -> Site:
    """Where the jobs of a run will run; `results` is the absolute results folder.

    A dry run is for a cluster when it sets a number of jobs, not of cores.
    """
    cluster = workflow.resource_settings.nodes is not None if workflow.dryrun else workflow.non_local_exec
    return Site(
        cluster=cluster,
        conda="conda" in {str(method) for method in workflow.deployment_settings.deployment_method},
        gated=gated_in([config, models]),
        results=results,
    )


def _needs(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any], results: Path) -> list[Need]:
    planned = workflow.dag.needrun_jobs(exclude_finished=False)
    budget = disk_budget(planned, config, models, results)
    return missing(jobs_to_run(workflow), site_of(workflow, config, models, results), budget)


def check_requirements(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any]) -> None:
    """End the process with a list of what is missing and would fail the run later; print notes."""
    results = Path(config["results_dir"]).resolve()
    needs = _needs(workflow, config, models, results)
    if notes := [need for need in needs if need.note]:
        print(listed("Check before this run:", notes), file=sys.stderr)
    if faults := [need for need in needs if not need.note]:
        sys.exit(listed(f"error: {len(faults)} requirements of this run are missing; nothing was run", faults))


def _warn(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any], results: Path) -> None:
    if workflow.dag is None or not workflow.dryrun:
        return
    needs = _needs(workflow, config, models, results)
    faults = sum(not need.note for need in needs)
    if needs:
        head = f"warning: requirements of this run are missing; the run would be refused for {faults} of {len(needs)}"
        print(listed(head, needs), file=sys.stderr)


def warn_at_exit(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any]) -> None:
    """Print the list after a dry run has printed its plan; Snakemake has no hook for that."""
    if workflow.is_main_process:
        # At exit, Snakemake has left the folder given by --directory.
        atexit.register(_warn, workflow, config, models, Path(config["results_dir"]).resolve())
