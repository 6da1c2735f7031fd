rule pairs_ngrams:
    input:
        benchmark_files,
    output:
        f"{RESULTS}/decontamination/ngrams.parquet",
    log:
        f"{RESULTS}/logs/pairs/ngrams.log",
    benchmark:
        f"{RESULTS}/benchmarks/pairs/ngrams.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        names=benchmark_names,
        ngram=config["pairs"]["decontaminate"]["ngram"],
        common=config["pairs"]["decontaminate"]["common"],
        code=code("pairs/ngrams.py"),
    script:
        "../scripts/pairs/ngrams.py"


rule pairs_language:
    input:
        index=f"{RESULTS}/sources/{{language}}/shards.json",
        clusters=f"{RESULTS}/dedup/{{language}}/clusters.parquet",
        sources=ancient(language_tables),
        ir=language_shards(f"{RESULTS}/ir/{{language}}/{{shard}}.parquet"),
        ngrams=ngram_tables,
    output:
        **{variant: f"{RESULTS}/pairs/{{language}}/{variant}.parquet" for variant in config["variants"]},
        statistics=f"{RESULTS}/pairs/{{language}}/statistics.json",
        contamination=f"{RESULTS}/pairs/{{language}}/contamination.csv",
    log:
        f"{RESULTS}/logs/pairs/{{language}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pairs/{{language}}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(pairs_megabytes),
        runtime=minutes(480),
    params:
        variants=config["variants"],
        settings=pair_settings(),
        ngram=config["pairs"]["decontaminate"]["ngram"],
        code=code("pairs/language.py", "pairs/contamination.py", "pairs/lengths.py", "pairs/outcomes.py"),
    script:
        "../scripts/pairs/language.py"


rule pairs_card:
    input:
        statistics=expand(f"{RESULTS}/pairs/{{language}}/statistics.json", language=config["languages"]),
        contamination=expand(f"{RESULTS}/pairs/{{language}}/contamination.csv", language=config["languages"]),
    output:
        card=f"{RESULTS}/pairs/README.md",
        statistics=f"{RESULTS}/pairs/statistics.csv",
        contamination=f"{RESULTS}/pairs/contamination.csv",
    log:
        f"{RESULTS}/logs/pairs/card.log",
    benchmark:
        f"{RESULTS}/benchmarks/pairs/card.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        settings=card_settings(),
        code=code("pairs/card.py"),
    script:
        "../scripts/pairs/card.py"


rule pairs_figures:
    input:
        expand(f"{RESULTS}/pairs/{{language}}/statistics.json", language=config["languages"]),
    output:
        funnel=f"{RESULTS}/figures/funnel.svg",
        lengths=f"{RESULTS}/figures/ir_lengths.svg",
    log:
        f"{RESULTS}/logs/pairs/figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/pairs/figures.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        variants=config["variants"],
        code=code("pairs/figures.py"),
    script:
        "../scripts/pairs/figures.py"
