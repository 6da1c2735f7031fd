"""Whether the wide tables say what the long one says, and whether its rows can be traced to their score files."""

import math
from collections.abc import Iterator
from pathlib import Path

from scripts.lib.csv_files import read_csv
from scripts.lib.files import read_json
from scripts.lib.parquet import read_table
from scripts.lib.schemas.pairs import SourceOutcome, Split
from scripts.lib.schemas.scores import KEY
from scripts.lib.scores import Row, number

VALIDATION = "validation"
FIGURES = ("value", "ci_low", "ci_high")


def named(row: Row) -> str:
    """A score in words."""
    return ", ".join(row[name] for name in KEY)


def csv_faults(path: Path, scores: list[Row]) -> Iterator[str]:
    """Differences between a wide csv table and the benchmark's rows of the long one."""
    lines = {(line["model"], line["checkpoint"]): line for line in read_csv(path)}
    found = {
        (model, checkpoint, *column.rsplit(":", 3)[:3])
        for (model, checkpoint), line in lines.items()
        for column, cell in line.items()
        if column.endswith(":value") and cell and " - " not in checkpoint and not checkpoint.endswith("(paper)")
    }
    for row in scores:
        checkpoint = row["checkpoint"].removesuffix(f"-{row['language']}")
        place = (row["language"], row["setting"], row["metric"])
        found.discard((row["model"], checkpoint, *place))
        line = lines.get((row["model"], checkpoint), {})
        for name in FIGURES:
            cell, expected = line.get(":".join((*place, name))), number(row[name])
            if cell != expected:
                yield f"{path.name}: {named(row)}: {name} is {cell or 'missing'}, scores.csv has {expected}"
    for model, checkpoint, *place in sorted(found):
        yield f"{path.name}: {', '.join((model, checkpoint, *place))} is in no row of scores.csv"


def score_faults(scores: list[Row], files: list[Path]) -> Iterator[str]:
    """Rows of the long table without the same row in a score file, and values that their problems do not give."""
    known: dict[tuple[str, ...], tuple[Path, Row]] = {}
    for path in files:
        content = read_json(path)
        for row in content["rows"]:
            known[tuple(row[name] for name in KEY)] = path, row
            problems = content["per_problem"].get(row["setting"], {}).get(row["metric"])
            if problems and not math.isclose(sum(problems.values()) / len(problems), row["value"], abs_tol=1e-9):
                yield f"{path}: {named(row)}: the mean over problems is not the value {row['value']}"
    for row in (row for row in scores if row["benchmark"] != VALIDATION):
        path, original = known.get(tuple(row[name] for name in KEY), (None, {}))
        if path is None:
            yield f"scores.csv: {named(row)}: no score file has this row"
        elif any(number(original[name]) != number(row[name]) for name in (*FIGURES, "problems", "samples")):
            yield f"scores.csv: {named(row)}: differs from {path}"


def _validation_losses(results: Path, model: str, checkpoint: str) -> dict[tuple[str, str], tuple[float, int]]:
    """Token-weighted mean loss and number of documents by language and setting, computed from the table of losses."""
    sums: dict[tuple[str, str], list[float]] = {}
    columns = ["language", "variant", "direction", "tokens", "loss"]
    for row in read_table(results / "models" / model / "losses" / f"{checkpoint}.parquet", columns).to_pylist():
        setting = row["direction"] if row["direction"] == "source" else f"{row['direction']}.{row['variant']}"
        for place in {(row["language"], setting), ("all", setting), ("all", f"{setting.partition('.')[0]}.all")}:
            total = sums.setdefault(place, [0.0, 0.0, 0])
            total[:] = total[0] + row["tokens"] * row["loss"], total[1] + row["tokens"], total[2] + 1
    return {place: (weighted / tokens, count) for place, (weighted, tokens, count) in sums.items()}


def loss_faults(scores: list[Row], results: Path) -> Iterator[str]:
    """Validation losses and perplexities that the tables of losses do not give."""
    read: dict[tuple[str, str], dict[tuple[str, str], tuple[float, int]]] = {}
    for row in scores:
        if row["benchmark"] != VALIDATION or row["metric"] not in ("loss", "perplexity"):
            continue
        key = row["model"], row["checkpoint"]
        if key not in read:
            read[key] = _validation_losses(results, *key)
        loss, documents = read[key].get((row["language"], row["setting"]), (math.nan, 0))
        value = math.exp(loss) if row["metric"] == "perplexity" else loss
        if not math.isclose(value, row["value"], rel_tol=1e-8) or documents != row["problems"]:
            yield f"scores.csv: {named(row)}: the documents give {value:.6g} over {documents}, not {row['value']:.6g}"


def funnel_faults(path: Path) -> Iterator[str]:
    """Rows of the data set's statistics whose numbers do not add up."""
    for row in read_csv(path):
        total, pairs = (sum(int(row[name]) for name in names) for names in (SourceOutcome, Split))
        if total != int(row["sources"]):
            yield f"{path.name}: {row['language']}, {row['variant']}: {row['sources']} sources end in {total} outcomes"
        if pairs != int(row["pairs"]):
            yield f"{path.name}: {row['language']}, {row['variant']}: {row['pairs']} pairs, {pairs} in the splits"
