rule dedup_signatures:
    input:
        sources=ancient(shard_table),
    output:
        f"{RESULTS}/dedup/{{language}}/signatures/{{shard}}.parquet",
    log:
        f"{RESULTS}/logs/dedup/signatures/{{language}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/dedup/signatures/{{language}}/{{shard}}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        settings=signature_settings(),
        digest=shard_digest,
        code=code("dedup/signatures.py"),
    script:
        "../scripts/dedup/signatures.py"


rule dedup_clusters:
    input:
        signatures=language_shards(f"{RESULTS}/dedup/{{language}}/signatures/{{shard}}.parquet"),
        sources=ancient(language_tables),
        ir=language_shards(f"{RESULTS}/ir/{{language}}/{{shard}}.parquet"),
    output:
        f"{RESULTS}/dedup/{{language}}/clusters.parquet",
    log:
        f"{RESULTS}/logs/dedup/clusters/{{language}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/dedup/clusters/{{language}}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(cluster_megabytes),
        runtime=minutes(240),
    params:
        settings=cluster_settings(),
        code=code("dedup/clusters.py", "dedup/bands.py", "dedup/candidates.py", "dedup/verify.py"),
    script:
        "../scripts/dedup/clusters.py"
