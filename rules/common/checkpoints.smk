"""Which checkpoints of a model the run has: trained here, saved on the way of the one training, or given."""

import re

# Checkpoints that are evaluated, and tuned where a benchmark asks for that.
STARTS = config["evaluate"]["checkpoints"]
# Steps of the continued pre-training that become checkpoints of their own.
MILESTONES = sorted(config["pretrain"]["milestones"])
# A wildcard constraint: what a tuning starts from.
START = "base|ircoder(-[0-9]+)?"
# "model/checkpoint" -> where a checkpoint comes from that is fetched or imported in the place of a training.
GIVEN = {
    f"{model}/{name}": source
    for model, entry in MODELS.items()
    for name, source in entry.get("checkpoints", {}).items()
}


def check_checkpoints():
    """End the process with one line when a checkpoint is to be evaluated that nothing makes."""
    last = config["pretrain"]["training"]["max_steps"]
    for step in MILESTONES:
        if last is not None and step > last:
            sys.exit(
                f"error: config: pretrain.milestones: step {step} is after the last step, pretrain.training.max_steps: "
                f"{last}; lower the one or raise the other"
            )
    for start in STARTS:
        step = start.partition("-")[2]
        absent = [model for model in config["models"] if step and f"{model}/{start}" not in GIVEN]
        if absent and int(step) not in MILESTONES:
            sys.exit(
                f"error: config: evaluate.checkpoints: nothing makes {start} of {absent[0]}; add {step} to "
                f"pretrain.milestones, or give it under the model's `checkpoints` in config/models.yaml"
            )


check_checkpoints()


def is_trained(model, checkpoint):
    """Whether a checkpoint comes out of a training of this run."""
    return model in SCRATCH if checkpoint == "base" else f"{model}/{checkpoint}" not in GIVEN


def given_names(kind):
    """A wildcard constraint for the given checkpoints that have a key: `repository` or `path`."""
    return model_names([name for name, source in GIVEN.items() if kind in source])


def checkpoint_base(wildcards):
    """The base of a given checkpoint, where merging it may need one that only this run can make."""
    model, source = wildcards.given.partition("/")[0], GIVEN[wildcards.given]
    whole = "path" in source and not Path(rooted(source["path"]), "adapter_config.json").exists()
    return [f"{RESULTS}/models/{model}/base"] if model in SCRATCH and not whole else []


def checkpoint_settings(wildcards):
    """What decides a given checkpoint, apart from its base."""
    source, entry = GIVEN[wildcards.given], model_entry(wildcards)
    keys = ("context", "special_tokens", "pad_token")
    return {
        "source": {**source, "files": folder_stamp(rooted(source["path"])) if "path" in source else None},
        "base": import_settings(wildcards),
        **{key: entry[key] for key in keys},
    }


def tuned_names():
    """Tunings that the evaluated benchmarks ask for: `instruct` and `commits-{language}`, in the order of training."""
    asked = {
        template.partition("-")[2].format(task=task)
        for benchmark, entry in BENCHMARKS.items()
        for task in benchmark_tasks(benchmark)
        for template in entry["stages"]
    }
    known = ["instruct", *(f"commits-{language}" for language in config["commits"]["languages"])]
    return [name for name in known if name in asked]


def compared_losses():
    """Pairs of model and checkpoint whose validation losses are compared.

    There are none in a run that trains no model on pairs: only for these losses it would have to make the pairs.
    """
    models = sorted(config["models"])
    if not any(is_trained(model, start) for model in models for start in STARTS):
        return []
    return [(model, start) for model in models for start in STARTS]


def trainings(model):
    """Names of the learning curves of a model's trainings in this run, in the order of training."""
    names = ["base"] if model in SCRATCH else []
    if any(is_trained(model, start) for start in STARTS if start != "base"):
        names.append("pretrain")
    tunings = [f"{start}-{name}" for name in tuned_names() for start in STARTS]
    return names + [name for name in tunings if is_trained(model, name)]
