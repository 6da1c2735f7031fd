"""Writes the wide table of one benchmark in one format: `tables/<benchmark>.{csv,md,tex,html}`."""

from typing import Any

import pandas as pd

from scripts.lib.files import write_text
from scripts.lib.job import job
from scripts.lib.score_tables import read_differences, read_paper, read_scores
from scripts.tables.layout import TableSpec, grid, notes_for
from scripts.tables.render import FORMATS, Texts


def of_benchmark(rows: pd.DataFrame, benchmark: str) -> pd.DataFrame:
    """The rows of one benchmark."""
    return rows[rows["benchmark"] == benchmark]


def table(inputs: Any, benchmark: str, output_format: str, table_spec: TableSpec, run_notes: list[str]) -> str:
    """The text of a table.

    `inputs` has the paths `scores`, `differences` and `paper`; `table_spec` has the keys of the
    benchmark's entry in config/tables.yaml that the format uses; `run_notes` apply to all tables.
    """
    scores = of_benchmark(read_scores(inputs.scores), benchmark)
    paper = of_benchmark(read_paper(inputs.paper), benchmark)
    paper = paper[paper["model"].isin(scores["model"])]
    differences = of_benchmark(read_differences(inputs.differences), benchmark)
    cells = grid(scores, differences, paper, table_spec["metrics"], table_spec.get("lower_is_better", []))
    shown = {name: table_spec[name] for name in ("title", "caption", "decimals") if name in table_spec}
    notes = [*notes_for(table_spec, scores["language"]), *run_notes]
    return FORMATS[output_format](cells, Texts(**shown, notes=notes))


if __name__ == "__main__":
    with job() as snakemake:
        names, params = snakemake.wildcards, snakemake.params
        text = table(snakemake.input, names.benchmark, names.format, params.table_spec, params.notes)
        write_text(snakemake.output[0], text)
