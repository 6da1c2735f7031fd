checkpoint sources_read:
    output:
        shards=f"{RESULTS}/sources/{{language}}/shards.json",
        aliases=f"{RESULTS}/sources/{{language}}/aliases.parquet",
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
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    log:
        f"{RESULTS}/logs/sources/{{language}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sources/{{language}}.tsv"
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/sources/read.py"
