"""How much of the memory that a job requests its script may use."""

from typing import Any

# What the Snakemake inside a cluster's job uses in addition to the job's own program.
NESTED_SNAKEMAKE_MB = 300


def script_mb(resources: Any) -> int:
    """Megabytes that the script of a job may use, by the job's `resources`."""
    return int(resources.mem_mb) - NESTED_SNAKEMAKE_MB
