# Evaluation: generate, execute, score. What is generated is stored, and never made again because scoring changed.
localrules:
    evaluate_controls,
    evaluate_ceiling,
    evaluate_check_controls,


rule fetch_benchmark:
    output:
        f"{FETCHED}/{{file}}",
    log:
        f"{RESULTS}/logs/evaluate/fetch/{{file}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/fetch/{{file}}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, SOURCES)) or "nothing",
    # A fault of a source should show before days of training.
    priority: 50
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(720),
    params:
        source=lambda wildcards: SOURCES[wildcards.file],
        offline=hub_offline,
        code=code("evaluate/fetch.py"),
    script:
        "../scripts/evaluate/fetch.py"


rule evaluate_prepare_runner:
    output:
        probe=f"{RESULTS}/toolkits/{{runner}}/probe.json",
        shared=directory(f"{RESULTS}/toolkits/{{runner}}/shared"),
    log:
        f"{RESULTS}/logs/evaluate/runners/{{runner}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/runners/{{runner}}.tsv"
    conda:
        prepare_env
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    params:
        table=lambda wildcards: RUNNERS[wildcards.runner],
        settings=runner_settings(),
        code=code("evaluate/prepare_runner.py", *RUN_CODE),
    script:
        "../scripts/evaluate/prepare_runner.py"


rule evaluate_controls:
    input:
        rows=data_files,
        references=reference_files,
    output:
        reference=f"{RESULTS}/generations/{{benchmark}}/{{task}}/{CONTROL}/reference.{CONTROL}.jsonl.zst",
        empty=f"{RESULTS}/generations/{{benchmark}}/{{task}}/{CONTROL}/empty.{CONTROL}.jsonl.zst",
    log:
        f"{RESULTS}/logs/evaluate/controls/{{benchmark}}-{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/controls/{{benchmark}}-{{task}}.tsv"
    conda:
        "../envs/score.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        task=task_settings,
        code=code("evaluate/controls.py"),
    script:
        "../scripts/evaluate/controls.py"


rule evaluate_ceiling:
    input:
        rows=data_files,
        references=reference_files,
    output:
        ceiling=f"{RESULTS}/generations/{{benchmark}}/{{task}}/{CONTROL}/{CEILING}.{CONTROL}.jsonl.zst",
    log:
        f"{RESULTS}/logs/evaluate/ceiling/{{benchmark}}-{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/ceiling/{{benchmark}}-{{task}}.tsv"
    conda:
        "../envs/score.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        task=task_settings,
        code=code("evaluate/controls.py"),
    script:
        "../scripts/evaluate/controls.py"


rule evaluate_generate:
    input:
        model=f"{RESULTS}/models/{{model}}/{{stage}}",
        rows=data_files,
        # A machine that cannot run the programs is found out before time is spent on making them.
        probe=generation_probe,
    output:
        f"{RESULTS}/generations/{{benchmark}}/{{task}}/{{setting}}/{{model}}.{{stage}}.jsonl.zst",
    log:
        f"{RESULTS}/logs/evaluate/generate/{{benchmark}}-{{task}}-{{setting}}-{{model}}.{{stage}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/generate/{{benchmark}}-{{task}}-{{setting}}-{{model}}.{{stage}}.tsv"
    wildcard_constraints:
        setting=f"(?!{CONTROL}/)[a-z0-9.-]+",
    conda:
        f"../envs/{'vllm' if EVALUATE['engine'] == 'vllm' else 'generate'}.yaml"
    threads: EVALUATE["threads"]["generate"]
    resources:
        mem_mb=model_memory("load"),
        runtime=minutes(EVALUATE["generate_minutes"]),
        gpu=gpus(1),
    params:
        task=task_settings,
        settings=generate_settings,
        checkpoints=f"{RESULTS}/checkpoints/generate",
        name=lambda wildcards: "-".join(map(str, wildcards)),
        code=code("evaluate/generate.py"),
    script:
        "../scripts/evaluate/generate.py"


rule evaluate_calibrate:
    input:
        rows=data_files,
        references=reference_files,
        probe=runner_probe,
        shared=runner_shared,
    output:
        f"{RESULTS}/executions/{{benchmark}}/{{task}}/limits.json",
    log:
        f"{RESULTS}/logs/evaluate/calibrate/{{benchmark}}-{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/calibrate/{{benchmark}}-{{task}}.tsv"
    conda:
        runner_env
    threads: EVALUATE["threads"]["execute"]
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        task=task_settings,
        runner=runner_name,
        table=runner_table,
        prelude=task_prelude,
        settings=runner_settings(),
        headroom=EVALUATE["limits"]["headroom"],
        problems=EVALUATE["limits"]["problems"],
        seed=config["seed"],
        code=code("evaluate/calibrate.py", *RUN_CODE),
    script:
        "../scripts/evaluate/calibrate.py"


rule evaluate_execute:
    input:
        generations=f"{RESULTS}/generations/{{benchmark}}/{{task}}/{{setting}}/{{model}}.{{stage}}.jsonl.zst",
        rows=data_files,
        references=reference_files,
        probe=runner_probe,
        shared=runner_shared,
        limits=f"{RESULTS}/executions/{{benchmark}}/{{task}}/limits.json",
    output:
        f"{RESULTS}/executions/{{benchmark}}/{{task}}/{{setting}}/{{model}}.{{stage}}.parquet",
    log:
        f"{RESULTS}/logs/evaluate/execute/{{benchmark}}-{{task}}-{{setting}}-{{model}}.{{stage}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/execute/{{benchmark}}-{{task}}-{{setting}}-{{model}}.{{stage}}.tsv"
    conda:
        runner_env
    threads: EVALUATE["threads"]["execute"]
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        task=task_settings,
        runner=runner_name,
        table=runner_table,
        prelude=task_prelude,
        settings=runner_settings(),
        code=code("evaluate/execute.py", *RUN_CODE),
    script:
        "../scripts/evaluate/execute.py"


rule evaluate_check_controls:
    input:
        unpack(control_executions),
    output:
        f"{RESULTS}/executions/{{benchmark}}/{{task}}/{CONTROL}/checked.json",
    log:
        f"{RESULTS}/logs/evaluate/check_controls/{{benchmark}}-{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/check_controls/{{benchmark}}-{{task}}.tsv"
    conda:
        "../envs/score.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        form=lambda wildcards: benchmark_table(wildcards)["form"],
        faults=lambda wildcards: task_table(wildcards).get("faults", {}),
        code=code("evaluate/check_controls.py"),
    script:
        "../scripts/evaluate/check_controls.py"


rule evaluate_score:
    input:
        unpack(scored_files),
        generations=f"{RESULTS}/generations/{{benchmark}}/{{task}}/{{setting}}/{{model}}.{{stage}}.jsonl.zst",
        rows=data_files,
        references=reference_files,
    output:
        f"{RESULTS}/scores/{{benchmark}}/{{task}}/{{setting}}/{{model}}.{{stage}}.json",
    log:
        f"{RESULTS}/logs/evaluate/score/{{benchmark}}-{{task}}-{{setting}}-{{model}}.{{stage}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluate/score/{{benchmark}}-{{task}}-{{setting}}-{{model}}.{{stage}}.tsv"
    conda:
        "../envs/score.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        task=task_settings,
        key=score_key,
        setting=score_setting,
        pass_at=lambda wildcards: benchmark_table(wildcards).get("pass_at", []),
        compiled=is_compiled,
        teacher_forced=lambda wildcards: wildcards.setting == TEACHER_FORCED,
        seed=config["seed"],
        code=code("evaluate/score.py"),
    script:
        "../scripts/evaluate/score.py"
