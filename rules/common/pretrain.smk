"""Functions that name what the stage's rules need."""


def pretrain_targets():
    return []
