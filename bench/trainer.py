"""Measures the overhead of this project's training compared with a bare Trainer loop: same model,
batches and steps.

Run: python -m bench.trainer [--results FOLDER] [--model NAME] [--turns N]

Data, tokenizer and base model are those of a finished run, the settings those of the default
config's continued pre-training, in one thread. Each turn trains for few and for more steps both
ways: the difference gives the cost of a step, the rest is the cost of the start and the end. `ours`
includes the start of the process, checkpoints, progress and saving the adapter.

Columns: `steps/s` is optimizer steps per wall second; `to bare` is CPU time per step divided by the
bare loop's (1 means no overhead); `start s` and `start CPU s` are the wall and CPU seconds that do
not depend on the number of steps. Values are medians over the turns.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from transformers import Trainer, TrainingArguments

from bench.compile import measured
from scripts.lib.training.batches import Collator
from scripts.lib.training.launch import run_training
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import add_lora, load_for_tokenizer
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import TokenShards
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
PRETRAIN = read_yaml(ROOT / "config/config.yaml")["pretrain"]
FEW, MORE = 4, 24


def spec_of(results: Path, model: str, target: Path) -> TrainingSpec:
    """The default config's continued pre-training of a run's model, which writes below `target`."""
    entry, folder = read_yaml(ROOT / "config/models.yaml")[model], results / "models" / model
    lora = {**PRETRAIN["lora"], "targets": entry["lora_targets"], "modules_to_save": entry["modules_to_save"]}
    lora.pop("embeddings")
    settings = {**PRETRAIN["training"], "threads": 1, "processes": 1, "deepspeed": None, "trackers": [], "epochs": 99}
    return TrainingSpec(
        base=str(folder / "base"),
        tokenizer=str(folder / "tokenizer"),
        data=str(results / "tokens" / model),
        output=str(target / "adapter"),
        checkpoints=str(target / "checkpoints"),
        seed=1,
        settings=TrainingSettings(**settings),
        gpu=False,
        name=model,
        lora=lora,
    )


def ours(spec: TrainingSpec) -> None:
    """Train by the project's way."""
    Path(spec.output).mkdir()
    run_training(spec)


def bare(spec: TrainingSpec) -> None:
    """Train by a bare Trainer loop in a separate process."""
    file = Path(spec.checkpoints).with_suffix(".json")
    spec.write(file)
    threads = {"OMP_NUM_THREADS": str(spec.settings.threads), "MKL_NUM_THREADS": str(spec.settings.threads)}
    command = [sys.executable, "-m", "bench.trainer", "--bare", str(file)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **threads})


def loop(spec: TrainingSpec) -> None:
    """The bare loop itself: the same model, batches and optimizer, and nothing else."""
    settings, tokenizer = spec.settings, load_tokenizer(spec.tokenizer)
    arguments = TrainingArguments(
        output_dir=spec.output,
        max_steps=settings.max_steps or MORE,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    model = add_lora(load_for_tokenizer(spec.base, tokenizer, spec.new_embeddings), spec.lora or {}, False, False)
    collate = Collator(tokenizer.pad_token_id, spec.pad_to)
    data = TokenShards(Path(spec.data, "train"))
    Trainer(model=model, args=arguments, train_dataset=data, data_collator=collate).train()


def spent(way: Callable[[TrainingSpec], None], steps: int, options: argparse.Namespace) -> tuple[float, float]:
    """Wall and CPU seconds that a way takes for some steps."""
    with tempfile.TemporaryDirectory() as folder:
        spec = spec_of(options.results, options.model, Path(folder))
        spec = replace(spec, settings=replace(spec.settings, max_steps=steps, eval_steps=10**6))
        _, cpu, wall = measured(lambda: way(spec))
    return wall, cpu


def main(options: argparse.Namespace) -> None:
    """Print a line for each way; ratios are to the bare loop."""
    ways = {"bare": bare, "ours": ours}
    steps: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    starts: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.turns):
        for name, way in ways.items():
            (few_wall, few_cpu), (more_wall, more_cpu) = spent(way, FEW, options), spent(way, MORE, options)
            step_wall, step_cpu = (more_wall - few_wall) / (MORE - FEW), (more_cpu - few_cpu) / (MORE - FEW)
            steps[name].append((step_wall, step_cpu))
            starts[name].append((few_wall - FEW * step_wall, few_cpu - FEW * step_cpu))
    cpu = {name: median(each[1] for each in steps[name]) for name in ways}
    print(f"{'way':6}{'steps/s':>10}{'CPU s/step':>12}{'to bare':>9}{'start s':>9}{'start CPU s':>13}")
    for name in ways:
        wall, (start, start_cpu) = median(each[0] for each in steps[name]), map(median, zip(*starts[name], strict=True))
        print(f"{name:6}{1 / wall:10.2f}{cpu[name]:12.3f}{cpu[name] / cpu['bare']:9.2f}{start:9.1f}{start_cpu:13.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="results of a finished run")
    parser.add_argument("--model", default="tiny-gpt-bigcode", help="its model")
    parser.add_argument("--turns", type=int, default=3, help="measurements of each way, taken in turn")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        loop(TrainingSpec.read(options.bare))
    elif not options.results.is_dir():
        parser.error(f"no folder {options.results}; run `make run`, or name the results of another run")
    else:
        main(options)
