"""Functions that name what the stage's rules need."""


def sources_targets():
    return []
