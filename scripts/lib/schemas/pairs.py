"""Tables of the stage `pairs`: pairs of source and IR, their statistics, and those of
decontamination.
"""

import pyarrow as pa

from scripts.lib.schemas.ir import FAILURES
from scripts.lib.schemas.sources import ID, LANGUAGE, LICENSE, PATH, SOURCE_SHA256, VARIANT
from scripts.lib.schemas.table import Column, Table, Word, text


class Split(Word):
    """Part of the data set that a pair belongs to, the same for a whole cluster of near-duplicates."""

    TRAIN = "train", "models are trained on it"
    VALIDATION = "validation", "losses are measured on it"


class SourceOutcome(Word):
    """What became of a source file in a variant; every one has exactly one outcome."""

    DUPLICATES = "duplicates", "the same bytes as another file"
    REJECTED = "rejected", "rejected by the stage `sources`, with a reason"
    FAILED = "failed", "not compiled"
    NEAR_DUPLICATES = "near_duplicates", "another program represents its cluster"
    FILTERED = "filtered", "longer than a limit of `pairs.max_*`"
    CONTAMINATED = "contaminated", "shares a long n-gram with a benchmark problem"
    PAIRS = "pairs", "in the data set"


class PartOfProblem(Word):
    """Where in a benchmark problem an n-gram ends."""

    PROMPT = "prompt", "the prompt"
    SOLUTION = "solution", "a solution, correct or buggy"
    TESTS = "tests", "the tests"


# Lengths that limits and statistics are about.
LENGTHS = ("source_bytes", "source_tokens", "ir_bytes", "ir_tokens")
# Measures of each length in the statistics; a data set without pairs has zeros.
MEASURES = {"total": "sum", "mean": "mean", "p50": "median", "p95": "95th percentile", "max": "largest value"}

PAIRS = Table(
    "Pairs",
    "pairs/{language}/{variant}.parquet",
    "One row for each pair of a language and variant, in the order of `id`. The first two columns are SLTrans's. The "
    "table is a folder of parts, `00000.parquet` and so on, of `pairs.part_mb` each.",
    (
        text("Source_Code", "the program"),
        text("IR_Original", "its module in textual LLVM IR"),
        ID,
        SOURCE_SHA256,
        text("ir_sha256", "SHA-256 of the module"),
        text("split", "part of the data set", Split),
        PATH,
        LICENSE,
    ),
)

NGRAMS = Table(
    "N-grams of benchmarks",
    "decontamination/ngrams.parquet",
    "One row for each distinctive n-gram of the benchmarks' problems, in the order of `hash`.",
    (
        Column("hash", pa.uint64(), "hash of the n-gram (`scripts/lib/shingles.py`)"),
        text("benchmark", "file of the benchmark, without suffix"),
        text("problem", "name of the problem"),
        text("part", "where in the problem the n-gram ends", PartOfProblem),
        text("text", "the n-gram's words"),
    ),
)

CONTAMINATION = Table(
    "Contaminated programs",
    "pairs/{language}/contamination.csv",
    "One row for each program and benchmark problem that share n-grams, in the order of `id`, `benchmark` and "
    "`problem`; `pairs/contamination.csv` joins the languages.",
    (
        LANGUAGE,
        ID,
        PATH,
        text("benchmark", "file of the benchmark, without suffix"),
        text("problem", "name of the problem"),
        text("parts", "parts of the problem with a shared n-gram, joined by `+`"),
        Column("ngrams", pa.int64(), "different n-grams that both contain"),
        text("text", "the first shared n-gram in alphabetical order"),
    ),
)


def _length(length: str, measure: str) -> Column:
    """The column of one measure of one length."""
    what, unit = length.split("_")
    kind = pa.float64() if measure == "mean" else pa.int64()
    document = {"source": "the sources", "ir": "the modules"}[what]
    return Column(f"{length}_{measure}", kind, f"{MEASURES[measure]} of the lengths of {document} of all pairs", unit)


STATISTICS = Table(
    "Statistics of the data set",
    "pairs/statistics.csv",
    "One row for each language and variant, in the config's order. The outcomes from `duplicates` to `pairs` add up to "
    "`sources`, the two splits to `pairs`.",
    (
        LANGUAGE,
        VARIANT,
        Column("sources", pa.int64(), "files or rows of the corpus"),
        *(
            Column(str(outcome), pa.int64(), f"sources with this outcome: {outcome.meaning}")
            for outcome in SourceOutcome
        ),
        *(Column(str(split), pa.int64(), f"pairs of the split `{split}`") for split in Split),
        *(Column(str(status), pa.int64(), f"sources with the compile status `{status}`") for status in FAILURES),
        *(Column(f"long_{length}", pa.int64(), f"sources over `pairs.max_{length}`") for length in LENGTHS),
        *(_length(length, measure) for length in LENGTHS for measure in MEASURES),
    ),
)
