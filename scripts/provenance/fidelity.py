"""Compares a run with the paper's published code, for the table of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]
OPTIONAL: dict[str, Any] = {"switch": {}, "reason": "", "effect": ""}
_ABSENT = object()


def setting(config: Mapping[str, Any], key: str) -> Any:
    """The value of a key with dots, such as `dedup.threshold`; an object unequal to all values if it is missing."""
    value: Any = config
    for name in key.split("."):
        value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value


def follows_original(entry: Entry, config: Mapping[str, Any]) -> bool:
    """Whether a run with this config follows the original in this item."""
    if entry["status"] != "option":
        return entry["status"] == "same"
    return all(setting(config, key) == value for key, value in entry["switch"].items())


def run_table(
    deviations: Mapping[str, Sequence[Entry]], config: Mapping[str, Any]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The entries that concern a run, by stage: `{"agrees": [...], "differs": [...]}`, depending on its config."""
    table: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for stage, entries in deviations.items():
        parts: dict[str, list[dict[str, Any]]] = {"agrees": [], "differs": []}
        for entry in (OPTIONAL | dict(entry) for entry in entries):
            if entry.get("language") in (None, *config["languages"]):
                parts["agrees" if follows_original(entry, config) else "differs"].append(entry)
        table[stage] = parts
    return table
