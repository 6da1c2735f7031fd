"""Tables with the shape of SLTrans: many rows of programs and modules, made from those of a finished
run.

Each row is one of the run's programs with other names and constants. The mean size of a row is that
of the published data set, and 30 % of the programs are near-duplicates of another one.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROW_BYTES = 27_400
NEAR_DUPLICATES = 0.3
SPLITS = {"perf": "Perf_Optimized", "size": "Size_Optimized"}
_ROWS_PER_GROUP = 1000
_ROWS_PER_FILE = 10_000
_NAME, _CONSTANT = "\x01", "\x02"
# Names of a program that are changed, and constants of two digits and more.
_WORD = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]{3,}\b")
_NUMBER = re.compile(r"(?<![\w.])[1-9][0-9]+(?![\w.])")
# Of a module: names of functions and globals, except LLVM's own, and operands of arithmetic.
_GLOBAL = re.compile(r"(?<=[@$])(?!llvm\.)[A-Za-z_][\w.]*")
_OPERAND = re.compile(r"(?<=, )[1-9][0-9]*(?=$)", re.MULTILINE)
_ARITHMETIC = re.compile(r"^ +%\S+ = (?:add|sub|mul|xor) .*$", re.MULTILINE)


@dataclass(frozen=True)
class Template:
    """A program and its module in each variant, with marks where names and constants change."""

    source: str
    modules: dict[str, str]

    @property
    def size(self) -> float:
        """Mean size of a row in characters."""
        return len(self.source) + sum(map(len, self.modules.values())) / len(self.modules)

    def row(self, name: int, constant: int, variant: str) -> tuple[str, str]:
        """A program and its module, changed by two numbers."""
        changes = ((_NAME, f"_{name}"), (_CONSTANT, str(constant)))
        texts = [self.source, self.modules[variant]]
        for mark, text in changes:
            texts = [each.replace(mark, text) for each in texts]
        return texts[0], texts[1]


def _marked_source(text: str) -> str:
    return _NUMBER.sub(_CONSTANT, _WORD.sub(rf"\g<0>{_NAME}", text))


def _marked_module(text: str) -> str:
    named = _GLOBAL.sub(rf"\g<0>{_NAME}", text)
    return _ARITHMETIC.sub(lambda line: _OPERAND.sub(_CONSTANT, line[0]), named)


def templates(results: Path) -> list[Template]:
    """The programs of a run's results that compiled in both variants."""
    pool = []
    for folder in sorted(path for path in (results / "ir").iterdir() if path.is_dir()):
        sources = _texts([results / "sources" / folder.name / path.name for path in sorted(folder.glob("*.parquet"))])
        modules: dict[str, dict[str, str]] = {}
        for path in sorted(folder.glob("*.parquet")):
            for row in pq.read_table(path, columns=["id", "variant", "status", "ir"]).to_pylist():
                if row["status"] == "ok":
                    modules.setdefault(row["id"], {})[row["variant"]] = _marked_module(row["ir"])
        pool += [
            Template(_marked_source(sources[name]), own) for name, own in modules.items() if len(own) == len(SPLITS)
        ]
    return pool


def _texts(paths: list[Path]) -> dict[str, str]:
    """The texts of programs by id."""
    rows = (row for path in paths for row in pq.read_table(path, columns=["id", "source"]).to_pylist())
    return {row["id"]: row["source"] for row in rows}


def shares(sizes: np.ndarray, mean: float) -> np.ndarray:
    """How often each template is used, so that the mean size is `mean`: the flattest exponential
    distribution over the sizes, shape (n,).
    """
    low, high = -1e-3, 1e-3
    for _ in range(200):
        rate = (low + high) / 2
        weights = np.exp(-rate * (sizes - sizes.mean()))
        weights /= weights.sum()
        low, high = (rate, high) if (weights * sizes).sum() > mean else (low, rate)
    return weights


def programs(pool: list[Template], count: int, seed: int = 1) -> Iterator[tuple[Template, int, int]]:
    """Template, name and constant of each of `count` programs; a near-duplicate has the template and
    the name of an earlier program.
    """
    choice = random.Random(seed)
    weights = np.cumsum(shares(np.array([template.size for template in pool]), ROW_BYTES)).tolist()
    earlier: list[tuple[Template, int]] = []
    for number in range(count):
        if earlier and choice.random() < NEAR_DUPLICATES:
            template, name = choice.choice(earlier)
        else:
            [template] = choice.choices(pool, cum_weights=weights)
            name = number
            earlier.append((template, name))
        yield template, name, 100_000 + number


def write_tables(pool: list[Template], rows: int, folder: Path) -> int:
    """Write a corpus of so many rows, half of them in each variant's list, in files like those of the
    hub; return the bytes of its texts.
    """
    folder.mkdir(parents=True)
    total = 0
    for variant, split in SPLITS.items():
        files = -(-rows // 2 // _ROWS_PER_FILE)
        listed = programs(pool, rows // 2)
        for number in range(files):
            with pq.ParquetWriter(folder / f"{split}-{number:05}-of-{files:05}.parquet", _SCHEMA) as file:
                for _ in range(_ROWS_PER_FILE // _ROWS_PER_GROUP):
                    texts = [entry[0].row(*entry[1:], variant) for entry in islice(listed, _ROWS_PER_GROUP)]
                    if texts:
                        total += sum(map(len, (text for pair in texts for text in pair)))
                        columns = dict(zip(_SCHEMA.names, map(list, zip(*texts, strict=True)), strict=True))
                        file.write_table(pa.table(columns, schema=_SCHEMA))
    return total


_SCHEMA = pa.schema([("Source_Code", pa.string()), ("IR_Original", pa.string())])
