"""Runs programs of interpreted languages as the table describes it: program and tests in two sandboxes.

The table names an interpreter's command and a harness, a file of `runtime/` written in the language itself. The command
is started twice, with three more arguments: a role and the paths of two named pipes, one to read from and one to write
to.

`candidate`
    sees the program and the name of the tested function (file `entry_point`), and answers calls of that function.
`judge`
    sees the tests, the same name, and a nonce (files `tests`, `entry_point`, `nonce`). It runs the tests, in which the
    function is one that asks the candidate, and prints `<nonce> <status> <detail>` and, on a second line, a message.

Each role opens first its outgoing pipe, for reading and writing, so that it does not wait for the other role, and then
its incoming pipe, for reading, so that it sees the end of the file when the other role has ended. The harness defines
the messages. The roles share neither processes nor files nor memory. So a program cannot read the tests or the nonce,
and cannot end, replace or skip the tests: it can only return values.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from scripts.evaluate.runners.base import Setup, Verdict, at_limit, attested_verdict, new_nonce
from scripts.evaluate.runners.interpreted import RUNTIME
from scripts.evaluate.runners.programs import Program
from scripts.lib.sandbox.run import Limits, Outcome, run

_PIPES_INSIDE = "/opt/pipes"
_REQUESTS, _REPLIES = "requests", "replies"
# The output of a candidate is dropped, so that it may print as much as it likes.
_SILENT = ("sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh")
_RETRY_SECONDS = 0.01
_ENDED = "ended"


class _Workplace(threading.local):
    """What each judging thread has: a folder for pipes, and a second thread that runs the candidates.

    A sandbox stays ready for the next run of the thread that started it, so both threads live as long as the runner.
    """

    def __init__(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="pipes-")
        self.folder = Path(self.temporary.name)
        self.folder.chmod(0o755)
        self.second_thread = ThreadPoolExecutor(1)


class ScriptRunner:
    """Runs a program and its tests in two sandboxes that are connected by two named pipes."""

    def __init__(self, setup: Setup) -> None:
        table, tools = setup.table, setup.tools
        self.harness = {table["harness"]: (RUNTIME / table["harness"]).read_bytes()}
        self.command = tools.command(table["command"])
        self.sandbox = replace(tools.sandbox, env=table.get("environment", {}), work_mb=64)
        self.limits = setup.limits("execute")
        self.recorder, self.memory = setup.recorder, setup.memory
        self.workplace = _Workplace()

    def judge(self, program: Program) -> Verdict:
        """See `Runner`."""
        nonce = new_nonce()
        judged, candidate = self.memory.run_together(
            self.limits, 2, lambda limits: self._run_both(program, nonce, limits)
        )
        return self._verdict(judged, candidate, nonce)

    def _run_both(self, program: Program, nonce: str, limits: Limits) -> tuple[Outcome, Outcome]:
        """The outcomes of judge and candidate."""
        folder = self.workplace.folder
        shared = {**self.harness, "entry_point": program.entry_point.encode()}
        source = {name: text.encode() for name, text in program.files}
        tests = {"tests": program.tests.encode(), "nonce": nonce.encode()}
        _make_pipes(folder)
        candidate_ended, judge_ended = threading.Event(), threading.Event()

        def candidate() -> Outcome:
            try:
                return self._run("candidate", folder, {**shared, **source}, limits)
            finally:
                candidate_ended.set()
                _send_end_of_file(folder / _REPLIES, judge_ended)

        running = self.workplace.second_thread.submit(candidate)
        try:
            judged = self._run("judge", folder, {**shared, **tests}, limits)
        finally:
            judge_ended.set()
            _send_end_of_file(folder / _REQUESTS, candidate_ended)
        return judged, running.result()

    def _verdict(self, judged: Outcome, candidate: Outcome, nonce: str) -> Verdict:
        """The judge's verdict, or the limit that ended one of the two; CPU time is that of both."""
        verdict = at_limit(judged, self.recorder) or attested_verdict(judged, nonce, self.recorder)
        if verdict.detail == _ENDED:
            ended = replace(verdict, ending=self.recorder.ending(candidate))
            verdict = at_limit(candidate, self.recorder) or ended
        return replace(verdict, cpu_seconds=judged.cpu_seconds + candidate.cpu_seconds)

    def _run(self, role: str, folder: Path, files: Mapping[str, bytes], limits: Limits) -> Outcome:
        """Run the harness in the role `candidate` or `judge`."""
        inside = str(folder) if self.sandbox.mode == "off" else _PIPES_INSIDE
        pipes = [f"{inside}/{_REQUESTS}", f"{inside}/{_REPLIES}"]
        command = [*self.command, role, *(reversed(pipes) if role == "judge" else pipes)]
        silent = _SILENT if role == "candidate" else ()
        sandbox = replace(self.sandbox, binds={**self.sandbox.binds, _PIPES_INSIDE: str(folder)})
        return run([*silent, *command], sandbox=sandbox, limits=limits, files=files)


def _make_pipes(folder: Path) -> None:
    """Make both pipes again, so that nothing that an earlier program wrote is in them."""
    for name in (_REQUESTS, _REPLIES):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
        (folder / name).chmod(0o666)


def _send_end_of_file(pipe: Path, reader_ended: threading.Event) -> None:
    """Let the reader of a pipe whose writer has ended see the end, also if it only now opens the pipe."""
    while not reader_ended.wait(_RETRY_SECONDS):
        # Without a reader, opening fails.
        with contextlib.suppress(OSError):
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
