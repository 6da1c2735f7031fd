"""What a run will take: sums by stage, the longest chain of jobs, and the time on some cores."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scripts.lib.markdown_table import markdown_table
from scripts.workflow.estimate.planned import PlannedJob
from scripts.workflow.estimate.rates import ANY, SAMPLED, SNAKEMAKE, Rate, Rates

HOUR = 3600
# Stages in the order of a run.
STAGES = ("sources", "compile", "dedup", "pairs", "pretrain", "finetune", "evaluate", "tables", "provenance")
# A rate may be applied to this many times the largest measured amount without a remark.
_REACH = 10
_BY_MODEL = ("pretrain_", "finetune_", "evaluate_generate")


@dataclass(frozen=True)
class Forecast:
    """What a job will take.

    cpu: CPU seconds; gpu: GPU seconds; size: bytes of outputs that stay; None where neither a rate nor
    the job itself has it.
    seconds: wall-clock time of the job on a machine without other load; for a job without a rate
    its limit (`runtime`).
    is_far: whether the rate was measured on far less, or on another language or runner.
    """

    job: PlannedJob
    cpu: float | None
    gpu: float | None
    size: float | None
    seconds: float
    is_far: bool


def rate_of(job: PlannedJob, rates: Rates) -> Rate | None:
    """The rate of a job: that of its language, model or runner, or else of its rule; a rate of
    another model says nothing.
    """
    own = rates.get((job.rule, job.key))
    if own is not None or (job.key and job.rule.startswith(_BY_MODEL)):
        return own
    return rates.get((job.rule, ANY))


def forecast(job: PlannedJob, rates: Rates, cores: int) -> Forecast:
    """What a job will take on a machine with so many cores."""
    rate = rate_of(job, rates)
    # A rate measured on a CPU says nothing about a job on GPUs.
    if rate is None or (job.gpus and not rate.gpu(job.units)):
        return Forecast(job, None, None, job.size, 60 * job.minutes, False)
    cpu, gpu = rate.cpu(job.units), rate.gpu(job.units)
    seconds = gpu / job.gpus if job.gpus else cpu / min(job.threads, cores)
    is_far = job.units > _REACH * rate.largest or (rate.key == ANY and job.key != "")
    size = rate.bytes(job.units) if job.size is None else job.size
    return Forecast(job, cpu, gpu, size, seconds, is_far)


def longest_chain(forecasts: Sequence[Forecast]) -> tuple[float, list[PlannedJob]]:
    """Seconds and jobs of the chain of jobs, each of which reads the outputs of the one before, that
    takes longest.
    """
    ends: dict[int, float] = {}
    before: dict[int, int | None] = {}
    for number in _ordered(forecasts):
        needs = forecasts[number].job.needs
        last = max(needs, key=lambda need: ends[need], default=None)
        before[number] = last
        ends[number] = forecasts[number].seconds + (ends[last] if last is not None else 0.0)
    if not ends:
        return 0.0, []
    current: int | None = max(ends, key=lambda each: ends[each])
    chain = []
    while current is not None:
        chain.append(forecasts[current].job)
        current = before[current]
    return max(ends.values()), chain[::-1]


def _ordered(forecasts: Sequence[Forecast]) -> list[int]:
    """Positions of all jobs, each after those that it needs."""
    order: list[int] = []
    waiting = {number: len(each.job.needs) for number, each in enumerate(forecasts)}
    users: dict[int, list[int]] = {}
    for number, each in enumerate(forecasts):
        for need in each.job.needs:
            users.setdefault(need, []).append(number)
    ready = [number for number, count in waiting.items() if count == 0]
    while ready:
        number = ready.pop()
        order.append(number)
        for user in users.get(number, []):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return order


def elapsed(forecasts: Sequence[Forecast], cores: int) -> float:
    """Seconds until all jobs have ended, if each starts as soon as what it needs is there and cores
    are free; the longest first.
    """
    waiting = {number: len(each.job.needs) for number, each in enumerate(forecasts)}
    users: dict[int, list[int]] = {}
    for number, each in enumerate(forecasts):
        for need in each.job.needs:
            users.setdefault(need, []).append(number)
    ready = [(-forecasts[number].seconds, number) for number, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now, free = 0.0, cores
    while ready or running:
        postponed = []
        while ready and free:
            _, number = heapq.heappop(ready)
            threads = min(forecasts[number].job.threads, cores)
            if threads <= free:
                free -= threads
                heapq.heappush(running, (now + forecasts[number].seconds, number))
            else:
                postponed.append((-forecasts[number].seconds, number))
        for item in postponed:
            heapq.heappush(ready, item)
        now, number = heapq.heappop(running)
        free += min(forecasts[number].job.threads, cores)
        for user in users.get(number, []):
            waiting[user] -= 1
            if waiting[user] == 0:
                heapq.heappush(ready, (-forecasts[user].seconds, user))
    return now


def overhead(jobs: int, rates: Rates) -> float:
    """CPU seconds of Snakemake itself."""
    rate = rates.get((SNAKEMAKE, ANY))
    return jobs * rate.cpu(1) if rate else 0.0


def hours(seconds: float) -> str:
    """Hours for readers, minutes below two hours."""
    return f"{seconds / 60:,.1f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:,.1f} h"


def temporary_bytes(forecasts: Sequence[Forecast]) -> float:
    """Bytes that are deleted again: temporary outputs, and the checkpoints of one training of each
    model at a time.
    """
    working: dict[str, float] = {}
    for each in forecasts:
        working[each.job.key] = max(working.get(each.job.key, 0.0), each.job.working)
    return sum(each.job.temporary for each in forecasts) + sum(working.values())


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.2f} GB"


def _stage_row(name: str, forecasts: Sequence[Forecast], extra: float = 0.0) -> list[str]:
    known = [each for each in forecasts if each.cpu is not None]
    unknown = [each for each in forecasts if each.cpu is None]
    requested_cpu = sum(60 * each.job.minutes * each.job.threads for each in unknown)
    requested_gpu = sum(60 * each.job.minutes * each.job.gpus for each in unknown)
    gpu = sum(each.gpu or 0.0 for each in known)
    return [
        name,
        f"{len(forecasts):,}",
        hours(extra + sum(each.cpu or 0.0 for each in known)) + ("~" if any(each.is_far for each in known) else ""),
        hours(gpu) if gpu else "",
        _gigabytes(sum(each.size or 0.0 for each in forecasts))
        + ("~" if any(each.is_far and each.job.size is None for each in known) else ""),
        _gigabytes(temporary) if (temporary := temporary_bytes(forecasts)) else "",
        f"{len(unknown):,}" if unknown else "",
        f"≤ {hours(requested_cpu)}" if requested_cpu else "",
        f"≤ {hours(requested_gpu)}" if requested_gpu else "",
    ]


HEAD = ["stage", "jobs", "CPU", "GPU", "disk", "temporary disk", "not measured", "requested CPU", "requested GPU"]


def table(forecasts: Sequence[Forecast], rates: Rates) -> str:
    """The sums by stage as a table of text."""
    present = {each.job.stage for each in forecasts}
    stages = [*(stage for stage in STAGES if stage in present), *sorted(present.difference(STAGES))]
    rows = [_stage_row(stage, [each for each in forecasts if each.job.stage == stage]) for stage in stages]
    own = overhead(len(forecasts), rates)
    rows.append([SNAKEMAKE, "", hours(own), *[""] * 6])
    rows.append(_stage_row("all", forecasts, own))
    return "\n".join(markdown_table(HEAD, rows))


def _unmeasured(forecasts: Sequence[Forecast]) -> str:
    """Rules of the jobs without a rate, with their number."""
    numbers = Counter(each.job.rule for each in forecasts if each.cpu is None)
    return ", ".join(f"{rule} {number:,}" for rule, number in sorted(numbers.items()))


def text(forecasts: Sequence[Forecast], rates: Rates, cores: int, notes: Sequence[str]) -> str:
    """The estimate as it is printed."""
    measured = [replace(each, seconds=each.seconds if each.cpu is not None else 0.0) for each in forecasts]
    chain, jobs = longest_chain(measured)
    rules = " → ".join(dict.fromkeys(job.rule for job in jobs))
    own = overhead(len(forecasts), rates) / cores
    times = [f"longest chain: {hours(chain)} ({rules})", f"on {cores} cores: {hours(elapsed(measured, cores) + own)}"]
    if any(each.cpu is None for each in forecasts):
        limits = f"{hours(longest_chain(forecasts)[0])}, and {hours(elapsed(forecasts, cores) + own)} on {cores} cores"
        times.append(f"these times lack the jobs that were not measured; with their limits: chain ≤ {limits}")
    machines = sorted({rate.machine for rate in rates.values()})
    used = [rate for each in forecasts if (rate := rate_of(each.job, rates)) and each.cpu is not None]
    sampled = sum(rate.method == SAMPLED for rate in used)
    if sampled:
        notes = [
            *notes,
            f"for {sampled:,} jobs the rates are sampled (column method of config/cost_rates.csv), so they are too low",
        ]
    lines = [
        table(forecasts, rates),
        "",
        *times,
        f"measured on: {'; '.join(machines)}",
        "~ extrapolated to much more than was measured, or to other languages",
        f"not measured: {_unmeasured(forecasts) or 'nothing'}; jobs whose rule, model or device has no rate, which "
        "take at most what they request",
        *notes,
    ]
    return "\n".join(lines)
