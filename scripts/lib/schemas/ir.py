"""The table that the rule `compile_shard` writes, or `sources_ir` if the corpus contains modules:
one outcome for each program and variant.
"""

import pyarrow as pa

from scripts.lib.schemas.sources import ID, LANGUAGE, SOURCE_SHA256, VARIANT
from scripts.lib.schemas.table import Column, Table, Word, text


class CompileStatus(Word):
    """What became of a program in a variant."""

    OK = "ok", "compiled; `ir` was parsed and verified by LLVM"
    COMPILE_ERROR = "compile_error", "the compiler refused the program"
    TIMEOUT = "timeout", "a command exceeded its limit of CPU or wall-clock time"
    MEMORY_LIMIT = "memory_limit", "a command exceeded its limit of memory"
    INVALID_IR = "invalid_ir", "the module could not be parsed or verified"
    TOOL_CRASH = "tool_crash", "the compiler crashed or exceeded another limit"
    NO_TOOLCHAIN = "no_toolchain", "the compiler is not installed (`compile.missing_toolchain: record`)"
    REJECTED_SOURCE = "rejected_source", "the program was rejected by the stage `sources`"


# Statuses of programs that a compiler was to translate and did not.
FAILURES = tuple(status for status in CompileStatus if status not in (CompileStatus.OK, CompileStatus.REJECTED_SOURCE))

IR = Table(
    "Outcomes of compilation",
    "ir/{language}/{shard}.parquet",
    "One row for each program and variant, in the order of the sources and of `variants`.",
    (
        ID,
        LANGUAGE,
        VARIANT,
        SOURCE_SHA256,
        text("status", "what became of the program", CompileStatus),
        text("compiler", "compiler and its version; empty where none was run"),
        text("llvm", "version of LLVM that the compiler is built on, or that read the corpus's module"),
        text("command", "command that was run, with placeholders for paths; empty where none was run"),
        Column(
            "seconds", pa.float64(), "wall-clock time of all commands; the only column that differs between runs", "s"
        ),
        text("diagnostics", "first error of the compiler, or the reason for the status"),
        text("ir", "module in textual LLVM IR, normalised; empty or null unless `status` is `ok`"),
        text("ir_sha256", "SHA-256 of `ir`; empty or null unless `status` is `ok`"),
        Column("rewrites", pa.list_(pa.string()), "rewrites that were applied to the program before it was compiled"),
        text(
            "unprepared",
            "status of the program as it stands, in the first variant, where it needed rewrites; otherwise null",
            CompileStatus,
        ),
    ),
)
