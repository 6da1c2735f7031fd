"""The ledger of the stage `pairs`: what became of every source file in every variant, and why."""

import pyarrow as pa

from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.pairs import LENGTHS, SourceOutcome, Split
from scripts.lib.schemas.sources import LANGUAGE, LICENSE, VARIANT
from scripts.lib.schemas.table import Column, Table, Word, text


class Outcome(Word):
    """What became of a source file in a variant, in detail; every one has exactly one outcome."""

    PAIR = "pair", "in the data set"
    DUPLICATE = "duplicate", "the same bytes as another file, which represents it"
    REJECTED = "rejected", "rejected by the stage `sources`"
    COMPILE_ERROR = "compile_error", "the compiler refused the program"
    TIMEOUT = "timeout", "a command of the compiler exceeded its limit of time"
    MEMORY_LIMIT = "memory_limit", "a command of the compiler exceeded its limit of memory"
    INVALID_IR = "invalid_ir", "the module could not be parsed or verified"
    TOOL_CRASH = "tool_crash", "the compiler crashed or exceeded another limit"
    NO_TOOLCHAIN = "no_toolchain", "the compiler is not installed"
    NEAR_DUPLICATE = "near_duplicate", "another program represents its cluster"
    FILTERED = "filtered", "longer than a limit of `pairs.max_*`"
    CONTAMINATED = "contaminated", "shares a long n-gram with a benchmark problem"

    @property
    def summary(self) -> SourceOutcome:
        """The column of the statistics in which the outcome is counted."""
        return _SUMMARIES.get(self, SourceOutcome.FAILED)

    @property
    def status(self) -> CompileStatus | None:
        """Status of the compilation that the outcome implies; None for an exact duplicate."""
        if self is Outcome.DUPLICATE:
            return None
        if self is Outcome.REJECTED:
            return CompileStatus.REJECTED_SOURCE
        return CompileStatus(str(self)) if self.summary is SourceOutcome.FAILED else CompileStatus.OK


_SUMMARIES = {
    Outcome.PAIR: SourceOutcome.PAIRS,
    Outcome.DUPLICATE: SourceOutcome.DUPLICATES,
    Outcome.REJECTED: SourceOutcome.REJECTED,
    Outcome.NEAR_DUPLICATE: SourceOutcome.NEAR_DUPLICATES,
    Outcome.FILTERED: SourceOutcome.FILTERED,
    Outcome.CONTAMINATED: SourceOutcome.CONTAMINATED,
}
_UNITS = {length: length.partition("_")[2] for length in LENGTHS}

LEDGER = Table(
    "Ledger of sources",
    "pairs/{language}/ledger.parquet",
    "One row for each source file and variant: programs in the order of `id` and of `variants`, then exact "
    "duplicates in the order of `id` and `path`. The counts of the data set are computed from it.",
    (
        text("path", "path below the corpus, or file and row number in a table without paths"),
        text("id", "first 16 hexadecimal digits of the SHA-256 of the program; exact duplicates have the same"),
        LANGUAGE,
        VARIANT,
        text("shard", "shard of `sources/` and `ir/` that has the program; null for an exact duplicate"),
        text("outcome", "what became of the program", Outcome),
        text(
            "detail",
            "why: the path of the program that represents it, with the similarity; the reason of the rejection; the "
            "compiler's first error; the limit and the length; the benchmark problem. Empty for a pair",
        ),
        text("kept", "`id` of the program that represents a duplicate or near-duplicate; null for others"),
        Column(
            "similarity",
            pa.float64(),
            "Jaccard similarity to `kept`, from 0 to 1; null for others, and where the two were not compared",
        ),
        text("split", "part of the data set that a pair belongs to; null for others", Split),
        *(
            Column(length, pa.int64(), f"length of the {length.split('_')[0]} where it was measured: of a program that "
                   "compiled and represents its cluster; else null", _UNITS[length])
            for length in LENGTHS
        ),
        text("exceeded", f"length of a filtered program that exceeds its limit: {', '.join(LENGTHS)}; else null"),
        LICENSE,
        text("compiler", "compiler and its version, or where the corpus's module is from; null where there is none"),
        text("llvm", "version of LLVM that the compiler is built on, or that read the corpus's module"),
        text("unprepared", "status of the program before it was rewritten for the compiler; else null", CompileStatus),
    ),
)  # fmt: skip
