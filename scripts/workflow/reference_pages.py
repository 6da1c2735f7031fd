"""Generates the reference pages of the documentation: `python -m scripts.workflow.reference_pages`.

docs/reference/tables.md and docs/reference/database.md are generated from scripts/lib/schemas,
docs/reference/config.md from config/schemas and config/config.yaml.
"""

import argparse
import textwrap
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Environment, StrictUndefined

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.escape import markdown_code, one_line
from scripts.lib.files import write_text
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.database import DATABASE_TABLES, DatabaseTable
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.schemas.table import Column, Table, Word
from scripts.workflow.config_keys import ConfigSchema, Key
from scripts.workflow.validation import read_schemas, read_yaml

ROOT = SCRIPTS.parent
PAGES = ROOT / "docs" / "reference"
SCHEMAS = ROOT / "config" / "schemas"
# Modules of scripts/lib/schemas, in the order of the stages.
STAGES = ("sources", "ir", "dedup", "pairs", "ledger", "training", "evaluation", "scores", "cost")
# Config files that are tables, each an own mapping from names to entries.
CONFIG_TABLES = ("languages", "models", "benchmarks", "runners", "tables")


def prose(text: str) -> str:
    """A sentence as a paragraph of Markdown, wrapped at 100 columns."""
    sentence = one_line(text).rstrip(".") + "."
    return textwrap.fill(sentence[:1].upper() + sentence[1:], 100, break_on_hyphens=False, break_long_words=False)


def _cell(text: str) -> str:
    """Text with Markdown of its own as a cell of a table."""
    return one_line(text).replace("|", "\\|").replace("<", "&lt;")


def _type_name(column: Column) -> str:
    """The type of a column as pyarrow names it, without the fields of a structure."""
    return "struct" if pa.types.is_struct(column.dtype) else str(column.dtype)


def column_rows(table: Table) -> list[str]:
    """Lines of the Markdown table of a table's columns."""
    rows = [
        [f"`{column.name}`", _type_name(column), column.unit, _cell(column.description)] for column in table.columns
    ]
    return markdown_table(["column", "type", "unit", "meaning"], rows)


def field_rows(table: DatabaseTable) -> list[str]:
    """Lines of the Markdown table of a table of the database."""
    rows = [
        [
            f"`{field.name}`",
            field.kind.lower(),
            "key" if field.name == table.key else "",
            f"[{field.references}](#{field.references})" if field.references else "",
            _cell(field.description),
        ]
        for field in table.fields
    ]
    return markdown_table(["column", "type", "key", "refers to", "meaning"], rows)


def word_rows(words: type[Word]) -> list[str]:
    """Lines of the Markdown table of an enumeration."""
    return markdown_table(["word", "meaning"], [[f"`{word}`", _cell(word.meaning)] for word in words])


def key_rows(keys: list[Key], defaults: bool) -> list[str]:
    """Lines of the Markdown table of a config's keys; with `defaults`, their values in
    config/config.yaml.
    """
    header = ["key", "values", *(["default"] if defaults else ["required"]), "meaning"]
    rows = [
        [
            markdown_code(key.name),
            _cell(key.values),
            markdown_code(key.default) if defaults else ("yes" if key.required else ""),
            _cell(key.description),
        ]
        for key in keys
    ]
    return markdown_table(header, rows)


def stage_tables() -> dict[str, tuple[str, list[Table]]]:
    """By stage, what its module says it has, and its tables in the module's order."""
    stages = {}
    for stage in STAGES:
        module = import_module(f"scripts.lib.schemas.{stage}")
        tables = [value for value in vars(module).values() if isinstance(value, Table)]
        if stage == "dedup":
            tables.insert(0, signatures_table(1))
        stages[stage] = (str(module.__doc__), tables)
    return stages


def config_sections() -> dict[str, tuple[str, list[Key]]]:
    """By section of config/config.yaml, its description and keys; keys outside sections are under
    an empty name.
    """
    config = ConfigSchema(read_schemas(SCHEMAS), "config.schema.yaml")
    defaults = read_yaml(ROOT / "config" / "config.yaml")
    sections: dict[str, tuple[str, list[Key]]] = {}
    for name, part in config.root["properties"].items():
        _, schema = config.resolved(part)
        keys = [key for key in config.keys(defaults) if key.name == name or key.name.startswith(f"{name}.")]
        if schema.get("type") == "object":
            sections[name] = (schema.get("description", ""), keys[1:])
        else:
            sections.setdefault("", ("", []))[1].extend(keys)
    return sections


def config_tables() -> dict[str, tuple[str, list[Key]]]:
    """By config table, its description and the keys of its entries."""
    schemas = read_schemas(SCHEMAS)
    tables = {name: ConfigSchema(schemas, f"{name}.schema.yaml") for name in CONFIG_TABLES}
    return {name: (table.root["description"], table.keys()[1:]) for name, table in tables.items()}


def pages() -> dict[Path, str]:
    """Path and text of every generated page."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals |= {
        "column_rows": column_rows,
        "field_rows": field_rows,
        "word_rows": word_rows,
        "key_rows": key_rows,
    }
    environment.filters["prose"] = prose
    values: dict[str, dict[str, Any]] = {
        "tables": {"stages": stage_tables()},
        "database": {"database": DATABASE_TABLES},
        "config": {"sections": config_sections(), "tables": config_tables()},
    }
    templates = {name: Path(__file__).with_name(f"{name}.md.j2").read_text(encoding="utf-8") for name in values}
    return {PAGES / f"{name}.md": environment.from_string(templates[name]).render(values[name]) for name in values}


if __name__ == "__main__":
    argparse.ArgumentParser(description="Write the generated pages of docs/reference.").parse_args()
    for path, text in pages().items():
        write_text(path, text)
