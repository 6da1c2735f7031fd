# A second each: not worth a place in a cluster's queue.
localrules:
    tables_benchmark,
    tables_main,
    tables_figure_scores,
    tables_figure_losses,
    tables_figure_curves,


rule tables_scores:
    input:
        scores=score_files(),
        losses=loss_files(),
    output:
        report(
            f"{RESULTS}/tables/scores.csv",
            caption="captions/scores.rst",
            category="Tables",
            labels={"table": "all scores", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/tables/scores.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/scores.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        trained=compared_losses(),
        seed=config["seed"],
        code=code("tables/scores.py"),
    script:
        "../scripts/tables/scores.py"


rule tables_differences:
    input:
        scores=score_files(),
        losses=loss_files(),
    output:
        f"{RESULTS}/tables/differences.csv",
    log:
        f"{RESULTS}/logs/tables/differences.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/differences.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        trained=compared_losses(),
        seed=config["seed"],
        code=code("tables/differences.py"),
    script:
        "../scripts/tables/differences.py"


rule tables_benchmark:
    input:
        scores=f"{RESULTS}/tables/scores.csv",
        differences=f"{RESULTS}/tables/differences.csv",
        paper=f"{ROOT}/config/paper_results.csv",
    output:
        report(
            f"{RESULTS}/tables/{{benchmark}}.{{format}}",
            caption="captions/benchmark.rst",
            category="Tables",
            labels={"table": "{benchmark}", "format": "{format}"},
        ),
    log:
        f"{RESULTS}/logs/tables/{{benchmark}}.{{format}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/{{benchmark}}.{{format}}.tsv"
    wildcard_constraints:
        benchmark="|".join(table_benchmarks()),
        format="csv|md|tex|html",
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        table_spec=table_spec,
        notes=run_notes(),
        code=code("tables/benchmark.py"),
    script:
        "../scripts/tables/benchmark.py"


rule tables_main:
    input:
        scores=f"{RESULTS}/tables/scores.csv",
        differences=f"{RESULTS}/tables/differences.csv",
    output:
        md=f"{RESULTS}/tables/main.md",
        html=report(
            f"{RESULTS}/tables/main.html",
            caption="captions/main.rst",
            category="Tables",
            labels={"table": "main", "format": "html"},
        ),
    log:
        f"{RESULTS}/logs/tables/main.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/main.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        table_specs=headline_specs(),
        notes=run_notes(),
        code=code("tables/main_table.py"),
    script:
        "../scripts/tables/main_table.py"


rule tables_figure_scores:
    input:
        scores=f"{RESULTS}/tables/scores.csv",
    output:
        report(
            f"{RESULTS}/figures/base_vs_ircoder.svg",
            caption="captions/base_vs_ircoder.rst",
            category="Figures",
            labels={"figure": "base against IRCoder"},
        ),
    log:
        f"{RESULTS}/logs/tables/figure_scores.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/figure_scores.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        table_specs=figure_specs(),
        code=code("tables/figure_scores.py"),
    script:
        "../scripts/tables/figure_scores.py"


rule tables_figure_losses:
    input:
        scores=f"{RESULTS}/tables/scores.csv",
    output:
        report(
            f"{RESULTS}/figures/validation_loss.svg",
            caption="captions/validation_loss.rst",
            category="Figures",
            labels={"figure": "validation loss"},
        ),
    log:
        f"{RESULTS}/logs/tables/figure_losses.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/figure_losses.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
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
            f"{RESULTS}/figures/learning_curves.svg",
            caption="captions/learning_curves.rst",
            category="Figures",
            labels={"figure": "learning curves"},
        ),
    log:
        f"{RESULTS}/logs/tables/figure_curves.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables/figure_curves.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        code=code("tables/figure_curves.py"),
    script:
        "../scripts/tables/figure_curves.py"
