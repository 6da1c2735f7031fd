"""How a run compares with the paper's published code: the table of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
OPTIONAL: dict[str, Any] = {"switch": {}, "reason": "", "effect": ""}
_ABSENT = object()


def setting(config: Mapping[str, Any], key: str) -> Any:
    """The value of a key written with dots; a value that no config can have where the key is missing."""
    value: Any = config
    for name in key.split("."):
        value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value


def follows_original(entry: Entry, config: Mapping[str, Any]) -> bool:
    """Whether a run with this config does what the original does in this item."""
    if entry["status"] != "option":
        return entry["status"] == "same"
    return all(setting(config, key) == value for key, value in entry["switch"].items())


def run_table(
    deviations: Mapping[str, Sequence[Entry]], config: Mapping[str, Any]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By stage, the entries that concern a run: `{"agrees": [...], "differs": [...]}`, by what its config decides."""
    table: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for stage, entries in deviations.items():
        parts: dict[str, list[dict[str, Any]]] = {"agrees": [], "differs": []}
        for entry in (OPTIONAL | dict(entry) for entry in entries):
            if entry.get("language") in (None, *config["languages"]):
                parts["agrees" if follows_original(entry, config) else "differs"].append(entry)
        table[stage] = parts
    return table
