"""Trains base models further on pairs, and measures what that does to their validation losses.

In: the pairs of all languages, of which a sample is drawn once for all models, and base models: of
the hub, of a folder, or trained here from scratch. Out: folders in `models/{model}/`: base,
tokenizer, adapters, and merged checkpoints: IRCoder after the last step (`ircoder`), at milestones
(`ircoder-{step}`), and ablations (`{ablation}`); also learning curves and losses.
"""


# An imported checkpoint is not trained.
ruleorder: fetch_checkpoint > pretrain_merge
ruleorder: fetch_checkpoint > pretrain_merge_milestone
ruleorder: pretrain_import_checkpoint > pretrain_merge
ruleorder: pretrain_import_checkpoint > pretrain_merge_milestone


rule pretrain_sample:
    input:
        pairs=sample_pairs,
    output:
        "<results>/sample/{purpose}.parquet",
    log:
        "<logs>/pretrain/sample_{purpose}.log",
    benchmark:
        "<bench>/pretrain/sample_{purpose}.tsv"
    wildcard_constraints:
        purpose=any_of(["documents", "losses", *(f"documents-{name}" for name in ABLATIONS.names)]),
    priority: FIRST
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(2000),
        runtime=minutes(240),
    params:
        settings=sample_settings,
        code=code("pretrain/sample.py"),
    script:
        "../scripts/pretrain/sample.py"


rule pretrain_vocabulary:
    input:
        sample=SAMPLED_DOCUMENTS,
    output:
        directory("<results>/models/{model}/vocabulary"),
    log:
        "<logs>/pretrain/{model}/vocabulary.log",
    benchmark:
        "<bench>/pretrain/{model}/vocabulary.tsv"
    wildcard_constraints:
        model=any_of(CHECKPOINTS.models_from("scratch")),
    priority: FIRST
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=MODEL.memory("load"),
        runtime=MODEL.minutes("load"),
    params:
        settings=lambda wildcards: MODEL.entry(wildcards)["vocabulary"],
        code=code("pretrain/vocabulary.py"),
    script:
        "../scripts/pretrain/vocabulary.py"


rule pretrain_base:
    input:
        sample=SAMPLED_DOCUMENTS,
        vocabulary="<results>/models/{model}/vocabulary",
    output:
        model=directory("<results>/models/{model}/base"),
        curve="<results>/models/{model}/curves/base.csv",
    log:
        "<logs>/pretrain/{model}/base.log",
    benchmark:
        "<bench>/pretrain/{model}/base.tsv"
    wildcard_constraints:
        model=any_of(CHECKPOINTS.models_from("scratch")),
    priority: FIRST
    conda:
        MODEL.env("train")
    threads: training_threads(config["pretrain"]["base"])
    resources:
        mem_mb=MODEL.memory("train"),
        runtime=MODEL.minutes("train"),
        gpu=MODEL.gpus(config["pretrain"]["base"]["processes"]),
    params:
        settings=lambda wildcards: {
            "seed": config["seed"],
            **pick("pretrain", "context", "isolate_documents", "train_documents", "validation_documents"),
            "architecture": MODEL.entry(wildcards)["architecture"],
            "training": MODEL.training("pretrain", "base"),
        },
        gpu=MODEL.uses_gpu,
        card=MODEL.card,
        datasets=MODEL.pair_datasets(),
        checkpoints=MODEL.checkpoint_folder,
        tensorboard=MODEL.tensorboard("base"),
        code=code("pretrain/base.py", TRAINING_PROCESS),
    script:
        "../scripts/pretrain/base.py"


rule fetch_base:
    output:
        directory("<results>/models/{model}/base"),
    log:
        "<logs>/pretrain/{model}/base.log",
    benchmark:
        "<bench>/pretrain/{model}/base.tsv"
    wildcard_constraints:
        model=any_of(CHECKPOINTS.models_from("hub")),
    # A fault of the model should show before days of compiling.
    priority: 50
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=MODEL.memory("load"),
        runtime=MODEL.minutes("load"),
    params:
        entry=MODEL.import_settings,
        context=lambda wildcards: MODEL.entry(wildcards)["context"],
        offline=hub_offline,
        root=PROJECT,
        code=code("pretrain/import_base.py"),
    script:
        "../scripts/pretrain/import_base.py"


use rule fetch_base as pretrain_import with:
    wildcard_constraints:
        model=any_of(CHECKPOINTS.models_from("folder", "gguf")),


rule pretrain_tokens:
    input:
        sample=SAMPLED_DOCUMENTS,
        base=MODEL.first_tokenizer,
    output:
        tokens=directory("<results>/tokens/{model}"),
        tokenizer=directory("<results>/models/{model}/tokenizer"),
    log:
        "<logs>/pretrain/{model}/tokens.log",
    benchmark:
        "<bench>/pretrain/{model}/tokens.tsv"
    priority: FIRST
    conda:
        "../envs/train.yaml"
    threads: config["pretrain"]["token_threads"]
    resources:
        mem_mb=memory(1500 + 500 * config["pretrain"]["token_threads"]),
        runtime=minutes(240),
    params:
        settings=ABLATIONS.tokens("ircoder"),
        special_tokens=lambda wildcards: MODEL.entry(wildcards)["special_tokens"],
        pad_token=lambda wildcards: MODEL.entry(wildcards)["pad_token"],
        code=code("pretrain/tokens.py"),
    script:
        "../scripts/pretrain/tokens.py"


rule pretrain_deepspeed_operators:
    output:
        directory("<results>/checkpoints/deepspeed_operators"),
    log:
        "<logs>/pretrain/deepspeed_operators.log",
        "<logs>/pretrain/deepspeed_operators.compiler.log",
    benchmark:
        "<bench>/pretrain/deepspeed_operators.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        code=code("pretrain/deepspeed_operators.py"),
    script:
        "../scripts/pretrain/deepspeed_operators.py"


rule pretrain_adapter:
    input:
        base="<results>/models/{model}/base",
        tokenizer="<results>/models/{model}/tokenizer",
        tokens="<results>/tokens/{model}",
        operators=MODEL.operators("pretrain"),
    output:
        adapter=directory("<results>/models/{model}/adapter"),
        # Not among the settings: a milestone that was saved may be dropped, and a new one reruns
        # the training.
        milestones=directory(MILESTONES),
        curve="<results>/models/{model}/curves/pretrain.csv",
    log:
        "<logs>/pretrain/{model}/adapter.log",
    benchmark:
        "<bench>/pretrain/{model}/adapter.tsv"
    priority: FIRST
    conda:
        MODEL.env("train")
    threads: training_threads(config["pretrain"]["training"])
    resources:
        mem_mb=MODEL.memory("train"),
        runtime=MODEL.minutes("train"),
        gpu=MODEL.gpus(config["pretrain"]["training"]["processes"]),
    params:
        **pick("pretrain", "templates"),
        settings=MODEL.adapter_settings,
        gpu=MODEL.uses_gpu,
        base=MODEL.adapter_base,
        card=MODEL.card,
        datasets=MODEL.pair_datasets(),
        checkpoints=MODEL.checkpoint_folder,
        tensorboard=MODEL.tensorboard("pretrain"),
        code=code("pretrain/adapter.py", TRAINING_PROCESS),
    script:
        "../scripts/pretrain/adapter.py"


rule pretrain_merge:
    input:
        base="<results>/models/{model}/base",
        tokenizer="<results>/models/{model}/tokenizer",
        adapter="<results>/models/{model}/adapter",
    output:
        directory("<results>/models/{model}/ircoder"),
    log:
        "<logs>/pretrain/{model}/merge.log",
    benchmark:
        "<bench>/pretrain/{model}/merge.tsv"
    priority: FIRST
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=MODEL.memory("load"),
        runtime=MODEL.minutes("load"),
    params:
        new_embeddings=config["pretrain"]["new_embeddings"],
        code=code("pretrain/merge.py"),
    script:
        "../scripts/pretrain/merge.py"


use rule pretrain_merge as pretrain_merge_milestone with:
    input:
        base="<results>/models/{model}/base",
        tokenizer="<results>/models/{model}/tokenizer",
        adapter="<results>/models/{model}/milestones/{step}",
    output:
        directory("<results>/models/{model}/ircoder-{step}"),
    log:
        "<logs>/pretrain/{model}/merge_{step}.log",
    benchmark:
        "<bench>/pretrain/{model}/merge_{step}.tsv"
    wildcard_constraints:
        step="[0-9]+",


rule pretrain_ablation_tokens:
    input:
        sample=ablation_sample,
        tokenizer="<results>/models/{model}/tokenizer",
    output:
        directory("<results>/tokens-{ablation}/{model}"),
    log:
        "<logs>/pretrain/{model}/tokens_{ablation}.log",
    benchmark:
        "<bench>/pretrain/{model}/tokens_{ablation}.tsv"
    wildcard_constraints:
        ablation=any_of(ABLATIONS.names),
    priority: FIRST
    conda:
        "../envs/train.yaml"
    threads: config["pretrain"]["token_threads"]
    resources:
        mem_mb=memory(1500 + 500 * config["pretrain"]["token_threads"]),
        runtime=minutes(240),
    params:
        settings=lambda wildcards: ABLATIONS.tokens(wildcards.ablation),
        code=code("pretrain/ablation_tokens.py"),
    script:
        "../scripts/pretrain/ablation_tokens.py"


rule pretrain_ablation_adapter:
    input:
        base="<results>/models/{model}/base",
        tokenizer="<results>/models/{model}/tokenizer",
        tokens=ablation_tokens,
        reference=ablation_reference,
        operators=MODEL.operators("pretrain"),
    output:
        adapter=directory("<results>/models/{model}/adapter-{ablation}"),
        curve="<results>/models/{model}/curves/{ablation}.csv",
    log:
        "<logs>/pretrain/{model}/adapter_{ablation}.log",
    benchmark:
        "<bench>/pretrain/{model}/adapter_{ablation}.tsv"
    wildcard_constraints:
        ablation=any_of(ABLATIONS.names),
    priority: FIRST
    conda:
        MODEL.env("train")
    threads: MODEL.continued_threads
    resources:
        mem_mb=MODEL.memory("train"),
        runtime=MODEL.minutes("train"),
        gpu=MODEL.continued_gpus,
    params:
        templates=lambda wildcards: MODEL.continued(wildcards)["templates"],
        settings=MODEL.adapter_settings,
        reference=MODEL.reference_training,
        overlay=lambda wildcards: config["ablations"][wildcards.ablation],
        gpu=MODEL.uses_gpu,
        base=MODEL.adapter_base,
        card=MODEL.card,
        datasets=MODEL.pair_datasets(),
        checkpoints=MODEL.checkpoint_folder,
        tensorboard=MODEL.tensorboard("{ablation}"),
        code=code("pretrain/adapter.py", TRAINING_PROCESS),
    script:
        "../scripts/pretrain/adapter.py"


use rule pretrain_merge as pretrain_ablation_merge with:
    input:
        base="<results>/models/{model}/base",
        tokenizer="<results>/models/{model}/tokenizer",
        adapter="<results>/models/{model}/adapter-{ablation}",
    output:
        directory("<results>/models/{model}/{ablation}"),
    log:
        "<logs>/pretrain/{model}/merge_{ablation}.log",
    benchmark:
        "<bench>/pretrain/{model}/merge_{ablation}.tsv"
    wildcard_constraints:
        ablation=any_of(ABLATIONS.names),
    params:
        new_embeddings=lambda wildcards: MODEL.continued(wildcards)["new_embeddings"],
        code=code("pretrain/merge.py"),


rule fetch_checkpoint:
    input:
        base=MODEL.checkpoint_base,
    output:
        directory("<results>/models/{imported}"),
    log:
        "<logs>/pretrain/{imported}.log",
    benchmark:
        "<bench>/pretrain/{imported}.tsv"
    wildcard_constraints:
        imported=any_of(CHECKPOINTS.imports_by("repository")),
    # A fault of the checkpoint should show before days of compiling.
    priority: 50
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=MODEL.memory("load"),
        runtime=MODEL.minutes("load"),
    params:
        settings=MODEL.checkpoint_settings,
        offline=hub_offline,
        root=PROJECT,
        code=code("pretrain/import_checkpoint.py"),
    script:
        "../scripts/pretrain/import_checkpoint.py"


use rule fetch_checkpoint as pretrain_import_checkpoint with:
    wildcard_constraints:
        imported=any_of(CHECKPOINTS.imports_by("path")),


rule pretrain_losses:
    input:
        sample="<results>/sample/losses.parquet",
        tokenizer="<results>/models/{model}/tokenizer",
        model="<results>/models/{model}/{start}",
    output:
        "<results>/models/{model}/losses/{start}.parquet",
    log:
        "<logs>/pretrain/{model}/losses_{start}.log",
    benchmark:
        "<bench>/pretrain/{model}/losses_{start}.tsv"
    wildcard_constraints:
        start=START,
    conda:
        MODEL.env("train")
    resources:
        mem_mb=MODEL.memory("load"),
        runtime=MODEL.minutes("load"),
        gpu=MODEL.gpus(1),
    params:
        settings=lambda wildcards: {
            "seed": config["seed"],
            "gpu": MODEL.uses_gpu(wildcards),
            **pick("pretrain.training", "batch_size", "precision", "tf32"),
            **pick("pretrain", "templates", "llvm_tokens", "context", "new_embeddings"),
            **pick("pretrain", "loss_documents", "loss_windows"),
        },
        checkpoints=MODEL.checkpoint_folder,
        code=code("pretrain/losses.py"),
    script:
        "../scripts/pretrain/losses.py"
