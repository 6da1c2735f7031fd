"""Generation, execution and scores by the rules: interrupted, and with no or a broken sandbox."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
import yaml
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

from scripts.evaluate.generations import read_generations, write_generations
from scripts.lib.files import write_text
from scripts.workflow.recovery import prepare
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.workflow.conftest import snakemake_command, snakemake_environment

MODEL = "tiny-gpt-bigcode"
CELL = f"multipl-e/py/t0.2/{MODEL}.base"
SCORE = f"results/scores/{CELL}.json"
# The fixture makes the model, so the rules before these must not run.
RULES = [
    "--allowed-rules",
    *(f"evaluate_{name}" for name in ("prepare_runner", "controls", "calibrate", "check_controls")),
    *(f"evaluate_{name}" for name in ("generate", "execute", "score")),
]
CHUNK = 2
# Other benchmarks are left out, because a job generates for all that a checkpoint is evaluated on.
OTHERS = ("humaneval", "fixdocs", "recode", "codexglue", "likelihood", "choice", "source-to-llvm")
TASKS = {"multipl-e": ["py"], **{name: [] for name in OTHERS}}
CONFIG = {"evaluate": {"tasks": TASKS, "chunk_requests": CHUNK}}


@pytest.fixture
def folder(tmp_path):
    """A working directory with a config and a random byte model, slow enough to be interrupted."""
    model = tmp_path / "results" / "models" / MODEL / "base"
    tokenizer = tiny_tokenizer()
    torch.manual_seed(3)
    size = {"n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 2048, "vocab_size": len(tokenizer)}
    end = tokenizer.eos_token_id
    GPTBigCodeForCausalLM(GPTBigCodeConfig(**size, bos_token_id=end, eos_token_id=end)).save_pretrained(model)
    tokenizer.save_pretrained(model)
    write_config(tmp_path, CONFIG)
    return tmp_path


def write_config(folder: Path, config: dict) -> None:
    """Write the config that overrides the default."""
    write_text(folder / "config.yaml", yaml.safe_dump(config))


def with_config(folder: Path, *arguments: str) -> list[str]:
    """Arguments of a run with the config of the folder."""
    return [*arguments, "--configfile", str(folder / "config.yaml")]


def killed_after(folder: Path, chunks: int) -> list[Path]:
    """Kill a run and its processes once it has stored this number of chunks.

    Returns the stored chunks.
    """
    command = snakemake_command(folder, *with_config(folder, SCORE, *RULES))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=snakemake_environment(), start_new_session=True, **quiet)
    deadline = time.monotonic() + 300
    stored: list[Path] = []
    while len(stored) < chunks:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
        stored = stored_chunks(folder)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    prepare(folder)
    return stored_chunks(folder)


def stored_chunks(folder: Path) -> list[Path]:
    """The chunks in the cache, in the order in which they were stored."""
    paths = (folder / "cache/generations").glob("*/[0-9a-f]*.jsonl.zst")
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns)


@pytest.mark.resilience
def test_an_interrupted_generation_resumes_after_its_stored_chunks(folder, workflow):
    chunks = killed_after(folder, 3)
    assert 3 <= len(chunks) < 8
    # The mark in the first chunk shows that the chunk is not generated again.
    marked = read_generations(chunks[0])
    plain = marked[0].completions[0]
    marked[0].completions[0] = "    return 'marked'\n"
    write_generations(chunks[0], marked)
    workflow(folder, *with_config(folder, SCORE, *RULES))
    path = folder / f"results/generations/{CELL}.jsonl.zst"
    final = {generation.id: generation for generation in read_generations(path)}
    assert final[marked[0].id] == marked[0]
    score = json.loads((folder / SCORE).read_text())
    assert {row["metric"] for row in score["rows"]} == {"pass@1"}
    assert {row["problems"] for row in score["rows"]} == {8}
    assert len(score["failures"]) == 8
    assert set(score["inputs"]) == {
        "humaneval-py-reworded.jsonl",
        "humaneval-py.jsonl",
        "generations",
    }
    # The same without an interruption and in one chunk.
    write_config(folder, {"evaluate": {**CONFIG["evaluate"], "chunk_requests": 1000, "cache": None}})
    workflow(folder, *with_config(folder, str(path.relative_to(folder)), *RULES))
    whole = {generation.id: generation for generation in read_generations(path)}
    assert whole.pop(marked[0].id).completions[0] == plain
    final.pop(marked[0].id)
    assert final == whole


@pytest.mark.resilience
def test_an_added_language_is_generated_alone_and_only_its_programs_run(folder, workflow):
    workflow(folder, *with_config(folder, SCORE, *RULES))
    generations = folder / "results/generations/multipl-e"
    before, chunks = (generations / f"py/t0.2/{MODEL}.base.jsonl.zst").read_bytes(), set(stored_chunks(folder))
    write_config(folder, {"evaluate": {**CONFIG["evaluate"], "tasks": {**TASKS, "multipl-e": ["py", "cpp"]}}})
    scores = [f"results/scores/multipl-e/{name}/t0.2/{MODEL}.base.json" for name in ("py", "cpp")]
    output = workflow(folder, *with_config(folder, *scores, *RULES)).stdout
    assert (generations / f"py/t0.2/{MODEL}.base.jsonl.zst").read_bytes() == before
    new = [generation for path in set(stored_chunks(folder)) - chunks for generation in read_generations(path)]
    added = read_generations(generations / f"cpp/t0.2/{MODEL}.base.jsonl.zst")
    assert sorted(new, key=lambda generation: generation.id) == sorted(added, key=lambda generation: generation.id)
    executed = re.findall(r"^(?:local)?rule evaluate_execute:.*?^    output: (\S+)", output, re.MULTILINE | re.DOTALL)
    assert [path for path in executed if MODEL in path] == [
        f"results/executions/multipl-e/cpp/t0.2/{MODEL}.base.parquet,"
    ]


def test_nothing_is_generated_when_the_sandbox_does_not_work(folder, workflow, monkeypatch):
    tools = folder / "bin"
    write_text(tools / "bwrap", "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (tools / "bwrap").chmod(0o755)
    # This Python's folder is otherwise first on the PATH of a run.
    monkeypatch.setattr("tests.workflow.conftest.snakemake_environment", lambda: environment_with(tools))
    output = workflow(folder, *with_config(folder, SCORE, *RULES), succeeds=False).stdout
    assert "allow unprivileged user namespaces" in output
    assert "evaluate_generate" not in output.partition("Select jobs to execute")[2]
    assert not (folder / f"results/generations/{CELL}.jsonl.zst").exists()


def environment_with(tools: Path) -> dict[str, str]:
    """The environment of a run with the folder `tools` first on PATH."""
    plain = snakemake_environment()
    return plain | {"PATH": f"{tools}{os.pathsep}{plain['PATH']}"}


def test_a_run_without_sandbox_needs_a_second_key(tmp_path, workflow):
    off = {"evaluate": {"tasks": {"multipl-e": ["py"]}, "sandbox": False}}
    write_config(tmp_path, off)
    target = ("results/tables/main.md", "--dry-run")
    refused = workflow(tmp_path, *with_config(tmp_path, *target), succeeds=False).stdout
    assert "evaluate.sandbox: off lets generated programs do what you may do" in refused
    off["evaluate"]["allow_unsandboxed"] = True
    write_config(tmp_path, off)
    assert "tables_main" in workflow(tmp_path, *with_config(tmp_path, *target)).stdout
