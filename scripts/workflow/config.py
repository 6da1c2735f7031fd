"""The configuration of a run: read, checked against schemas and tables, and explained in one line where it is wrong."""

import difflib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml
from referencing import Registry, Resource

from scripts.compile.compile_time import CHECKS
from scripts.compile.prepare import PREPARATIONS
from scripts.evaluate.benchmarks.problems import FORMS
from scripts.evaluate.runners.factory import KINDS
from scripts.evaluate.runners.programs import COMPOSERS, GENERIC
from scripts.lib.revisions import LOCK, Lock, faults_in, pin_in_place, pinned


class Tables(NamedTuple):
    """The checked tables `config/<field>.yaml`, each a mapping from names to entries."""

    languages: dict[str, Any]
    models: dict[str, Any]
    runners: dict[str, Any]
    benchmarks: dict[str, Any]
    tables: dict[str, Any]


# A token such as <source_to_llvm> in a template of training documents.
_TOKEN = re.compile(r"<\w+>")


class ConfigError(Exception):
    """A wrong configuration: one line that names the key, what is wrong with it and what to do."""


@cache
def _read_yaml(path: Path, stamp: int) -> Any:
    """A YAML file's value; `stamp`, its time of change, keeps the cache honest."""
    del stamp
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from error


def read_yaml(path: str | Path) -> Any:
    """The value of a YAML file; raise `ConfigError` when it is missing or malformed."""
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"{file} does not exist")
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
    """The message for keys that the schema does not know, with the nearest known one."""
    known = sorted(_schema_of(error).get("properties", {}))
    instance: Mapping[str, Any] = error.instance
    key = sorted(str(name) for name in instance if name not in known)[0]
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key '{key}'; " + (f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}")


def _explain(error: jsonschema.ValidationError, where: str) -> str:
    """One line for one validation error: key, fault, remedy."""
    key = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        return f"{where}: {key}: {_unknown_key(error)}"
    meaning = _schema_of(error).get("description", "")
    return " ".join(f"{where}: {key}: {error.message}{f' ({meaning})' if meaning else ''}".split())


def _faults(value: Any, name: str, root: str | Path) -> Iterator[jsonschema.ValidationError]:
    """Where `value` differs from `config/schemas/<name>.schema.yaml`."""
    registry = _registry(Path(root, "config", "schemas"))
    schema = registry.contents(f"{name}.schema.yaml")
    return jsonschema.Draft202012Validator(schema, registry=registry).iter_errors(value)


def validate(value: Any, name: str, root: str | Path, where: str) -> None:
    """Check `value` against `config/schemas/<name>.schema.yaml`; raise `ConfigError` with the most telling fault."""
    error = jsonschema.exceptions.best_match(_faults(value, name, root))
    if error is not None:
        raise ConfigError(_explain(error, where))


def _read_nulls(section: dict[str, Any]) -> None:
    """Replace the text `null` by null at all depths; no key takes it as a text."""
    for key, value in section.items():
        if isinstance(value, dict):
            _read_nulls(value)
        elif value == "null":
            section[key] = None


def read_words(config: dict[str, Any], root: str | Path) -> None:
    """Read texts as YAML where the schema requires numbers, null and the like.

    Snakemake reads everything inside the braces of `--config dedup='{threshold: 0.5}'` as texts.
    """
    _read_nulls(config)
    for fault in list(_faults(json.loads(json.dumps(config)), "config", root)):
        if isinstance(fault.instance, str):
            *parents, last = fault.absolute_path
            section: Any = config
            for name in parents:
                section = section[name]
            with suppress(yaml.YAMLError):
                section[last] = yaml.safe_load(fault.instance)


def _nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"


def _check_names(names: list[str], known: dict[str, Any], key: str, table: str) -> None:
    """Raise `ConfigError` for the first of `names` that the table lacks."""
    for name in names:
        if name not in known:
            raise ConfigError(f"config: {key}: '{name}' is not in config/{table}.yaml; {_nearest(name, known)}")


def _check_corpus(corpus: dict[str, Any], root: str | Path) -> None:
    """Raise `ConfigError` unless a corpus given as a path is there, and Python can read its encodings."""
    path = corpus["path"]
    if corpus["dataset"] is None and not Path(root, path).exists():
        raise ConfigError(f"config: corpus.path: '{path}' does not exist below {root}; give a folder or file that does")
    if corpus["dataset"] is None and corpus["format"] == "tree" and not Path(root, path).is_dir():
        raise ConfigError(f"config: corpus.path: '{path}' is no folder; of a table say corpus.format: tables")
    for encoding in corpus["encodings"]:
        try:
            "a".encode(encoding)
        except (LookupError, UnicodeError) as error:
            raise ConfigError(f"config: corpus.encodings: {error}; give names of Python's text encodings") from error


def _check_instruct(instruct: dict[str, Any]) -> None:
    """Raise `ConfigError` when instructions have two sources, or a conversation no template."""
    dataset = instruct["dataset"]
    if dataset is None:
        return
    if instruct["data"] is not None:
        raise ConfigError("config: instruct: both data and dataset are set; set the other one to null")
    if dataset["columns"].get("messages") and instruct["chat_template"] is None:
        remedy = "set instruct.chat_template to tokenizer, or to the text of a chat template"
        raise ConfigError(f"config: instruct.dataset.columns.messages: conversations need a template; {remedy}")


def _check_braces(config: dict[str, Any], root: str | Path) -> None:
    """Raise `ConfigError` when a path that rules name as a file has braces, which Snakemake takes for wildcards."""
    paths = {
        "results_dir": config["results_dir"],
        "evaluate.data_dir": config["evaluate"]["data_dir"],
        "instruct.data": config["instruct"]["data"],
        "the folder of the project": str(root),
    }
    for key, path in paths.items():
        if path is not None and set("{}") & set(path):
            fault = f"'{path}' has braces, which Snakemake takes for wildcards"
            raise ConfigError(f"config: {key}: {fault}; use a path without them")


def _check_modules(corpus: dict[str, Any], variants: list[str], root: str | Path) -> None:
    """Raise `ConfigError` where nothing says which of several variants a module that comes with a program is of."""
    is_file = corpus["dataset"] is None and Path(root, corpus["path"]).is_file()
    if corpus["columns"]["ir"] is None or len(variants) == 1 or ("{split}" in corpus["files"] and not is_file):
        return
    what = "a single file" if is_file else f"'{corpus['files']}' without {{split}}"
    remedy = "give a folder with a file for each and {split} in corpus.files, or one variant in variants"
    raise ConfigError(f"config: corpus.files: {what} does not say which variant its modules are of; {remedy}")


def load_tables(root: str | Path, entries: Mapping[str, Any] | None = None) -> Tables:
    """Read and check the tables of `config/`, with `entries`, the config's `table_entries`, merged over them."""
    return Tables(*(_load_table(name, root, (entries or {}).get(name, {})) for name in Tables._fields))


def _load_table(name: str, root: str | Path, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Read `config/<name>.yaml` and check it, alone and with entries merged over it."""
    table: dict[str, Any] = read_yaml(Path(root, "config", f"{name}.yaml"))
    validate(table, name, root, f"config/{name}.yaml")
    if not entries:
        return table
    merged: dict[str, Any] = _merged(table, entries)
    validate(merged, name, root, f"config: table_entries.{name}")
    return merged


def _merged(base: Any, overlay: Any) -> Any:
    """`overlay` over `base`, key by key where both are mappings, as Snakemake merges config files."""
    if not isinstance(base, Mapping) or not isinstance(overlay, Mapping):
        return overlay
    return {**base, **{key: _merged(base.get(key), value) for key, value in overlay.items()}}


def _check_runner_names(tables: Tables) -> None:
    """Raise `ConfigError` for a task whose runner is in no table."""
    for benchmark, entry in tables.benchmarks.items():
        for task, own in entry.get("tasks", {}).items():
            if "runner" in own and own["runner"] not in tables.runners:
                remedy = _nearest(own["runner"], tables.runners)
                fault = f"the runner '{own['runner']}' is not in config/runners.yaml"
                raise ConfigError(f"config/benchmarks.yaml: {benchmark}.tasks.{task}: {fault}; {remedy}")


def _check_direction_tokens(config: Mapping[str, Any], models: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for a token of a template that a model of the run would split into pieces."""
    for direction, template in config["pretrain"]["templates"].items():
        for model in config["models"]:
            known = models[model]["special_tokens"]
            for token in _TOKEN.findall(template):
                if token not in known:
                    fault = f"'{token}' is not among the special_tokens of the model '{model}'"
                    remedy = f"{_nearest(token, known)}, or add it to the model's entry"
                    raise ConfigError(f"config: pretrain.templates.{direction}: {fault}; {remedy}")


def read_lock(root: str | Path) -> Lock:
    """The checked lock file of revisions, empty without one; raise `ConfigError` for a fault in it."""
    file = Path(root, LOCK)
    lock = (read_yaml(file) or {}) if file.is_file() else {}
    validate(lock, "revisions", root, str(LOCK))
    for fault in faults_in(lock):
        raise ConfigError(f"{LOCK}: {fault}; delete the entry and run make pin")
    return lock


def check(config: dict[str, Any], root: str | Path) -> Tables:
    """Check the merged configuration and the tables that it points into; return the tables.

    Raises `ConfigError` with one line for the first fault.
    """
    plain = json.loads(json.dumps(config))
    validate(plain, "config", root, "config")
    _check_braces(plain, root)
    tables = load_tables(root, plain.get("table_entries"))
    _check_names(plain["languages"], tables.languages, "languages", "languages")
    _check_names(plain["models"], tables.models, "models", "models")
    _check_runner_names(tables)
    _check_direction_tokens(plain, tables.models)
    _check_corpus(plain["corpus"], root)
    _check_instruct(plain["instruct"])
    _check_modules(plain["corpus"], plain["variants"], root)
    return tables


def prepare(config: dict[str, Any], root: str | Path) -> Tables:
    """What the Snakefile does first: check the configuration and let scripts find the project and stay off the net.

    Revisions become the commits that the lock file has for them. Returns the tables. A wrong configuration ends the
    process with one line.
    """
    read_words(config, root)
    try:
        tables = check(config, root)
        lock = read_lock(root)
    except ConfigError as error:
        sys.exit(f"error: {error}")
    paths = [str(root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    pin_in_place(config, lock)
    return tables._replace(models=pinned(tables.models, lock), benchmarks=pinned(tables.benchmarks, lock))
