"""The generated reference pages are current, and say of every config key what it may be."""

import jsonschema
import pytest

from scripts.workflow.config_keys import ConfigSchema
from scripts.workflow.reference_pages import SCHEMAS, column_rows, config_sections, pages, prose, stage_tables
from scripts.workflow.validation import read_yaml

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_generated_page_is_current(path):
    assert path.read_text(encoding="utf-8") == PAGES[path], (
        f"{path} is stale; run python -m scripts.workflow.reference_pages"
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_prose_of_a_page_wraps_at_100_columns(path):
    lines = PAGES[path].splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith("|")] == []


def _mappings(value):
    """Every mapping inside a schema that is a schema itself."""
    if isinstance(value, dict):
        yield value
        for keyword, part in value.items():
            parts = part.values() if keyword in ("properties", "$defs") else [part]
            if keyword != "const":
                for inner in parts:
                    yield from _mappings(inner)
    elif isinstance(value, list):
        for part in value:
            yield from _mappings(part)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.yaml")), ids=lambda path: path.name)
def test_a_schema_has_keywords_of_the_standard_only(path):
    """An unquoted comma in a description ends it and makes the rest a keyword that nothing reads."""
    known = {"$schema", "$ref", "$defs", "description", "then", "else", "format"} | set(
        jsonschema.Draft202012Validator.VALIDATORS
    )
    assert {keyword for schema in _mappings(read_yaml(path)) for keyword in schema} <= known


def test_every_key_of_the_default_config_is_on_the_page():
    keys = {key.name: key for _, section in config_sections().values() for key in section}
    assert keys["dedup.threshold"].default == "0.7"
    assert keys["corpus.columns.source"].default == '"Source_Code"'
    config = read_yaml(SCHEMAS.parent / "config.yaml")
    for name, section in config.items():
        for inner in section if isinstance(section, dict) else ():
            # Ablations have names that the page cannot know.
            assert f"{name}.{inner}" in keys or f"{name}.<name>" in keys


def test_bounds_choices_and_references_are_values_in_words():
    inner = {"type": "integer", "minimum": 1, "description": "inner"}
    properties = {
        "a": {"$ref": "inner"},
        "b": {"$ref": "inner", "description": "other"},
        "c": {"enum": ["x", None]},
        "d": {"type": "array", "items": {"type": "object", "properties": {"e": {"type": ["string", "null"]}}}},
    }
    schemas = {"inner": inner, "outer": {"type": "object", "required": ["a"], "properties": properties}}
    keys = {key.name: key for key in ConfigSchema(schemas, "outer").keys({"a": 3})}
    assert (keys["a"].values, keys["a"].default, keys["a"].description) == ("whole number, at least 1", "3", "inner")
    assert (keys["a"].required, keys["b"].required) == (True, False)
    assert keys["b"].description == "other"
    assert keys["c"].values == "`x`, `null`"
    assert (keys["d"].values, keys["d[].e"].values) == ("list of: mapping", "text or null")


def test_every_stage_has_tables():
    assert all(tables for _, tables in stage_tables().values())


def test_cells_escape_what_would_end_them():
    for _, tables in stage_tables().values():
        for table in tables:
            assert {line.replace("\\|", "").count("|") for line in column_rows(table)} == {5}


def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop():
    assert prose("one\nthing") == "One thing."
