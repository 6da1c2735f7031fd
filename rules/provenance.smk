"""Records how every result was made, reports on the run, and checks the records.

In: all results. Out: `provenance/` with the jobs, the tools, the run as an RO-Crate, and the run as
a database, `run.sqlite`; `report.html`; and `provenance/audit.txt`, the audit of a finished run.
"""


localrules:
    provenance_tools,
    provenance_cost,
    provenance_timeline,
    provenance_report,
    provenance_crate,


rule provenance_tools:
    input:
        ledgers(),
    output:
        "<results>/provenance/tools.json",
    log:
        "<logs>/provenance/tools.log",
    benchmark:
        "<bench>/provenance/tools.tsv"
    conda:
        "../envs/provenance.yaml"
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        languages=config["languages"],
        rules=rule_scripts,
        deployment=deployment(workflow.deployment_settings.deployment_method),
        snakemake=SNAKEMAKE_VERSION,
        code=code("provenance/tools.py"),
    script:
        "../scripts/provenance/tools.py"


rule provenance_jobs:
    input:
        run_results,
    output:
        "<results>/provenance/jobs.json",
    log:
        "<logs>/provenance/jobs.log",
    benchmark:
        "<bench>/provenance/jobs.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(480),
    params:
        code=code("provenance/jobs.py"),
    script:
        "../scripts/provenance/jobs.py"


rule provenance_pairs:
    input:
        pairs=pairs_targets(),
        ledgers=ledgers(),
    output:
        "<results>/provenance/pairs.json",
    log:
        "<logs>/provenance/pairs.log",
    benchmark:
        "<bench>/provenance/pairs.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(480),
    params:
        config=pairs_config(config),
        rules=rule_scripts,
        deployment=deployment(workflow.deployment_settings.deployment_method),
        snakemake=SNAKEMAKE_VERSION,
        code=code("provenance/pairs.py"),
    script:
        "../scripts/provenance/pairs.py"


rule provenance_cost:
    input:
        jobs="<results>/provenance/jobs.json",
    output:
        cost=report(
            "<results>/provenance/cost.csv",
            caption="captions/cost.rst",
            category="Cost",
            labels={"table": "cost by rule", "format": "csv"},
        ),
        jobs="<results>/provenance/job_costs.csv",
        section="<results>/provenance/cost.html",
    log:
        "<logs>/provenance/cost.log",
    benchmark:
        "<bench>/provenance/cost.tsv"
    conda:
        "../envs/provenance.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        code=code("provenance/cost.py"),
    script:
        "../scripts/provenance/cost.py"


rule provenance_timeline:
    input:
        "<results>/provenance/job_costs.csv",
    output:
        report(
            "<results>/provenance/timeline.svg",
            caption="captions/timeline.rst",
            category="Cost",
            labels={"figure": "course of the run"},
        ),
    log:
        "<logs>/provenance/timeline.log",
    benchmark:
        "<bench>/provenance/timeline.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        code=code("provenance/timeline.py"),
    script:
        "../scripts/provenance/timeline.py"


rule provenance_report:
    input:
        jobs="<results>/provenance/jobs.json",
        tools="<results>/provenance/tools.json",
        ledgers=ledgers(),
        scores=sorted(evaluate_targets()),
        executions=run_executions(),
        table="<results>/tables/scores.csv",
        main="<results>/tables/main.html",
        tables=report_tables(),
        figures=report_figures(),
        cost="<results>/provenance/cost.html",
        timeline="<results>/provenance/timeline.svg",
    output:
        report(
            "<results>/report.html",
            caption="captions/report.rst",
            category="Report",
            labels={"page": "whole run"},
        ),
    log:
        "<logs>/provenance/report.log",
    benchmark:
        "<bench>/provenance/report.tsv"
    conda:
        "../envs/provenance.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        config=recorded_config(config),
        titles=TABLES.titles,
        captions=captions(Path(ROOT)),
        headlines={name: table_spec["headline"] for name, table_spec in TABLES.specs.items()},
        deviations=checked(read_deviations, Path(ROOT)),
        code=code("provenance/report.py", "provenance/report.css", "provenance/report.js"),
    script:
        "../scripts/provenance/report.py"


rule provenance_crate:
    input:
        jobs="<results>/provenance/jobs.json",
        tools="<results>/provenance/tools.json",
        report="<results>/report.html",
    output:
        crate="<results>/ro-crate-metadata.json",
        config="<results>/provenance/config.yaml",
        inputs=directory("<results>/provenance/inputs"),
        workflow=directory("<results>/provenance/workflow"),
    log:
        "<logs>/provenance/crate.log",
    benchmark:
        "<bench>/provenance/crate.tsv"
    conda:
        "../envs/provenance.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        config=recorded_config(config),
        rules=rule_scripts,
        revisions=used_revisions(config, {name: MODELS[name] for name in config["models"]}, list(DOWNLOADS.values())),
        code=code("provenance/crate.py"),
    script:
        "../scripts/provenance/crate.py"


rule provenance_database:
    input:
        run_results,
        jobs="<results>/provenance/jobs.json",
        costs="<results>/provenance/job_costs.csv",
        ir=compile_targets,
        scores=evaluate_targets(),
        executions=run_executions(),
    output:
        # Kept from run to run: only the parts whose inputs changed are replaced.
        update("<results>/provenance/run.sqlite"),
    log:
        "<logs>/provenance/database.log",
    benchmark:
        "<bench>/provenance/database.tsv"
    conda:
        "../envs/provenance.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(240),
    params:
        **pick("database", "text_bytes"),
        variants=config["variants"],
        stages=stages_of_rules,
        code=code("provenance/database.py"),
    script:
        "../scripts/provenance/database.py"


rule provenance_audit:
    input:
        crate="<results>/ro-crate-metadata.json",
        jobs="<results>/provenance/jobs.json",
        scores="<results>/tables/scores.csv",
        statistics="<results>/pairs/statistics.csv",
        tables=tables_targets(),
        html=report_tables(),
    output:
        "<results>/provenance/audit.txt",
    log:
        "<logs>/provenance/audit.log",
    benchmark:
        "<bench>/provenance/audit.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(480),
    params:
        benchmarks=TABLES.benchmarks,
        code=code("provenance/audit.py"),
    script:
        "../scripts/provenance/audit.py"
