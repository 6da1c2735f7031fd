# Tokens, continued pre-training of a base on pairs, and what it does to the validation losses.


# A checkpoint that is given is not trained.
ruleorder: fetch_checkpoint > pretrain_merge
ruleorder: fetch_checkpoint > pretrain_merge_milestone
ruleorder: pretrain_import_checkpoint > pretrain_merge
ruleorder: pretrain_import_checkpoint > pretrain_merge_milestone


rule pretrain_vocabulary:
    input:
        pairs=pair_tables(),
    output:
        directory(f"{RESULTS}/models/{{model}}/vocabulary"),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/vocabulary.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/vocabulary.tsv"
    wildcard_constraints:
        model=model_names(SCRATCH),
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        settings=lambda wildcards: model_entry(wildcards)["vocabulary"],
        code=code("pretrain/vocabulary.py", "pretrain/pair_documents.py"),
    script:
        "../scripts/pretrain/vocabulary.py"


rule pretrain_base:
    input:
        pairs=pair_tables(),
        vocabulary=f"{RESULTS}/models/{{model}}/vocabulary",
    output:
        model=directory(f"{RESULTS}/models/{{model}}/base"),
        curve=f"{RESULTS}/models/{{model}}/curves/base.csv",
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/base.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/base.tsv"
    wildcard_constraints:
        model=model_names(SCRATCH),
    conda:
        "../envs/train.yaml"
    threads: config["pretrain"]["base"]["threads"] * config["pretrain"]["base"]["processes"]
    resources:
        mem_mb=model_memory("train"),
        runtime=model_minutes("train"),
        gpu=gpus(config["pretrain"]["base"]["processes"]),
    params:
        settings=base_settings,
        gpu=on_gpu,
        card=card_of,
        checkpoints=checkpoint_folder,
        tensorboard=tensorboard("base"),
        code=code("pretrain/base.py", "pretrain/pair_documents.py", "pretrain/packing.py", TRAINING_CODE),
    script:
        "../scripts/pretrain/base.py"


rule fetch_base:
    output:
        directory(f"{RESULTS}/models/{{model}}/base"),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/base.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/base.tsv"
    wildcard_constraints:
        model=model_names(HUB),
    # A fault of the model should show before days of compiling.
    priority: 50
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        entry=import_settings,
        context=lambda wildcards: model_entry(wildcards)["context"],
        offline=hub_offline,
        root=ROOT,
        code=code("pretrain/import_base.py"),
    script:
        "../scripts/pretrain/import_base.py"


rule pretrain_import:
    output:
        directory(f"{RESULTS}/models/{{model}}/base"),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/base.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/base.tsv"
    wildcard_constraints:
        model=model_names(LOCAL),
    # A fault of the model should show before days of compiling.
    priority: 50
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        entry=import_settings,
        context=lambda wildcards: model_entry(wildcards)["context"],
        offline=hub_offline,
        root=ROOT,
        code=code("pretrain/import_base.py"),
    script:
        "../scripts/pretrain/import_base.py"


rule pretrain_tokens:
    input:
        pairs=pair_tables(),
        base=first_tokenizer,
    output:
        tokens=directory(f"{RESULTS}/tokens/{{model}}"),
        tokenizer=directory(f"{RESULTS}/models/{{model}}/tokenizer"),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/tokens.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/tokens.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        settings=token_settings(),
        special_tokens=lambda wildcards: model_entry(wildcards)["special_tokens"],
        pad_token=lambda wildcards: model_entry(wildcards)["pad_token"],
        code=code(
            "pretrain/tokens.py",
            "pretrain/pair_documents.py",
            "pretrain/packing.py",
            "pretrain/external_shuffle.py",
        ),
    script:
        "../scripts/pretrain/tokens.py"


rule pretrain_deepspeed_operators:
    output:
        directory(f"{RESULTS}/checkpoints/deepspeed_operators"),
    log:
        f"{RESULTS}/logs/pretrain/deepspeed_operators.log",
        f"{RESULTS}/logs/pretrain/deepspeed_operators.compiler.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/deepspeed_operators.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        code=code("pretrain/deepspeed_operators.py"),
    script:
        "../scripts/pretrain/deepspeed_operators.py"


rule pretrain_adapter:
    input:
        base=f"{RESULTS}/models/{{model}}/base",
        tokenizer=f"{RESULTS}/models/{{model}}/tokenizer",
        tokens=f"{RESULTS}/tokens/{{model}}",
        operators=operators("pretrain"),
    output:
        adapter=directory(f"{RESULTS}/models/{{model}}/adapter"),
        # Not among the settings: a milestone that was saved may be dropped, and a new one reruns the training.
        milestones=[directory(f"{RESULTS}/models/{{model}}/milestones/{step}") for step in MILESTONES],
        curve=f"{RESULTS}/models/{{model}}/curves/pretrain.csv",
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/adapter.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/adapter.tsv"
    conda:
        "../envs/train.yaml"
    threads: config["pretrain"]["training"]["threads"] * config["pretrain"]["training"]["processes"]
    resources:
        mem_mb=model_memory("train"),
        runtime=model_minutes("train"),
        gpu=gpus(config["pretrain"]["training"]["processes"]),
    params:
        settings=adapter_settings,
        gpu=on_gpu,
        base_name=lambda wildcards: f"{wildcards.model}/base",
        card=card_of,
        checkpoints=checkpoint_folder,
        tensorboard=tensorboard("pretrain"),
        code=code("pretrain/adapter.py", TRAINING_CODE),
    script:
        "../scripts/pretrain/adapter.py"


rule pretrain_merge:
    input:
        base=f"{RESULTS}/models/{{model}}/base",
        tokenizer=f"{RESULTS}/models/{{model}}/tokenizer",
        adapter=f"{RESULTS}/models/{{model}}/adapter",
    output:
        directory(f"{RESULTS}/models/{{model}}/ircoder"),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/merge.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/merge.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        new_embeddings=config["pretrain"]["new_embeddings"],
        code=code("pretrain/merge.py"),
    script:
        "../scripts/pretrain/merge.py"


rule pretrain_merge_milestone:
    input:
        base=f"{RESULTS}/models/{{model}}/base",
        tokenizer=f"{RESULTS}/models/{{model}}/tokenizer",
        adapter=f"{RESULTS}/models/{{model}}/milestones/{{step}}",
    output:
        directory(f"{RESULTS}/models/{{model}}/ircoder-{{step}}"),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/merge_{{step}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/merge_{{step}}.tsv"
    wildcard_constraints:
        step="[0-9]+",
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        new_embeddings=config["pretrain"]["new_embeddings"],
        code=code("pretrain/merge.py"),
    script:
        "../scripts/pretrain/merge.py"


rule fetch_checkpoint:
    input:
        base=checkpoint_base,
    output:
        directory(f"{RESULTS}/models/{{given}}"),
    log:
        f"{RESULTS}/logs/pretrain/{{given}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{given}}.tsv"
    wildcard_constraints:
        given=given_names("repository"),
    # A fault of the checkpoint should show before days of compiling.
    priority: 50
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        settings=checkpoint_settings,
        offline=hub_offline,
        root=ROOT,
        code=code("pretrain/import_checkpoint.py"),
    script:
        "../scripts/pretrain/import_checkpoint.py"


rule pretrain_import_checkpoint:
    input:
        base=checkpoint_base,
    output:
        directory(f"{RESULTS}/models/{{given}}"),
    log:
        f"{RESULTS}/logs/pretrain/{{given}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{given}}.tsv"
    wildcard_constraints:
        given=given_names("path"),
    # A fault of the checkpoint should show before days of compiling.
    priority: 50
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
    params:
        settings=checkpoint_settings,
        offline=hub_offline,
        root=ROOT,
        code=code("pretrain/import_checkpoint.py"),
    script:
        "../scripts/pretrain/import_checkpoint.py"


rule pretrain_losses:
    input:
        pairs=pair_tables(),
        tokenizer=f"{RESULTS}/models/{{model}}/tokenizer",
        model=f"{RESULTS}/models/{{model}}/{{start}}",
    output:
        f"{RESULTS}/models/{{model}}/losses/{{start}}.parquet",
    log:
        f"{RESULTS}/logs/pretrain/{{model}}/losses_{{start}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}/losses_{{start}}.tsv"
    wildcard_constraints:
        start=START,
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=model_memory("load"),
        runtime=model_minutes("load"),
        gpu=gpus(1),
    params:
        settings=loss_settings(),
        gpu=on_gpu,
        code=code("pretrain/losses.py", "pretrain/pair_documents.py"),
    script:
        "../scripts/pretrain/losses.py"
