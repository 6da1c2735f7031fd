"""Functions that name what the stage's rules need."""

from scripts.lib.files import read_json
from scripts.lib.local_models import folder_stamp, local_model

SCRATCH = sorted(name for name, entry in MODELS.items() if entry["source"] == "scratch")
HUB = sorted(name for name, entry in MODELS.items() if entry["source"] == "hub")
LOCAL = sorted(set(MODELS) - {*SCRATCH, *HUB})
CHECKPOINTS = f"{RESULTS}/checkpoints/{{model}}"
TRAINING_CODE = "lib/training/worker.py"


def model_names(names):
    """A wildcard constraint for some names of models; for none, a pattern that matches nothing."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def model_entry(wildcards):
    """The entry of config/models.yaml; a wildcard `given` is model and checkpoint."""
    return MODELS[wildcards.get("model") or wildcards.given.partition("/")[0]]


def model_memory(kind):
    """`mem_mb` by the size of the model; `kind` is a key of its `resources`."""
    return memory(lambda wildcards: model_entry(wildcards)["resources"][kind]["mem_mb"])


def model_minutes(kind):
    """`runtime` by the size of the model; `kind` is a key of its `resources`."""
    return minutes(lambda wildcards: model_entry(wildcards)["resources"][kind]["runtime"])


def gpus(processes):
    """`gpu` for a job of so many processes: one each for a model that asks for GPUs, else none."""
    return lambda wildcards: processes if model_entry(wildcards)["gpu"] else 0


def on_gpu(wildcards):
    """Whether the model is to be run on a GPU."""
    return model_entry(wildcards)["gpu"]


def pair_tables():
    """The pairs of all languages and variants."""
    return expand(
        f"{RESULTS}/pairs/{{language}}/{{variant}}.parquet",
        language=config["languages"],
        variant=config["variants"],
    )


def checkpoint_folder(wildcards):
    """The folder of a model's training checkpoints, outside of all outputs so that they outlive a failed job."""
    return CHECKPOINTS.format(model=wildcards.model)


def card_of(wildcards):
    """What a model's card tells of its base."""
    entry = model_entry(wildcards)
    return {"title": entry["title"], "license": entry["license"], "base": entry.get("repository")}


def operators(section):
    """DeepSpeed's compiled operators, where a section of the config trains on CPUs with DeepSpeed."""

    def files(wildcards):
        needed = config[section]["training"]["deepspeed"] and not on_gpu(wildcards)
        return [f"{RESULTS}/checkpoints/deepspeed_operators"] if needed else []

    return files


def tensorboard(name):
    """The folder for TensorBoard's files of a training; `name` may hold wildcards."""
    return lambda wildcards: f"{RESULTS}/logs/tensorboard/{{model}}/{name}".format(**wildcards)


def import_settings(wildcards):
    """What decides a base that is not made here."""
    keys = ("source", "repository", "revision", "path", "package", "file")
    settings = {key: value for key, value in model_entry(wildcards).items() if key in keys}
    local = local_model(settings, ROOT)
    return settings if local is None else {**settings, "files": folder_stamp(local)}


def first_tokenizer(wildcards):
    """The folder with the tokenizer that a model had before it got the new tokens."""
    folder = "vocabulary" if wildcards.model in SCRATCH else "base"
    return f"{RESULTS}/models/{wildcards.model}/{folder}"


def training_settings(section, key="training"):
    """A training block of the config, with the content of its DeepSpeed file."""
    settings = dict(config[section][key])
    if settings["deepspeed"]:
        settings["deepspeed"] = read_json(rooted(settings["deepspeed"]))
    return settings


def lora_settings(section, wildcards):
    """LoRA of a section of the config, with the layers that the model's entry names."""
    entry, lora = model_entry(wildcards), config[section]["lora"]
    saved = entry["modules_to_save"] if lora["embeddings"] else []
    rank = {key: lora[key] for key in ("r", "alpha", "dropout")}
    return {**rank, "targets": entry["lora_targets"], "modules_to_save": saved}


def base_settings(wildcards):
    """What decides a base made from scratch."""
    return {
        "seed": config["seed"],
        **{key: config["pretrain"][key] for key in ("context", "train_documents", "validation_documents")},
        "architecture": model_entry(wildcards)["architecture"],
        "training": training_settings("pretrain", "base"),
    }


def token_settings():
    """What decides the training sequences."""
    keys = ("templates", "llvm_tokens", "packing", "context", "train_documents", "validation_documents")
    return {"seed": config["seed"], **{key: config["pretrain"][key] for key in keys}}


def adapter_settings(wildcards):
    """What decides the adapter beside its inputs."""
    section = config["pretrain"]
    return {
        "seed": config["seed"],
        "new_embeddings": section["new_embeddings"],
        "pad_to": section["context"] if section["packing"] == "pad" else None,
        "lora": lora_settings("pretrain", wildcards),
        "training": training_settings("pretrain"),
    }


def loss_settings():
    """What decides which validation documents are scored, and how."""
    keys = ("templates", "llvm_tokens", "context", "new_embeddings", "loss_documents")
    batch = config["pretrain"]["training"]["batch_size"]
    return {"seed": config["seed"], "batch_size": batch, **{key: config["pretrain"][key] for key in keys}}


def pretrain_targets():
    """Final files of the stage: the checkpoints that are evaluated, saved ones with them, and validation losses."""
    continued = [start for start in STARTS if start != "base"]
    saved = [f"ircoder-{step}" for step in MILESTONES] if continued else []
    checkpoints = [*continued, *(name for name in saved if name not in continued)] or ["base"]
    return [
        *(f"{RESULTS}/models/{model}/{name}" for model in config["models"] for name in checkpoints),
        *loss_files(),
    ]
