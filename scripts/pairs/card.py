"""The data set's card, statistics and list of contaminated programs, from the ledger of each
language.
"""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import DatasetCard, DatasetCardData

from scripts.lib.csv_files import write_csv
from scripts.lib.escape import markdown, markdown_block
from scripts.lib.files import write_text
from scripts.lib.hub_license import UNKNOWN, license_metadata
from scripts.lib.job import InputError, Snakemake, job
from scripts.lib.ledger import NOT_STATED, summarise
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.pairs import FAILURES, LENGTHS, MEASURES, STATISTICS, SourceOutcome, Split

TEMPLATE = Path(__file__).with_name("card.md.j2")
# Variant -> name of the published split.
SPLITS = {"perf": "Perf_Optimized", "size": "Size_Optimized"}
# The hub's size categories: name and the number of rows that it excludes.
SIZES = (
    ("n<1K", 10**3),
    ("1K<n<10K", 10**4),
    ("10K<n<100K", 10**5),
    ("100K<n<1M", 10**6),
    ("1M<n<10M", 10**7),
    ("10M<n<100M", 10**8),
    ("100M<n<1B", 10**9),
    ("1B<n<10B", 10**10),
    ("10B<n<100B", 10**11),
    ("100B<n<1T", 10**12),
)
LIBRARIES = ("charset-normalizer", "numpy", "pyarrow", "rensa")


def flat_row(language: str, variant: str, counted: dict[str, Any]) -> dict[str, Any]:
    """One row of statistics.csv; raises `RuntimeError` when the funnel's numbers do not add up."""
    funnel = counted["funnel"]
    ended, split = sum(funnel[end] for end in SourceOutcome), sum(counted["splits"].values())
    if (funnel["sources"], funnel["pairs"]) != (ended, split):
        raise RuntimeError(f"{language}, {variant}: the funnel does not add up: {funnel}, {counted['splits']}")
    return {
        "language": language,
        "variant": variant,
        **{end: funnel[end] for end in ("sources", *SourceOutcome)},
        **{split: counted["splits"][split] for split in Split},
        **{status: counted["statuses"].get(status, 0) for status in FAILURES},
        **{f"long_{field}": counted["filtered"].get(field, 0) for field in LENGTHS},
        **{
            f"{field}_{measure}": counted["lengths"].get(field, {}).get(measure, 0)
            for field in LENGTHS
            for measure in MEASURES
        },
    }


def counts_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table of texts and numbers; columns of numbers, by the first row, are
    right-aligned.
    """
    cells = [[markdown(f"{cell:,}" if isinstance(cell, int | float) else cell) for cell in row] for row in rows]
    right = [index for index, cell in enumerate(rows[0] if rows else ()) if isinstance(cell, int | float)]
    return "\n".join(markdown_table([markdown(name) for name in header], cells, right)) + "\n"


def configs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One config per language, one split per variant, without empty ones, which `datasets` does not
    load.
    """
    files: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["pairs"]:
            path = f"{row['language']}/{row['variant']}.parquet/*.parquet"
            files.setdefault(row["language"], []).append({"split": SPLITS[row["variant"]], "path": path})
    return [{"config_name": language, "data_files": splits} for language, splits in files.items()]


def metadata(rows: list[dict[str, Any]], licenses: Iterable[str]) -> DatasetCardData:
    """The card's YAML header, from which the hub and `datasets` know configs, splits and licenses."""
    pairs = sum(row["pairs"] for row in rows)
    return DatasetCardData(
        pretty_name="Pairs of source code and LLVM IR",
        language=["code"],
        task_categories=["text-generation"],
        size_categories=[next((name for name, limit in SIZES if pairs < limit), "n>1T")],
        tags=["code", "llvm-ir", "compiler"],
        configs=configs(rows),
        **license_metadata([name for name in licenses if name != NOT_STATED] or [UNKNOWN]),
    )


def total_licenses(languages: list[dict[str, Any]]) -> dict[str, int]:
    """Number of pairs of each license over all languages."""
    names = sorted({name for language in languages for name in language["licenses"]})
    return {name: sum(language["licenses"].get(name, 0) for language in languages) for name in names}


def _counts(rows: list[dict[str, Any]]) -> str:
    columns = ["language", "variant", "sources", *SourceOutcome, *Split]
    return counts_table([name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in rows])


def _lengths(rows: list[dict[str, Any]]) -> str:
    measures = [(field, measure) for field in LENGTHS for measure in ("mean", "p50", "max")]
    head = ["language", "variant", *(f"{field.replace('_', ' ')}, {measure}" for field, measure in measures)]
    cells = [[row["language"], row["variant"], *(row[f"{f}_{m}"] for f, m in measures)] for row in rows if row["pairs"]]
    return counts_table(head, cells)


def _statuses(rows: list[dict[str, Any]]) -> str:
    cells = [[row["language"], row["variant"], *(row[status] for status in FAILURES)] for row in rows if row["failed"]]
    return counts_table(["language", "variant", *(name.replace("_", " ") for name in FAILURES)], cells)


def _tools(languages: list[dict[str, Any]]) -> str:
    cells = [[item["language"], tool["compiler"], tool["llvm"]] for item in languages for tool in item["tools"]]
    return counts_table(["language", "compiler", "LLVM"], cells)


def card(languages: list[dict[str, Any]], rows: list[dict[str, Any]], settings: dict[str, Any]) -> str:
    """The text of the data set's README.md.

    languages: the summary of each language's ledger. rows: those of statistics.csv. settings: the
    settings of deduplication and pairs.
    """
    licenses = total_licenses(languages)
    rendered = DatasetCard.from_template(
        metadata(rows, licenses),
        template_path=str(TEMPLATE),
        pairs=sum(row["pairs"] for row in rows),
        example=next((row for row in rows if row["pairs"]), rows[0]),
        published_splits=SPLITS,
        deduplicated=settings["dedup"].get("enabled", True),
        counts=_counts(rows),
        lengths=_lengths(rows),
        statuses=_statuses(rows),
        tools=_tools(languages),
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        license_counts=counts_table(["license", "pairs"], [[name, count] for name, count in licenses.items()]),
        settings=markdown_block(yaml.safe_dump(settings, sort_keys=True, allow_unicode=True), "yaml"),
    )
    return str(rendered).rstrip("\n") + "\n"


def contamination(paths: list[str]) -> str:
    """The languages' lists of contaminated programs as one."""
    texts = [Path(path).read_text(encoding="utf-8").splitlines(keepends=True) for path in paths]
    return "".join([texts[0][0], *(line for text in texts for line in text[1:])])


def write_card(snakemake: Snakemake) -> None:
    """Write README.md, statistics.csv and contamination.csv of the data set.

    Raises `InputError` if the corpus has no program of any language.
    """
    inputs, outputs, params, settings = snakemake.input, snakemake.output, snakemake.params, snakemake.params.settings
    variants = settings["variants"]
    languages = [
        summarise(path, language, variants) for language, path in zip(params.languages, inputs.ledgers, strict=True)
    ]
    rows = [flat_row(item["language"], name, item["variants"][name]) for item in languages for name in variants]
    if not any(row["sources"] for row in rows):
        keys = "path, files, names and splits of the section corpus, and languages"
        raise InputError(f"the corpus has no program in {', '.join(params.languages)}; check {keys}")
    write_csv(outputs.statistics, STATISTICS.names, rows)
    write_text(outputs.contamination, contamination(inputs.contamination))
    write_text(outputs.card, card(languages, rows, settings))


if __name__ == "__main__":
    with job() as snakemake:
        write_card(snakemake)
