"""Functions that name what the stage's rules need."""


def dedup_targets():
    return []
