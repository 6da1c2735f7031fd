"""The wide table of one benchmark in one format, from the long tables and the paper's figures where they are filled."""

from typing import Any

from scripts.lib.files import write_text
from scripts.lib.job import job
from scripts.lib.scores import Row, read_differences, read_paper, read_scores
from scripts.tables.layout import grid, own_remarks
from scripts.tables.render import FORMATS, Look


def of_benchmark(rows: list[Row], benchmark: str) -> list[Row]:
    """The rows of one benchmark."""
    return [row for row in rows if row["benchmark"] == benchmark]


def table(inputs: Any, benchmark: str, output_format: str, look: dict[str, Any], remarks: list[str]) -> str:
    """The text of a table; `look` is the part of the benchmark's entry of config/tables.yaml that the format uses."""
    scores = of_benchmark(read_scores(inputs.scores), benchmark)
    models = {row["model"] for row in scores}
    paper = [row for row in of_benchmark(read_paper(inputs.paper), benchmark) if row["model"] in models]
    differences = of_benchmark(read_differences(inputs.differences), benchmark)
    cells = grid(scores, differences, paper, look["metrics"], look.get("lower_is_better", []))
    shown = {name: look[name] for name in ("title", "caption", "decimals") if name in look}
    own = own_remarks(look, {row["language"] for row in scores})
    return FORMATS[output_format](cells, Look(**shown, remarks=[*own, *remarks]))


if __name__ == "__main__":
    with job() as snakemake:
        names, params = snakemake.wildcards, snakemake.params
        text = table(snakemake.input, names.benchmark, names.format, params.look, params.remarks)
        write_text(snakemake.output[0], text)
