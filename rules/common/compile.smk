"""Functions that name what the stage's rules need."""


def compile_targets(wildcards):
    return []
