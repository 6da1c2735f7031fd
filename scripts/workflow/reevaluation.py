"""Lets Snakemake's scheduler wait for one evaluation at a time.

Snakemake 9.27 evaluates which jobs can start when a job ends, and again one second after each
evaluation, because its limit of jobs per second may then allow more. Each of those evaluations
starts a timer for the next, so every job that has ended adds an evaluation in every following
second, of all jobs that are ready (github.com/snakemake/snakemake/pull/3744).
"""

from threading import Lock, Timer
from typing import Any, Protocol

from snakemake.scheduling.job_scheduler import JobScheduler

# As Snakemake spells it.
_NAME = "_schedule_reevalutation"


class Scheduler(Protocol):
    """What is used of Snakemake's scheduler: the semaphore that starts an evaluation."""

    _open_jobs: Any


class OneTimer:
    """Replaces the method of a scheduler that evaluates again after a delay: at most one is pending."""

    def __init__(self) -> None:
        self._lock, self._pending = Lock(), False

    def __call__(self, scheduler: Scheduler, delay: float) -> None:
        """Evaluate `delay` seconds from now, unless another evaluation is pending already."""
        with self._lock:
            if self._pending:
                return
            self._pending = True
        Timer(delay, self._evaluate, (scheduler,)).start()

    def _evaluate(self, scheduler: Scheduler) -> None:
        with self._lock:
            self._pending = False
        scheduler._open_jobs.release()


def wait_for_one_evaluation() -> None:
    """Replace the method in Snakemake's scheduler, if this version has it."""
    if hasattr(JobScheduler, _NAME):
        timer = OneTimer()
        setattr(JobScheduler, _NAME, lambda scheduler, delay: timer(scheduler, delay))
