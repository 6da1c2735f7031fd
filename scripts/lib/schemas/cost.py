"""What the jobs of a run cost. These tables differ between equal runs, and no digest covers them."""

import pyarrow as pa

from scripts.lib.schemas.table import Column, Table, text

_STAGE = text("stage", "stage of the rule; `snakemake` for Snakemake itself")
_RULE = text(
    "rule",
    "name of the rule; `snakemake` for planning, scheduling and watching jobs, `between_jobs` for the shells that "
    "start jobs and the end of their processes",
)
_MODEL = text("model", "model that the job is for; empty for other jobs")
_CHECKPOINT = text("checkpoint", "checkpoint that the job is for; empty for other jobs")
_USED = (
    Column("wall_seconds", pa.float64(), "time from the start to the end of the process", "s"),
    Column("user_seconds", pa.float64(), "CPU time in user mode of the process and all processes below it", "s"),
    Column("system_seconds", pa.float64(), "CPU time in the kernel, likewise", "s"),
    Column(
        "killed_seconds",
        pa.float64(),
        "CPU time of programs that a sandbox killed at a limit, which the kernel and `time` do not count",
        "s",
    ),
    Column("gpu_seconds", pa.float64(), "number of GPUs times the wall-clock time", "s"),
    Column("peak_memory_mb", pa.float64(), "largest memory of all processes of a job together", "MB"),
    Column("bytes_written", pa.int64(), "bytes sent to storage, without in-memory file systems", "B"),
    Column("output_bytes", pa.int64(), "size of the outputs when the job ended", "B"),
    Column("sacct_cpu_seconds", pa.float64(), "CPU time of the SLURM jobs by `sacct`; empty without SLURM", "s"),
    Column("sacct_peak_memory_mb", pa.float64(), "largest memory of a SLURM job by `sacct`", "MB"),
)

COST = Table(
    "Cost by rule",
    "provenance/cost.csv",
    "One row for each stage, rule, model and checkpoint, sorted by stage in the order of the run. Values are sums over "
    "attempts, except that memory is the largest. Failed and killed attempts that led to a result are included.",
    (
        _STAGE,
        _RULE,
        _MODEL,
        _CHECKPOINT,
        Column("jobs", pa.int64(), "number of jobs"),
        Column("attempts", pa.int64(), "number of attempts, more than jobs where some failed or were killed"),
        *_USED,
    ),
)

JOB_COSTS = Table(
    "Cost of jobs",
    "provenance/job_costs.csv",
    "One row for each attempt of each job, in the order of their starts.",
    (
        _STAGE,
        _RULE,
        text("job", "name of the job: path of its log below `logs/`, without suffix"),
        _MODEL,
        _CHECKPOINT,
        text("state", "`done`, `failed`, or `running` for an attempt that was killed or still runs"),
        Column("started", pa.float64(), "start in seconds since 1970", "s"),
        *_USED,
        Column("threads", pa.int64(), "threads that the job was given"),
        Column("gpus", pa.int64(), "GPUs that the job was given"),
        text("machine", "name of the machine"),
        text("cpu", "processor of the machine"),
        text("slurm_job", "identifier of the SLURM job; empty without SLURM"),
    ),
)
