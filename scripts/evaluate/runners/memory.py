"""Memory of the programs that run at the same time: each reserves what it may use before it starts.

A program may use far more than most need: a compiler 4,000 MB, of which 300 are usual. A job that
had so much memory for each of its threads would leave most of it unused. With less, three hungry
programs at the same time would exhaust it, and the kernel would end the job, or a program that had
done nothing wrong. So a program first starts with an equal share of the job's memory. One that
needs more is ended and starts again once as much is free as its limits allow. The verdict is that
of a run under the limits of the table in either case, whatever other programs do.
"""

import math
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from scripts.lib.sandbox.run import Limits, Outcome

# Memory that a job has for each program that runs at the same time; compilers of the benchmarks
# were measured to use up to 315 MB.
SHARE_MB = 750
# The job's own process with its tables, and what each thread keeps ready between programs: its
# sandboxes and the program's files.
_OWN_MB, _THREAD_MB = 500, 40
# Memory is measured every 20 to 100 ms, and programs grow in the meantime. So a program is ended
# some way below its share, and one with all that its limits allow has room above them.
_ENDED_AT, _ABOVE_LIMIT = 0.75, 1.1


def needed_mb(limits: int, programs: int = 1) -> int:
    """Memory that `programs` with a limit of `limits` megabytes each may use together."""
    return math.ceil(programs * limits * _ABOVE_LIMIT)


def job_mb(table: Mapping[str, Any], threads: int) -> int:
    """Memory of a job that runs programs on so many threads, without what starts the job.

    table: the runner's entry in config/runners.yaml.
    """
    # Of a script, the program and its tests are two runs at the same time.
    together = {"execute": 2 if table["kind"] == "script" else 1}
    largest = max(needed_mb(each["memory_mb"], together.get(step, 1)) for step, each in table["limits"].items())
    return _OWN_MB + threads * _THREAD_MB + max(threads * SHARE_MB, largest)


class MemoryPool:
    """The memory of a job's programs.

    megabytes: all of it; by default there is no limit. workers: how many programs run at the same
    time. A single program always starts, also where its limits allow more than there is.
    """

    def __init__(self, megabytes: int = sys.maxsize, workers: int = 1) -> None:
        self.megabytes = self.free = max(megabytes, 1)
        self.share = min(self.megabytes, max(SHARE_MB, self.megabytes // workers))
        self.changed = threading.Condition()
        self.waiting: deque[object] = deque()

    @classmethod
    def of_job(cls, job_megabytes: int, workers: int) -> "MemoryPool":
        """The pool of a job that may use so much memory in all, without what starts the job."""
        return cls(job_megabytes - _OWN_MB - workers * _THREAD_MB, workers)

    @contextmanager
    def reserved(self, megabytes: int) -> Iterator[None]:
        """Reserve memory, at most all there is; wait for it in the order of the requests."""
        amount, ticket = min(megabytes, self.megabytes), object()
        with self.changed:
            self.waiting.append(ticket)
            self.changed.wait_for(lambda: self.waiting[0] is ticket and self.free >= amount)
            self.waiting.popleft()
            self.free -= amount
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.free += amount
                self.changed.notify_all()

    def run(self, limits: Limits, start: Callable[[Limits], Outcome]) -> Outcome:
        """The outcome of a program's run; `start` runs it, maybe twice, under the limits given to it."""
        return self.run_together(limits, 1, lambda each: [start(each)])[0]

    def run_together(
        self, limits: Limits, programs: int, start: Callable[[Limits], Sequence[Outcome]]
    ) -> Sequence[Outcome]:
        """As `run`, for so many programs that run at the same time and each have these limits."""
        whole = needed_mb(limits.memory_mb, programs)
        if self.share < whole:
            ended_at = int(self.share * _ENDED_AT / programs)
            with self.reserved(self.share):
                outcomes = start(replace(limits, ended_at_mb=ended_at))
            if all(outcome.status != "memory_limit" for outcome in outcomes):
                return outcomes
        with self.reserved(whole):
            return start(limits)
