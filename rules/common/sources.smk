"""Which shards a language has, and what each of them holds: known once its sources are read."""

import json
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from scripts.sources.corpus import Corpus


def fetched_corpus(wildcards):
    """What tells that the corpus was fetched from the hub; nothing where it is a folder."""
    return [f"{RESULTS}/corpus/fetched.json"] if config["corpus"]["dataset"] else []


@cache
def _corpus_fingerprint(language):
    root = Path(rooted(config["corpus"]["path"]))
    return Corpus(root, language, config["corpus"], LANGUAGES[language]["suffixes"]).fingerprint()


def corpus_fingerprint(wildcards):
    """Changes with every file of the language in the corpus; worked out only where the rule that reads it is planned.

    A fetched corpus has a revision and never changes.
    """
    return "" if config["corpus"]["dataset"] else _corpus_fingerprint(wildcards.language)


@cache
def _parsed_index(path, stamp):
    del stamp
    return json.loads(Path(path).read_text(encoding="utf-8"))["shards"]


def _index(path):
    return _parsed_index(path, Path(path).stat().st_mtime_ns)


def shards_of(language):
    """Names of a language's shards, in order; waits for its sources to be read."""
    path = checkpoints.sources_read.get(language=language).output.shards
    shards = sorted(_index(path), key=int)
    for shard in shards:
        if not Path(path).with_name(f"{shard}.parquet").exists():
            raise WorkflowError(f"{path} names the shard {shard}, whose table is gone; delete {path} and run again")
    return shards


def shard_table(wildcards):
    """The sources table of a shard, for `ancient()`: what it holds is told by `shard_digest`, not by its age."""
    path = checkpoints.sources_read.get(language=wildcards.language).output.shards
    return str(Path(path).with_name(f"{wildcards.shard}.parquet"))


def shard_digest(wildcards):
    """SHA-256 of a shard's table, a param that reruns what reads the shard when, and only when, it changed."""
    path = Path(RESULTS, "sources", wildcards.language, "shards.json")
    return _index(path)[wildcards.shard]["sha256"] if path.exists() else ""


def module_table(wildcards):
    """The modules that came with the programs of a shard, for `ancient()`."""
    path = Path(shard_table(wildcards))
    return str(path.parent / "modules" / path.name)


def module_digest(wildcards):
    """SHA-256 of a shard's sources and modules."""
    path = Path(RESULTS, "sources", wildcards.language, "shards.json")
    shard = _index(path)[wildcards.shard] if path.exists() else {}
    return [shard.get("sha256"), shard.get("modules")]


def given_ir_settings():
    """What outcome rows of modules that came with the programs depend on."""
    dataset = config["corpus"]["dataset"]
    return {
        "parts": [part for part, wanted in config["compile"]["normalise"].items() if wanted],
        "origin": f"{dataset['id']} at {dataset['revision']}" if dataset else "came with the program",
        "limits": {name: config["compile"]["limits"][name] for name in ("wall_seconds", "cpu_seconds", "memory_mb")},
    }


def sources_targets():
    return expand(f"{RESULTS}/sources/{{language}}/shards.json", language=config["languages"])
