"""Run an untrusted command in bubblewrap: no network, no home, a read-only system, a private work folder, limits.

The sandbox has the system's `/usr`, chosen files of `/etc`, its own `/proc`, a minimal `/dev`, and two size-limited
in-memory folders, the work folder (`WORK`, where the command starts) and `/tmp`. Everything else is absent or
read-only. It has process, network, user, IPC and host name spaces of its own, so that all its processes die together.
It works for root and for ordinary users and needs user namespaces. Root starts it as `nobody`, because the kernel's
limit on the number of processes does not hold for root.
"""

import contextlib
import fnmatch
import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from scripts.lib.job import InputError
from scripts.lib.sandbox import bubblewrap
from scripts.lib.sandbox.bubblewrap import WORK, descriptors, memory_file
from scripts.lib.sandbox.init import FILE_TIME
from scripts.lib.sandbox.session import Enclosures, Started
from scripts.lib.sandbox.supervise import (
    Limits,
    Outcome,
    Running,
    adopt_orphans,
    children,
    descendants,
    kill,
    reaped,
    session,
    supervise,
)
from scripts.lib.sandbox.usage import in_folders, in_sockets

__all__ = ["WORK", "Limits", "Outcome", "Sandbox", "close_sandboxes", "probe", "run"]

_MOST_LISTED = 1000
_MOST_OPEN = 1024


@dataclass(frozen=True)
class Sandbox:
    """What a command sees: made once, used for any number of runs.

    `read_only` are paths mounted at their own place (a missing one is left out), `placed` such that are mounted at
    another one (place inside to path outside); `env` is the whole environment beside PATH, HOME, LANG, TZ and TMPDIR;
    `path` are folders searched before the system's; `work_mb` bounds the work folder and `/tmp`, each. `mode` is
    `bubblewrap`, or `off`: the same limits in a temporary folder, but no isolation at all and nothing placed.
    """

    read_only: tuple[str, ...] = ()
    placed: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    work_mb: int = 512
    mode: str = "bubblewrap"

    @cached_property
    def mounts(self) -> dict[str, str]:
        """The extra read-only paths by their place inside."""
        return {path: path for path in bubblewrap.outermost(self.read_only)} | dict(self.placed)

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The bubblewrap command line up to the files of a single run."""
        return bubblewrap.fixed_options(self.mounts)

    def environment(self, home: str, temporary: str) -> dict[str, str]:
        """The environment of a run whose work folder is `home`."""
        path = ":".join([*self.path, "/usr/local/bin", "/usr/bin", "/bin"])
        plain = {"PATH": path, "HOME": home, "TMPDIR": temporary, "LANG": "C.UTF-8", "TZ": "UTC", "USER": "user"}
        return plain | dict(self.env)


def _collect(work: int, patterns: Sequence[str], most_bytes: int) -> dict[str, bytes]:
    """Regular files in the open folder `work` that match a pattern, less than `most_bytes` each.

    A pattern is a file name with wild cards, maybe below a folder without. The folder was written by an untrusted
    program: links are never followed, pipes and devices never opened, and names beyond a thousand not looked at.
    """
    found: dict[str, bytes] = {}
    for pattern in patterns:
        folder, _, name = pattern.rpartition("/")
        with descriptors() as held:
            here = _open_folder(work, folder, held)
            names = [entry.name for entry in islice(os.scandir(here), _MOST_LISTED)] if here is not None else []
            for match in sorted(fnmatch.filter(names, name)):
                content = _read_plain(match, here, most_bytes)
                if content is not None:
                    found[f"{folder}/{match}" if folder else match] = content
    return found


def _open_folder(work: int, folder: str, held: list[int]) -> int | None:
    """Descriptor of a folder below `work`, reached without following links; None when there is none."""
    here = work
    for part in filter(None, folder.split("/")):
        try:
            here = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        except OSError:
            return None
        held.append(here)
    return here


def _read_plain(name: str, folder: int, most_bytes: int) -> bytes | None:
    """Content of a regular file in an open folder; None for anything else, and for one cut at the limit on files."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode) or about.st_size >= most_bytes:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(most_bytes)


def _bounds(limits: Limits, alone: bool) -> dict[str, int]:
    """The limits that the kernel keeps for each process, by name; the others are watched from outside.

    `alone` says that the command has a user name space of its own, in which processes can be counted.
    """
    # Each open pipe or socket holds memory of the kernel.
    _, most_open = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _MOST_OPEN if most_open == resource.RLIM_INFINITY else min(_MOST_OPEN, most_open)
    bounds = {"fsize": limits.file_mb * 1_000_000, "core": 0, "nofile": files}
    if alone and bubblewrap.counts_by_namespace():
        # A little above what is allowed, so that the watcher sees that the limit was passed.
        bounds["nproc"] = limits.processes + 8
    return bounds | ({"as": limits.memory_mb * 1_000_000} if limits.address_space else {})


_enclosures = Enclosures()


def close_sandboxes() -> None:
    """End what this thread keeps ready for the next runs in the sandboxes that it has used."""
    _enclosures.close()


def _pipes(held: list[int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two pipes: the ends to read from, and those to write to; all go to `held`."""
    output, errors = os.pipe(), os.pipe()
    held += [*output, *errors]
    return (output[0], errors[0]), (output[1], errors[1])


def _let_go(ends: Sequence[int], held: list[int]) -> None:
    """Close descriptors that a started process has now."""
    for end in ends:
        os.close(end)
        held.remove(end)


def _run_inside(command, sandbox, limits, stdin, files, collect) -> Outcome:
    """`run` with bubblewrap."""
    enclosure = _enclosures.of(sandbox.arguments, sandbox.mounts)
    with descriptors() as held:
        ours, theirs = _pipes(held)
        given = [memory_file(stdin), *theirs, *(_opened(content) for content in files.values())]
        held += [given[0], *given[3:]]
        request = {
            "command": [*command],
            "environment": sandbox.environment(WORK, "/tmp"),
            "files": [bubblewrap.checked_name(name) for name in files],
            "folder_bytes": sandbox.work_mb * 1_000_000,
            "limits": {f"RLIMIT_{name.upper()}": most for name, most in _bounds(limits, alone=True).items()},
        }
        try:
            run = enclosure.start(request, given)
        except InputError:
            _enclosures.forget(sandbox.arguments)
            raise
        # An open folder keeps the in-memory file system alive after all processes and name spaces are gone.
        held += [run.handle, *run.folders]
        _let_go(theirs, held)
        ends, unmapped = lambda: _end_namespace(run), lambda: in_folders(run.folders) + in_sockets(run.first)
        running = Running(run.first, run.handle, ours, ends, enclosure.ending, unmapped)
        try:
            outcome = supervise(running, limits)
        except InputError:
            _enclosures.forget(sandbox.arguments)
            raise
        if outcome.status == "killed":
            _enclosures.forget(sandbox.arguments)
        return replace(outcome, files=_collect(run.folders[0], collect, limits.file_mb * 1_000_000))


def _opened(content: bytes | Path) -> int:
    """Descriptor of a file's content."""
    return os.open(content, os.O_RDONLY | os.O_CLOEXEC) if isinstance(content, Path) else memory_file(content)


def _run_outside(command, sandbox, limits, stdin, files, collect) -> Outcome:
    """`run` without isolation, in a temporary folder that is removed."""
    adopt_orphans()
    with descriptors() as held, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, temporary = Path(folder, "work"), Path(folder, "tmp")
        home.mkdir()
        temporary.mkdir()
        for name, content in files.items():
            place = home / bubblewrap.checked_name(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
            os.utime(place, (FILE_TIME, FILE_TIME))
        held += [memory_file(stdin), os.open(home, os.O_RDONLY | os.O_DIRECTORY)]
        source, work = held
        ours, theirs = _pipes(held)
        bounds = [f"--{name}={most}" for name, most in _bounds(limits, alone=False).items()]
        process = subprocess.Popen(
            ["prlimit", *bounds, "--", *command],
            stdin=source,
            stdout=theirs[0],
            stderr=theirs[1],
            cwd=home,
            env=sandbox.environment(str(home), str(temporary)),
            start_new_session=True,
        )
        held.append(os.pidfd_open(process.pid))
        running = Running(process.pid, held[-1], ours, lambda: _end_session(process.pid), lambda: reaped(process.pid))
        _let_go(theirs, held)
        outcome = supervise(running, limits)
        process.returncode = outcome.returncode
        return replace(outcome, files=_collect(work, collect, limits.file_mb * 1_000_000))


def _end_namespace(run: Started) -> None:
    """Kill a run's first process, and with it all others.

    Among thousands of processes it might wait long for its turn to die, unless it comes before them, as root can ask.
    """
    with contextlib.suppress(PermissionError, ProcessLookupError):
        signal.pidfd_send_signal(run.handle, 0)
        os.sched_setscheduler(run.first, os.SCHED_FIFO, os.sched_param(1))
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(run.handle, signal.SIGKILL)


def _end_session(leader: int) -> None:
    """Kill a process, what is below it, and orphans of its session, which are ours by adoption; reap the latter."""
    kill(descendants(leader))
    while orphans := [child for child in children(os.getpid()) if child != leader and session(child) == leader]:
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
    """Run `command` in `sandbox` until it ends or passes one of `limits`; never raise for what the command does.

    `files` (relative name to content) are put into the work folder first; files whose relative names match a pattern
    of `collect` are returned from it. Raise `InputError` with a remedy when the machine refuses sandboxes.
    """
    inside = sandbox.mode != "off"
    return (_run_inside if inside else _run_outside)(command, sandbox, limits, stdin, files or {}, collect)


def probe(mode: str = "bubblewrap") -> None:
    """Raise `InputError`, with what to do about it, unless this machine can run sandboxes of this mode."""
    needed = ["prlimit"] if mode == "off" else ["bwrap", "prlimit"]
    for tool in needed:
        if shutil.which(tool) is None:
            package = {"bwrap": "bubblewrap", "prlimit": "util-linux"}[tool]
            raise InputError(f"{tool} is not on PATH; install it: apt-get install {package}")
    limits = Limits(wall_seconds=30, cpu_seconds=30, memory_mb=200)
    outcome = run(["true"], sandbox=Sandbox(mode=mode, work_mb=1), limits=limits)
    if outcome.status != "exited" or outcome.returncode != 0:
        message = " ".join(outcome.stderr.decode("utf-8", "replace").split())
        raise InputError(f"the sandbox does not work ({outcome.status}, exit code {outcome.returncode}): {message}")
