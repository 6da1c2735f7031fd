"""Completions of one model for one task, stored for all later steps. Killed, it goes on at the chunk where it was."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.engines.base import Engine
from scripts.evaluate.engines.generation_requests import generate, in_chunks
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.job import job
from scripts.lib.prompts import PromptSettings, build_prompt


def load_engine(name: str, folder: str, settings: Mapping[str, Any], threads: int) -> Engine:
    """The engine of this name with a model loaded."""
    context = settings.get("context")
    if name == "vllm":
        # Read when vLLM is imported. It would tell its makers of every use, and run the model in a process of its own,
        # which would outlive a killed job.
        os.environ |= {"VLLM_NO_USAGE_STATS": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
        from scripts.evaluate.engines.vllm_engine import VllmEngine

        return VllmEngine(folder, settings["dtype"], context)
    from scripts.evaluate.engines.transformers_engine import TransformersEngine

    return TransformersEngine(folder, settings["dtype"], settings["batch_size"], threads, context)


def with_commit_prompts(problems: Sequence[Problem], tokenizer: Any, prompts: PromptSettings) -> list[Problem]:
    """Commit problems with their prompts, which need a tokenizer, because the diff is cut to its tokens."""
    return [replace(problem, prompt=build_prompt(tokenizer, prompts, problem.row)) for problem in problems]


def as_generations(
    engine: Engine, problems: Sequence[Problem], sampling: Sampling, texts: Sequence[tuple[str, str]]
) -> list[Generation]:
    """Teacher-forced predictions, with the messages to compare them with, as generations of one sample each."""
    return [
        Generation(
            id=problem.id,
            prompt=problem.prompt,
            completions=[prediction],
            finish_reasons=["forced"],
            engine=engine.name,
            version=engine.version,
            seeds=[0],
            sampling=sampling,
            target=message,
        )
        for problem, (prediction, message) in zip(problems, texts, strict=True)
    ]


def chunks_of(problems: int, samples: int, requests: int) -> int:
    """Problems in a chunk of about this many requests."""
    return max(1, min(problems, requests // samples))


def generations_of(model: str, task: Task, params: Any, threads: int) -> list[Generation]:
    """All generations of a model for a task; see the rule for `params`."""
    settings = params.settings
    sampling = Sampling(**settings["sampling"])
    problems = read_problems(task, settings["problems"])
    key = settings_key(settings, [model, *task.rows])
    with workspace(params.checkpoints, params.name, key) as folder:
        engine = load_engine(settings["engine"], model, settings, threads)
        if task.form == "commits":
            problems = with_commit_prompts(problems, engine.tokenizer, PromptSettings(**settings["prompts"]))
        size = chunks_of(len(problems), sampling.samples, settings["chunk_requests"])

        def make(chunk: Sequence[Problem]) -> list[Generation]:
            if settings["teacher_forced"]:
                forced = engine.teacher_forced(chunk, PromptSettings(**settings["prompts"]))
                texts = [(one.prediction, one.message) for one in forced]
                return as_generations(engine, chunk, sampling, texts)
            return generate(engine, chunk, sampling, settings["seed"], task.name)

        return in_chunks(problems, size, folder, make)


if __name__ == "__main__":
    with job() as snakemake:
        files = snakemake.input
        task = Task(**snakemake.params.task, rows=files.rows)
        found = generations_of(files.model, task, snakemake.params, snakemake.threads)
        overflown = sum(reason == "overflow" for row in found for reason in row.finish_reasons)
        logging.info("%d problems, %d completions empty for want of room", len(found), overflown)
        write_generations(snakemake.output[0], found)
