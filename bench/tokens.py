"""Measures drawing and tokenising the documents of a model as in the paper (one padded document in
each sequence), in comparison with encoding whole modules.

Run: python -m bench.tokens [--pairs FOLDER] [--documents N …] [--plain N] [--context N]

Pairs are those of a finished run with IR of at most 100 kB, copied with other names and constants
until there are as many as documents are drawn, so that half of all documents are drawn. The
vocabulary, byte-level BPE of 49,152 tokens, is trained on Python's standard library.

Columns: `way` is `plain` (`bench/plain_tokens.py`), `sample` (the rule `pretrain_sample`) or
`tokens` (`pretrain_tokens`); `cpu s` and `s` are CPU seconds and seconds by the clock, `cpu ms/doc`
the first by document, `peak MB` the memory of its processes, in which shared pages count
once. The bytes of the shards of all ways are compared. With several numbers of documents, the last
line extrapolates memory to 256,000 of them, linearly; use numbers above 8,192, with which shards
are full.
"""

import argparse
import json
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from bench.memory import peak_of_all
from bench.plain_tokens import write_padded_tokens
from scripts.lib.cost import cpu_seconds
from scripts.lib.files import sha256_file
from scripts.lib.parquet import TableWriter, iter_rows
from scripts.lib.schemas.pairs import PAIRS
from scripts.lib.special_tokens import END_OF_TEXT
from scripts.lib.training.model_tokenizer import load_tokenizer, save_tokenizer
from scripts.pretrain.pieces import use_threads
from scripts.pretrain.sample import write_sample
from scripts.pretrain.tokens import extend_tokenizer, write_tokens
from scripts.pretrain.vocabulary import train_tokenizer
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
CONFIG = read_yaml(ROOT / "config/config.yaml")["pretrain"]
TEMPLATES = CONFIG["templates"]
LONGEST, VOCABULARY, LIBRARY_FILES, PAPER = 100_000, 49_152, 300, 256_000
_NAMES = re.compile(r"(?<=[@%])([A-Za-z_][\w.]*)|(?<=\bi32 )(\d{2,})|(?<=\bi64 )(\d{2,})")


def varied(text: str, number: int) -> str:
    """A module with other names and constants; number 0 leaves it unchanged."""

    def change(match: re.Match[str]) -> str:
        return f"{match[1]}.{number}" if match[1] else str(int(match[0]) + number)

    return _NAMES.sub(change, text) if number else text


def pairs_of(folder: Path, count: int) -> Iterator[dict[str, Any]]:
    """`count` pairs made from those of a finished run."""
    rows = [
        row
        for path in sorted([*folder.glob("*/perf.parquet"), *folder.glob("*/size.parquet")])
        for row in iter_rows(path, ["Source_Code", "IR_Original"])
        if len(row["IR_Original"]) <= LONGEST
    ]
    for number in range(count):
        row = rows[number % len(rows)]
        yield {
            "Source_Code": row["Source_Code"],
            "IR_Original": varied(row["IR_Original"], number // len(rows)),
            "id": f"{number:016x}",
            "split": "train",
        }


def write_tokenizer(folder: Path) -> None:
    """Train and save the tokenizer."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:LIBRARY_FILES]
    backend = train_tokenizer((path.read_text(encoding="utf-8", errors="replace") for path in files), VOCABULARY)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT)
    save_tokenizer(extend_tokenizer(tokenizer, [f"<{name}>" for name in TEMPLATES], "<|pad|>"), folder)


def work(way: str, folder: Path, documents: int, context: int, threads: int) -> dict[str, float]:
    """Do the work of a way in this process; what it cost."""
    tables, tokenizer = [str(folder / "pairs/C/perf.parquet")], load_tokenizer(folder / "tokenizer")
    settings = {
        "templates": TEMPLATES,
        "directions": list(TEMPLATES),
        "llvm_tokens": None,
        "packing": "pad",
        "context": context,
        "seed": 484,
        "train_documents": documents,
        "validation_documents": 1,
    }
    output = folder / f"{way}{threads}"
    output.mkdir()
    start, cpu = time.perf_counter(), sum(cpu_seconds())
    with peak_of_all() as peak:
        if way == "plain":
            use_threads(1)
            write_padded_tokens(tables, tokenizer, output, settings)
        elif way == "sample":
            write_sample(tables, folder / "documents.parquet", "documents", settings)
        else:
            write_tokens(str(folder / "documents.parquet"), tokenizer, output, settings, threads)
    return {"cpu": sum(cpu_seconds()) - cpu, "wall": time.perf_counter() - start, "peak": peak.megabytes}


def measured(way: str, folder: Path, documents: int, context: int, threads: int) -> dict[str, float]:
    """What a way costs in a process of its own; prints a line."""
    command = [sys.executable, "-m", "bench.tokens", "--work", way, str(folder), str(threads)]
    options = ["--documents", str(documents), "--context", str(context)]
    done = subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, text=True)
    cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    each = 1000 * cost["cpu"] / documents
    print(
        f"{way:8}{documents:10}{threads:8}{cost['cpu']:9.1f}{cost['wall']:9.1f}{each:12.2f}{cost['peak']:9.0f}",
        flush=True,
    )
    return cost


def digests(folder: Path) -> list[str]:
    """Digests of the shards of the training split."""
    return [sha256_file(path) for path in sorted((folder / "train").glob("*.safetensors"))]


def compare(pairs: Path, documents: int, context: int, plain: bool) -> float:
    """Measure all ways with a number of documents; return the peak memory of tokenising in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with TableWriter(folder / "pairs/C/perf.parquet", PAIRS.schema) as writer:
            writer.write(pairs_of(pairs, documents))
        write_tokenizer(folder / "tokenizer")
        before = measured("plain", folder, documents, context, 1) if plain else None
        sample = measured("sample", folder, documents, context, 1)
        one, two = (measured("tokens", folder, documents, context, threads) for threads in (1, 2))
        same = digests(folder / "tokens1") == digests(folder / "tokens2")
        print(f"two threads: {one['wall'] / two['wall']:.2f} times as fast")
        if before is not None:
            same = same and digests(folder / "plain1") == digests(folder / "tokens1")
            share, all_models = one["cpu"] / before["cpu"], (sample["cpu"] + 6 * one["cpu"]) / (6 * before["cpu"])
            print(f"CPU of tokens to plain: {share:.3f}; for six models, with the sample: {all_models:.3f}")
        if not same:
            sys.exit("the shards differ")
        return two["peak"]


def main(pairs: Path, documents: list[int], plain: int, context: int) -> None:
    """Print the table."""
    print(f"{'way':8}{'documents':>10}{'threads':>8}{'cpu s':>9}{'s':>9}{'cpu ms/doc':>12}{'peak MB':>9}")
    peaks = [compare(pairs, count, context, count <= plain) for count in documents]
    if len(peaks) > 1:
        slope = (peaks[-1] - peaks[0]) / (documents[-1] - documents[0])
        print(f"peak MB at {PAPER} documents: {peaks[-1] + slope * (PAPER - documents[-1]):.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=Path("results/pairs"))
    parser.add_argument("--documents", type=int, nargs="+", default=[4000])
    parser.add_argument("--plain", type=int, default=4000, help="largest number of documents to measure the plain way")
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        way, folder, threads = options.work
        print(json.dumps(work(way, Path(folder), options.documents[0], options.context, int(threads))))
        sys.exit()
    if not options.pairs.is_dir():
        parser.error(f"no folder {options.pairs}; run `make run`, or name the folder of another run")
    main(options.pairs, options.documents, options.plain, options.context)
