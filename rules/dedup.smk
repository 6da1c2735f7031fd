"""Finds near duplicates among the programs of a language.

In: `sources/{language}/{shard}.parquet` and the outcomes of compiling. Out:
`dedup/{language}/signatures/{shard}.parquet` and `dedup/{language}/clusters.parquet`.
"""


rule dedup_signatures:
    input:
        sources=ancient(shard_table),
    output:
        "<results>/dedup/{language}/signatures/{shard}.parquet",
    log:
        "<logs>/dedup/signatures/{language}/{shard}.log",
    benchmark:
        "<bench>/dedup/signatures/{language}/{shard}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        settings={
            **pick("dedup", "enabled", "tokens", "ngram", "permutations", "min_tokens"),
            "seed": seed_for(config["seed"], "dedup"),
        },
        digest=SHARDS.digest,
        code=code("dedup/signatures.py"),
    script:
        "../scripts/dedup/signatures.py"


rule dedup_clusters:
    input:
        signatures=of_shards("<results>/dedup/{language}/signatures/{shard}.parquet"),
        sources=ancient(of_shards("<results>/sources/{language}/{shard}.parquet")),
        ir=of_shards("<results>/ir/{language}/{shard}.parquet"),
    output:
        "<results>/dedup/{language}/clusters.parquet",
    log:
        "<logs>/dedup/clusters/{language}.log",
    benchmark:
        "<bench>/dedup/clusters/{language}.tsv"
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
