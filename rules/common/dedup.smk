"""What deduplication reads of a language, shard by shard, and how much memory it asks for."""

from scripts.lib.seeds import seed_for


def language_shards(pattern):
    """An input function: the file of each shard of the job's language, in order; `pattern` has {language} and {shard}."""
    return lambda wildcards: expand(pattern, language=wildcards.language, shard=shards_of(wildcards.language))


def language_tables(wildcards):
    """The sources tables of a language, in order."""
    return expand(
        f"{RESULTS}/sources/{{language}}/{{shard}}.parquet",
        language=wildcards.language,
        shard=shards_of(wildcards.language),
    )


def signature_settings():
    """What the signatures of a shard depend on."""
    return {
        **{key: config["dedup"][key] for key in ("enabled", "tokens", "ngram", "permutations", "min_tokens")},
        "seed": seed_for(config["seed"], "dedup"),
    }


def cluster_settings():
    """What the clusters depend on."""
    keys = ("enabled", "tokens", "ngram", "permutations", "threshold", "verify", "recall", "short_documents")
    return {key: config["dedup"][key] for key in keys}


def language_rows(language):
    """How many sources a language has; 0 while that is not known."""
    path = Path(RESULTS, "sources", language, "shards.json")
    return sum(shard["rows"] for shard in _index(path).values()) if path.exists() else 0


def cluster_megabytes(wildcards):
    """A base, the shingles held for verification, and signature and bookkeeping of each source."""
    signature = 4 * config["dedup"]["permutations"] if config["dedup"]["enabled"] else 0
    return 1000 + language_rows(wildcards.language) * (signature + 2048) // 1_000_000


def dedup_targets():
    return expand(f"{RESULTS}/dedup/{{language}}/clusters.parquet", language=config["languages"])
