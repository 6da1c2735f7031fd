"""Readable YAML: texts of several lines as blocks, keys in alphabetical order."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """A dumper with its own representation of texts; PyYAML's dumpers stay unchanged."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def yaml_dump(value: Any) -> str:
    """Format plain values as YAML."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=100)
