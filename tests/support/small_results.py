"""Writes a small results folder with invented content, for tests of tables and provenance."""

from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa

from scripts.lib.figure import note, panels, save_svg
from scripts.lib.files import write_json, write_text
from scripts.lib.parquet import TableWriter, write_table
from scripts.lib.schemas.ledger import LEDGER
from scripts.lib.schemas.pairs import LENGTHS
from scripts.lib.schemas.scores import DIFFERENCES, SCORES
from scripts.lib.score_tables import write_rows
from scripts.tables.differences import compare
from scripts.tables.scores import collect

MODEL = "tiny-gpt-bigcode"
LOSSES = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("variant", pa.string()),
        ("direction", pa.string()),
        ("tokens", pa.int64()),
        ("loss", pa.float64()),
        ("document_tokens", pa.int64()),
        ("document_loss", pa.float64()),
    ]
)


def score(benchmark, language, model, checkpoint, setting, metric, per_problem, samples=1):
    """The content of a score file with one row and the values of its problems."""
    value = sum(per_problem.values()) / len(per_problem)
    row = {"benchmark": benchmark, "language": language, "model": model, "checkpoint": checkpoint, "setting": setting}
    row |= {"metric": metric, "value": value, "ci_low": min(per_problem.values()), "ci_high": max(per_problem.values())}
    row |= {"problems": len(per_problem), "samples": samples}
    return {"rows": [row], "per_problem": {setting: {metric: per_problem}}, "failures": [], "inputs": {}}


def write_scores(folder: Path) -> list[str]:
    """Write score files of HumanEval in Python and MultiPL-E in C++ and D, with controls; returns their paths."""
    tasks = [("humaneval", "python", "t0.2"), ("multipl-e", "cpp", "t0.2"), ("multipl-e", "d", "t0.2")]
    runs = {(MODEL, "base"): 20.0, (MODEL, "ircoder"): 60.0, ("reference", "control"): 100.0, ("empty", "control"): 0.0}
    paths = []
    for benchmark, language, sampling in tasks:
        for (model, checkpoint), level in runs.items():
            setting = "control" if checkpoint == "control" else sampling
            problems = {f"p{n:02}": level + (n % 5 if 0 < level < 100 else 0) for n in range(20)}
            path = folder / "scores" / benchmark / language / setting / f"{model}.{checkpoint}.json"
            write_json(path, score(benchmark, language, model, checkpoint, setting, "pass@1", problems))
            paths.append(str(path))
    return paths


def write_losses(folder: Path) -> dict[str, tuple[str, str]]:
    """Write validation losses of base and IRCoder on five documents each of C and D.

    Returns path -> (model, checkpoint).
    """
    trained = {}
    for checkpoint, level in (("base", 3.0), ("ircoder", 2.0)):
        rows = []
        for language in ("C", "D"):
            for number in range(5):
                row = {"id": f"{language}{number}", "language": language, "tokens": 100 + number}
                row |= {"document_tokens": 200, "document_loss": level}
                rows.append({**row, "variant": "perf", "direction": "source_to_llvm", "loss": level + number / 10})
                rows.append({**row, "variant": None, "direction": "source", "loss": 2.5 + number / 10})
        path = folder / "models" / MODEL / "losses" / f"{checkpoint}.parquet"
        write_table(path, rows, LOSSES)
        trained[str(path)] = (MODEL, checkpoint)
    return trained


SOURCES = pa.schema([(name, pa.string()) for name in ("id", "language", "path", "source_sha256", "rejected")])
OUTCOMES = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "language", "variant", "status", "compiler", "llvm")),
        ("unprepared", pa.string()),
        ("seconds", pa.float64()),
        ("diagnostics", pa.string()),
    ]
)
LANGUAGES = ("C", "D")


def write_outcomes(folder: Path, seconds: float = 0.5) -> None:
    """Write sources and outcomes of two languages: three programs each, one of which does not compile."""
    for language in LANGUAGES:
        names = [f"{language.lower()}{number}" for number in range(3)]
        sources = [{"id": name, "language": language, "path": f"{language}/Source_{name}/source"} for name in names]
        # These programs are not files of a corpus.
        sources = [row | {"source_sha256": "", "rejected": "not_regular"} for row in sources]
        write_table(folder / "sources" / language / "000.parquet", sources, SOURCES)
        rows = []
        for name in names:
            row = {"id": name, "language": language, "compiler": f"{language.lower()}c 1.2", "llvm": "19.1.7"}
            failed = {"status": "compile_error", "diagnostics": "\nsource:1: error: <no> & never\nmore"}
            outcome = failed if name.endswith("2") else {"status": "ok", "diagnostics": ""}
            # The first program of D compiles only because it was rewritten.
            unprepared = "compile_error" if name == "d0" else None
            rows.append({**row, **outcome, "variant": "perf", "seconds": seconds, "unprepared": unprepared})
            rows.append({**row, **outcome, "variant": "size", "seconds": seconds})
        write_table(folder / "ir" / language / "000.parquet", rows, OUTCOMES)


def write_ledger(folder: Path, language: str) -> None:
    """Write the ledger of a language: the programs of `write_outcomes`, of which two are pairs."""
    rows = []
    for number in range(3):
        name, lengths = f"{language.lower()}{number}", dict.fromkeys(LENGTHS, 10 + number)
        row = {"id": name, "path": f"{language}/Source_{name}/source", "language": language, "shard": "000"}
        row |= {"compiler": f"{language.lower()}c 1.2", "llvm": "19.1.7"}
        paired = {"outcome": "pair", "detail": "", "split": ("train", "validation")[number % 2], **lengths}
        refused = {"outcome": "compile_error", "detail": "source:1: error: <no> & never"}
        for variant in ("perf", "size"):
            # The first program of D compiles only because it was rewritten.
            unprepared = "compile_error" if name == "d0" and variant == "perf" else None
            rows.append({**row, "variant": variant, "unprepared": unprepared, **(refused if number == 2 else paired)})
    write_table(folder / "pairs" / language / "ledger.parquet", rows, LEDGER.schema)


def write_pairs(folder: Path) -> None:
    """Write pairs of both languages and variants, their ledgers and statistics, and two figures."""
    schema = pa.schema([("Source_Code", pa.string()), ("IR_Original", pa.string())])
    ends = ("sources", "duplicates", "rejected", "failed", "near_duplicates", "filtered", "contaminated", "pairs")
    lines = [",".join(("language", "variant", *ends, "train", "validation"))]
    for language in LANGUAGES:
        write_ledger(folder, language)
        for variant in ("perf", "size"):
            rows = [{"Source_Code": "int a;", "IR_Original": f"; {variant} {n}"} for n in range(2)]
            with TableWriter(folder / "pairs" / language / f"{variant}.parquet", schema, part_bytes=1 << 20) as writer:
                writer.write(rows)
            lines.append(f"{language},{variant},3,0,0,1,0,0,0,2,1,1")
    write_text(folder / "pairs" / "statistics.csv", "\n".join(lines) + "\n")
    for name in ("funnel", "ir_lengths"):
        figure, (axes,) = panels(1, 1, 3, 2)
        note(axes, name)
        save_svg(figure, folder / "figures" / f"{name}.svg")


def write_curves(folder: Path) -> list[str]:
    """Write learning curves of the base, of IRCoder and of the tuning of both; returns their paths."""
    paths = []
    for name in ("base", "pretrain", "base-instruct", "ircoder-instruct"):
        path = folder / "models" / MODEL / "curves" / f"{name}.csv"
        write_text(path, "step,learning_rate,train_loss,validation_loss\n0,0.1,3.5,\n5,0.1,3.0,3.2\n")
        paths.append(str(path))
    return paths


def small_tables(folder: Path) -> SimpleNamespace:
    """Write the long tables of scores and losses, and a figure of the paper; returns the three paths by name."""
    scores, trained = write_scores(folder), write_losses(folder)
    write_rows(folder / "scores.csv", collect(scores, trained, 1), SCORES)
    losses = {names: path for path, names in trained.items()}
    write_rows(folder / "differences.csv", compare(scores, losses, 1), DIFFERENCES)
    write_text(
        folder / "paper.csv",
        "benchmark,language,model,checkpoint,setting,metric,value,citation\n"
        f"multipl-e,d,{MODEL},base,t0.2,pass@1,12.5,Tab. <2>\n"
        "multipl-e,d,not-in-this-run,base,t0.2,pass@1,99,Tab. 2\n",
    )
    return SimpleNamespace(**{name: folder / f"{name}.csv" for name in ("scores", "differences", "paper")})
