"""The wide table of one benchmark in one format, from the long tables and the paper's figures where they are filled."""

from typing import Any

from scripts.lib.files import write_text
from scripts.lib.job import job
from scripts.lib.scores import Row, read_differences, read_paper, read_scores
from scripts.tables.layout import grid, notes_for
from scripts.tables.render import FORMATS, TableSpec


def of_benchmark(rows: list[Row], benchmark: str) -> list[Row]:
    """The rows of one benchmark."""
    return [row for row in rows if row["benchmark"] == benchmark]


def table(inputs: Any, benchmark: str, output_format: str, table_spec: dict[str, Any], notes: list[str]) -> str:
    """The text of a table; `table_spec` has the keys of its entry in config/tables.yaml that the format uses."""
    scores = of_benchmark(read_scores(inputs.scores), benchmark)
    models = {row["model"] for row in scores}
    paper = [row for row in of_benchmark(read_paper(inputs.paper), benchmark) if row["model"] in models]
    differences = of_benchmark(read_differences(inputs.differences), benchmark)
    cells = grid(scores, differences, paper, table_spec["metrics"], table_spec.get("lower_is_better", []))
    shown = {name: table_spec[name] for name in ("title", "caption", "decimals") if name in table_spec}
    own = notes_for(table_spec, {row["language"] for row in scores})
    return FORMATS[output_format](cells, TableSpec(**shown, notes=[*own, *notes]))


if __name__ == "__main__":
    with job() as snakemake:
        names, params = snakemake.wildcards, snakemake.params
        text = table(snakemake.input, names.benchmark, names.format, params.table_spec, params.notes)
        write_text(snakemake.output[0], text)
