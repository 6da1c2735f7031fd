"""Reads the programs of each language and splits them into shards.

In: the corpus, a folder or a data set of the hub (`corpus`). Out: `sources/{language}/`: a table
for each shard, their index `shards.json`, and the files dropped as duplicates. If the corpus
contains LLVM IR, this stage sorts and verifies it and writes `ir/{language}/{shard}.parquet`; the
compile stage then does not run.
"""


rule fetch_corpus:
    output:
        "<results>/corpus/fetched.json",
    log:
        "<logs>/sources/fetch.log",
    benchmark:
        "<bench>/sources/fetch.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(1440),
    params:
        corpus=pick("corpus", "dataset", "files", "splits", "names"),
        languages=config["languages"],
        offline=hub_offline,
        code=code("sources/fetch.py"),
    script:
        "../scripts/sources/fetch.py"


checkpoint sources_read:
    input:
        fetched=LANGUAGE.fetched,
    output:
        shards="<results>/sources/{language}/shards.json",
        aliases="<results>/sources/{language}/aliases.parquet",
    log:
        "<logs>/sources/{language}.log",
    benchmark:
        "<bench>/sources/{language}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    threads: READING_JOBS
    resources:
        mem_mb=memory(1000 + 1000 * READING_JOBS),
        runtime=minutes(1440),
    params:
        corpus=CORPUS,
        suffixes=lambda wildcards: LANGUAGES[wildcards.language]["suffixes"],
        shard_size=SHARD_SIZE,
        fingerprint=LANGUAGE.fingerprint,
        code=code("sources/read.py"),
    script:
        "../scripts/sources/read.py"


# The modules of all shards, which jobs need only until they are verified. They are sorted again
# where one of these jobs has to run later.
rule sources_modules:
    input:
        fetched=LANGUAGE.fetched,
    output:
        temp(directory("<results>/modules/{language}")),
    log:
        "<logs>/sources/modules/{language}.log",
    benchmark:
        "<bench>/sources/modules/{language}.tsv"
    conda:
        "../envs/data.yaml"
    threads: READING_JOBS
    resources:
        mem_mb=memory(1000 + 1000 * READING_JOBS),
        runtime=minutes(1440),
    params:
        corpus=CORPUS,
        suffixes=lambda wildcards: LANGUAGES[wildcards.language]["suffixes"],
        fingerprint=LANGUAGE.fingerprint,
        code=code("sources/modules.py"),
    script:
        "../scripts/sources/modules.py"


# Replaces compiling where the corpus has its IR.
rule sources_ir:
    input:
        sources=ancient(shard_table),
        # Not ancient(): if a checkpoint ends while the job that writes an existing ancient input
        # still runs, Snakemake drops the jobs downstream of that input and ends early with exit
        # code 0.
        modules="<results>/modules/{language}",
    output:
        "<results>/ir/{language}/{shard}.parquet",
    log:
        "<logs>/sources/ir/{language}/{shard}.log",
    benchmark:
        "<bench>/sources/ir/{language}/{shard}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(240),
    params:
        variants=config["variants"],
        settings={
            "parts": [part for part, is_wanted in config["compile"]["normalise"].items() if is_wanted],
            "origin": LANGUAGE.module_origin,
            "limits": pick("compile.limits", "wall_seconds", "cpu_seconds", "memory_mb"),
        },
        digest=SHARDS.module_digest,
        code=code("sources/ir.py"),
    script:
        "../scripts/sources/ir.py"


if HAS_IR:

    ruleorder: sources_ir > compile_shard

else:

    ruleorder: compile_shard > sources_ir
