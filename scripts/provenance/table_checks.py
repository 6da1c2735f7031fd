"""Checks of the tables: the wide ones against the long one, and its rows against their sources."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.lib.csv_files import read_csv
from scripts.lib.files import read_json
from scripts.lib.ledger import summarise
from scripts.lib.parquet import read_table
from scripts.lib.schemas.pairs import SourceOutcome, Split
from scripts.lib.schemas.scores import KEY, key_text
from scripts.lib.scores import number

VALIDATION = "validation"
VALUES = ["value", "ci_low", "ci_high"]
COUNTS = ["problems", "samples"]
COLUMN = ["language", "setting", "metric"]


def read_cells(path: Path) -> pd.DataFrame:
    """Read the cells of a wide CSV table, one a row: model, checkpoint, `COLUMN`, `name` (of `VALUES`), `text`.

    Empty cells and the lines of differences and of the paper are left out.
    """
    lines = read_csv(path)
    cells = [
        (line["model"], line["checkpoint"], *column.rsplit(":", 3), text)
        for line in lines
        for column, text in line.items()
        if text and column not in ("model", "checkpoint")
    ]
    table = pd.DataFrame(cells, columns=["model", "checkpoint", *COLUMN, "name", "text"])
    other = [" - " in checkpoint or checkpoint.endswith("(paper)") for checkpoint in table["checkpoint"]]
    return table[~np.array(other, dtype=bool)]


def csv_faults(path: Path, scores: pd.DataFrame) -> Iterator[str]:
    """Differences between a wide CSV table and the benchmark's rows of the long one."""
    line = [
        checkpoint.removesuffix(f"-{language}") for checkpoint, language in scores[["checkpoint", "language"]].values
    ]
    expected = scores.assign(line=line).melt([*KEY, "line"], VALUES, var_name="name", value_name="number").dropna()
    expected["expected"] = expected["number"].map(number)
    cells = read_cells(path).rename(columns={"checkpoint": "line"})
    joined = expected.merge(cells, on=["model", "line", *COLUMN, "name"], how="outer")
    for _, row in joined[joined["text"] != joined["expected"]].iterrows():
        if pd.isna(row["expected"]):
            where = " ".join(row[["model", "line", *COLUMN]])
            yield f"{path.name}: {where}: {row['name']} {row['text']} is in no row of scores.csv"
            continue
        text = "missing" if pd.isna(row["text"]) else row["text"]
        yield f"{path.name}: {key_text(row)}: {row['name']} is {text}, scores.csv has {row['expected']}"


def read_score_files(files: list[Path]) -> pd.DataFrame:
    """Read the rows of score files, with the mean over problems where there is one, and the path: `mean`, `path`."""
    rows = []
    for path in files:
        content = read_json(path)
        for row in content["rows"]:
            problems = content["per_problem"].get(row["setting"], {}).get(row["metric"])
            mean = sum(problems.values()) / len(problems) if problems else None
            rows.append({**row, "mean": mean, "path": str(path)})
    return pd.DataFrame(rows, columns=[*KEY, *VALUES, *COUNTS, "mean", "path"])


def score_faults(scores: pd.DataFrame, files: list[Path]) -> Iterator[str]:
    """Rows without an equal row in a score file, and values that are not the mean over their problems."""
    rows = read_score_files(files)
    differs = rows["mean"].notna() & ~np.isclose(rows["mean"].astype(float), rows["value"], rtol=0, atol=1e-9)
    for _, row in rows[differs].iterrows():
        yield f"{row['path']}: {key_text(row)}: the mean over problems is not the value {row['value']}"
    joined = scores[scores["benchmark"] != VALIDATION].merge(rows, on=list(KEY), how="left", suffixes=("", "_file"))
    for _, row in joined.iterrows():
        if pd.isna(row["path"]):
            yield f"scores.csv: {key_text(row)}: no score file has this row"
        elif any(_text(row[f"{name}_file"]) != _text(row[name]) for name in (*VALUES, *COUNTS)):
            yield f"scores.csv: {key_text(row)}: differs from {row['path']}"


def _text(value: float | None) -> str:
    return number(None if pd.isna(value) else value)


def _validation_losses(results: Path, model: str, checkpoint: str) -> pd.DataFrame:
    """Token-weighted mean loss and number of documents by language and setting, computed from the table of losses."""
    columns = ["language", "variant", "direction", "tokens", "loss"]
    rows = read_table(results / "models" / model / "losses" / f"{checkpoint}.parquet", columns).to_pandas()
    rows["setting"] = rows["direction"] + ("." + rows["variant"]).fillna("")
    rows["weighted"] = rows["tokens"] * rows["loss"]
    every = rows.assign(language="all")
    both = every[every["direction"] != "source"].assign(setting=lambda part: part["direction"] + ".all")
    groups = pd.concat([rows, every, both]).groupby(["language", "setting"])
    sums = groups.agg(weighted=("weighted", "sum"), tokens=("tokens", "sum"), documents=("tokens", "size"))
    return sums.assign(loss=sums["weighted"] / sums["tokens"]).reset_index()


def loss_faults(scores: pd.DataFrame, results: Path) -> Iterator[str]:
    """Validation losses and perplexities that do not follow from the tables of losses."""
    losses = scores[(scores["benchmark"] == VALIDATION) & scores["metric"].isin(["loss", "perplexity"])]
    for (model, checkpoint), rows in losses.groupby(["model", "checkpoint"]):
        computed = _validation_losses(results, str(model), str(checkpoint))
        for _, row in rows.merge(computed, on=["language", "setting"], how="left").iterrows():
            value = math.exp(row["loss"]) if row["metric"] == "perplexity" else row["loss"]
            if not math.isclose(value, row["value"], rel_tol=1e-8) or row["documents"] != row["problems"]:
                basis = f"the documents give {value:.6g} over {row['documents']:g}"
                yield f"scores.csv: {key_text(row)}: {basis}, not {row['value']:.6g}"


def funnel_faults(path: Path) -> Iterator[str]:
    """Rows of the data set's statistics whose numbers do not add up."""
    table = pd.read_csv(path, keep_default_na=False)
    totals, splits = (table[list(names)].sum(axis=1) for names in (SourceOutcome, Split))
    for (_, row), total, split in zip(table.iterrows(), totals, splits, strict=True):
        where = f"{path.name}: {row['language']}, {row['variant']}"
        if total != row["sources"]:
            yield f"{where}: {row['sources']} sources end in {total} outcomes"
        if split != row["pairs"]:
            yield f"{where}: {row['pairs']} pairs, {split} in the splits"


def ledger_faults(path: Path) -> Iterator[str]:
    """Counts of the data set's statistics that do not follow from the ledgers next to it."""
    for row in read_csv(path):
        language, variant = row["language"], row["variant"]
        summary = summarise(str(path.with_name(language) / "ledger.parquet"), language, [variant])["variants"][variant]
        for name, count in {**summary["funnel"], **summary["splits"]}.items():
            if row[name] != str(count):
                yield f"{path.name}: {language}, {variant}: {name} is {row[name]}, the ledger has {count}"
