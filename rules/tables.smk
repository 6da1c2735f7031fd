"""Collects all scores and validation losses, and makes tables and figures of them.

In: `scores/`, `models/{model}/losses/` and `models/{model}/curves/`. Out: `tables/scores.csv` with
one row for each score, `tables/differences.csv`, `tables/{benchmark}.{csv,md,tex,html}`,
`tables/main.{md,html}`, and `figures/*.svg`.
"""


# These jobs take a second each, less than they would wait in a cluster's queue.
localrules:
    tables_benchmark,
    tables_main,
    tables_figure_scores,
    tables_figure_losses,
    tables_figure_curves,


rule tables_scores:
    input:
        scores=sorted(evaluate_targets()),
        losses=loss_files(),
    output:
        report(
            "<results>/tables/scores.csv",
            caption="captions/scores.rst",
            category="Tables",
            labels={"table": "all scores", "format": "csv"},
        ),
    log:
        "<logs>/tables/scores.log",
    benchmark:
        "<bench>/tables/scores.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        trained=CHECKPOINTS.compared_losses(),
        seed=config["seed"],
        code=code("tables/scores.py"),
    script:
        "../scripts/tables/scores.py"


rule tables_differences:
    input:
        scores=sorted(evaluate_targets()),
        losses=loss_files(),
    output:
        "<results>/tables/differences.csv",
    log:
        "<logs>/tables/differences.log",
    benchmark:
        "<bench>/tables/differences.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        trained=CHECKPOINTS.compared_losses(),
        replicates=CHECKPOINTS.replicates,
        seed=config["seed"],
        code=code("tables/differences.py"),
    script:
        "../scripts/tables/differences.py"


rule tables_benchmark:
    input:
        scores="<results>/tables/scores.csv",
        differences="<results>/tables/differences.csv",
        paper=rooted("config/paper_results.csv"),
    output:
        report(
            "<results>/tables/{benchmark}.{format}",
            caption="captions/benchmark.rst",
            category="Tables",
            labels={"table": "{benchmark}", "format": "{format}"},
        ),
    log:
        "<logs>/tables/{benchmark}.{format}.log",
    benchmark:
        "<bench>/tables/{benchmark}.{format}.tsv"
    wildcard_constraints:
        benchmark=any_of(TABLES.benchmarks),
        format="csv|md|tex|html",
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        table_spec=TABLES.spec,
        notes=TABLES.notes,
        code=code("tables/benchmark.py"),
    script:
        "../scripts/tables/benchmark.py"


rule tables_main:
    input:
        scores="<results>/tables/scores.csv",
        differences="<results>/tables/differences.csv",
        files=sorted(evaluate_targets()),
        losses=loss_files(),
    output:
        md="<results>/tables/main.md",
        html=report(
            "<results>/tables/main.html",
            caption="captions/main.rst",
            category="Tables",
            labels={"table": "main", "format": "html"},
        ),
    log:
        "<logs>/tables/main.log",
    benchmark:
        "<bench>/tables/main.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        table_specs=TABLES.keys_of(TABLES.benchmarks, "title", "decimals", "lower_is_better", "headline", "notes"),
        notes=TABLES.notes,
        code=code("tables/main_table.py"),
    script:
        "../scripts/tables/main_table.py"


rule tables_figure_scores:
    input:
        scores="<results>/tables/scores.csv",
    output:
        report(
            "<results>/figures/base_vs_ircoder.svg",
            caption="captions/base_vs_ircoder.rst",
            category="Figures",
            labels={"figure": "base against IRCoder"},
        ),
    log:
        "<logs>/tables/figure_scores.log",
    benchmark:
        "<bench>/tables/figure_scores.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        # The validation losses have a figure of their own.
        table_specs=TABLES.keys_of(TABLES.score_benchmarks, "title", "headline"),
        code=code("tables/figure_scores.py"),
    script:
        "../scripts/tables/figure_scores.py"


rule tables_figure_losses:
    input:
        scores="<results>/tables/scores.csv",
    output:
        report(
            "<results>/figures/validation_loss.svg",
            caption="captions/validation_loss.rst",
            category="Figures",
            labels={"figure": "validation loss"},
        ),
    log:
        "<logs>/tables/figure_losses.log",
    benchmark:
        "<bench>/tables/figure_losses.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        code=code("tables/figure_losses.py"),
    script:
        "../scripts/tables/figure_losses.py"


rule tables_figure_curves:
    input:
        curve_files(),
    output:
        report(
            "<results>/figures/learning_curves.svg",
            caption="captions/learning_curves.rst",
            category="Figures",
            labels={"figure": "learning curves"},
        ),
    log:
        "<logs>/tables/figure_curves.log",
    benchmark:
        "<bench>/tables/figure_curves.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        code=code("tables/figure_curves.py"),
    script:
        "../scripts/tables/figure_curves.py"
