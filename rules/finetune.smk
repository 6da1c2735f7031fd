"""Tunes checkpoints on instructions and on commit messages.

In: `models/{model}/{start}/`, the base and IRCoder's checkpoints; instructions, from a folder or
the hub; commits, which are among the benchmarks' files. Out: adapters in
`models/{model}/{start}-instruct/` and `models/{model}/{start}-commits-{language}/`, and their
learning curves.
"""


# An imported checkpoint is not trained.
ruleorder: fetch_checkpoint > finetune_instruct
ruleorder: fetch_checkpoint > finetune_commits
ruleorder: pretrain_import_checkpoint > finetune_instruct
ruleorder: pretrain_import_checkpoint > finetune_commits


rule fetch_instruct:
    output:
        train="<results>/instruct/train.jsonl",
        validation="<results>/instruct/validation.jsonl",
    log:
        "<logs>/finetune/fetch_instruct.log",
    benchmark:
        "<bench>/finetune/fetch_instruct.tsv"
    # A fault of the data should show before days of training.
    priority: 50
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        **pick("instruct", "dataset"),
        seed=config["seed"],
        offline=hub_offline,
        code=code("finetune/fetch_instruct.py"),
    script:
        "../scripts/finetune/fetch_instruct.py"


rule finetune_instruct:
    input:
        model="<results>/models/{model}/{start}",
        data=MODEL.instruction_files,
        operators=MODEL.operators("instruct"),
    output:
        model=directory("<results>/models/{model}/{start}-instruct"),
        curve="<results>/models/{model}/curves/{start}-instruct.csv",
    log:
        "<logs>/finetune/{model}/{start}-instruct.log",
    benchmark:
        "<bench>/finetune/{model}/{start}-instruct.tsv"
    wildcard_constraints:
        start=START,
    conda:
        MODEL.env("train")
    threads: training_threads(config["instruct"]["training"])
    resources:
        mem_mb=MODEL.memory("train"),
        runtime=MODEL.minutes("train"),
        gpu=MODEL.gpus(config["instruct"]["training"]["processes"]),
    params:
        settings=lambda wildcards: {
            "seed": config["seed"],
            **pick("instruct", "prompts"),
            "lora": MODEL.lora("instruct", wildcards),
            "training": MODEL.training("instruct"),
            **MODEL.chat(),
        },
        gpu=MODEL.uses_gpu,
        base=MODEL.adapter_base,
        card=MODEL.card,
        datasets=MODEL.instruction_datasets(),
        checkpoints=MODEL.checkpoint_folder,
        tensorboard=MODEL.tensorboard("{start}-instruct"),
        code=code("finetune/instruct.py", TRAINING_PROCESS),
    script:
        "../scripts/finetune/instruct.py"


rule finetune_commits:
    input:
        model="<results>/models/{model}/{start}",
        data=commits_file,
        operators=MODEL.operators("commits"),
    output:
        model=directory("<results>/models/{model}/{start}-commits-{language}"),
        curve="<results>/models/{model}/curves/{start}-commits-{language}.csv",
    log:
        "<logs>/finetune/{model}/{start}-commits-{language}.log",
    benchmark:
        "<bench>/finetune/{model}/{start}-commits-{language}.tsv"
    wildcard_constraints:
        start=START,
    conda:
        MODEL.env("train")
    threads: training_threads(config["commits"]["training"])
    resources:
        mem_mb=MODEL.memory("train"),
        runtime=MODEL.minutes("train"),
        gpu=MODEL.gpus(config["commits"]["training"]["processes"]),
    params:
        settings=lambda wildcards: {
            "seed": config["seed"],
            **pick("commits", "prompts"),
            "lora": MODEL.lora("commits", wildcards),
            "training": MODEL.training("commits"),
            **pick("commits", "sizes"),
        },
        gpu=MODEL.uses_gpu,
        base=MODEL.adapter_base,
        card=MODEL.card,
        checkpoints=MODEL.checkpoint_folder,
        tensorboard=MODEL.tensorboard("{start}-commits-{language}"),
        code=code("finetune/commits.py", TRAINING_PROCESS),
    script:
        "../scripts/finetune/commits.py"
