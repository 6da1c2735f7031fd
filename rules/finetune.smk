# Tuning of base and IRCoder on instructions and on commit messages.


# A checkpoint that is given is not trained.
ruleorder: fetch_checkpoint > finetune_instruct
ruleorder: fetch_checkpoint > finetune_commits
ruleorder: pretrain_import_checkpoint > finetune_instruct
ruleorder: pretrain_import_checkpoint > finetune_commits


rule fetch_instruct:
    output:
        train=f"{RESULTS}/instruct/train.jsonl",
        validation=f"{RESULTS}/instruct/validation.jsonl",
    log:
        f"{RESULTS}/logs/finetune/fetch_instruct.log",
    benchmark:
        f"{RESULTS}/benchmarks/finetune/fetch_instruct.tsv"
    # A fault of the data should show before days of training.
    priority: 50
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        dataset=config["instruct"]["dataset"],
        seed=config["seed"],
        offline=hub_offline,
        code=code("finetune/fetch_instruct.py"),
    script:
        "../scripts/finetune/fetch_instruct.py"


rule finetune_instruct:
    input:
        model=f"{RESULTS}/models/{{model}}/{{start}}",
        data=instruction_files,
        operators=operators("instruct"),
    output:
        model=directory(f"{RESULTS}/models/{{model}}/{{start}}-instruct"),
        curve=f"{RESULTS}/models/{{model}}/curves/{{start}}-instruct.csv",
    log:
        f"{RESULTS}/logs/finetune/{{model}}/{{start}}-instruct.log",
    benchmark:
        f"{RESULTS}/benchmarks/finetune/{{model}}/{{start}}-instruct.tsv"
    wildcard_constraints:
        start=START,
    conda:
        "../envs/train.yaml"
    threads: config["instruct"]["training"]["threads"] * config["instruct"]["training"]["processes"]
    resources:
        mem_mb=model_memory("train"),
        runtime=model_minutes("train"),
        gpu=gpus(config["instruct"]["training"]["processes"]),
    params:
        settings=instruct_settings,
        gpu=on_gpu,
        card=card_of,
        checkpoints=checkpoint_folder,
        tensorboard=tensorboard("{start}-instruct"),
        code=code("finetune/instruct.py", "finetune/tuning.py", TRAINING_CODE),
    script:
        "../scripts/finetune/instruct.py"


rule finetune_commits:
    input:
        model=f"{RESULTS}/models/{{model}}/{{start}}",
        data=commits_file,
        operators=operators("commits"),
    output:
        model=directory(f"{RESULTS}/models/{{model}}/{{start}}-commits-{{language}}"),
        curve=f"{RESULTS}/models/{{model}}/curves/{{start}}-commits-{{language}}.csv",
    log:
        f"{RESULTS}/logs/finetune/{{model}}/{{start}}-commits-{{language}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/finetune/{{model}}/{{start}}-commits-{{language}}.tsv"
    wildcard_constraints:
        start=START,
    conda:
        "../envs/train.yaml"
    threads: config["commits"]["training"]["threads"] * config["commits"]["training"]["processes"]
    resources:
        mem_mb=model_memory("train"),
        runtime=model_minutes("train"),
        gpu=gpus(config["commits"]["training"]["processes"]),
    params:
        settings=lambda wildcards: tuning_settings("commits", wildcards, "sizes"),
        gpu=on_gpu,
        card=card_of,
        checkpoints=checkpoint_folder,
        tensorboard=tensorboard("{start}-commits-{language}"),
        code=code("finetune/commits.py", "finetune/tuning.py", TRAINING_CODE),
    script:
        "../scripts/finetune/commits.py"
