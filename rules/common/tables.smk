"""Functions that name what the stage's rules need."""


def tables_targets():
    return []
