"""Functions that name what the stage's rules need."""


def pairs_targets():
    return []
