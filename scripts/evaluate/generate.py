"""Generate all completions of one model that the run evaluates, and store them for all later steps.

A model folder is all that it needs of the model: it evaluates a folder that was never trained here
like any other (docs/how-to/evaluate-a-model.md). An adapter is merged into its base in the job's
scratch folder. The engine is started once, for all tasks and
settings, and not at all if `evaluate.cache` has everything. An interrupted job resumes with the
chunks that are not stored yet.
"""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.chunks import ChunkFolder, chunk_key, chunks_of
from scripts.evaluate.engines.base import Engine
from scripts.evaluate.engines.generation_requests import Part, generate_parts
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.lib.checkpoints import folder_digest, settings_key, workspace
from scripts.lib.code_hash import code_hash
from scripts.lib.files import sha256_text
from scripts.lib.gpu import require_gpus
from scripts.lib.job import InputError, job, progress
from scripts.lib.native_bf16 import has_native_bf16
from scripts.lib.prompts import PromptSettings
from scripts.lib.schemas.evaluation import FinishReason

# Files of a model's folder that have no effect on what it generates.
_DOCUMENTS = ("README.md", "training.json")
_PACKAGES = {"transformers": ("transformers", "torch"), "vllm": ("vllm", "torch")}


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


def number_format(dtype: str, gpu: bool) -> str:
    """The format of weights that a job with or without a GPU takes for a value of `evaluate.dtype`."""
    if dtype != "native":
        return dtype
    return "bfloat16" if has_native_bf16(gpu) else "float32"


def _version(package: str) -> str | None:
    """The version of an installed package; importing an engine's packages takes seconds."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def engine_identity(settings: Mapping[str, Any], gpu: bool) -> dict[str, Any]:
    """What of the engine determines completions: packages, code and settings, and the kind of device.

    settings: `engine`, `dtype` (not `native`), `batch_size` and `context`.
    """
    name = settings["engine"]
    return {
        **{key: settings.get(key) for key in ("engine", "dtype", "batch_size", "context")},
        "versions": [_version(package) for package in _PACKAGES[name]],
        "gpu": gpu,
        "code": code_hash(f"evaluate/engines/{name}_engine.py", "evaluate/engines/generation_requests.py"),
    }


def read_part(file: Mapping[str, Any], rows: Sequence[str]) -> Part:
    """The problems of a file of generations, and how they are completed.

    file: an entry of the rule's param `files`. rows: all files of rows of the job.
    """
    own, references = ([rows[index] for index in file[name]] for name in ("rows", "references"))
    task = Task(**file["task"], rows=own, references=references)
    return Part(
        task=task.name,
        problems=read_problems(task, file["problems"]),
        sampling=Sampling(**file["sampling"]),
        prompts=PromptSettings(**file["prompts"]) if file["prompts"] else None,
        teacher_forced=file["teacher_forced"],
        likelihood=file["likelihood"],
    )


@dataclass(frozen=True)
class Generator:
    """Generates with a model, and stores what it generates in chunks.

    model: the model's folder, whole or an adapter for the model in `base`. settings: `seed`,
    `chunk_requests`, and those of the engine. gpu: whether the job has a GPU. threads: of the CPU.
    store: the folder of chunks. scratch: a folder for the merged model, by default the system's for
    temporary files.
    """

    model: str
    settings: Mapping[str, Any]
    gpu: bool
    threads: int
    store: ChunkFolder
    base: str | None = None
    scratch: str | None = None

    def generate(self, parts: Sequence[Part]) -> Iterator[list[Generation]]:
        """The generations of each part, in their order, after all that are not stored were generated."""
        engine = engine_identity(self.settings, self.gpu)
        chunks = [chunks_of(part, self.settings["chunk_requests"]) for part in parts]
        keys = [[chunk_key(chunk, self.settings["seed"], engine) for chunk in group] for group in chunks]
        named = dict(zip(chain.from_iterable(keys), chain.from_iterable(chunks), strict=True))
        missing = {key: chunk for key, chunk in named.items() if self.store.get(key) is None}
        logging.info("%d chunks, of which %d are stored already", len(named), len(named) - len(missing))
        if missing:
            self._make(missing)
        for group in keys:
            yield [generation for key in group for generation in self._stored(key)]

    def _make(self, missing: Mapping[str, Part]) -> None:
        """Start the engine, and store what it generates."""
        keys = list(missing)
        with whole_model(self.model, self.base, self.scratch) as folder:
            engine = load_engine(self.settings["engine"], folder, self.settings, self.threads)
            parts = generate_parts(engine, list(missing.values()), self.settings["seed"])
            for index, generations in progress(parts, "generating, in chunks", len(keys)):
                self.store.put(keys[index], generations)

    def _stored(self, key: str) -> list[Generation]:
        generations = self.store.get(key)
        if generations is None:
            raise InputError(f"{self.store.folder} has lost a chunk during the job; run again")
        return generations


@contextmanager
def whole_model(model: str, base: str | None, scratch: str | None) -> Iterator[str]:
    """A folder with the whole model: `model` itself, or a merged copy that is deleted at the end if
    that is an adapter for the model in `base`.
    """
    if not Path(model, "adapter_config.json").exists():
        yield model
        return
    if base is None:
        raise InputError(f"{model} is an adapter, whose base is not known; merge it into a whole model")
    from scripts.lib.training.models import merge_into

    with tempfile.TemporaryDirectory(prefix="merged-", dir=scratch) as folder:
        logging.info("merging %s into %s", model, base)
        # A tuning adds no tokens, so there are no new embeddings.
        merge_into(base, model, model, "mean", folder)
        yield folder


@contextmanager
def chunk_folder(cache: str | None, params: Any, models: Sequence[str], rows: Sequence[str]) -> Iterator[ChunkFolder]:
    """The folder of the model's chunks: below `cache`, or without one a workspace that is deleted
    when the job is done.

    params: `settings`, `files`, and the folder `checkpoints` and `name` of the workspace. models:
    the folder of a model, and of its base if it is an adapter.
    """
    if cache is not None:
        digests = [folder_digest(folder, _DOCUMENTS) for folder in models]
        yield ChunkFolder(Path(cache, sha256_text(" ".join(digests))[:16]))
        return
    key = settings_key([params.settings, params.files], [*models, *rows])
    with workspace(params.checkpoints, params.name, key) as folder:
        yield ChunkFolder(folder)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        files, params = snakemake.input, snakemake.params
        cache = snakemake.config["evaluate"]["cache"]
        models, scratch = [files.model, *files.base], snakemake.resources.tmpdir
        with chunk_folder(cache, params, models, files.rows) as store:
            has_gpu = bool(getattr(snakemake.resources, "gpu", 0))
            base = models[1] if files.base else None
            settings = {**params.settings, "dtype": number_format(params.settings["dtype"], has_gpu)}
            generator = Generator(files.model, settings, has_gpu, snakemake.threads, store, base, scratch)
            parts = [read_part(file, files.rows) for file in params.files]
            for path, generations in zip(snakemake.output, generator.generate(parts), strict=True):
                reasons = [reason for row in generations for reason in row.finish_reasons]
                overflows = reasons.count(FinishReason.OVERFLOW)
                logging.info("%s: %d problems; %d prompts fill the context", path, len(generations), overflows)
                write_generations(path, generations)
