"""Measures what packing saves in continued pre-training: useful tokens per CPU second, and positions wasted.

python -m benchmarks.training [--pairs FOLDER] [--tokenizer FOLDER] [--context N] [--sequences N] prints a line for each
packing. Pairs and tokenizer are a run's; the documents are the paper's, whole modules in both directions. Forward and
backward passes of the tiny GPT-BigCode over the same number of random sequences of each packing are taken in turn, in
one thread. Padding is to the full context, as in the original.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import torch

from scripts.lib.causal_models import load_tokenizer, make_model
from scripts.lib.config import read_yaml
from scripts.lib.prompts import Example
from scripts.lib.token_shards import TokenShards
from scripts.lib.train import Collator
from scripts.pretrain.packing import PACKINGS
from scripts.pretrain.tokens import write_tokens

ROOT = Path(__file__).resolve().parents[1]
PAPER = read_yaml(ROOT / "config/paper.yaml")["pretrain"]
SETTINGS = read_yaml(ROOT / "config/config.yaml")["pretrain"] | {"llvm_tokens": PAPER["llvm_tokens"], "seed": 484}
ARCHITECTURE = read_yaml(ROOT / "config/models.yaml")["tiny-gpt-bigcode"]["architecture"]


def sequences(pairs: Path, tokenizer: Path, packing: str, context: int) -> list[list[int]]:
    """The training sequences, lists of at most `context` token ids, that a packing makes of all pairs of a run."""
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(map(str, pairs.glob("*/*.parquet")))
        settings = SETTINGS | {"packing": packing, "context": context}
        write_tokens(paths, load_tokenizer(tokenizer), Path(folder), settings)
        return [list(example.input_ids) for example in TokenShards(Path(folder, "train"))]


def cpu_seconds(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> float:
    """CPU seconds of a forward and a backward pass."""
    start = time.process_time()
    model(**batch).loss.backward()
    model.zero_grad()
    return time.process_time() - start


def main(pairs: Path, tokenizer: Path, context: int, count: int) -> None:
    """Print a line for each packing; speed is told against padding's."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    known = load_tokenizer(tokenizer)
    model = make_model(ARCHITECTURE | {"n_positions": context}, known)
    made = {name: sequences(pairs, tokenizer, name, context) for name in PACKINGS}
    chosen = {name: random.Random(0).choices(rows, k=count) for name, rows in made.items()}
    collate = Collator(known.pad_token_id, "left", context)
    useful, seconds = dict.fromkeys(PACKINGS, 0), dict.fromkeys(PACKINGS, 0.0)
    for turn in range(-1, count):
        for name, rows in chosen.items():
            batch = collate([Example(rows[turn], 0)])
            spent = cpu_seconds(model, batch)
            if turn >= 0:  # the first one warms up
                seconds[name] += spent
                useful[name] += int(batch["attention_mask"].sum())
    speed = {name: useful[name] / seconds[name] for name in PACKINGS}
    print(f"{'packing':10}{'sequences':>10}{'wasted':>9}{'tokens/s':>10}{'to pad':>8}")
    for name, rows in made.items():
        wasted = 1 - sum(map(len, rows)) / (len(rows) * context)
        print(f"{name:10}{len(rows):10}{wasted:9.2%}{speed[name]:10.0f}{speed[name] / speed['pad']:8.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=Path("results/pairs"))
    parser.add_argument("--tokenizer", type=Path, default=Path("results/models/tiny-gpt-bigcode/tokenizer"))
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--sequences", type=int, default=24)
    given = parser.parse_args()
    main(given.pairs, given.tokenizer, given.context, given.sequences)
