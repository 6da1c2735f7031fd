"""What a run has done so far: its jobs by stage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Job:
    """A job that was started: its rule, its wildcards' values, its logs and when it started (s)."""

    rule: str
    values: tuple[str, ...]
    logs: tuple[str, ...]
    start: float

    @property
    def name(self) -> str:
        """Rule and wildcards in words."""
        return " ".join((self.rule, *self.values))


@dataclass
class Stage:
    """Jobs of one stage: how many are planned and done, which run, and when the stage started and
    last ended a job (s).
    """

    name: str
    total: int = 0
    done: int = 0
    running: dict[int, Job] = field(default_factory=dict)
    start: float | None = None
    end: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Whether every job that is planned so far is done."""
        return self.done >= self.total and not self.running

    @property
    def seconds(self) -> float:
        """From the start of the first job to the end of the last."""
        return 0.0 if self.start is None else self.end - self.start


def stage_of(rule: str) -> str:
    """The stage of a rule, the first word of its name; empty for a target such as `all`."""
    stage, separator, _ = rule.partition("_")
    return stage if separator else ""


def duration(seconds: float) -> str:
    """Seconds as hours, minutes and seconds."""
    return str(timedelta(seconds=int(seconds)))


class Board:
    """The stages of a run. Times are seconds of one clock, which the caller reads."""

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self.reported: set[str] = set()

    def plan(self, counts: Mapping[str, int], order: Iterable[str] = ()) -> None:
        """Set how many jobs each rule has; finished jobs count. `order` is that of the stages."""
        totals = dict.fromkeys(filter(None, order), 0)
        for rule, count in counts.items():
            if name := stage_of(rule):
                totals[name] = totals.get(name, 0) + count
        self.stages = {name: self._stage(name) for name in (*totals, *self.stages)}
        for name, total in totals.items():
            stage = self.stages[name]
            stage.total = max(total, stage.done + len(stage.running))

    def _stage(self, name: str) -> Stage:
        return self.stages.setdefault(name, Stage(name))

    def start(self, identifier: int, job: Job) -> None:
        """Note that a job was started or submitted."""
        if name := stage_of(job.rule):
            stage = self._stage(name)
            stage.running[identifier] = job
            stage.start = job.start if stage.start is None else stage.start
            stage.total = max(stage.total, stage.done + len(stage.running))

    def finish(self, identifier: int, now: float) -> Job | None:
        """Note that a job is done; returns it, None where it has no stage."""
        return self._end(identifier, now, done=1)

    def fail(self, identifier: int, now: float) -> Job | None:
        """Note that a job failed; returns it, None where it has no stage or failed before."""
        return self._end(identifier, now, done=0)

    def _end(self, identifier: int, now: float, done: int) -> Job | None:
        for stage in self.stages.values():
            if job := stage.running.pop(identifier, None):
                stage.done += done
                stage.end = now
                return job
        return None

    def newly_complete(self) -> list[Stage]:
        """Stages that are complete and were not returned before.

        A later stage may seem complete while checkpoints of an earlier one can still add jobs to
        it, so a stage is returned only after all stages before it.
        """
        stages = []
        for stage in self.stages.values():
            if stage.total and not stage.is_complete:
                break
            if stage.done and stage.name not in self.reported:
                self.reported.add(stage.name)
                stages.append(stage)
        return stages

    @property
    def running(self) -> list[Job]:
        """The jobs that run, the one that started first at the head."""
        jobs = [job for stage in self.stages.values() for job in stage.running.values()]
        return sorted(jobs, key=lambda job: job.start)

    @property
    def done(self) -> int:
        """Number of jobs that are done."""
        return sum(stage.done for stage in self.stages.values())

    @property
    def total(self) -> int:
        """Number of jobs that are planned so far."""
        return sum(stage.total for stage in self.stages.values())

    def running_now(self, now: float, most: int = 3) -> str:
        """The running jobs in words, `most` at most, each with its time so far."""
        jobs = self.running
        names = [f"{job.name} ({duration(now - job.start)})" for job in jobs[:most]]
        if len(jobs) > most:
            names.append(f"{len(jobs) - most} more")
        return ", ".join(names) or "none"
