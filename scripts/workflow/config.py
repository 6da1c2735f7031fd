"""The configuration of a run: checked against schemas, tables and itself, with one line for the first fault."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

import yaml

from scripts.lib.revisions import LOCK, Lock, faults_in, pin_in_place, pinned
from scripts.lib.scores import split_checkpoint
from scripts.sources.table_files import files_of
from scripts.workflow.ablation_plan import IRCODER, AblationPlan, merged
from scripts.workflow.validation import ConfigError, faults, nearest, read_yaml, validate


class Tables(NamedTuple):
    """The checked tables `config/<field>.yaml`, each a mapping from names to entries."""

    languages: dict[str, Any]
    models: dict[str, Any]
    runners: dict[str, Any]
    benchmarks: dict[str, Any]
    tables: dict[str, Any]


# A token such as <source_to_llvm> in a template of training documents.
_TOKEN = re.compile(r"<\w+>")


def _read_nulls(section: dict[str, Any]) -> None:
    """Replace the text `null` by null at all depths; no key can have it as a text."""
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
    for fault in list(faults(json.loads(json.dumps(config)), "config", root)):
        if isinstance(fault.instance, str):
            *parents, last = fault.absolute_path
            section: Any = config
            for name in parents:
                section = section[name]
            with suppress(yaml.YAMLError):
                section[last] = yaml.safe_load(fault.instance)


def _check_names(names: list[str], known: dict[str, Any], key: str, table: str) -> None:
    """Raise `ConfigError` for the first of `names` that the table lacks."""
    for name in names:
        if name not in known:
            raise ConfigError(f"config: {key}: '{name}' is not in config/{table}.yaml; {nearest(name, known)}")


def _check_corpus(corpus: dict[str, Any], root: str | Path) -> None:
    """Raise `ConfigError` unless the path of the corpus exists and Python knows its encodings."""
    path = corpus["path"]
    if corpus["dataset"] is None and not Path(root, path).exists():
        raise ConfigError(
            f"config: corpus.path: '{path}' does not exist below {root}; set it to an existing folder or file"
        )
    if corpus["dataset"] is None and corpus["format"] == "tree" and not Path(root, path).is_dir():
        raise ConfigError(f"config: corpus.path: '{path}' is not a folder; for a table, set corpus.format to tables")
    for encoding in corpus["encodings"]:
        try:
            "a".encode(encoding)
        except (LookupError, UnicodeError) as error:
            raise ConfigError(f"config: corpus.encodings: {error}; use names of Python's text encodings") from error


def _check_instruct(instruct: dict[str, Any]) -> None:
    """Raise `ConfigError` if the instructions have two sources, or conversations have no template."""
    dataset = instruct["dataset"]
    if dataset is None:
        return
    if instruct["data"] is not None:
        raise ConfigError("config: instruct: both data and dataset are set; set one of them to null")
    if dataset["columns"].get("messages") and instruct["chat_template"] is None:
        remedy = "set instruct.chat_template to tokenizer, or to the text of a chat template"
        raise ConfigError(f"config: instruct.dataset.columns.messages: conversations need a template; {remedy}")


def _check_prompts(config: Mapping[str, Any]) -> None:
    """Raise `ConfigError` if a template of prompts is none, or names fields that rows lack."""
    for section in ("instruct", "commits"):
        prompts, key = config[section]["prompts"], f"config: {section}.prompts"
        try:
            names = [name for _, name, _, _ in Formatter().parse(prompts["template"]) if name is not None]
        except ValueError as error:
            raise ConfigError(f"{key}.template: {error}; write {{{{ and }}}} for braces of the text") from error
        for name in names:
            if not name.isidentifier() or (section == "commits" and name != "diff"):
                known = "commits have the field diff" if section == "commits" else "name a field of the rows"
                raise ConfigError(f"{key}.template: unknown field '{{{name}}}'; {known}")
        if prompts["shorten"] not in names:
            remedy = f"choose from {', '.join(names) or 'none, and name one in it'}"
            raise ConfigError(f"{key}.shorten: '{prompts['shorten']}' is no field of the template; {remedy}")


def _check_signs(config: dict[str, Any], root: str | Path) -> None:
    """Raise `ConfigError` if a path that rules use has signs that Snakemake would replace."""
    paths = {
        "results_dir": config["results_dir"],
        "evaluate.data_dir": config["evaluate"]["data_dir"],
        "instruct.data": config["instruct"]["data"],
    }
    checks = [
        ("{}", "braces, which Snakemake interprets as wildcards", {**paths, "the folder of the project": str(root)}),
        ("<>", "angle brackets, in which Snakemake expects the name of a folder", paths),
    ]
    for signs, meaning, checked in checks:
        for key, path in checked.items():
            if path is not None and set(signs) & set(path):
                raise ConfigError(f"config: {key}: '{path}' has {meaning}; use a path without them")


def _check_modules(corpus: dict[str, Any], variants: list[str], root: str | Path) -> None:
    """Raise `ConfigError` if the variant of modules that come with the programs cannot be determined."""
    is_file = corpus["dataset"] is None and Path(root, corpus["path"]).is_file()
    columns, splits = corpus["columns"], [corpus["splits"][variant] for variant in variants]
    if columns["ir"] is not None and columns["ir"] == columns["source"]:
        raise ConfigError(f"config: corpus.columns: source and ir are both '{columns['ir']}'; name a column for each")
    if columns["ir"] is not None and len(set(splits)) < len(splits):
        fault = f"'{splits[0]}' is the name of both variants, whose modules differ"
        raise ConfigError(f"config: corpus.splits: {fault}; name the files of each, or only one variant in variants")
    if columns["ir"] is None or len(variants) == 1 or ("{split}" in corpus["files"] and not is_file):
        return
    what = "a single file" if is_file else f"'{corpus['files']}' without {{split}}"
    remedy = "use {split} in corpus.files and a file for each variant, or only one variant in variants"
    raise ConfigError(f"config: corpus.files: {what} does not determine the variant of its modules; {remedy}")


def _check_language_files(corpus: dict[str, Any], languages: list[str], known: Iterable[str], root: str | Path) -> None:
    """Raise `ConfigError` if a local table would be read as that of two languages."""
    if corpus["format"] != "tables" or corpus["dataset"] is not None or corpus["columns"]["language"] is not None:
        return
    folder, remedy = Path(root, corpus["path"]), "or set corpus.columns.language"
    if len(languages) > 1 and (folder.is_file() or "{language}" not in corpus["files"]):
        fault = "every table would be read for each language"
        raise ConfigError(f"config: corpus.files: {fault}; use {{language}} in it for a table of each, {remedy}")
    if folder.is_file() or "{language}" not in corpus["files"]:
        return
    names = {language: corpus["names"].get(language, language) for language in known}
    for language in languages:
        # Of other names, those that contain this one can match its pattern.
        for other in (each for each in names if each != language and names[language] in names[each]):
            own, others = (
                {path for _, path in files_of(folder, each, {**corpus, "columns": {"ir": None}})}
                for each in (language, other)
            )
            if shared := sorted(own & others):
                fault = f"'{corpus['files']}' for {language} also matches {shared[0]} of {other}"
                raise ConfigError(f"config: corpus.files: {fault}; make it match one of them, {remedy}")


def _check_ablations(plan: AblationPlan, root: str | Path) -> None:
    """Raise `ConfigError` for an ablation that the section `pretrain` could not be."""
    plan.check()
    for name in plan.names:
        validate(plan.pretrain(name), "pretrain", root, f"config: ablations.{name}")


def load_tables(root: str | Path, entries: Mapping[str, Any] | None = None) -> Tables:
    """Read and check the tables of `config/`, with `entries`, the config's `table_entries`, merged over them."""
    return Tables(*(_load_table(name, root, (entries or {}).get(name, {})) for name in Tables._fields))


def _load_table(name: str, root: str | Path, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Read `config/<name>.yaml` and check it, alone and with entries merged over it."""
    table: dict[str, Any] = read_yaml(Path(root, "config", f"{name}.yaml"))
    validate(table, name, root, f"config/{name}.yaml")
    if not entries:
        return table
    whole: dict[str, Any] = merged(table, entries)
    validate(whole, name, root, f"config: table_entries.{name}")
    return whole


def _add_defaults(config: dict[str, Any], root: str | Path) -> None:
    """Add the values of `config/config.yaml` for keys that the config lacks: Snakemake does not read that file
    where another workflow uses this one as a module.
    """
    config |= merged(read_yaml(Path(root, "config", "config.yaml")), config)


def _drop_ablations(config: dict[str, Any], models: Mapping[str, Any]) -> None:
    """Take out the ablations that a config file sets to null, and all where no model of the run trains the IRCoder
    that they change: it is not evaluated, or imported.
    """
    compared = {name for name in config["evaluate"]["checkpoints"] if split_checkpoint(name)[0] == IRCODER}
    is_trained = any(compared - set(models[model].get("checkpoints", {})) for model in config["models"])
    ablations = {name: overlay for name, overlay in config["ablations"].items() if overlay is not None and is_trained}
    config["ablations"] = ablations


def _check_runner_names(tables: Tables) -> None:
    """Raise `ConfigError` for a task whose runner is in no table."""
    for benchmark, entry in tables.benchmarks.items():
        for task, own in entry.get("tasks", {}).items():
            if "runner" in own and own["runner"] not in tables.runners:
                remedy = nearest(own["runner"], tables.runners)
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
                    remedy = f"{nearest(token, known)}, or add it to the model's entry"
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
    _check_signs(plain, root)
    tables = load_tables(root, plain.get("table_entries"))
    _check_names(plain["languages"], tables.languages, "languages", "languages")
    _check_names(plain["models"], tables.models, "models", "models")
    _check_runner_names(tables)
    _check_direction_tokens(plain, tables.models)
    _check_corpus(plain["corpus"], root)
    _check_instruct(plain["instruct"])
    _check_prompts(plain)
    _check_modules(plain["corpus"], plain["variants"], root)
    _check_language_files(plain["corpus"], plain["languages"], tables.languages, root)
    _drop_ablations(plain, tables.models)
    _check_ablations(AblationPlan(plain), root)
    return tables


def prepare(config: dict[str, Any], root: str | Path) -> Tables:
    """Check the configuration, return the tables, and let scripts find the project; the first step of the Snakefile.

    Revisions are replaced by the commits that the lock file has for them. A wrong configuration ends the process with
    one line.
    """
    try:
        _add_defaults(config, root)
        read_words(config, root)
        tables = check(config, root)
        lock = read_lock(root)
        _drop_ablations(config, tables.models)
    except ConfigError as error:
        sys.exit(f"error: {error}")
    paths = [str(root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    pin_in_place(config, lock)
    return tables._replace(models=pinned(tables.models, lock), benchmarks=pinned(tables.benchmarks, lock))
