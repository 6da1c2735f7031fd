"""What datasette is given of the run's database: descriptions, labels, facets and queries."""

from pathlib import Path
from typing import Any

import yaml

from scripts.lib.schemas.database import BY_NAME, DATABASE_TABLES, DatabaseTable

QUERIES = Path(__file__).with_name("queries.yaml")
# Name by which datasette serves the database.
NAME = "run"
FACETS = {
    "sources": ["language", "rejected"],
    "modules": ["language", "variant", "status"],
    "outcomes": ["language", "variant", "outcome"],
    "clusters": ["language"],
    "pairs": ["language", "variant", "split"],
    "truncated_documents": ["model", "split", "language", "direction"],
    "cells": ["task", "model", "checkpoint"],
    "completions": ["task", "finish_reason"],
    "executions": ["task", "status"],
    "scores": ["benchmark", "checkpoint", "metric"],
    "jobs": ["stage", "rule"],
    "job_costs": ["stage", "rule", "state"],
}


def read_queries() -> dict[str, dict[str, Any]]:
    """The queries of queries.yaml, by name in the file's order."""
    queries: dict[str, dict[str, Any]] = yaml.safe_load(QUERIES.read_text(encoding="utf-8"))
    return queries


def _table(table: DatabaseTable) -> dict[str, Any]:
    """The entry of a table."""
    entry: dict[str, Any] = {
        "description": table.description.replace("`", ""),
        "columns": {field.name: field.description.replace("`", "") for field in table.fields},
        "label_column": table.label or table.key,
    }
    return entry | ({"facets": FACETS[table.name]} if table.name in FACETS else {})


def metadata() -> dict[str, Any]:
    """The metadata of datasette for the database."""
    unknown = FACETS.keys() - BY_NAME.keys()
    if unknown:
        raise ValueError(f"facets of unknown tables: {sorted(unknown)}")
    queries = {
        name: {key: query[key] for key in ("title", "description", "sql")} | {"hide_sql": True}
        for name, query in read_queries().items()
    }
    tables = {table.name: _table(table) for table in DATABASE_TABLES}
    return {
        "title": "A run of IRCoder, reproduced",
        "databases": {NAME: {"tables": tables, "queries": queries}},
        "extra_css_urls": ["/static-explorer/explorer.css"],
    }
