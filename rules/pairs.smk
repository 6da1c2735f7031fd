"""Joins programs with their IR to the pairs that models are trained on.

In: sources, outcomes of compiling, clusters, and the benchmarks' files, whose programs are left
out. Out: `pairs/{language}/{variant}.parquet`, a folder of parts, `pairs/{language}/ledger.parquet`
with what became of every program, and from the ledgers the data set's card, statistics and figures.
"""


rule pairs_ngrams:
    input:
        benchmark_files,
    output:
        "<results>/decontamination/ngrams.parquet",
    log:
        "<logs>/pairs/ngrams.log",
    benchmark:
        "<bench>/pairs/ngrams.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        **pick("pairs.decontaminate", "ngram", "common"),
        names=benchmark_names,
        code=code("pairs/ngrams.py"),
    script:
        "../scripts/pairs/ngrams.py"


rule pairs_language:
    input:
        index="<results>/sources/{language}/shards.json",
        aliases="<results>/sources/{language}/aliases.parquet",
        clusters="<results>/dedup/{language}/clusters.parquet",
        sources=ancient(of_shards("<results>/sources/{language}/{shard}.parquet")),
        ir=of_shards("<results>/ir/{language}/{shard}.parquet"),
        ngrams=ngram_tables,
    output:
        **PAIR_OUTPUT,
        ledger="<results>/pairs/{language}/ledger.parquet",
        contamination="<results>/pairs/{language}/contamination.csv",
    log:
        "<logs>/pairs/{language}.log",
    benchmark:
        "<bench>/pairs/{language}.tsv"
    priority: FIRST
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(pairs_megabytes),
        runtime=minutes(480),
    params:
        **pick("pairs.decontaminate", "ngram"),
        **pick("pairs", "part_mb"),
        variants=config["variants"],
        settings={
            "limits": pick("pairs", "max_source_bytes", "max_source_tokens", "max_ir_bytes", "max_ir_tokens"),
            **pick("pairs", "normalise_newlines", "validation_share"),
            "seed": config["seed"],
        },
        code=code("pairs/language.py"),
    script:
        "../scripts/pairs/language.py"


rule pairs_card:
    input:
        ledgers=ledgers(),
        contamination=expand("<results>/pairs/{language}/contamination.csv", language=config["languages"]),
    output:
        card="<results>/pairs/README.md",
        statistics="<results>/pairs/statistics.csv",
        contamination="<results>/pairs/contamination.csv",
    log:
        "<logs>/pairs/card.log",
    benchmark:
        "<bench>/pairs/card.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        languages=config["languages"],
        settings={key: config[key] for key in ("variants", "dedup", "pairs", "seed")},
        code=code("pairs/card.py"),
    script:
        "../scripts/pairs/card.py"


rule pairs_figures:
    input:
        ledgers(),
    output:
        funnel=report(
            "<results>/figures/funnel.svg",
            caption="captions/funnel.rst",
            category="Data set",
            labels={"figure": "outcomes of sources"},
        ),
        lengths=report(
            "<results>/figures/ir_lengths.svg",
            caption="captions/ir_lengths.rst",
            category="Data set",
            labels={"figure": "sizes of modules"},
        ),
    log:
        "<logs>/pairs/figures.log",
    benchmark:
        "<bench>/pairs/figures.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        languages=config["languages"],
        variants=config["variants"],
        code=code("pairs/figures.py"),
    script:
        "../scripts/pairs/figures.py"
