"""What the jobs of a run need and this machine lacks, in one list before anything runs.

A real run with something missing is refused (`refuse`); a dry run gets the same list as warnings (`warn_at_exit`).
Only jobs that would run are looked at. What a cluster's node may have and this machine has not, a GPU, is a note.
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

import yaml

from scripts.lib.revisions import Revision, gated_in, revisions_in

# Rules whose jobs are looked at; a run can have many thousands of others.
_STAGES = ("fetch_", "pretrain_", "finetune_", "evaluate_generate")
_WEIGHT_BYTES = 4  # models are saved as float32
_INSTRUCTIONS = (
    "neither instruct.data nor instruct.dataset is set; give a folder with train.jsonl and validation.jsonl as "
    "instruct.data, or a data set of the hub as instruct.dataset"
)


@dataclass(frozen=True, order=True)
class Need:
    """A line of the list: what is missing and what to do; a `note` refuses nothing."""

    text: str
    note: bool = False


@dataclass(frozen=True)
class Job:
    """What counts of a job: its rule, its model, its params, its GPUs, its conda environment's file, its outputs."""

    rule: str
    params: Mapping[str, Any]
    model: str | None = None
    gpus: int = 0
    env: Path | None = None
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """Where jobs run: on a `cluster` or here, with `conda` or this Python's packages; `gated` repositories; models."""

    cluster: bool
    conda: bool
    gated: frozenset[str]
    parameters: Mapping[str, float]
    results: Path


def visible_gpus() -> int:
    """How many NVIDIA GPUs this process may use."""
    there = len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    return there if chosen is None else min(there, len([name for name in chosen.split(",") if name not in ("", "-1")]))


def _packages_of(env: Path) -> set[str]:
    """Names of the packages that an environment file lists, those of its pip section too."""
    listed = yaml.safe_load(env.read_text(encoding="utf-8"))["dependencies"]
    words = [word for entry in listed for word in (entry["pip"] if isinstance(entry, dict) else [entry])]
    return {word.partition("=")[0].strip().lower().replace("-", "_") for word in words}


def lacks(package: str, job: Job, site: Site) -> str:
    """What is wrong with a Python package in the environment of a job; empty when it is there."""
    if site.conda and job.env is not None:
        return "" if package in _packages_of(job.env) else f"add it to envs/{job.env.name}"
    return "" if importlib.util.find_spec(package) else f"pip install {package} into the environment of Snakemake"


def packages_of(job: Job) -> dict[str, str]:
    """The Python packages that the settings of a training or of generation need, and the setting that needs each."""
    settings = job.params.get("settings") or {}
    training = settings.get("training") or {}
    needed = {"vllm": "evaluate.engine: vllm"} if settings.get("engine") == "vllm" else {}
    needed |= {"bitsandbytes": "quantization"} if training.get("quantization", "none") != "none" else {}
    needed |= {"deepspeed": "deepspeed"} if training.get("deepspeed") else {}
    return needed | dict.fromkeys(training.get("trackers", []), "trackers")


def package_needs(jobs: Iterable[Job], site: Site) -> Iterator[Need]:
    """Packages that settings need and the jobs' environments lack, and the key of a tracker."""
    asking: dict[tuple[str, str, str], set[str]] = {}
    for job in jobs:
        for package, setting in packages_of(job).items():
            asking.setdefault((package, setting, lacks(package, job, site)), set()).add(job.rule)
    for (package, setting, remedy), rules in asking.items():
        if remedy:
            yield Need(f"the Python package {package} ({setting}; {', '.join(sorted(rules))}) is not there; {remedy}")
    if any(package == "wandb" for package, _, _ in asking) and not (
        os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_MODE")
    ):
        yield Need("WANDB_API_KEY is not set, but trackers have wandb; set it, or WANDB_MODE=offline")


def hub_needs(job: Job, site: Site) -> Iterator[Need]:
    """What a job lacks that fetches from the network."""
    if not job.rule.startswith("fetch_"):
        return
    params = dict(job.params.items())
    wanted = revisions_in(params)
    if job.rule == "fetch_instruct" and not wanted:
        yield Need(f"{_INSTRUCTIONS} (docs/reference/training.md)")
        return
    if params.get("offline") and ("source" not in params or "package" not in params["source"]):
        yield Need(
            f"rule {job.rule} needs the network, but hub.offline is true; set it to false, or use a local folder"
        )
    # The base of a checkpoint is fetched with it only where that turns out to be an adapter.
    maybe = revisions_in((params.get("settings") or {}).get("base"))
    for revision in wanted:
        for need in _revision_needs(revision, site):
            yield replace(need, note=need.note or revision in maybe)


def _hub_token() -> str | None:
    """The token that the hub's client would use: HF_TOKEN, or that of a login."""
    # Imported here because every job reads this module with the Snakefile, and few need the hub.
    from huggingface_hub import get_token

    return get_token()


def _revision_needs(wanted: Revision, site: Site) -> Iterator[Need]:
    name = f"the {wanted.kind} {wanted.repository}"
    if not wanted.revision:
        yield Need(f"{name} has no revision; set the commit to use, or run make pin")
    elif not wanted.is_commit:
        text = f"{name} is at '{wanted.revision}', which is no whole commit; run make pin, so that it stays the same"
        yield Need(text, note=True)
    if wanted.repository in site.gated and not _hub_token():
        yield Need(f"{name} is gated; accept its terms on the hub and set HF_TOKEN in the environment")


def gpu_needs(jobs: Iterable[Job], site: Site) -> Iterator[Need]:
    """GPUs that jobs ask for and this machine has not."""
    most = max(jobs, key=lambda job: job.gpus, default=None)
    if most is None or most.gpus <= (there := visible_gpus()):
        return
    asked = f"rule {most.rule} asks for {most.gpus} GPUs, this machine has {there}"
    if site.cluster:
        yield Need(f"{asked}; the cluster's nodes must have them", note=True)
    else:
        yield Need(f"{asked}; run on such a machine or a cluster (docs/how-to/slurm.md), or choose smaller models")


def disk_needs(jobs: Iterable[Job], site: Site) -> Iterator[Need]:
    """Disk for the weights of all models that jobs save, where models.yaml says how many parameters they have."""
    saved = [job.model for job in jobs for path in job.outputs if job.model and is_model(path, job.model)]
    need = sum(site.parameters.get(model, 0) * _WEIGHT_BYTES for model in saved)
    folder = next(path for path in (site.results, *site.results.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if need > free:
        room = f"about {need / 1e9:.0f} GB of disk, but {free / 1e9:.0f} GB are free below {site.results}"
        yield Need(f"the weights of {len(saved)} models need {room}; make room, or set results_dir")


def is_model(path: str, model: str) -> bool:
    """Whether an output is the folder of a whole model."""
    place = Path(path)
    others = ("tokenizer", "vocabulary", "adapter")
    return place.parts[-3:-1] == ("models", model) and not place.suffix and place.name not in others


def missing(jobs: list[Job], site: Site) -> list[Need]:
    """Everything that the jobs lack, each once, what refuses a run first."""
    needs = {need for job in jobs for need in hub_needs(job, site)}
    needs |= {need for part in (package_needs, gpu_needs, disk_needs) for need in part(jobs, site)}
    return sorted(needs, key=lambda need: (need.note, need.text))


def listed(head: str, needs: Iterable[Need]) -> str:
    """A heading and a line for each need."""
    return "\n".join([head, *(f"  - {'note: ' if need.note else ''}{need.text}" for need in needs)])


def jobs_to_run(workflow: Any) -> list[Job]:
    """The jobs of Snakemake's plan that are to run and that may need something."""
    # A dry run counts its jobs as finished.
    planned = workflow.dag.needrun_jobs(exclude_finished=False)
    known: dict[tuple[str, str | None], int] = {}
    return [_job(job, known) for job in planned if job.rule.name.startswith(_STAGES)]


def _job(job: Any, known: dict[tuple[str, str | None], int]) -> Job:
    env, model = job.rule.conda_env, job.wildcards_dict.get("model")
    # GPUs depend on rule and model alone; to evaluate the resources of every job takes Snakemake seconds.
    if (key := (job.rule.name, model)) not in known:
        known[key] = int(job.resources.get("gpu", 0))
    return Job(
        rule=job.rule.name,
        params=job.params,
        model=model,
        gpus=known[key],
        env=Path(job.rule.basedir, env) if isinstance(env, str) else None,
        outputs=tuple(map(str, job.output)),
    )


def site_of(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any], results: Path) -> Site:
    """Where the jobs of a run will run, and its absolute results folder.

    A dry run is a cluster's when it says how many jobs, not cores, it may use.
    """
    cluster = workflow.resource_settings.nodes is not None if workflow.dryrun else workflow.non_local_exec
    return Site(
        cluster=cluster,
        conda="conda" in {str(method) for method in workflow.deployment_settings.deployment_method},
        gated=gated_in([config, models]),
        parameters={name: entry.get("parameters", 0) for name, entry in models.items()},
        results=results,
    )


def refuse(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any]) -> None:
    """End the process with one list when something is missing that would end the run later; print notes."""
    results = Path(config["results_dir"]).resolve()
    needs = missing(jobs_to_run(workflow), site_of(workflow, config, models, results))
    if notes := [need for need in needs if need.note]:
        print(listed("This run needs, or should have:", notes), file=sys.stderr)
    if faults := [need for need in needs if not need.note]:
        sys.exit(listed(f"error: this run lacks what is listed here ({len(faults)}); nothing was run", faults))


def _warn(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any], results: Path) -> None:
    if workflow.dag is None or not workflow.dryrun:
        return
    needs = missing(jobs_to_run(workflow), site_of(workflow, config, models, results))
    faults = sum(not need.note for need in needs)
    if needs:
        head = f"warning: this run lacks what is listed here; {faults} of {len(needs)} would have it refused"
        print(listed(head, needs), file=sys.stderr)


def warn_at_exit(workflow: Any, config: Mapping[str, Any], models: Mapping[str, Any]) -> None:
    """Print the list when a dry run has printed its plan, for which Snakemake has no hook."""
    if workflow.is_main_process:
        # At the exit, Snakemake has left the folder that --directory names.
        atexit.register(_warn, workflow, config, models, Path(config["results_dir"]).resolve())
