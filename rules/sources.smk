rule fetch_corpus:
    output:
        f"{RESULTS}/corpus/fetched.json",
    log:
        f"{RESULTS}/logs/sources/fetch.log",
    benchmark:
        f"{RESULTS}/benchmarks/sources/fetch.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(1440),
    params:
        corpus={key: config["corpus"][key] for key in ("dataset", "files", "splits", "names")},
        languages=config["languages"],
        offline=hub_offline,
        code=code("sources/fetch.py"),
    script:
        "../scripts/sources/fetch.py"


checkpoint sources_read:
    input:
        fetched=fetched_corpus,
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
        runtime=minutes(1440),
    params:
        corpus=config["corpus"],
        suffixes=lambda wildcards: LANGUAGES[wildcards.language]["suffixes"],
        shard_size=config["shard_size"],
        fingerprint=corpus_fingerprint,
        code=code(
            "sources/read.py",
            "sources/corpus.py",
            "sources/tree.py",
            "sources/tables.py",
            "sources/decode.py",
            "sources/record.py",
            "sources/external_sort.py",
            "sources/shards.py",
        ),
    script:
        "../scripts/sources/read.py"


# Takes the place of compiling where the corpus brings its IR along.
rule sources_ir:
    input:
        sources=ancient(shard_table),
        modules=ancient(module_table),
    output:
        f"{RESULTS}/ir/{{language}}/{{shard}}.parquet",
    log:
        f"{RESULTS}/logs/sources/ir/{{language}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sources/ir/{{language}}/{{shard}}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(240),
    params:
        variants=config["variants"],
        settings=given_ir_settings(),
        digest=module_digest,
        code=code("sources/ir.py"),
    script:
        "../scripts/sources/ir.py"


if config["corpus"]["columns"]["ir"] is None:

    ruleorder: compile_shard > sources_ir

else:

    ruleorder: sources_ir > compile_shard
