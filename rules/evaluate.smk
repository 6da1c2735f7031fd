"""Evaluates checkpoints on benchmarks in three steps: generate, execute, score.

In: `models/{model}/{checkpoint}/` and the benchmarks' files, from a folder or fetched. Out:
`generations/`, `executions/` and `programs/` for programs, `modules/` for modules, and `scores/`,
each with a file `{benchmark}/{task}/{setting}/{model}.{checkpoint}`, where setting and checkpoint
of the controls are `control`; also `choices/` and `toolkits/`. A change of scoring never triggers
generation.
"""


localrules:
    evaluate_controls,
    evaluate_ceiling,
    evaluate_scorers,
    evaluate_check_controls,


rule fetch_benchmark:
    output:
        "<results>/benchmark-data/{file}",
    log:
        "<logs>/evaluate/fetch/{file}.log",
    benchmark:
        "<bench>/evaluate/fetch/{file}.tsv"
    wildcard_constraints:
        file=any_of(DOWNLOADS),
    # A fault of a source should show before days of training.
    priority: 50
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(720),
    params:
        source=lambda wildcards: DOWNLOADS[wildcards.file],
        offline=hub_offline,
        code=code("evaluate/fetch.py"),
    script:
        "../scripts/evaluate/fetch.py"


rule evaluate_prepare_runner:
    output:
        probe="<results>/toolkits/{runner}/probe.json",
        shared=directory("<results>/toolkits/{runner}/shared"),
    log:
        "<logs>/evaluate/runners/{runner}.log",
    benchmark:
        "<bench>/evaluate/runners/{runner}.tsv"
    conda:
        lambda wildcards: f"../envs/{RUNNERS[wildcards.runner]['env']}.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        table=lambda wildcards: RUNNERS[wildcards.runner],
        settings=PLAN.runner_settings,
        code=code("evaluate/prepare_runner.py", *RUNTIME),
    script:
        "../scripts/evaluate/prepare_runner.py"


# The controls of generated texts, and those of likelihoods below, have different names.
rule evaluate_controls:
    input:
        rows=lambda wildcards: task(wildcards).data_files,
        references=lambda wildcards: task(wildcards).references,
    output:
        reference="<results>/generations/{benchmark}/{task}/control/reference.control.jsonl.zst",
        empty="<results>/generations/{benchmark}/{task}/control/empty.control.jsonl.zst",
    log:
        "<logs>/evaluate/controls/{benchmark}-{task}.log",
    benchmark:
        "<bench>/evaluate/controls/{benchmark}-{task}.tsv"
    wildcard_constraints:
        benchmark=any_of(PLAN.generated),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        task=lambda wildcards: task(wildcards).problem_settings,
        code=code("evaluate/controls.py"),
    script:
        "../scripts/evaluate/controls.py"


rule evaluate_ceiling:
    input:
        rows=lambda wildcards: task(wildcards).data_files,
        references=lambda wildcards: task(wildcards).references,
    output:
        ceiling="<results>/generations/{benchmark}/{task}/control/ceiling.control.jsonl.zst",
    log:
        "<logs>/evaluate/ceiling/{benchmark}-{task}.log",
    benchmark:
        "<bench>/evaluate/ceiling/{benchmark}-{task}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        task=lambda wildcards: task(wildcards).problem_settings,
        code=code("evaluate/controls.py"),
    script:
        "../scripts/evaluate/controls.py"


# One job for all that a checkpoint generates, so that its model is loaded once. A checkpoint of
# Snakemake: what reads the generations follows their content, which most edits leave as it is.
for GENERATE in GENERATION_JOBS:

    checkpoint:
        name:
            GENERATE.rule
        input:
            model="<results>/models/{model}/{checkpoint}",
            base=partial(adapted_from, GENERATE),
            rows=GENERATE.rows,
            # A machine that cannot run the programs must fail before programs are generated. Running
            # the probes again must not trigger generation.
            probes=ancient(GENERATE.probes),
        output:
            GENERATE.outputs,
        log:
            f"<logs>/evaluate/generate/{GENERATE.job_name}.log",
        benchmark:
            f"<bench>/evaluate/generate/{GENERATE.job_name}.tsv"
        wildcard_constraints:
            checkpoint=GENERATE.checkpoints(START),
        conda:
            MODEL.env("vllm" if config["evaluate"]["engine"] == "vllm" else "generate")
        threads: config["evaluate"]["threads"]["generate"]
        resources:
            mem_mb=MODEL.memory("load"),
            runtime=minutes(config["evaluate"]["generate_minutes"]),
            gpu=MODEL.gpus(1),
        params:
            files=GENERATE.settings,
            settings=lambda wildcards: {
                "seed": config["seed"],
                "context": MODEL.entry(wildcards)["context"],
                **pick("evaluate", "engine", "dtype", "batch_size", "chunk_requests"),
            },
            checkpoints=f"{RESULTS}/checkpoints/generate",
            name=lambda wildcards: "-".join(map(str, wildcards)),
            code=code("evaluate/generate.py"),
        script:
            "../scripts/evaluate/generate.py"


rule evaluate_calibrate:
    input:
        rows=lambda wildcards: task(wildcards).data_files,
        references=lambda wildcards: task(wildcards).references,
        probe=lambda wildcards: task(wildcards).probe,
        shared=lambda wildcards: task(wildcards).shared,
    output:
        "<results>/executions/{benchmark}/{task}/limits.json",
    log:
        "<logs>/evaluate/calibrate/{benchmark}-{task}.log",
    benchmark:
        "<bench>/evaluate/calibrate/{benchmark}-{task}.tsv"
    conda:
        lambda wildcards: f"../envs/{task(wildcards).runner['env']}.yaml"
    threads: config["evaluate"]["threads"]["execute"]
    resources:
        mem_mb=execution_memory,
        runtime=minutes(60),
    params:
        **pick("evaluate.limits", "headroom", "problems"),
        task=lambda wildcards: task(wildcards).problem_settings,
        runner=lambda wildcards: task(wildcards).runner_name,
        table=lambda wildcards: task(wildcards).runner,
        prelude=lambda wildcards: task(wildcards).prelude,
        settings=PLAN.runner_settings,
        seed=config["seed"],
        code=code("evaluate/calibrate.py", *RUNTIME),
    script:
        "../scripts/evaluate/calibrate.py"


rule evaluate_execute:
    input:
        generations=generations,
        rows=lambda wildcards: task(wildcards).data_files,
        references=lambda wildcards: task(wildcards).references,
        probe=lambda wildcards: task(wildcards).probe,
        shared=lambda wildcards: task(wildcards).shared,
        limits="<results>/executions/{benchmark}/{task}/limits.json",
    output:
        executions="<results>/executions/{benchmark}/{task}/{setting}/{model}.{checkpoint}.parquet",
        programs="<results>/programs/{benchmark}/{task}/{setting}/{model}.{checkpoint}.parquet",
    log:
        "<logs>/evaluate/execute/{benchmark}-{task}-{setting}-{model}.{checkpoint}.log",
    benchmark:
        "<bench>/evaluate/execute/{benchmark}-{task}-{setting}-{model}.{checkpoint}.tsv"
    conda:
        lambda wildcards: f"../envs/{task(wildcards).runner['env']}.yaml"
    threads: config["evaluate"]["threads"]["execute"]
    resources:
        mem_mb=execution_memory,
        runtime=minutes(240),
    params:
        **pick("evaluate", "output_characters"),
        generations=GENERATIONS.digest,
        task=lambda wildcards: task(wildcards).problem_settings,
        runner=lambda wildcards: task(wildcards).runner_name,
        table=lambda wildcards: task(wildcards).runner,
        prelude=lambda wildcards: task(wildcards).prelude,
        settings=PLAN.runner_settings,
        checkpoints=f"{RESULTS}/checkpoints/execute",
        name=lambda wildcards: "-".join(map(str, wildcards)),
        code=code("evaluate/execute.py", *RUNTIME),
    script:
        "../scripts/evaluate/execute.py"


rule evaluate_check_controls:
    input:
        unpack(lambda wildcards: task(wildcards).control_executions),
    output:
        "<results>/executions/{benchmark}/{task}/control/checked.json",
    log:
        "<logs>/evaluate/check_controls/{benchmark}-{task}.log",
    benchmark:
        "<bench>/evaluate/check_controls/{benchmark}-{task}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        form=lambda wildcards: task(wildcards).entry["form"],
        faults=lambda wildcards: task(wildcards).faults,
        code=code("evaluate/check_controls.py"),
    script:
        "../scripts/evaluate/check_controls.py"


rule evaluate_score:
    input:
        unpack(score_inputs),
        generations=generations,
        rows=lambda wildcards: task(wildcards).data_files,
        references=lambda wildcards: task(wildcards).references,
    output:
        "<results>/scores/{benchmark}/{task}/{setting}/{model}.{checkpoint}.json",
    log:
        "<logs>/evaluate/score/{benchmark}-{task}-{setting}-{model}.{checkpoint}.log",
    benchmark:
        "<bench>/evaluate/score/{benchmark}-{task}-{setting}-{model}.{checkpoint}.tsv"
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        task=lambda wildcards: task(wildcards).problem_settings,
        generations=GENERATIONS.digest,
        key=lambda wildcards: {
            "benchmark": wildcards.benchmark,
            "language": task(wildcards).language,
            "model": wildcards.model,
            "checkpoint": wildcards.checkpoint,
        },
        setting=lambda wildcards: task(wildcards).setting_in_tables(wildcards.setting),
        pass_at=lambda wildcards: task(wildcards).entry.get("pass_at", []),
        compiled=lambda wildcards: task(wildcards).is_compiled,
        teacher_forced=lambda wildcards: wildcards.setting == TEACHER_FORCED,
        likelihood=lambda wildcards: task(wildcards).is_likelihood,
        seed=config["seed"],
        code=code("evaluate/score.py"),
    script:
        "../scripts/evaluate/score.py"


rule evaluate_choices:
    input:
        rows=lambda wildcards: task(wildcards).source.data_files,
        references=lambda wildcards: task(wildcards).source.references,
        probe=lambda wildcards: task(wildcards).source.probe,
        shared=lambda wildcards: task(wildcards).source.shared,
        limits=lambda wildcards: task(wildcards).source.limits,
    output:
        "<results>/choices/{benchmark}/{task}.jsonl",
    log:
        "<logs>/evaluate/choices/{benchmark}-{task}.log",
    benchmark:
        "<bench>/evaluate/choices/{benchmark}-{task}.tsv"
    wildcard_constraints:
        benchmark=any_of(PLAN.measured),
    conda:
        lambda wildcards: f"../envs/{task(wildcards).source.runner['env']}.yaml"
    threads: config["evaluate"]["threads"]["execute"]
    resources:
        mem_mb=choices_memory,
        runtime=minutes(240),
    params:
        task=lambda wildcards: task(wildcards).source.problem_settings,
        choice=lambda wildcards: task(wildcards).choice_settings,
        runner=lambda wildcards: task(wildcards).source.runner_name,
        table=lambda wildcards: task(wildcards).source.runner,
        prelude=lambda wildcards: task(wildcards).source.prelude,
        settings=PLAN.runner_settings,
        seed=config["seed"],
        code=code("evaluate/choices.py", *RUNTIME),
    script:
        "../scripts/evaluate/choices.py"


rule evaluate_scorers:
    input:
        rows=lambda wildcards: task(wildcards).data_files,
        references=lambda wildcards: task(wildcards).references,
    output:
        reference="<results>/generations/{benchmark}/{task}/control/reference.control.jsonl.zst",
        random="<results>/generations/{benchmark}/{task}/control/random.control.jsonl.zst",
    log:
        "<logs>/evaluate/scorers/{benchmark}-{task}.log",
    benchmark:
        "<bench>/evaluate/scorers/{benchmark}-{task}.tsv"
    wildcard_constraints:
        benchmark=any_of(PLAN.measured),
    conda:
        "../envs/score.yaml"
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        task=lambda wildcards: task(wildcards).problem_settings,
        problems=lambda wildcards: task(wildcards).problems,
        seed=config["seed"],
        code=code("evaluate/scorers.py"),
    script:
        "../scripts/evaluate/scorers.py"


rule evaluate_modules:
    input:
        generations=generations,
        rows=lambda wildcards: task(wildcards).data_files,
    output:
        "<results>/modules/{benchmark}/{task}/{setting}/{model}.{checkpoint}.parquet",
    log:
        "<logs>/evaluate/modules/{benchmark}-{task}-{setting}-{model}.{checkpoint}.log",
    benchmark:
        "<bench>/evaluate/modules/{benchmark}-{task}-{setting}-{model}.{checkpoint}.tsv"
    conda:
        "../envs/modules.yaml"
    threads: config["evaluate"]["threads"]["execute"]
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        generations=GENERATIONS.digest,
        task=lambda wildcards: task(wildcards).problem_settings,
        mode=PLAN.runner_settings["mode"],
        # Where inputs of programs are, next to the sources.
        corpus=rooted(config["corpus"]["path"]),
        code=code("evaluate/modules.py", "evaluate/runtime/run_module.py"),
    script:
        "../scripts/evaluate/modules.py"
