"""From sources to verified LLVM IR: a job compiles one shard of one language in all variants."""


rule compile_shard:
    input:
        ancient(shard_table),
    output:
        **COMPILE_OUTPUT,
    log:
        f"{RESULTS}/logs/compile/{{language}}/{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/compile/{{language}}/{{shard}}.tsv"
    conda:
        compile_env
    threads: config["compile"]["jobs"]
    resources:
        mem_mb=memory(1000 + config["compile"]["jobs"] * config["compile"]["limits"]["memory_mb"]),
        runtime=minutes(480),
    params:
        entry=lambda wildcards: LANGUAGES[wildcards.language],
        variants=config["variants"],
        settings=compile_settings,
        source=shard_digest,
        code=compile_code,
    script:
        "../scripts/compile/shard.py"
