"""The data set's card, its statistics and the list of contaminated programs, from what was counted in each language."""

import csv
import io
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.escape import markdown, markdown_block, one_line
from scripts.lib.files import read_json, write_text
from scripts.lib.job import job

SPLITS = {"perf": "Perf_Optimized", "size": "Size_Optimized"}
ENDS = ("duplicates", "rejected", "failed", "near_duplicates", "filtered", "contaminated", "pairs")
FAILURES = ("compile_error", "timeout", "memory_limit", "invalid_ir", "tool_crash", "no_toolchain")
FIELDS = ("source_bytes", "source_tokens", "ir_bytes", "ir_tokens")
MEASURES = ("total", "mean", "p50", "p95", "max")
LIBRARIES = ("charset-normalizer", "numpy", "pyarrow", "rensa")


def flat_row(language: str, variant: str, counted: dict[str, Any]) -> dict[str, Any]:
    """One row of statistics.csv; raise when the funnel's numbers do not add up."""
    funnel = counted["funnel"]
    if funnel["sources"] != sum(funnel[end] for end in ENDS) or funnel["pairs"] != sum(counted["splits"].values()):
        raise RuntimeError(f"{language}, {variant}: the funnel does not add up: {funnel}, {counted['splits']}")
    return {
        "language": language,
        "variant": variant,
        **{end: funnel[end] for end in ("sources", *ENDS)},
        **{split: counted["splits"][split] for split in ("train", "validation")},
        **{status: counted["statuses"].get(status, 0) for status in FAILURES},
        **{f"long_{field}": counted["filtered"].get(field, 0) for field in FIELDS},
        **{
            f"{field}_{measure}": counted["lengths"].get(field, {}).get(measure, 0)
            for field in FIELDS
            for measure in MEASURES
        },
    }


def csv_text(rows: list[dict[str, Any]], columns: list[str]) -> str:
    """Rows as CSV with a header, also where there are none."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def markdown_table(header: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table; numbers right-aligned, by the first row."""
    marks = ["---:" if rows and isinstance(cell, int | float) else "---" for cell in (rows or [header])[0]]
    lines = [header, marks, *[[f"{cell:,}" if isinstance(cell, int | float) else cell for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(map(markdown, line))} |" for line in lines) + "\n"


def configs(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One config a language, one split a variant; those without pairs are left out: `datasets` loads no empty split."""
    files: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        if row["pairs"]:
            path = f"{row['language']}/{row['variant']}.parquet"
            files.setdefault(row["language"], []).append({"split": SPLITS[row["variant"]], "path": path})
    return [{"config_name": language, "data_files": found} for language, found in files.items()]


def header(rows: list[dict[str, Any]], licenses: dict[str, int]) -> str:
    """The card's YAML header, from which `datasets` knows configs and splits."""
    pairs = sum(row["pairs"] for row in rows)
    sizes = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7))
    stated = sorted(one_line(name).lower() for name in licenses if name != "not stated")
    value = {
        "pretty_name": "Pairs of source code and LLVM IR",
        "language": ["code"],
        "task_categories": ["text-generation"],
        "tags": ["code", "llvm-ir", "compiler"],
        "size_categories": [next((name for name, below in sizes if pairs < below), "n>10M")],
        **({"license": stated} if stated else {}),
        "configs": configs(rows),
    }
    return "---\n" + yaml.safe_dump(value, sort_keys=False, allow_unicode=True) + "---\n"


def total_licenses(languages: list[dict[str, Any]]) -> dict[str, int]:
    """Pairs of each license over all languages."""
    names = sorted({name for language in languages for name in language["licenses"]})
    return {name: sum(language["licenses"].get(name, 0) for language in languages) for name in names}


def _counts(rows: list[dict[str, Any]]) -> str:
    columns = ["language", "variant", "sources", *ENDS, "train", "validation"]
    return markdown_table(
        [name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in rows]
    )


def _lengths(rows: list[dict[str, Any]]) -> str:
    measures = [(field, measure) for field in FIELDS for measure in ("mean", "p50", "max")]
    head = ["language", "variant", *(f"{field.replace('_', ' ')}, {measure}" for field, measure in measures)]
    cells = [[row["language"], row["variant"], *(row[f"{f}_{m}"] for f, m in measures)] for row in rows if row["pairs"]]
    return markdown_table(head, cells)


def _statuses(rows: list[dict[str, Any]]) -> str:
    cells = [[row["language"], row["variant"], *(row[status] for status in FAILURES)] for row in rows if row["failed"]]
    return markdown_table(["language", "variant", *(name.replace("_", " ") for name in FAILURES)], cells)


def _tools(languages: list[dict[str, Any]]) -> str:
    cells = [[item["language"], tool["compiler"], tool["llvm"]] for item in languages for tool in item["tools"]]
    return markdown_table(["language", "compiler", "LLVM"], cells)


def _sides(settings: dict[str, Any]) -> str:
    """Which programs are on the same side of the split."""
    if settings["dedup"].get("enabled", True):
        return "near-duplicates and both variants of a program are on the same side"
    return "both variants of a program are on the same side; near-duplicates were not looked for"


def card(languages: list[dict[str, Any]], rows: list[dict[str, Any]], settings: dict[str, Any]) -> str:
    """The text of the data set's README.md, from the languages' statistics, the flat rows and the rules' settings."""
    licenses = total_licenses(languages)
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    chosen = yaml.safe_dump(settings, sort_keys=True, allow_unicode=True)
    pairs = [row for row in rows if row["pairs"]] or rows
    return f"""{header(rows, licenses)}
# Pairs of source code and LLVM IR

{sum(row["pairs"] for row in rows):,} pairs of a single-file program and the LLVM IR that its compiler made of it, in
the shape of SLTrans (Paul, Glavaš, Gurevych: IRCoder, ACL 2024). A config is a language; the splits `Perf_Optimized`
and `Size_Optimized` are the two ways of optimising. The programs of both splits are mostly the same.

```python
from datasets import load_dataset

pairs = load_dataset("<this folder>", "{pairs[0]["language"]}", split="{SPLITS[pairs[0]["variant"]]}")
```

| column | |
|---|---|
| `Source_Code` | the program |
| `IR_Original` | its module in textual LLVM IR |
| `id`, `source_sha256` | of the program's original bytes: SHA-256 and its first 16 digits |
| `ir_sha256` | SHA-256 of the module |
| `split` | `train` or `validation`; {_sides(settings)} |
| `path`, `license` | where the program lay in the corpus, and its license where the corpus states one |

Rows are in order of `id`.

## From sources to pairs

Sources are files. In each variant every one ends in exactly one of the columns from duplicates (the same bytes as
another file) to pairs: rejected unread, failed to compile, near-duplicate of a kept program, filtered for its length,
contaminated by a benchmark. The run checks that the numbers add up. `contamination.csv` lists what was found of which
benchmark problem.

{_counts(rows)}
## Lengths

Of the pairs; tokens are runs of letters, digits and underscores, and every other character but white space.

{_lengths(rows)}
## Failures

{_statuses(rows)}
## Tools

Of the modules:

{_tools(languages)}
Of the data set: {libraries}.

## Licenses

{markdown_table(["license", "pairs"], [[name, count] for name, count in licenses.items()])}
## Settings

{markdown_block(chosen, "yaml")}
"""


def contamination(paths: list[str]) -> str:
    """The languages' lists of contaminated programs as one."""
    texts = [Path(path).read_text(encoding="utf-8").splitlines(keepends=True) for path in paths]
    return "".join([texts[0][0], *(line for text in texts for line in text[1:])])


if __name__ == "__main__":
    with job() as snakemake:
        given, made, chosen_settings = snakemake.input, snakemake.output, snakemake.params.settings
        counted = [read_json(path) for path in given.statistics]
        table = [
            flat_row(item["language"], variant, item["variants"][variant])
            for item in counted
            for variant in chosen_settings["variants"]
        ]
        write_text(made.statistics, csv_text(table, list(table[0])))
        write_text(made.contamination, contamination(given.contamination))
        write_text(made.card, card(counted, table, chosen_settings))
