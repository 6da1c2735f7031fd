"""Functions that name what the stage's rules need."""


def evaluate_targets():
    return []
