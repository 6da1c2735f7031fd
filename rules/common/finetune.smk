"""Functions that name what the stage's rules need."""

FETCHED_INSTRUCT = f"{RESULTS}/instruct"
# The fields of a rendered conversation, of which only the last message may be shortened (scripts/finetune/chat.py).
CHAT_PROMPT = "{before}{instruction}{after}"


def tuning_settings(section, wildcards, *keys):
    """What decides a tuning beside its inputs; `keys` name more values of the section."""
    return {
        "seed": config["seed"],
        "prompts": config[section]["prompts"],
        "lora": lora_settings(section, wildcards),
        "training": training_settings(section),
        **{key: config[section][key] for key in keys},
    }


def instruct_settings(wildcards):
    """What decides an instruction tuning, apart from its inputs; with a chat template, that writes the prompts."""
    settings = tuning_settings("instruct", wildcards)
    template = config["instruct"]["chat_template"]
    if template is None:
        return settings
    prompts = {**settings["prompts"], "template": CHAT_PROMPT, "shorten": "instruction"}
    return {**settings, "prompts": prompts, "chat_template": template}


def instruction_files(wildcards):
    """Training and validation rows for instruction tuning: of the folder `instruct.data`, or fetched."""
    folder = FETCHED_INSTRUCT if config["instruct"]["data"] is None else rooted(config["instruct"]["data"])
    return [f"{folder}/{split}.jsonl" for split in ("train", "validation")]


def commits_file(wildcards):
    """The commits of one language, those that the benchmark of commit messages has."""
    return task_files("commits", wildcards.language)


def tuned_models(names):
    """Folders of the tuned models with these names of tunings, for each evaluated checkpoint of each model."""
    pattern = f"{RESULTS}/models/{{model}}/{{start}}-{{tuned}}"
    return expand(pattern, model=config["models"], start=STARTS, tuned=names)


def evaluated_tunings():
    """Folders of the tuned models that the run evaluates."""
    return tuned_models(tuned_names())


def finetune_targets():
    """Final files of the stage: all tunings, whether the run evaluates them or not."""
    return tuned_models(["instruct", *(f"commits-{language}" for language in config["commits"]["languages"])])
