"""Generate the completions of one model for one task, and store them for all later steps.

A model folder is all that it needs of the model: it evaluates a folder that was never trained here
like any other (docs/how-to/evaluate-a-model.md). An interrupted job resumes with its next chunk of
problems.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.engines.base import Engine
from scripts.evaluate.engines.generation_requests import force, generate, in_chunks
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.gpu import require_gpus
from scripts.lib.job import job
from scripts.lib.prompts import PromptSettings, build_prompt
from scripts.lib.schemas.evaluation import FinishReason


def load_engine(name: str, folder: str, settings: Mapping[str, Any], threads: int) -> Engine:
    """The engine `name` with the model of a folder loaded.

    `settings` has dtype, batch_size and context (tokens, or None).
    """
    context = settings.get("context")
    if name == "vllm":
        # vLLM reads these when it is imported. It would otherwise report every use to its authors,
        # and run the model in a separate process that survives a killed job.
        os.environ |= {"VLLM_NO_USAGE_STATS": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
        from scripts.evaluate.engines.vllm_engine import VllmEngine

        return VllmEngine(folder, settings["dtype"], context)
    from scripts.evaluate.engines.transformers_engine import TransformersEngine

    return TransformersEngine(folder, settings["dtype"], settings["batch_size"], threads, context)


def with_commit_prompts(problems: Sequence[Problem], tokenizer: Any, prompts: PromptSettings) -> list[Problem]:
    """Commit problems with their prompts, in which the diff is cut to a number of tokens."""
    return [replace(problem, prompt=build_prompt(tokenizer, prompts, problem.row)) for problem in problems]


def chunk_size(problems: int, samples: int, requests: int) -> int:
    """Number of problems in a chunk of about `requests` requests."""
    return max(1, min(problems, requests // samples))


def generations_of(model: str, task: Task, params: Any, threads: int) -> list[Generation]:
    """All generations of the model in the folder `model` for a task.

    `params` are those of the rule `evaluate_generate`: `settings`, and `checkpoints` (a folder) and
    `name` (unique to the job) of the workspace in which chunks are stored until the job is done.
    """
    settings = params.settings
    sampling = Sampling(**settings["sampling"])
    problems = read_problems(task, settings["problems"])
    key = settings_key(settings, [model, *task.rows])
    with workspace(params.checkpoints, params.name, key) as folder:
        engine = load_engine(settings["engine"], model, settings, threads)
        if task.form == "commits":
            problems = with_commit_prompts(problems, engine.tokenizer, PromptSettings(**settings["prompts"]))
        size = chunk_size(len(problems), sampling.samples, settings["chunk_requests"])

        def make(chunk: Sequence[Problem]) -> list[Generation]:
            if settings["teacher_forced"]:
                return force(engine, chunk, sampling, PromptSettings(**settings["prompts"]))
            return generate(engine, chunk, sampling, settings["seed"], task.name)

        return in_chunks(problems, size, folder, make)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        files = snakemake.input
        task = Task(**snakemake.params.task, rows=files.rows)
        generations = generations_of(files.model, task, snakemake.params, snakemake.threads)
        overflows = sum(reason == FinishReason.OVERFLOW for row in generations for reason in row.finish_reasons)
        logging.info(
            "%d problems; %d completions are empty because the prompt fills the context", len(generations), overflows
        )
        write_generations(snakemake.output[0], generations)
