"""Compiles programs to verified LLVM IR: a job compiles one shard of one language, in all variants.

In: `sources/{language}/{shard}.parquet`. Out: `ir/{language}/{shard}.parquet`, what became of each
program, and with `keep_ll` a folder of modules as text.
"""


rule compile_shard:
    input:
        ancient(shard_table),
    output:
        **COMPILE_OUTPUT,
    log:
        "<logs>/compile/{language}/{shard}.log",
    benchmark:
        "<bench>/compile/{language}/{shard}.tsv"
    priority: FIRST
    conda:
        lambda wildcards: f"../envs/{LANGUAGES[wildcards.language]['env']}.yaml"
    threads: config["compile"]["jobs"]
    resources:
        mem_mb=memory(1000 + config["compile"]["jobs"] * config["compile"]["limits"]["memory_mb"]),
        runtime=minutes(480),
    params:
        entry=lambda wildcards: LANGUAGES[wildcards.language],
        variants=config["variants"],
        # Neither the number of parallel jobs nor the cache changes an outcome.
        settings=lambda wildcards: pick(
            "compile",
            "sandbox",
            "missing_toolchain",
            "size_build",
            "shared_frontend",
            *LANGUAGE.preparation_keys(wildcards),
            "normalise",
            "limits",
        ),
        source=SHARDS.digest,
        code=lambda wildcards: code("compile/shard.py", *LANGUAGE.extra_files(wildcards)),
    script:
        "../scripts/compile/shard.py"
