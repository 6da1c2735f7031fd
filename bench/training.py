"""Measures what packing saves in continued pre-training: useful tokens per CPU second, padding, and
lost tokens.

Run: python -m bench.training [--pairs FOLDER] [--tokenizer FOLDER] [--context N] [--llvm-tokens N]
[--sequences N]

Pairs and tokenizer are those of a finished run. Documents are the paper's, whole modules in both
directions, or the first N tokens of each module. The tiny GPT-BigCode makes forward and backward
passes over the same number of random sequences of each packing, in turn, in one thread. Every
sequence is padded to the full context, as in the original.

Columns: `sequences` is the number of training sequences; `wasted` is the share of padding; `lost`
is the mean share of a half's text beyond the context, which is not trained on; `tokens/s` counts
tokens without padding per CPU second; `to pad` is that speed divided by the speed of one padded
document per sequence (higher is better).
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from scripts.lib.prompts import Example
from scripts.lib.training.batches import Collator
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import make_model
from scripts.lib.training.token_shards import TokenShards
from scripts.pretrain.packing import PACKINGS
from scripts.pretrain.sample import write_sample
from scripts.pretrain.tokens import write_tokens
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = read_yaml(ROOT / "config/config.yaml")["pretrain"] | {"seed": 484}
ARCHITECTURE = read_yaml(ROOT / "config/models.yaml")["tiny-gpt-bigcode"]["architecture"]


def sequences(pairs: Path, tokenizer: Path, settings: dict[str, Any]) -> tuple[list[list[int]], float]:
    """The training sequences that a packing makes of all pairs of a run, and the share of a half's
    text that it loses, on average.

    A sequence is a list of at most `context` token ids.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(str(path) for variant in ("perf", "size") for path in pairs.glob(f"*/{variant}.parquet"))
        sample, directions = f"{folder}/sample.parquet", {"directions": list(settings["templates"])}
        write_sample(paths, sample, "documents", settings | directions)
        write_tokens(sample, load_tokenizer(tokenizer), Path(folder), settings)
        table = pd.read_csv(Path(folder, "statistics.csv")).query("split == 'train' and language == 'all'").iloc[0]
        shards = TokenShards(Path(folder, "train"))
        rows = [list(shards[index].input_ids) for index in range(len(shards))]
        return rows, (table["lost_source"] + table["lost_llvm"]) / 2


def cpu_seconds(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> float:
    """CPU seconds of a forward and a backward pass."""
    start = time.process_time()
    model(**batch).loss.backward()
    model.zero_grad()
    return time.process_time() - start


def main(pairs: Path, tokenizer: Path, context: int, llvm_tokens: int | None, count: int) -> None:
    """Print a line for each packing."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    known = load_tokenizer(tokenizer)
    model = make_model(ARCHITECTURE | {"n_positions": context}, known)
    settings = SETTINGS | {"context": context, "llvm_tokens": llvm_tokens}
    packed, lost = {}, {}
    for name in PACKINGS:
        packed[name], lost[name] = sequences(pairs, tokenizer, settings | {"packing": name})
    samples = {name: random.Random(0).choices(rows, k=count) for name, rows in packed.items()}
    collate = Collator(known.pad_token_id, context)
    useful, seconds = dict.fromkeys(PACKINGS, 0), dict.fromkeys(PACKINGS, 0.0)
    for turn in range(-1, count):
        for name, rows in samples.items():
            batch = collate([Example(rows[turn], 0)])
            spent = cpu_seconds(model, batch)
            if turn >= 0:  # the first one warms up
                seconds[name] += spent
                useful[name] += int(batch["attention_mask"].sum())
    speed = {name: useful[name] / seconds[name] for name in PACKINGS}
    print(f"{'packing':10}{'sequences':>10}{'wasted':>9}{'lost':>9}{'tokens/s':>10}{'to pad':>8}")
    for name, rows in packed.items():
        wasted = 1 - sum(map(len, rows)) / (len(rows) * context)
        relative = speed[name] / speed["pad"]
        print(f"{name:10}{len(rows):10}{wasted:9.2%}{lost[name]:9.2%}{speed[name]:10.0f}{relative:8.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=Path("results/pairs"))
    parser.add_argument("--tokenizer", type=Path, default=Path("results/models/tiny-gpt-bigcode/tokenizer"))
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--llvm-tokens", type=int)
    parser.add_argument("--sequences", type=int, default=24)
    options = parser.parse_args()
    for path in (options.pairs, options.tokenizer):
        if not path.is_dir():
            parser.error(f"no folder {path}; run `make run`, or name the folder of another run")
    main(options.pairs, options.tokenizer, options.context, options.llvm_tokens, options.sequences)
