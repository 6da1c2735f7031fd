"""The keys of a config file, read from its JSON schema: name, allowed values and description of
each.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
    "array": "list",
}
_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
_ABSENT = object()
# Defaults with a longer text than this are not shown.
_LONGEST = 80


@dataclass(frozen=True)
class Key:
    """A key of a config: `name` with dots between levels, where `<name>` is any name and `[]` an
    item of a list.

    values: what it may be, in words. default: its value in `config/config.yaml` as JSON, empty
    where there is none.
    """

    name: str
    values: str
    required: bool
    default: str
    description: str


class ConfigSchema:
    """The schema `name` of `schemas`, whose references to the others are followed."""

    def __init__(self, schemas: Mapping[str, Schema], name: str) -> None:
        self.schemas, self.root = schemas, schemas[name]

    def keys(self, defaults: Any = None) -> list[Key]:
        """All keys in the schema's order; `defaults` is the part of `config/config.yaml` that it
        describes.
        """
        _, schema = self.resolved(self.root)
        return list(self._keys(schema, "", defaults if defaults is not None else _ABSENT))

    def resolved(self, schema: Schema) -> tuple["ConfigSchema", Schema]:
        """A schema with its reference replaced, and the file that its own references are relative
        to.

        Keywords next to the reference, such as a description, take precedence.
        """
        if "$ref" not in schema:
            return self, schema
        file, _, pointer = schema["$ref"].partition("#")
        owner = ConfigSchema(self.schemas, file) if file else self
        target = owner.root
        for name in filter(None, pointer.split("/")):
            target = target[name]
        owner, target = owner.resolved(target)
        return owner, {**target, **{key: value for key, value in schema.items() if key != "$ref"}}

    def _keys(self, schema: Schema, prefix: str, defaults: Any) -> Iterator[Key]:
        """Keys of a mapping's schema, nested ones included."""
        required = schema.get("required", [])
        for name, part in schema.get("properties", {}).items():
            value = defaults.get(name, _ABSENT) if isinstance(defaults, Mapping) else _ABSENT
            yield from self._key(part, f"{prefix}{name}", name in required, value)
        if isinstance(schema.get("additionalProperties"), Mapping):
            yield from self._key(schema["additionalProperties"], f"{prefix}<name>", False, _ABSENT)

    def _key(self, part: Schema, name: str, required: bool, default: Any) -> Iterator[Key]:
        """A key and those below it."""
        owner, schema = self.resolved(part)
        yield Key(name, owner.values(schema), required, _default_text(default), schema.get("description", ""))
        yield from owner._keys(schema, f"{name}.", default)
        items_owner, items = owner.resolved(schema.get("items", {}))
        yield from items_owner._keys(items, f"{name}[].", _ABSENT)
        for choice in schema.get("oneOf", []):
            yield from owner._keys(choice, f"{name}.", default)

    def values(self, schema: Schema) -> str:
        """What a value of the schema may be, in words."""
        _, schema = self.resolved(schema)
        if "enum" in schema:
            choices = (value if isinstance(value, str) else json.dumps(value) for value in schema["enum"])
            return ", ".join(f"`{choice}`" for choice in dict.fromkeys(choices))
        if "type" not in schema and "oneOf" in schema:
            return " or ".join(dict.fromkeys(self.values(choice) for choice in schema["oneOf"]))
        types = schema.get("type", [])
        words = " or ".join(_TYPES[name] for name in ([types] if isinstance(types, str) else types))
        bounds = [f"{text} {schema[bound]}" for bound, text in _BOUNDS.items() if bound in schema]
        items = self.values(schema.get("items", {})) if types == "array" else ""
        return ", ".join([f"{words} of: {items}" if items else words, *bounds])


def _default_text(value: Any) -> str:
    """A default as JSON; empty where there is none, and for a mapping or another long value."""
    if value is _ABSENT or (isinstance(value, Mapping) and value):
        return ""
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST else "…"
