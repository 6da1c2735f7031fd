"""Functions that name what the stage's rules need."""


def tuning_settings(section, wildcards, *keys):
    """What decides a tuning beside its inputs; `keys` name more values of the section."""
    return {
        "seed": config["seed"],
        "prompts": config[section]["prompts"],
        "lora": lora_settings(section, wildcards),
        "training": training_settings(section),
        **{key: config[section][key] for key in keys},
    }


def instruction_files():
    """Training and validation rows for instruction tuning."""
    return [rooted(f"{config['instruct']['data']}/{split}.jsonl") for split in ("train", "validation")]


def commits_file(wildcards):
    """The commits of one language, those that the benchmark of commit messages has."""
    return task_files("commits", wildcards.language)


def finetune_targets():
    """Final files of the stage."""
    tuned = ["instruct", *(f"commits-{language}" for language in config["commits"]["languages"])]
    return expand(
        f"{RESULTS}/models/{{model}}/{{start}}-{{tuned}}",
        model=config["models"],
        start=["base", "ircoder"],
        tuned=tuned,
    )
