"""Run an untrusted command in bubblewrap: no network, no home, a read-only system, a private work
folder, limits.

The sandbox has the system's `/usr`, a few files of `/etc`, its own `/proc`, a minimal `/dev`, and
size-limited in-memory
folders: the work folder (`WORK`, where the command starts), `/tmp` and `/dev/shm`. Everything else
is absent or read-only. It has its own process, network, user, IPC and host name spaces, so that all
its processes die together. It works for root and for ordinary users and needs user name spaces.
Root starts it as `nobody`, because the kernel's limit on the number of processes does not hold for
root. README.md in this folder has a drawing of the processes.
"""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from scripts.lib.job import InputError
from scripts.lib.run_mark import inherited_mark
from scripts.lib.sandbox import bubblewrap
from scripts.lib.sandbox.bubblewrap import WORK, descriptors, memory_file
from scripts.lib.sandbox.collect import collected
from scripts.lib.sandbox.init import FILE_TIME
from scripts.lib.sandbox.session import Session, Sessions, StartedRun
from scripts.lib.sandbox.supervise import (
    Limits,
    Outcome,
    Running,
    adopt_orphans,
    children,
    descendants,
    kill,
    reaped,
    supervise,
    unix_session,
)
from scripts.lib.sandbox.usage import in_folders, in_sockets
from scripts.lib.system_calls import die_with_parent

__all__ = ["WORK", "Limits", "Outcome", "Sandbox", "close_sandboxes", "probe", "run"]

_MAX_OPEN = 1024


@dataclass(frozen=True)
class Sandbox:
    """What a command can see, for any number of runs.

    read_only: paths that are mounted read-only at the same path inside; a missing one is left out.
    binds: paths that are mounted read-only at another path: path inside to path outside.
    env: the environment, in addition to PATH, HOME, LANG, TZ, USER and TMPDIR.
    path: folders that precede the system's in PATH.
    work_mb: size limit of each writable folder, in MB (10^6 bytes).
    mode: `bubblewrap`, or `off`: the same limits in a temporary folder, without isolation and
    without mounts.
    """

    read_only: tuple[str, ...] = ()
    binds: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    work_mb: int = 512
    mode: str = "bubblewrap"

    @cached_property
    def mounts(self) -> dict[str, str]:
        """The extra read-only paths by their path inside.

        Without symbolic links, which may be in a folder that only root can enter.
        """
        paths = {path: path for path in bubblewrap.outermost(self.read_only)} | dict(self.binds)
        return {inside: str(Path(path).resolve()) for inside, path in paths.items()}

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The bubblewrap command line up to the files of a single run."""
        return bubblewrap.fixed_options(self.mounts)

    def environment(self, home: str, temporary: str) -> dict[str, str]:
        """The environment of a run whose work folder is `home`."""
        path = ":".join([*self.path, "/usr/local/bin", "/usr/bin", "/bin"])
        defaults = {"PATH": path, "HOME": home, "TMPDIR": temporary, "LANG": "C.UTF-8", "TZ": "UTC", "USER": "user"}
        return defaults | dict(self.env)


def _resource_limits(limits: Limits, own_namespace: bool) -> dict[str, int]:
    """The limits that the kernel enforces for each process, by name; the others are watched from
    outside.

    own_namespace: whether the command has its own user name space, in which processes can be
    counted.
    """
    # Each open pipe or socket holds kernel memory.
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _MAX_OPEN if hard_limit == resource.RLIM_INFINITY else min(_MAX_OPEN, hard_limit)
    bounds = {"fsize": limits.file_mb * 1_000_000, "core": 0, "nofile": files}
    if own_namespace and bubblewrap.counts_by_namespace():
        # Well above the limit, so that the watcher, which looks every 100 ms, sees it exceeded before
        # forks fail.
        bounds["nproc"] = limits.processes + max(8, limits.processes)
    return bounds | ({"as": limits.memory_mb * 1_000_000} if limits.address_space else {})


_sessions = Sessions()


def close_sandboxes() -> None:
    """End the sessions that this thread keeps ready for further runs."""
    _sessions.close()


def _pipes(opened: list[int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two pipes: the ends to read from, and those to write to; all are added to `opened`."""
    output, errors = os.pipe(), os.pipe()
    opened += [*output, *errors]
    return (output[0], errors[0]), (output[1], errors[1])


def _close(descriptors: Sequence[int], opened: list[int]) -> None:
    """Close descriptors and remove them from `opened`."""
    for descriptor in descriptors:
        os.close(descriptor)
        opened.remove(descriptor)


@dataclass(frozen=True)
class _Task:
    """The arguments of `run`."""

    command: Sequence[str]
    sandbox: Sandbox
    limits: Limits
    stdin: bytes
    files: Mapping[str, bytes | Path]
    collect: Sequence[str]

    def request(self) -> dict[str, object]:
        """The request to a session's init."""
        bounds = _resource_limits(self.limits, own_namespace=True)
        return {
            "command": [*self.command],
            "environment": self.sandbox.environment(WORK, "/tmp"),
            "files": [bubblewrap.checked_name(name) for name in self.files],
            "folder_bytes": self.sandbox.work_mb * 1_000_000,
            "limits": {f"RLIMIT_{name.upper()}": maximum for name, maximum in bounds.items()},
        }

    def collected(self, work: int) -> dict[str, bytes]:
        """The requested files of an open work folder."""
        return collected(work, self.collect, self.limits.file_mb * 1_000_000)


@contextlib.contextmanager
def _usable_session(sandbox: Sandbox) -> Iterator[Session]:
    """The sandbox's session, which is replaced at the next use if it fails."""
    session = _sessions.get(sandbox.arguments, sandbox.mounts)
    try:
        yield session
    except InputError:
        _sessions.forget(sandbox.arguments)
        raise


def _run_in_bubblewrap(task: _Task) -> Outcome:
    """`run` in a bubblewrap sandbox."""
    with _usable_session(task.sandbox) as session, descriptors() as opened:
        read_ends, write_ends = _pipes(opened)
        files = [memory_file(task.stdin), *write_ends, *(_descriptor(content) for content in task.files.values())]
        opened += [files[0], *files[3:]]
        started = session.start(task.request(), files)
        # An open folder keeps the in-memory file system alive after all processes and name spaces
        # are gone.
        opened += [started.handle, *started.folders]
        _close(write_ends, opened)
        outcome = supervise(_running(started, session, read_ends), task.limits)
        if outcome.status == "killed":
            _sessions.forget(task.sandbox.arguments)
        return replace(outcome, files=task.collected(started.folders[0]))


def _running(started: StartedRun, session: Session, pipes: tuple[int, int]) -> Running:
    """A run of a session, for `supervise`."""
    return Running(
        started.first,
        started.handle,
        pipes,
        kill=lambda: _kill_namespace(started),
        wait=session.wait,
        unmapped_bytes=lambda: in_folders(started.folders) + in_sockets(started.first),
        forgets_killed=True,
    )


def _descriptor(content: bytes | Path) -> int:
    """Descriptor of a file's content."""
    return os.open(content, os.O_RDONLY | os.O_CLOEXEC) if isinstance(content, Path) else memory_file(content)


def _make_work_folders(folder: str, files: Mapping[str, bytes | Path]) -> tuple[Path, Path]:
    """Make a work folder with files and a temporary folder below `folder`; return both."""
    home, temporary = Path(folder, "work"), Path(folder, "tmp")
    home.mkdir()
    temporary.mkdir()
    for name, content in files.items():
        path = home / bubblewrap.checked_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        os.utime(path, (FILE_TIME, FILE_TIME))
    return home, temporary


def _run_without_isolation(task: _Task) -> Outcome:
    """`run` without isolation, in a temporary folder that is removed."""
    adopt_orphans()
    with descriptors() as opened, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, temporary = _make_work_folders(folder, task.files)
        opened += [memory_file(task.stdin), os.open(home, os.O_RDONLY | os.O_DIRECTORY)]
        stdin, work = opened
        read_ends, write_ends = _pipes(opened)
        bounds = [f"--{name}={bound}" for name, bound in _resource_limits(task.limits, own_namespace=False).items()]
        process = subprocess.Popen(
            ["prlimit", *bounds, "--", *task.command],
            stdin=stdin,
            stdout=write_ends[0],
            stderr=write_ends[1],
            cwd=home,
            env=task.sandbox.environment(str(home), str(temporary)) | inherited_mark(),
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        handle = os.pidfd_open(process.pid)
        opened.append(handle)
        _close(write_ends, opened)
        running = Running(
            process.pid, handle, read_ends, lambda: _kill_unix_session(process.pid), lambda: reaped(process.pid)
        )
        outcome = supervise(running, task.limits)
        process.returncode = outcome.returncode
        return replace(outcome, files=task.collected(work))


def _kill_namespace(run: StartedRun) -> None:
    """Kill a run's first process, and with it all others.

    Among thousands of processes it might be scheduled late; root can give it priority.
    """
    with contextlib.suppress(PermissionError, ProcessLookupError):
        signal.pidfd_send_signal(run.handle, 0)
        os.sched_setscheduler(run.first, os.SCHED_FIFO, os.sched_param(1))
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(run.handle, signal.SIGKILL)


def _kill_unix_session(leader: int) -> None:
    """Kill a process, its descendants, and the orphans of its session, which this process has
    adopted and reaps.
    """
    kill(descendants(leader))
    while orphans := [pid for pid in children(os.getpid()) if pid != leader and unix_session(pid) == leader]:
        kill([process for orphan in orphans for process in descendants(orphan)])
        for orphan in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)


def run(
    command: Sequence[str],
    *,
    sandbox: Sandbox,
    limits: Limits,
    stdin: bytes = b"",
    files: Mapping[str, bytes | Path] | None = None,
    collect: Sequence[str] = (),
) -> Outcome:
    """Run `command` in `sandbox` until it ends or exceeds one of `limits`; never raise for what the
    command does.

    `files` (relative name to content) are written into the work folder first; files whose relative
    names match a pattern of `collect` are returned in the outcome. Raise `InputError` with a remedy
    if the machine refuses sandboxes.
    """
    task = _Task(command, sandbox, limits, stdin, files or {}, collect)
    return _run_without_isolation(task) if sandbox.mode == "off" else _run_in_bubblewrap(task)


def probe(mode: str = "bubblewrap") -> None:
    """Raise `InputError` with a remedy unless this machine can run sandboxes of this mode."""
    needed = ["prlimit"] if mode == "off" else ["bwrap", "prlimit"]
    for tool in needed:
        if shutil.which(tool) is None:
            package = {"bwrap": "bubblewrap", "prlimit": "util-linux"}[tool]
            raise InputError(f"{tool} is not on PATH; install it: apt-get install {package}")
    limits = Limits(wall_seconds=30, cpu_seconds=30, memory_mb=200)
    outcome = run(["true"], sandbox=Sandbox(mode=mode, work_mb=1), limits=limits)
    if outcome.status != "exited" or outcome.returncode != 0:
        message = " ".join(outcome.stderr.decode("utf-8", "replace").split())
        ended = f"{outcome.status}, exit code {outcome.returncode}"
        raise InputError(f"the sandbox does not work; check it with `make doctor` ({ended}): {message}")
