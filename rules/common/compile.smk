"""Functions that name what the stage's rules need."""

# What one compile job writes: the outcome table and, with keep_ll, a folder of modules as text.
COMPILE_OUTPUT = {"table": f"{RESULTS}/ir/{{language}}/{{shard}}.parquet"} | (
    {"texts": directory(f"{RESULTS}/ir/{{language}}/{{shard}}")} if config["keep_ll"] else {}
)


def compile_settings(wildcards):
    """What outcomes depend on; how many jobs there are and what earlier runs kept changes none."""
    prepares = any("prepare" in frontend for frontend in LANGUAGES[wildcards.language]["frontends"])
    unused = {"jobs", "cache", *(() if prepares else ("prepare",))}
    return {key: value for key, value in config["compile"].items() if key not in unused}


def compile_env(wildcards):
    """The conda env with the language's toolchain."""
    return f"../envs/{LANGUAGES[wildcards.language]['env']}.yaml"


def compile_code(wildcards):
    """Hash of the stage's code and of the files that the language's frontends put beside each program."""
    frontends = LANGUAGES[wildcards.language]["frontends"]
    support = sorted(path for frontend in frontends for path in frontend.get("support", {}).values())
    return code("compile/shard.py", *(path.removeprefix("scripts/") for path in support))


def outcome_tables(language):
    """The outcome tables of all shards of a language."""
    return [f"{RESULTS}/ir/{language}/{shard}.parquet" for shard in shards_of(language)]


def compile_targets(wildcards):
    return [table for language in config["languages"] for table in outcome_tables(language)]
