"""Configuration: the shipped ones are valid, and each fault is one line that names its key."""

import copy

import pytest

from scripts.workflow.config import check, prepare, read_words
from scripts.workflow.validation import ConfigError, read_yaml
from tests.support.paths import ROOT


@pytest.fixture
def config():
    """The default configuration, for each test to spoil."""
    return copy.deepcopy(read_yaml(ROOT / "config" / "config.yaml"))


def merged(base, overlay):
    """The overlay laid over the base the way Snakemake does it."""
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return overlay
    return {**base, **{key: merged(base.get(key), value) for key, value in overlay.items()}}


def test_default_is_valid(config):
    tables = check(config, ROOT)
    assert set(config["languages"]) <= set(tables.languages)
    assert set(config["models"]) <= set(tables.models)
    assert tables.runners and tables.benchmarks


OVERLAYS = [ROOT / "config" / "paper.yaml", *sorted((ROOT / "config" / "examples").glob("*.yaml"))]


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_overlays_are_valid(config, overlay):
    value = merged(config, read_yaml(overlay))
    value["corpus"] = config["corpus"]
    check(value, ROOT)


@pytest.mark.parametrize(
    "key, value, told",
    [
        ("pairz", 1, "'pairs'"),
        ("shard_size", -1, "shard_size"),
        ("languages", ["Pyton"], "'Python'"),
        ("languages", [], "languages"),
        ("models", ["gpt-none"], "models"),
        ("variants", ["fast"], "variants"),
        ("corpus", {"path": "no/such/folder"}, "corpus.path"),
        ("seed", "x", "seed"),
        ("compile", {"wall": 1}, "compile"),
    ],
)
def test_fault_is_one_line_that_names_the_key(config, key, value, told):
    with pytest.raises(ConfigError) as caught:
        check(merged(config, {key: value}), ROOT)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_malformed_yaml_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [1,\n")
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        read_yaml(tmp_path / "bad.yaml")


def test_words_of_the_command_line_are_numbers_where_numbers_are_wanted(config):
    config["dedup"] |= {"threshold": "0.5", "verify": "false", "tokens": "split"}
    config["corpus"] |= {"dataset": "null", "columns": config["corpus"]["columns"] | {"path": "null"}}
    config["shard_size"] = "many: ["
    read_words(config, ROOT)
    assert (config["dedup"]["threshold"], config["dedup"]["verify"], config["dedup"]["tokens"]) == (0.5, False, "split")
    assert (config["corpus"]["dataset"], config["shard_size"]) == (None, "many: [")


def test_null_on_the_command_line_is_no_text(config):
    config["compile"]["cache"] = "null"
    config["corpus"]["columns"]["license"] = "null"
    read_words(config, ROOT)
    assert config["compile"]["cache"] is None
    assert config["corpus"]["columns"]["license"] is None


def test_a_corpus_that_is_a_file_is_no_tree(config, tmp_path):
    (tmp_path / "x.parquet").touch()
    config["corpus"]["path"] = str(tmp_path / "x.parquet")
    with pytest.raises(ConfigError, match=r"corpus\.path: .* is not a folder"):
        check(config, ROOT)


@pytest.mark.parametrize("name", ["klingon", "hex"])
def test_unknown_encodings_are_named(config, name):
    config["corpus"]["encodings"] = ["cp1252", name]
    with pytest.raises(ConfigError, match=rf"corpus\.encodings: .*{name}"):
        check(config, ROOT)


HUB_SET = {"id": "owner/rows", "revision": "", "columns": {}}
INSTRUCT_FAULTS = {
    "both data and dataset are set": {"dataset": HUB_SET},
    "conversations need a template": {"data": None, "dataset": {**HUB_SET, "columns": {"messages": "messages"}}},
    "unknown key 'column'; did you mean 'columns'": {"data": None, "dataset": {**HUB_SET, "column": {}}},
    "'id' is a required property": {"data": None, "dataset": {"revision": "", "columns": {}}},
    "validation_share: 1 is": {"data": None, "dataset": {**HUB_SET, "validation_share": 1}},
}


@pytest.mark.parametrize("told, own", INSTRUCT_FAULTS.items(), ids=INSTRUCT_FAULTS)
def test_faults_of_the_instructions_source_are_named(config, told, own):
    config["instruct"] |= own
    with pytest.raises(ConfigError, match=told):
        check(config, ROOT)


@pytest.mark.parametrize(
    ("name", "overlay", "told"),
    [
        (
            "slow",
            {"training": {"learning_rates": 1}},
            "config: ablations.slow: training: unknown key 'learning_rates'",
        ),
        ("slow", {"training": {"epochs": 0}}, "config: ablations.slow: training.epochs: 0 is"),
        ("slow", {"templates": {}}, "config: ablations.slow: unknown key 'templates'"),
        ("slow", {"modules": "random"}, "'random' is not one of ['own', 'shuffled']"),
        ("c-only", {"languages": ["c"]}, "config: ablations.c-only.languages: the run has no 'c'; choose from C, C++"),
        ("base", {}, "config: ablations: 'base' does not match"),
        ("ircoder-2", {}, "'ircoder-2' does not match"),
        ("my-instruct", {}, "'my-instruct' does not match"),
        ("Slow", {}, "'Slow' does not match"),
    ],
)
def test_faults_of_an_ablation_are_named(config, name, overlay, told):
    with pytest.raises(ConfigError) as caught:
        check({**config, "ablations": {name: overlay}}, ROOT)
    assert told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overlay", "kept"),
    [
        ({}, ["source-only"]),
        ({"ablations": {"source-only": None}}, []),
        ({"ablations": {"source-only": None, "mine": {"seed": 2}}}, ["mine"]),
        ({"evaluate": {"checkpoints": ["base"]}}, []),
        ({"table_entries": {"models": {"tiny-gpt-bigcode": {"checkpoints": {"ircoder": {"path": "mine"}}}}}}, []),
        ({"evaluate": {"checkpoints": ["base", "ircoder-20"]}, "pretrain": {"milestones": [20]}}, ["source-only"]),
    ],
)
def test_a_run_has_the_ablations_that_are_not_null_and_have_an_ircoder_to_compare_with(config, overlay, kept):
    run = merged(config, overlay)
    prepare(run, ROOT)
    assert list(run["ablations"]) == kept


def test_the_papers_settings_have_no_instructions_and_the_whole_commit_of_sltrans(config):
    value = merged(config, read_yaml(ROOT / "config" / "paper.yaml"))
    assert (value["instruct"]["data"], value["instruct"]["dataset"]) == (None, None)
    assert value["corpus"]["dataset"]["revision"] == "aaf94bb082fead7d5ae123cc37e3c6c8d0a4090b"


@pytest.mark.parametrize("key", ["results_dir", "evaluate.data_dir", "instruct.data"])
@pytest.mark.parametrize("path", ["a{b}c", "a{", "/x/}y", "a<results>c", "/x/<b>"])
def test_a_path_in_which_snakemake_would_replace_names_is_refused(config, key, path):
    *section, name = key.split(".")
    (config[section[0]] if section else config)[name] = path
    with pytest.raises(ConfigError, match=f"config: {key}: .* has (braces|angle brackets), [^\n]*; use a path without"):
        check(config, ROOT)


def test_braces_in_the_projects_path_are_refused(config, tmp_path):
    project = tmp_path / "pro{j}ect"
    project.mkdir()
    for name in ("config", "resources"):
        (project / name).symlink_to(ROOT / name)
    with pytest.raises(ConfigError, match=r"the folder of the project: .* has braces"):
        check(config, project)


def test_modules_without_a_list_for_each_variant_are_refused(config, tmp_path):
    columns = config["corpus"]["columns"] | {"ir": "ir"}
    config["corpus"] |= {"format": "tables", "columns": columns, "files": "{language}.jsonl"}
    with pytest.raises(
        ConfigError, match=r"^config: corpus\.files: '\{language\}\.jsonl' without \{split\} .*"
    ) as caught:
        check(config, ROOT)
    assert "\n" not in str(caught.value)
    check(config | {"variants": ["perf"]}, ROOT)
    config["corpus"]["files"] = "{language}/{split}-*.parquet"
    check(config, ROOT)
    (tmp_path / "all.jsonl").touch()
    config["corpus"]["path"] = str(tmp_path / "all.jsonl")
    with pytest.raises(ConfigError, match="a single file does not determine the variant"):
        check(config, ROOT)


def test_modules_that_cannot_be_told_apart_are_refused(config):
    corpus = config["corpus"] | {"format": "tables", "files": "{language}/{split}.jsonl"}
    columns = corpus["columns"] | {"ir": "ir"}
    same = corpus | {"columns": columns, "splits": {"perf": "train", "size": "train"}}
    with pytest.raises(ConfigError, match=r"config: corpus\.splits: 'train' is the name of both variants"):
        check(config | {"corpus": same}, ROOT)
    check(config | {"corpus": same, "variants": ["perf"]}, ROOT)
    with pytest.raises(ConfigError, match=r"config: corpus\.columns: source and ir are both 'ir'"):
        check(config | {"corpus": corpus | {"columns": columns | {"source": "ir"}}}, ROOT)


def test_a_table_that_would_be_read_for_two_languages_is_refused(config, tmp_path):
    for name in ("C-0.jsonl", "C++-0.jsonl", "Objective-C-0.jsonl"):
        (tmp_path / name).touch()
    corpus = config["corpus"] | {"format": "tables", "path": str(tmp_path)}

    def checked(files, languages, **columns):
        columns = corpus["columns"] | {"language": None} | columns
        check(config | {"corpus": corpus | {"files": files, "columns": columns}, "languages": languages}, ROOT)

    checked("{language}-*.jsonl", ["C", "C++"])
    checked("*{language}*.jsonl", ["C", "C++"], language="language")
    checked("{language}*.jsonl", ["C++"])
    checked("*.jsonl", ["C"])
    for files, told in (
        ("{language}*.jsonl", r"for C also matches .*/C\+\+-0\.jsonl of C\+\+"),
        ("*{language}-*.jsonl", r"for C also matches .*/Objective-C-0\.jsonl of Objective-C"),
        ("*.jsonl", "every table would be read for each language"),
    ):
        with pytest.raises(ConfigError, match=rf"config: corpus\.files: .*{told}.* corpus\.columns\.language"):
            checked(files, ["C", "C++"])


@pytest.mark.parametrize(
    ("section", "template", "shorten", "told"),
    [
        ("instruct", "{instruction", "instruction", r"instruct\.prompts\.template: expected '}'.*write \{\{ and \}\}"),
        ("instruct", "{}{instruction}", "instruction", r"instruct\.prompts\.template: unknown field '\{\}'"),
        ("instruct", "{instruction[0]}", "instruction", r"template: unknown field '\{instruction\[0\]\}'"),
        (
            "instruct",
            "{instruction}",
            "input",
            r"shorten: 'input' is no field of the template; choose",
        ),
        ("commits", "{diff}{author}", "diff", r"commits\.prompts\.template: unknown field '\{author\}'; commits have"),
        ("commits", "no field", "diff", r"commits\.prompts\.shorten: 'diff' is no field"),
    ],
)
def test_a_template_of_prompts_without_its_fields_is_refused(config, section, template, shorten, told):
    config[section]["prompts"] |= {"template": template, "shorten": shorten}
    with pytest.raises(ConfigError, match=told):
        check(config, ROOT)


def test_entries_of_the_config_are_merged_over_the_tables(config):
    model = {**read_yaml(ROOT / "config" / "models.yaml")["tiny-llama"], "title": "my model"}
    config["table_entries"] = {
        "models": {"mine": model, "tiny-llama": {"context": 512}},
        "benchmarks": {"multipl-e": {"tasks": {"cpp": {"runner": "my-cpp"}}}},
        "runners": {"my-cpp": read_yaml(ROOT / "config" / "runners.yaml")["cpp"]},
    }
    config["models"] = ["mine"]
    tables = check(config, ROOT)
    assert (tables.models["mine"]["title"], tables.models["tiny-llama"]["context"]) == ("my model", 512)
    assert tables.models["tiny-llama"]["source"] == "scratch"
    assert tables.benchmarks["multipl-e"]["tasks"]["cpp"] == {"language": "C++", "runner": "my-cpp"}
    assert "mine" not in read_yaml(ROOT / "config" / "models.yaml")


ENTRY_FAULTS = {
    "config: table_entries: unknown key 'model'; did you mean 'models'": {"model": {}},
    "config: table_entries.models: tiny-llama: unknown key 'contxt'; did you mean 'context'": {
        "models": {"tiny-llama": {"contxt": 1}}
    },
    "config: table_entries.models: mine: .*'source' is a required property": {"models": {"mine": {"title": "x"}}},
    "config: table_entries.runners: mine.kind: 'native' is not one of": {
        "runners": {"mine": {**read_yaml(ROOT / "config" / "runners.yaml")["cpp"], "kind": "native"}}
    },
    r"multipl-e.tasks.cpp: the runner 'ccp' is not in config/runners.yaml; did you mean 'cpp'": {
        "benchmarks": {"multipl-e": {"tasks": {"cpp": {"runner": "ccp"}}}}
    },
    "config: table_entries.languages: .*'C Sharp'": {
        "languages": {"C Sharp": read_yaml(ROOT / "config" / "languages.yaml")["C"]}
    },
}


@pytest.mark.parametrize("message, entries", ENTRY_FAULTS.items(), ids=ENTRY_FAULTS)
def test_a_fault_of_an_entry_is_one_line_that_names_it(config, message, entries):
    config["table_entries"] = entries
    with pytest.raises(ConfigError, match=message) as caught:
        check(config, ROOT)
    assert "\n" not in str(caught.value)


def test_a_token_of_a_template_must_be_a_special_token_of_each_model(config):
    config["pretrain"]["templates"]["source_to_llvm"] = "{source}\n<source_to_ir>\n{llvm}"
    with pytest.raises(ConfigError, match=r"source_to_llvm: '<source_to_ir>' is not among .*'<source_to_llvm>'"):
        check(config, ROOT)
    config["table_entries"] = {
        "models": {"tiny-gpt-bigcode": {"special_tokens": ["<source_to_ir>", "<llvm_to_source>"]}}
    }
    check(config, ROOT)


@pytest.mark.parametrize("name", ["C#", "F#", "Objective-C++", "Fortran90"])
def test_a_name_of_a_language_may_have_signs(config, name):
    config["table_entries"] = {"languages": {name: read_yaml(ROOT / "config" / "languages.yaml")["C"]}}
    config["languages"] = [name]
    assert name in check(config, ROOT).languages
