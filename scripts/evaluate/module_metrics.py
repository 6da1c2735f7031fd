"""Metrics of modules that were generated from programs, against those of the compiler.

docs/reference/metrics.md defines them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from scripts.lib.parquet import read_table
from scripts.lib.schemas.evaluation import ModuleRun

# Characters at the start of both texts that `head_similarity` compares.
HEAD = 1000


@dataclass(frozen=True)
class Module:
    """A generated module: its text and the compiler's, and what was found by checking it.

    functions: functions that the compiler's module defines. defined: how many of them it defines.
    run: a word of `ModuleRun`.
    """

    text: str
    target: str
    is_valid: bool
    functions: int
    defined: int
    run: str


def similarity(text: str, target: str) -> float:
    """1 minus the Levenshtein distance by the length of the longer text: 1 for equal texts."""
    return Levenshtein.normalized_similarity(text, target)


def valid(module: Module) -> float:
    """Whether a module parses and verifies."""
    return float(module.is_valid)


def functions(module: Module) -> float:
    """Whether it is valid and defines every function of the compiler's module."""
    return float(module.is_valid and module.defined == module.functions)


def edit_similarity(module: Module) -> float:
    """Similarity of the whole texts."""
    return similarity(module.text, module.target)


def head_similarity(module: Module) -> float:
    """Similarity of the first characters of both texts."""
    return similarity(module.text[:HEAD], module.target[:HEAD])


def same_output(module: Module) -> float:
    """Whether it prints what the compiler's module prints."""
    return float(module.run == ModuleRun.EQUAL)


@dataclass(frozen=True)
class ModuleMetric:
    """A metric of one module; `needs_run`: only for programs whose compiled module runs here."""

    name: str
    compute: Callable[[Module], float]
    needs_run: bool = False


MODULE_METRICS = (
    ModuleMetric("valid", valid),
    ModuleMetric("functions", functions),
    ModuleMetric("same_output", same_output, needs_run=True),
    ModuleMetric("edit_similarity", edit_similarity),
    ModuleMetric("head_similarity", head_similarity),
)


def read_checks(path: str | Path) -> dict[tuple[str, int], dict[str, object]]:
    """The checks of modules, by problem and sample."""
    return {(row["id"], row["sample"]): row for row in read_table(path).to_pylist()}


def values_of(metric: ModuleMetric, modules: Mapping[str, Sequence[Module]]) -> dict[str, float]:
    """The mean of a metric over each problem's samples, for the problems that have it."""
    return {
        name: sum(map(metric.compute, own)) / len(own)
        for name, own in modules.items()
        if not (metric.needs_run and own[0].run == ModuleRun.UNKNOWN)
    }
