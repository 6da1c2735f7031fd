"""YAML files of the project, checked against JSON schemas: each fault is one line that names the key."""

import difflib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import jsonschema
import yaml
from referencing import Registry, Resource

from scripts.compile.compile_time import CHECKS
from scripts.compile.prepare import PREPARATIONS
from scripts.evaluate.benchmarks.problems import FORMS
from scripts.evaluate.runners.factory import KINDS
from scripts.evaluate.runners.programs import COMPOSERS, GENERIC
from scripts.lib.job import InputError

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")
# An entry of a YAML file, which its schema has checked.
Entry = Mapping[str, Any]


class ConfigError(Exception):
    """A wrong configuration, described in one line: the key, what is wrong with it, and what to do."""


def checked(check: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
    """The value of a function that checks the config or a table; ends the process with one line for
    a fault.
    """
    try:
        return check(*arguments, **named)
    except (ConfigError, InputError) as error:
        sys.exit(f"error: {error}")


@cache
def _read_yaml(path: Path, stamp: int) -> Any:
    """The value of a YAML file; `stamp`, its modification time, is part of the cache key."""
    del stamp
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML; correct it: {' '.join(str(error).split())}") from error


def read_yaml(path: str | Path) -> Any:
    """The value of a YAML file; raise `ConfigError` when it is missing or malformed."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"{file} does not exist; correct the path, or restore the file from the repository")
    return _read_yaml(file, file.stat().st_mtime_ns)


def read_schemas(folder: Path) -> dict[str, Any]:
    """All schemas of a folder by their file names, and as `registries` the names that the code knows."""
    schemas = {file.name: read_yaml(file) for file in sorted(folder.glob("*.schema.yaml"))}
    schemas["registries"] = {"$schema": schemas["config.schema.yaml"]["$schema"], "$defs": registries()}
    return schemas


def _registry(folder: Path) -> Registry:
    """The schemas of a folder, as references between them find them."""
    schemas = read_schemas(folder)
    return Registry().with_resources((name, Resource.from_contents(schema)) for name, schema in schemas.items())


def registries() -> dict[str, Any]:
    """Schemas of the names under which the code registers what a table can choose, by the name of the registry."""
    names: dict[str, Iterable[str]] = {
        "runner_kinds": KINDS,
        "composers": [*COMPOSERS, *GENERIC],
        "forms": FORMS,
        "preparations": dict.fromkeys(name for name, _ in PREPARATIONS),
        "compile_time_checks": CHECKS,
    }
    return {registry: {"enum": list(known)} for registry, known in names.items()}


def _schema_of(error: jsonschema.ValidationError) -> Mapping[str, Any]:
    """The part of a schema that a value violates."""
    return error.schema if isinstance(error.schema, Mapping) else {}


def _unknown_key(error: jsonschema.ValidationError) -> str:
    """The message for a key that the schema does not have, with the nearest one that it has."""
    known = sorted(_schema_of(error).get("properties", {}))
    names: Any = error.instance
    key = min(str(name) for name in names if name not in known)
    return f"unknown key '{key}'; {nearest(key, known)}"


def _explain(error: jsonschema.ValidationError, where: str) -> str:
    """One line for one validation error: key, fault, remedy."""
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        return f"{where}: {key}: {_unknown_key(error)}"
    meaning = _schema_of(error).get("description", "")
    return " ".join(f"{where}: {key}: {error.message}{f' ({meaning})' if meaning else ''}".split())


def faults(value: Any, name: str, root: str | Path) -> Iterator[jsonschema.ValidationError]:
    """Where `value` differs from `config/schemas/<name>.schema.yaml`."""
    registry = _registry(Path(root, "config", "schemas"))
    schema = registry.contents(f"{name}.schema.yaml")
    return jsonschema.Draft202012Validator(schema, registry=registry).iter_errors(value)


def validate(value: Any, name: str, root: str | Path, where: str) -> None:
    """Check `value` against `config/schemas/<name>.schema.yaml`; raise `ConfigError` with the most relevant fault."""
    error = jsonschema.exceptions.best_match(faults(value, name, root))
    if error is not None:
        raise ConfigError(_explain(error, where))


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(known)}"
