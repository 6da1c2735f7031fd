checkpoint sources_read:
    output:
        shards=f"{RESULTS}/sources/{{language}}/shards.json",
        aliases=f"{RESULTS}/sources/{{language}}/aliases.parquet",
    log:
        f"{RESULTS}/logs/sources/{{language}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sources/{{language}}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(240),
    params:
        corpus=config["corpus"],
        suffixes=lambda wildcards: LANGUAGES[wildcards.language]["suffixes"],
        shard_size=config["shard_size"],
        fingerprint=corpus_fingerprint,
        code=code(
            "sources/read.py",
            "sources/record.py",
            "sources/decode.py",
            "sources/tree.py",
            "sources/spill.py",
            "sources/shards.py",
        ),
    script:
        "../scripts/sources/read.py"
