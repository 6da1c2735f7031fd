# What made what, the report, and the check of both.
localrules:
    provenance_tools,
    provenance_report,
    provenance_crate,


rule provenance_outcomes:
    input:
        ir=all_outcomes,
        sources=ancient(all_outcome_sources),
    output:
        f"{PROVENANCE}/outcomes.json",
    log:
        f"{RESULTS}/logs/provenance/outcomes.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance/outcomes.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        code=code("provenance/outcomes.py"),
    script:
        "../scripts/provenance/outcomes.py"


rule provenance_tools:
    input:
        outcomes=f"{PROVENANCE}/outcomes.json",
    output:
        f"{PROVENANCE}/tools.json",
    log:
        f"{RESULTS}/logs/provenance/tools.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance/tools.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        rules=scripted_rules,
        deployment=deployment(),
        snakemake=SNAKEMAKE_VERSION,
        code=code("provenance/tools.py"),
    script:
        "../scripts/provenance/tools.py"


rule provenance_jobs:
    input:
        run_results,
    output:
        f"{PROVENANCE}/jobs.json",
    log:
        f"{RESULTS}/logs/provenance/jobs.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance/jobs.tsv"
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


rule provenance_report:
    input:
        jobs=f"{PROVENANCE}/jobs.json",
        tools=f"{PROVENANCE}/tools.json",
        outcomes=f"{PROVENANCE}/outcomes.json",
        statistics=f"{RESULTS}/pairs/statistics.csv",
        scores=score_files(),
        main=f"{RESULTS}/tables/main.html",
        tables=report_tables(),
        figures=report_figures(),
    output:
        report(
            f"{RESULTS}/report.html",
            caption="captions/report.rst",
            category="Report",
            labels={"page": "whole run"},
        ),
    log:
        f"{RESULTS}/logs/provenance/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance/report.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        config=recorded_config(),
        titles=report_titles(),
        deviations=deviations(),
        code=code("provenance/report.py", "provenance/report.html.j2", "provenance/report.css"),
    script:
        "../scripts/provenance/report.py"


rule provenance_crate:
    input:
        jobs=f"{PROVENANCE}/jobs.json",
        tools=f"{PROVENANCE}/tools.json",
        outcomes=f"{PROVENANCE}/outcomes.json",
        report=f"{RESULTS}/report.html",
    output:
        crate=f"{PROVENANCE}/ro-crate-metadata.json",
        config=f"{PROVENANCE}/config.yaml",
        workflow=directory(f"{PROVENANCE}/workflow"),
    log:
        f"{RESULTS}/logs/provenance/crate.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance/crate.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        config=recorded_config(),
        rules=scripted_rules,
        revisions=used_revisions(),
        code=code("provenance/crate.py"),
    script:
        "../scripts/provenance/crate.py"


rule provenance_audit:
    input:
        crate=f"{PROVENANCE}/ro-crate-metadata.json",
        jobs=f"{PROVENANCE}/jobs.json",
        scores=f"{RESULTS}/tables/scores.csv",
        statistics=f"{RESULTS}/pairs/statistics.csv",
        tables=tables_targets(),
        html=report_tables(),
    output:
        f"{PROVENANCE}/audit.txt",
    log:
        f"{RESULTS}/logs/provenance/audit.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance/audit.tsv"
    conda:
        "../envs/provenance.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(480),
    params:
        benchmarks=table_benchmarks(),
        code=code("provenance/audit.py"),
    script:
        "../scripts/provenance/audit.py"
