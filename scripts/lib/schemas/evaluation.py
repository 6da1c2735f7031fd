"""Files of the stage `evaluate`: generations, and executions of the programs that they make."""

import pyarrow as pa

from scripts.lib.schemas.table import Column, Table, Word, text


class ExecutionStatus(Word):
    """What became of a sample's program."""

    PASSED = "passed", "all tests passed"
    WRONG = "wrong", "a test failed, or the program ended before its tests did"
    COMPILE_ERROR = "compile_error", "the compiler or parser refused the program"
    RUNTIME_ERROR = "runtime_error", "the program raised an exception or ended with an error"
    TIMEOUT = "timeout", "the limit of CPU or wall-clock time was exceeded"
    MEMORY_LIMIT = "memory_limit", "the limit of memory was exceeded"
    KILLED = "killed", "another limit was exceeded, or the program was killed"


class FinishReason(Word):
    """Why the generation of a completion ended."""

    STOP = "stop", "a stop sequence"
    END = "end", "the token for the end of text"
    LENGTH = "length", "the limit of new tokens was reached"
    OVERFLOW = "overflow", "the prompt alone fills the context, so nothing was generated"
    FORCED = "forced", "tokens were predicted or measured with a given text as context (teacher forcing)"


_SAMPLING = pa.struct(
    [
        ("temperature", pa.float64()),
        ("top_p", pa.float64()),
        ("samples", pa.int64()),
        ("new_tokens", pa.int64()),
    ]
)
_CELL = "{benchmark}/{task}/{setting}/{model}.{checkpoint}"

GENERATIONS = Table(
    "Generations",
    f"generations/{_CELL}.jsonl.zst",
    "One JSON object for each problem, in the order of the benchmark, zstd-compressed with a checksum.",
    (
        text("id", "name of the problem"),
        text("prompt", "text that the model was given"),
        Column("completions", pa.list_(pa.string()), "one text for each sample"),
        Column("finish_reasons", pa.list_(pa.string()), "why each sample ended", words=FinishReason),
        text("engine", "engine that generated: `transformers`, `vllm`, or `control`"),
        text("version", "version of the engine, or name of the control"),
        Column("seeds", pa.list_(pa.uint64()), "seed of each sample"),
        Column("sampling", _SAMPLING, "how samples were drawn; temperature 0 is greedy decoding"),
        text("target", "reference text, where it depends on the tokenizer; otherwise empty"),
        Column(
            "nats",
            pa.list_(pa.list_(pa.float64())),
            "where the completions are given texts whose likelihood was measured: for each measurement the negative "
            "logarithm of the probability of each text; otherwise absent",
            "nats",
        ),
        Column("tokens", pa.list_(pa.int64()), "then the number of tokens of each text; empty for a control", "tokens"),
    ),
)

CHOICES = Table(
    "Choices",
    "choices/{benchmark}/{task}.jsonl",
    "One JSON object for each problem of a choice between programs, in the order of the benchmark. Every program was "
    "run: the right one passes the tests, and each wrong one compiles and fails them.",
    (
        text("name", "name of the problem"),
        text("prompt", "text that precedes the programs"),
        text("right", "the right continuation"),
        Column("wrong", pa.list_(pa.string()), "the wrong continuations"),
        Column("changes", pa.list_(pa.string()), "how each differs: `buggy`, or what was replaced by what"),
    ),
)


class ModuleRun(Word):
    """What became of running a generated module."""

    EQUAL = "equal", "it prints what the compiler's module prints, and ends with exit code 0"
    DIFFERENT = "different", "it prints something else, fails, or exceeds a limit"
    INVALID = "invalid", "it is not a valid module, so it is not run"
    UNKNOWN = "unknown", "the compiler's module does not run by itself here, so nothing is compared"


MODULE_CHECKS = Table(
    "Generated modules",
    f"modules/{_CELL}.parquet",
    "One row for each module that was generated from a program, in the order of `id` and `sample`.",
    (
        text("id", "language and id of the program"),
        Column("sample", pa.int32(), "number of the sample, from 0"),
        Column("is_valid", pa.bool_(), "whether the module parses and verifies"),
        text("message", "why the module is not valid; empty where it is"),
        Column("functions", pa.int32(), "functions that the compiler's module defines"),
        Column("defined", pa.int32(), "how many of them the generated module defines; 0 where it is not valid"),
        text("run", "what became of running it", ModuleRun),
    ),
)

EXECUTIONS = Table(
    "Executions",
    f"executions/{_CELL}.parquet",
    "One row for each sample, in the order of `id` and `sample`.",
    (
        text("id", "name of the problem"),
        Column("sample", pa.int32(), "number of the sample, from 0"),
        text("status", "what became of the program", ExecutionStatus),
        text(
            "detail",
            "how, in words of the runner that are the same in every run; `compiling: ` before a limit that "
            "was exceeded while compiling",
        ),
        text(
            "message",
            "first error line of the compiler or the program, such as `NameError: name 'x' is not defined`, or the "
            "test that failed: at most 200 printable characters; empty where there is none",
        ),
        Column(
            "exit_code",
            pa.int32(),
            "exit code of the compiler or the program; null where a limit ended it or a harness reported the verdict",
        ),
        text("signal", "signal that ended it, `SIGKILL` at a limit; also where the exit code stands for a signal"),
        text(
            "stdout",
            "what the compiler or the program printed, cut in the middle (`evaluate.output_characters`); empty where "
            "the runner discards it",
        ),
        text("stderr", "what it wrote to standard error, cut in the same way"),
        Column(
            "seconds",
            pa.float64(),
            "CPU time of compilation and tests; equal programs of a file ran once and share it; the only column that "
            "differs between runs",
            "s",
        ),
        text("program", "SHA-256 of the program, whose text is in the table of programs"),
    ),
)

_FILE = pa.struct([("name", pa.string()), ("text", pa.string())])

PROGRAMS = Table(
    "Programs",
    f"programs/{_CELL}.parquet",
    "The texts that the executions of a file ran, one row for each distinct program, in the order of `program`.",
    (
        text("program", "SHA-256 of all other columns"),
        Column("files", pa.list_(_FILE), "names and texts of the files; the completion is in the first"),
        text("tests", "tests that are apart from the program; empty where a file has them"),
        text("head", "what precedes the last function of the prompt, which the harness runs first"),
        text("entry_point", "function that separate tests call"),
    ),
)
