"""Snakemake's log events, shown as the progress of stages."""

import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from .board import Board, Job, duration, stage_of
from .job_logs import error_in, printable, warnings_in
from .output import Redirection
from .screens import Screen, screen_for

FOLDER = Path(".snakemake", "log")
_MOST_LINES = 20  # of one message
_MOST_WARNINGS, _MOST_FAILURES = 15, 10
_SHOWN_TEXTS = ("Trying to restart job", "Terminating processes", "Shutting down")
# Errors that follow from a job's, which was shown with the last line of its log.
_CONSEQUENCES = ("CalledProcessError", "Exiting because a job", "At least one job did not complete")
_DRY_RUN_TEXTS = ("Reasons:", "This was a dry-run", "Nothing to be done")


JobKey = tuple[str, tuple[str, ...]]  # rule and values of its wildcards


def _values(wildcards: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of a job's wildcards, which with its rule distinguish it from others."""
    return tuple(map(str, wildcards.values()))


class LogHandler(LogHandlerBase):
    """Shows stages, warnings and errors; writes everything that Snakemake prints otherwise to a log."""

    def __post_init__(self) -> None:
        from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

        settings = self.common_settings
        name = datetime.now().isoformat().replace(":", "") + ".run.log"
        self.path = FOLDER / name
        self.output = Redirection(self.path.absolute(), to_stdout=settings.stdout)
        self.screen: Screen = screen_for(self.output.terminal)
        self.output.show_errors(self._show_line)
        formatter = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        visible = (settings.quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds)
        self.log = ColorizingTextHandler(True, self.output.log, formatter, DefaultFilter(*visible))
        self.board, self.start = Board(), time.monotonic()
        self.workflow: Any = None
        self.done: set[JobKey] = set()
        self.planned = self.has_error = self.is_interrupted = self.is_closed = False
        self.shown: Counter[str] = Counter()
        self.unplanned: list[str] = []
        self._show(f"log: {self.path}")

    def follow(self, workflow: Any) -> None:
        """Count the jobs of stages in the plan of a workflow, to which checkpoints add jobs."""
        self.workflow = workflow
        logging.getLogger("snakemake.logging").addFilter(self._add_plan)

    def _add_plan(self, record: logging.LogRecord) -> bool:
        """Add the plan to the record of the jobs that start: here, in the thread that changes it."""
        if getattr(record, "event", None) == LogEvent.JOB_STARTED:
            jobs = self.workflow.dag.needrun_jobs(exclude_finished=False)
            record.plan = frozenset((job.rule.name, _values(job.wildcards_dict)) for job in jobs)
        return True

    # --- what Snakemake asks of a handler ---------------------------------------------------------

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record to the log and show what it means for the run."""
        try:
            self.log.handle(record)
            self._handle(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Show how the run ended; called several times."""
        if not self.is_closed:
            self.is_closed = True
            self._end()
            self.screen.close()
            self.output.close()
        super().close()

    # --- records ----------------------------------------------------------------------------------

    def _handle(self, record: logging.LogRecord) -> None:
        event, fields = getattr(record, "event", None), vars(record)
        if event == LogEvent.RUN_INFO:
            self._plan(fields["stats"])
        elif event == LogEvent.JOB_INFO and not self.common_settings.dryrun:
            self._start_job(fields)
        elif event == LogEvent.JOB_STARTED and "plan" in fields:
            self._replan(fields["plan"])
        elif event == LogEvent.JOB_FINISHED:
            self._finish_job(fields["job_id"])
        elif event == LogEvent.JOB_ERROR:
            self._fail_job(fields)
        elif event == LogEvent.GROUP_ERROR:
            for job in fields["job_error_info"]:
                self._fail_job(job | {"log": [*job["log"], *fields["aux_logs"]]})
        elif event in (None, LogEvent.ERROR):
            self._text(record)

    def _plan(self, stats: Mapping[str, int]) -> None:
        first, self.planned = not self.planned, True
        if not first:
            return
        counts = {rule: count for rule, count in stats.items() if rule != "total"}
        self._update(counts)
        self._show(f"{self.board.total} jobs planned: {self._stages_in_words()}")
        if self.common_settings.dryrun:
            for stage in self.board.stages:
                if rules := [f"{rule} {count}" for rule, count in sorted(counts.items()) if stage_of(rule) == stage]:
                    self._show(f"  {stage:<11} {', '.join(rules)}")

    def _stages_in_words(self) -> str:
        return ", ".join(f"{stage.name} {stage.total}" for stage in self.board.stages.values() if stage.total)

    def _update(self, counts: Mapping[str, int]) -> None:
        """Set the plan, in the order in which the workflow defines its stages."""
        defined = [] if self.workflow is None else [rule.name for rule in self.workflow.rules]
        self.board.plan(counts, dict.fromkeys(map(stage_of, defined)))

    def _replan(self, planned: frozenset[JobKey]) -> None:
        """Count the jobs again, and show the stages that are complete.

        Checkpoints leave the plan when they are done, and add jobs to it, so that only a new plan
        shows whether a stage is complete.
        """
        self._update(Counter(rule for rule, _ in planned | self.done))
        self.screen.update(self.board, self.board.newly_complete())

    def _start_job(self, fields: Mapping[str, Any]) -> None:
        job = Job(fields["rule_name"], _values(fields["wildcards"]), tuple(map(str, fields["log"])), time.monotonic())
        self.board.start(fields["jobid"], job)
        self.screen.update(self.board, [])

    def _finish_job(self, identifier: int) -> None:
        job = self.board.finish(identifier, time.monotonic())
        if job is not None:
            self.done.add((job.rule, job.values))
            self._warn(job.rule, warnings_in(job.logs))
        self.screen.update(self.board, [])

    def _warn(self, source: str, texts: Iterable[str]) -> None:
        """Show warnings that were not shown before, up to a number."""
        for text in texts:
            if self.shown[f"warning: {text}"]:
                continue
            self.shown[f"warning: {text}"] += 1
            self.shown["warnings"] += 1
            if self.shown["warnings"] <= _MOST_WARNINGS:
                self._show(f"warning: {source}: {text}" if source else f"warning: {text}", "yellow")

    def _fail_job(self, fields: Mapping[str, Any]) -> None:
        """Show a job's failure once: Snakemake reports it again at the end of a run."""
        self.has_error = True
        job = self.board.fail(fields["jobid"], time.monotonic())
        name = fields["rule_name"] if job is None else job.name
        logs = list(map(str, fields["log"]))
        if job is None and (stage_of(fields["rule_name"]) and self.shown[f"failed {fields['jobid']}"]):
            return
        self.shown[f"failed {fields['jobid']}"] += 1
        if self.is_interrupted:
            return
        self.shown["failures"] += 1
        if self.shown["failures"] > _MOST_FAILURES:
            return
        error = error_in(logs).removeprefix("ERROR ").removeprefix(f"{fields['rule_name']}: ")
        error = error or printable(str(fields.get("rule_msg") or "")) or "no message in its log"
        self._show(f"error: {name} failed: {error}", "red")
        if logs:
            self._show(f"  its log: {', '.join(logs)}")

    def _text(self, record: logging.LogRecord) -> None:
        """Show a message that belongs to no job."""
        text = str(record.getMessage() or "")
        if not text or text == "None":
            return
        if record.levelno >= logging.ERROR:
            self.has_error = True
            if not any(words in text for words in _CONSEQUENCES) and not self.shown[text]:
                self.shown[text] += 1
                self._show(text, "red")
        elif record.levelno >= logging.WARNING:
            self._warn("", [" ".join(text.split())])
        elif self.common_settings.dryrun and text.startswith(_DRY_RUN_TEXTS):
            self._show(text.strip())
        elif text.startswith(_SHOWN_TEXTS):
            # The jobs that it ends did not fail.
            self.is_interrupted = self.is_interrupted or text.startswith("Terminating")
            self._show(text)
        elif not self.planned:
            self.unplanned.append(text)

    # --- the terminal -----------------------------------------------------------------------------

    def _show(self, text: str, style: str = "") -> None:
        lines = [printable(line) for line in text.splitlines() if line.strip()]
        if len(lines) > _MOST_LINES:
            lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines in the log"]
        for line in lines:
            self.screen.message(line, style)

    def _show_line(self, line: str) -> None:
        if line.strip():
            self.screen.message(printable(line))

    def _end(self) -> None:
        if not self.planned and not self.has_error:
            # What commands such as --unlock print, and that nothing is to be done.
            idle = [text for text in self.unplanned if text.startswith("Nothing to be done")]
            for text in idle or self.unplanned:
                self._show(text)
        for what, most in (("warnings", _MOST_WARNINGS), ("failures", _MOST_FAILURES)):
            if self.shown[what] > most:
                self._show(f"{self.shown[what] - most} more {what} in the log")
        if self.planned and not self.common_settings.dryrun:
            self.screen.update(self.board, self.board.newly_complete())
            for stage in self.board.stages.values():
                if stage.done < stage.total:
                    self._show(f"{stage.name:<11} {stage.done} of {stage.total} jobs done")
            jobs = f"{self.board.done} of {self.board.total} jobs done"
            self._show(f"{jobs} in {duration(time.monotonic() - self.start)}; log: {os.fspath(self.path)}")
