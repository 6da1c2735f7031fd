"""Functions that name what the stage's rules need."""


def finetune_targets():
    return []
