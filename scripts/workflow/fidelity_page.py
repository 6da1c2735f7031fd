"""Generates docs/reference/fidelity.md from config/deviations.yaml.

Run it by `python -m scripts.workflow.fidelity_page`.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import write_text
from scripts.workflow.validation import Entry, read_yaml, validate

ROOT = SCRIPTS.parent
PAGE = ROOT / "docs" / "reference" / "fidelity.md"
TEMPLATE = Path(__file__).with_name("fidelity.md.j2")


def read_deviations(root: Path = ROOT) -> dict[str, list[dict[str, Any]]]:
    """Read config/deviations.yaml, entries by stage; raise `ConfigError` when it is malformed."""
    deviations = read_yaml(root / "config" / "deviations.yaml")
    validate(deviations, "deviations", root, "config/deviations.yaml")
    return deviations


def switches(entry: Entry) -> str:
    """Format the switch of an entry as Markdown, with values as JSON, which YAML can read."""
    return ", ".join(f"`{key}: {json.dumps(value)}`" for key, value in entry.get("switch", {}).items())


def cell(text: str) -> str:
    """Format a text as a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def markdown(deviations: Mapping[str, Sequence[Entry]]) -> str:
    """The text of docs/reference/fidelity.md."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"cell": cell, "switches": switches}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(deviations=deviations)


if __name__ == "__main__":
    argparse.ArgumentParser(description=f"Write {PAGE.relative_to(ROOT)} from config/deviations.yaml.").parse_args()
    write_text(PAGE, markdown(read_deviations()))
