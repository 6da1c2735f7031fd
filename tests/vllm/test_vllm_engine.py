"""vLLM's CPU build as the engine: greedy completions equal those of transformers.

Interrupted runs resume.

`make vllm-test` runs it in a separate Python environment.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.chunks import ChunkFolder
from scripts.evaluate.engines.base import Request, RequestGroup
from scripts.evaluate.generate import Generator, load_engine, read_part
from scripts.evaluate.generations import Sampling, read_generations, write_generations
from scripts.lib.prompts import PromptSettings
from scripts.lib.special_tokens import END_OF_TEXT

pytestmark = pytest.mark.vllm

ROOT = Path(__file__).resolve().parents[2]
ROWS = str(ROOT / "resources" / "benchmarks" / "multipl-e" / "humaneval-py-reworded.jsonl")
TASK = {"form": "multipl-e", "name": "py", "rows": [ROWS]}
CONTEXT = 1024
NEAR = "x" * (CONTEXT - 5)  # five more tokens fit
GREEDY = Sampling(temperature=0, top_p=1, samples=1, new_tokens=48)
WARM = Sampling(temperature=0.8, top_p=0.95, samples=2, new_tokens=24)
NEVER = Stop((END_OF_TEXT,))
PROMPTS = PromptSettings(template="{diff}>", shorten="diff", length=40, response_tokens=12)
SETTINGS = {
    "seed": 484,
    "engine": "vllm",
    "dtype": "float32",
    "batch_size": 1,
    "chunk_requests": 2,
}
FILE = {
    "task": {"form": "multipl-e", "name": "py"},
    "rows": [0],
    "problems": None,
    "sampling": {"temperature": 0.8, "top_p": 0.95, "samples": 2, "new_tokens": 60},
    "prompts": None,
    "teacher_forced": False,
}
GENERATE = """
import json, sys
from pathlib import Path
from scripts.evaluate.chunks import ChunkFolder
from scripts.evaluate.generate import Generator, read_part
model, settings, store, file, rows = json.load(sys.stdin)
list(Generator(model, settings, False, 1, ChunkFolder(Path(store))).generate([read_part(file, rows)]))
"""
# Completions of an engine, in a separate process for each engine.
COMPLETE = """
import json, sys
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.engines.base import Request
from scripts.evaluate.generate import load_engine
from scripts.evaluate.generations import Sampling
engine, model, task, settings, sampling, result = json.load(sys.stdin)
requests = [Request(problem.prompt, 1, problem.stop) for problem in read_problems(Task(**task))]
texts = load_engine(engine, model, settings, 1).complete(requests, Sampling(**sampling))
json.dump([[text.text, text.finish_reason] for text in texts], open(result, "w"))
"""
MERGED = ROOT / "results/models/tiny-gpt-bigcode/ircoder"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random model of the default run's architecture with an untied output head, as if merged."""
    import torch
    from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

    from tests.support.tiny_tokenizer import tiny_tokenizer

    path = tmp_path_factory.mktemp("model")
    tokenizer = tiny_tokenizer()
    torch.manual_seed(3)
    end = tokenizer.eos_token_id
    size = {"n_embd": 192, "n_layer": 4, "n_head": 6, "n_positions": CONTEXT, "vocab_size": len(tokenizer)}
    config = GPTBigCodeConfig(**size, bos_token_id=end, eos_token_id=end, tie_word_embeddings=False)
    GPTBigCodeForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


def task_requests():
    """The prompts of a task."""
    return [Request(problem.prompt, 1, problem.stop) for problem in read_problems(Task(**TASK))]


def commits():
    """Commits with their messages."""
    rows = [{"diff": "abc", "message": "fix it"}, {"diff": "+x", "message": "another message"}]
    return [Problem(str(n), str(n), "", NEVER, target=row["message"], row=row) for n, row in enumerate(rows)]


@pytest.fixture(scope="module")
def expected(folder):
    """Completions by transformers."""
    plain = load_engine("transformers", folder, {**SETTINGS, "batch_size": 8}, 2)
    return {
        "task": plain.complete(task_requests(), GREEDY),
        "abc": plain.complete([Request("abc", 1, NEVER)], GREEDY)[0].text,
        "near": plain.complete([Request(NEAR, 1, NEVER)], GREEDY)[0],
        "forced": plain.teacher_forced(commits(), PROMPTS),
    }


@pytest.fixture(scope="module")
def chatty(folder, tmp_path_factory):
    """The same model with generation settings in its folder, and its expected completion.

    The settings have a second end token, which is the fourth token of the plain model's completion.
    """
    plain = load_engine("transformers", folder, {**SETTINGS, "batch_size": 1}, 2)
    rows, generate = [], plain.model.generate
    plain.model.generate = lambda **words: rows.append(generate(**words)) or rows[-1]
    plain.complete([Request("abc", 1, NEVER)], GREEDY)
    ids = rows[0][0, len(plain.tokenizer("abc")["input_ids"]) :].tolist()
    path = tmp_path_factory.mktemp("chatty")
    shutil.copytree(folder, path, dirs_exist_ok=True)
    file = path / "generation_config.json"
    ends = [plain.tokenizer.eos_token_id, ids[3]]
    values = {"eos_token_id": ends, "repetition_penalty": 5.0, "temperature": 0.1, "top_k": 2, "max_new_tokens": 1}
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))
    return str(path), plain.tokenizer.decode(ids[: ids.index(ids[3])])


@pytest.fixture(scope="module")
def engine(folder, expected, chatty):
    # After the fixtures by transformers, because vLLM patches torch and transformers.
    return load_engine("vllm", folder, SETTINGS, 1)


def test_greedy_completions_equal_those_of_transformers(engine, expected):
    texts = engine.complete(task_requests(), GREEDY)
    assert len(texts) == 8
    assert texts == expected["task"]


def test_generation_ends_at_a_stop_sequence_and_at_the_context_limit(engine, expected):
    whole = expected["abc"]
    stop, full = Stop((whole[4:6],)), "x" * CONTEXT
    requests = [Request("abc", 1, stop), Request(NEAR, 1, NEVER), Request(full, 1, NEVER)]
    stopped, near, over = engine.complete(requests, GREEDY)
    assert (stopped.finish_reason, stopped.text) == ("stop", whole[: whole.index(whole[4:6])])
    assert near == expected["near"]
    assert (over.finish_reason, over.text) == ("overflow", "")


def test_seeds_determine_sampled_completions_and_order_does_not(engine):
    requests = [Request(f"def f{n}(x):", n, NEVER) for n in range(6)]
    first = engine.complete(requests, WARM)
    assert first == engine.complete(requests[::-1], WARM)[::-1]
    assert len({completion.text for completion in first}) == 6
    assert engine.complete([Request("a", 1, NEVER)], WARM) != engine.complete([Request("a", 2, NEVER)], WARM)


def test_teacher_forced_messages_equal_those_of_transformers(engine, expected):
    assert engine.teacher_forced(commits(), PROMPTS) == expected["forced"]


def test_settings_of_the_model_folder_are_ignored_except_for_end_tokens(chatty):
    path, text = chatty
    completion = load_engine("vllm", path, SETTINGS, 1).complete([Request("abc", 1, NEVER)], GREEDY)[0]
    assert (completion.text, completion.finish_reason) == (text, "end")


def generated(folder, store):
    """The generations of the task, stored in chunks."""
    [generations] = Generator(folder, SETTINGS, False, 1, ChunkFolder(store)).generate([read_part(FILE, [ROWS])])
    return {generation.id: generation for generation in generations}


def test_an_interrupted_generation_resumes_after_its_stored_chunks(folder, tmp_path):
    command = [sys.executable, "-c", GENERATE]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = tmp_path / "killed"
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, start_new_session=True, text=True
    ) as process:
        process.stdin.write(json.dumps([folder, SETTINGS, str(killed), FILE, [ROWS]]))
        process.stdin.close()
        chunks: list[Path] = []
        while len(chunks) < 2:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
            chunks = sorted(killed.glob("[0-9a-f]*.jsonl.zst"))
        os.killpg(process.pid, signal.SIGKILL)
    [marked] = read_generations(chunks[0])
    marked.completions[0] = "marked"
    write_generations(chunks[0], [marked])
    resumed, whole = generated(folder, killed), generated(folder, tmp_path / "whole")
    assert resumed.pop(marked.id) == marked
    whole.pop(marked.id)
    assert resumed == whole


def test_all_groups_are_in_the_engine_at_once_and_come_as_if_alone(engine):
    prompts = ["a", "def f(x):", "int main() {", "x" * CONTEXT]
    groups = [
        RequestGroup([Request(prompt, 7 + n, NEVER) for n, prompt in enumerate(prompts)], sampling)
        for sampling in (GREEDY, WARM)
    ]
    completed = dict(engine.complete_groups(groups))
    assert sorted(completed) == [0, 1]
    for index, completions in completed.items():
        assert completions == engine.complete(groups[index].requests, groups[index].sampling)


@pytest.mark.skipif(not MERGED.is_dir(), reason="needs a finished default run")
def test_greedy_completions_of_the_default_runs_model_equal_those_of_transformers(tmp_path):
    texts = {}
    for engine in ("transformers", "vllm"):
        result = tmp_path / f"{engine}.json"
        arguments = [engine, str(MERGED), TASK, SETTINGS, asdict(GREEDY), str(result)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", COMPLETE]
        subprocess.run(command, env=environment, input=json.dumps(arguments), text=True, check=True)
        texts[engine] = json.loads(result.read_text())
    assert len(texts["vllm"]) == 8
    assert texts["vllm"] == texts["transformers"]
