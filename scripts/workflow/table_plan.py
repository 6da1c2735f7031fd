"""Which tables and figures a run has, and what of config/tables.yaml each depends on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scripts.workflow.validation import ConfigError, Entry

VALIDATION = "validation"  # the table of validation losses
_UNSANDBOXED = "Generated programs were run without a sandbox (evaluate.sandbox: off)."


class TableWildcards(Protocol):
    """Wildcards of the job that makes one table in one format."""

    benchmark: str
    format: str


@dataclass(frozen=True)
class TablePlan:
    """The tables of a run.

    specs: the entries of config/tables.yaml. scored: the benchmarks with scores. has_losses: whether
    validation losses are compared. is_sandboxed: whether generated programs ran in the sandbox.
    """

    specs: Mapping[str, Entry]
    scored: Sequence[str]
    has_losses: bool
    is_sandboxed: bool

    @property
    def _wanted(self) -> set[str]:
        return {*self.scored, *([VALIDATION] if self.has_losses else [])}

    @property
    def benchmarks(self) -> list[str]:
        """Benchmarks that get a wide table, in the order of config/tables.yaml."""
        wanted = self._wanted
        return [benchmark for benchmark in self.specs if benchmark in wanted]

    @property
    def score_benchmarks(self) -> list[str]:
        """The benchmarks of `benchmarks` without the validation losses."""
        return [benchmark for benchmark in self.benchmarks if benchmark != VALIDATION]

    def check(self) -> None:
        """Raise `ConfigError` for a benchmark without an entry."""
        unknown = sorted(self._wanted - self.specs.keys())
        if unknown:
            raise ConfigError(f"config/tables.yaml has no entry '{unknown[0]}'; add one for the benchmark's table")

    def spec(self, wildcards: TableWildcards) -> dict[str, Any]:
        """What of a benchmark's entry determines its table in one format: csv has all digits and no
        text.
        """
        is_csv = wildcards.format == "csv"
        unused = ("headline", *(("decimals", "title", "caption", "notes") if is_csv else ()))
        return {key: value for key, value in self.specs[wildcards.benchmark].items() if key not in unused}

    def keys_of(self, benchmarks: Iterable[str], *keys: str) -> dict[str, dict[str, Any]]:
        """Some keys of the entries of some benchmarks."""
        return {name: {key: self.specs[name][key] for key in keys if key in self.specs[name]} for name in benchmarks}

    @property
    def titles(self) -> dict[str, str]:
        """Title of each benchmark's table."""
        return {name: self.specs[name]["title"] for name in self.benchmarks}

    @property
    def notes(self) -> list[str]:
        """Notes below every table of the run."""
        return [] if self.is_sandboxed else [_UNSANDBOXED]

    def figures(self, has_curves: bool) -> list[str]:
        """Figures that the run has data for; `has_curves`: whether it trains anything."""
        losses = ["validation_loss"] if self.has_losses else []
        return ["base_vs_ircoder", *losses, *(["learning_curves"] if has_curves else [])]
