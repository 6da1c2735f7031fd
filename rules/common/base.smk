"""What all rule files use, namely code hashes as params, paths below the project root, and needs that grow at a retry."""

from pathlib import Path

from scripts.lib.code_hash import code_hash as code


def rooted(path):
    """A path of the config, read relative to the project's root, whatever the working directory is."""
    return str(Path(ROOT, path))


# What the Snakemake inside a cluster's job takes beside the job's own program.
NESTED_SNAKEMAKE_MB = 300


def _per_attempt(need, extra=0):
    """A resource function: `need` (a number, or a function of the wildcards) plus `extra`, times the attempt."""

    def amount(wildcards, attempt):
        return ((need(wildcards) if callable(need) else need) + extra) * attempt

    return amount


def memory(need):
    """`mem_mb` of a rule that needs `need` megabytes; a job that was killed for memory comes back with more."""
    return _per_attempt(need, NESTED_SNAKEMAKE_MB)


def minutes(need):
    """`runtime` of a rule that takes at most `need` minutes; a job that ran out of time comes back with more."""
    return _per_attempt(need)


def hub_offline(wildcards, threads):
    """`hub.offline` as a param: what was fetched stays as it is when the key is switched on afterwards.

    Snakemake takes a param that is a function of `threads` for derived, and does not compare it with an earlier run's.
    """
    return config["hub"]["offline"]
