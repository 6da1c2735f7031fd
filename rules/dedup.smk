"""Finds near duplicates among the programs of a language.

In: `sources/{language}/{shard}.parquet` and the outcomes of compiling. Out:
`dedup/{language}/signatures.parquet` and `dedup/{language}/clusters.parquet`.
"""


# One job per language, because a program takes less than 0.1 ms.
rule dedup_signatures:
    input:
        ancient(of_shards("<results>/sources/{language}/{shard}.parquet")),
    output:
        "<results>/dedup/{language}/signatures.parquet",
    log:
        "<logs>/dedup/signatures/{language}.log",
    benchmark:
        "<bench>/dedup/signatures/{language}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        settings={
            **pick("dedup", "enabled", "tokens", "ngram", "permutations", "min_tokens"),
            "seed": seed_for(config["seed"], "dedup"),
        },
        digests=SHARDS.digests,
        code=code("dedup/signatures.py"),
    script:
        "../scripts/dedup/signatures.py"


rule dedup_clusters:
    input:
        signatures="<results>/dedup/{language}/signatures.parquet",
        sources=ancient(of_shards("<results>/sources/{language}/{shard}.parquet")),
        ir=of_shards("<results>/ir/{language}/{shard}.parquet"),
    output:
        "<results>/dedup/{language}/clusters.parquet",
    log:
        "<logs>/dedup/clusters/{language}.log",
    benchmark:
        "<bench>/dedup/clusters/{language}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(cluster_megabytes),
        runtime=minutes(240),
    params:
        settings=pick(
            "dedup",
            "enabled",
            "tokens",
            "ngram",
            "permutations",
            "threshold",
            "verify",
            "recall",
            "short_documents",
        ),
        code=code("dedup/clusters.py"),
    script:
        "../scripts/dedup/clusters.py"
