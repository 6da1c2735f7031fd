"""Functions that name what the stage's rules need."""


def report_targets():
    return []


def audit_targets():
    return []
