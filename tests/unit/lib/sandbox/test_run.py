"""The sandbox against programs that try to get out of it, to hang, or to fill the machine."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.lib import system_calls
from scripts.lib.job import InputError
from scripts.lib.sandbox import bubblewrap, init, sigchld, supervise
from scripts.lib.sandbox.run import WORK, Limits, Sandbox, close_sandboxes, probe, run
from scripts.lib.sandbox.standalone import program_text
from scripts.lib.sandbox.supervise import descendants
from scripts.workflow import recovery
from tests.support.paths import ROOT

LIMITS = Limits(wall_seconds=20, cpu_seconds=10, memory_mb=300, output_bytes=100_000, file_mb=8, processes=32)
SYSTEM_PYTHON = "/usr/bin/python3"
BOTH = pytest.mark.parametrize("mode", ["bubblewrap", "off"])


def python(program, sandbox=None, **changes):
    """Run a Python program in a sandbox, with some limits changed."""
    limits = Limits(**{**LIMITS.__dict__, **changes})
    return run([SYSTEM_PYTHON, "-c", program], sandbox=sandbox or Sandbox(work_mb=16), limits=limits)


def shell(program, sandbox=None, **arguments):
    return run(["sh", "-c", program], sandbox=sandbox or Sandbox(work_mb=16), limits=LIMITS, **arguments)


def left_over(word):
    """Command lines of processes on this machine that contain `word`."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if word in line and "ps -eo" not in line]


@BOTH
def test_probe_accepts_this_machine(mode):
    probe(mode)


@BOTH
def test_input_output_files_and_exit_code(mode):
    outcome = shell(
        "cat; cat deep/a; printf err >&2; echo out > b.txt; mkdir c; echo two > c/d.txt; exit 3",
        Sandbox(mode=mode, work_mb=16),
        stdin=b"in ",
        files={"deep/a": b"file"},
        collect=["b.txt", "c/*.txt", "missing"],
    )
    assert (outcome.status, outcome.returncode) == ("exited", 3)
    assert (outcome.stdout, outcome.stderr) == (b"in file", b"err")
    assert outcome.files == {"b.txt": b"out\n", "c/d.txt": b"two\n"}


def test_a_file_given_as_a_path(tmp_path):
    given = tmp_path / "given"
    given.write_bytes(b"content")
    outcome = shell("cat given && echo more >> given", files={"given": given})
    assert (outcome.stdout, outcome.returncode, given.read_bytes()) == (b"content", 0, b"content")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\0b"])
def test_file_names_that_lead_outside_are_refused(name):
    with pytest.raises(ValueError, match="not a file name"):
        shell("true", files={name: b""})


@BOTH
def test_signals_are_exit_codes(mode):
    outcome = shell("kill -SEGV $$", Sandbox(mode=mode))
    assert (outcome.status, outcome.returncode) == ("exited", 139)


@BOTH
def test_being_killed_from_outside_has_its_own_status(mode):
    assert shell("kill -KILL $$", Sandbox(mode=mode)).status == "killed"


@BOTH
def test_sleeping_ends_at_the_wall_limit(mode):
    outcome = python("import time; time.sleep(1000)", Sandbox(mode=mode), wall_seconds=0.5)
    assert outcome.status == "timeout"
    assert 0.4 < outcome.seconds < 5
    assert outcome.cpu_seconds < 0.5


def test_waiting_for_input_that_never_comes_sees_its_end():
    assert python("import sys; print(len(sys.stdin.read()))").stdout == b"0\n"


@BOTH
def test_cpu_time_counts_all_processes(mode):
    burn = "import os\nos.fork()\nos.fork()\nwhile True: pass"
    outcome = python(burn, Sandbox(mode=mode), cpu_seconds=1)
    assert outcome.status == "cpu_limit"
    assert 1 <= outcome.cpu_seconds < 5


@BOTH
def test_cpu_time_is_limited_where_no_measurement_saw_it(mode, monkeypatch):
    monkeypatch.setattr(supervise, "_FIRST_TICK", 60)
    burn = "import subprocess\nsubprocess.run(['python3', '-c', 'for i in range(9000000): pass'])\nprint(1)"
    limited = python(burn, Sandbox(mode=mode), cpu_seconds=0.1)
    assert limited.status == "cpu_limit" and limited.stdout == b"1\n"
    assert python(burn, Sandbox(mode=mode), cpu_seconds=30).status == "exited"


def test_cpu_time_of_children_that_ended_is_counted():
    outcome = python("import subprocess\nsubprocess.run(['python3', '-c', 'for i in range(3000000): pass'])")
    assert outcome.status == "exited"
    before = resource.getrusage(resource.RUSAGE_SELF)
    assert before.ru_utime >= 0
    assert outcome.cpu_seconds > 0.05


@BOTH
def test_memory_of_one_process(mode):
    outcome = python("x = []\nwhile True: x.append(bytearray(b'1') * (1 << 22))", Sandbox(mode=mode))
    assert outcome.status == "memory_limit"
    assert outcome.peak_mb > 300


def test_memory_is_summed_over_processes():
    program = "import os, time\nfor i in range(3): os.fork()\nx = bytearray(b'1') * 60_000_000\ntime.sleep(50)"
    assert python(program).status == "memory_limit"


def test_shared_memory_is_counted_once():
    program = "import os, time\nx = bytearray(b'1') * 60_000_000\nfor i in range(3): os.fork()\ntime.sleep(0.5)"
    outcome = python(program)
    assert (outcome.status, outcome.returncode) == ("exited", 0)
    assert 60 < outcome.peak_mb < 300


def test_a_hundred_gigabytes_at_once():
    outcome = python("x = bytearray(b'1') * (100 << 30)")
    assert outcome.status in ("memory_limit", "exited")
    assert outcome.status == "memory_limit" or outcome.returncode != 0


def test_address_space_on_request():
    reserve = "import mmap\nx = mmap.mmap(-1, 400_000_000)"
    assert python(reserve).returncode == 0, "reserving without touching is no use of memory"
    outcome = python(reserve, address_space=True)
    assert (outcome.status, outcome.returncode) == ("exited", 1)
    assert b"Cannot allocate memory" in outcome.stderr


@pytest.mark.parametrize(
    "bomb",
    [
        [SYSTEM_PYTHON, "-c", "import os\nwhile True: os.fork()"],
        ["bash", "-c", ":(){ :|:& };:; wait; sleep 100"],
        [SYSTEM_PYTHON, "-c", "import threading as t\nwhile True: t.Timer(9, print).start()"],
    ],
)
def test_fork_bombs_end_soon(bomb):
    started = time.monotonic()
    outcome = run(bomb, sandbox=Sandbox(work_mb=1), limits=LIMITS)
    assert outcome.status == "process_limit" or outcome.returncode != 0, "killed, or ended by refused forks"
    assert time.monotonic() - started < 10
    assert not left_over("os.fork()")


@BOTH
def test_endless_output_is_cut(mode):
    outcome = run(["yes", "x" * 1000], sandbox=Sandbox(mode=mode), limits=LIMITS)
    assert outcome.status == "output_limit"
    assert len(outcome.stdout) == LIMITS.output_bytes


def test_endless_errors_are_cut():
    outcome = shell("yes >&2")
    assert outcome.status == "output_limit"
    assert len(outcome.stderr) <= LIMITS.output_bytes


def test_output_just_under_the_cap_is_whole():
    outcome = python(f"print('x' * {LIMITS.output_bytes - 1})")
    assert (outcome.status, len(outcome.stdout)) == ("exited", LIMITS.output_bytes)


@BOTH
def test_closed_outputs_do_not_confuse(mode):
    outcome = python("import os, time\nos.close(1)\nos.close(2)\ntime.sleep(0.3)\nos._exit(5)", Sandbox(mode=mode))
    assert (outcome.status, outcome.returncode) == ("exited", 5)
    assert outcome.seconds >= 0.3


def test_a_daemon_dies_with_its_sandbox():
    program = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(12345.5)"
    outcome = python(program)
    assert (outcome.status, outcome.returncode) == ("exited", 0)
    assert not left_over("12345.5")


def test_killing_the_parent_kills_only_the_sandbox():
    outcome = python("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)")
    assert outcome.status in ("killed", "exited")


def test_the_whole_tree_dies_when_the_caller_is_killed():
    caller = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from scripts.lib.sandbox.run import Limits, Sandbox, run\n"
        "limits = Limits(wall_seconds=60, cpu_seconds=60, memory_mb=500)\n"
        "run(['sleep', '54321.5'], sandbox=Sandbox(), limits=limits)"
    )
    root = str(ROOT)
    process = subprocess.Popen([sys.executable, "-c", caller, root])
    deadline = time.monotonic() + 20
    while not left_over("sleep 54321.5") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over("sleep 54321.5")
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while left_over("sleep 54321.5") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_over("sleep 54321.5")


@pytest.mark.parametrize("folder", [WORK, "/tmp", "/dev/shm"])
def test_disks_are_small(folder):
    fill = f"i=0; while [ $i -lt 20 ]; do head -c 4000000 /dev/zero > {folder}/$i || exit 7; i=$((i+1)); done"
    assert shell(fill).returncode == 7


def test_a_file_is_small():
    outcome = shell("exec head -c 100000000 /dev/zero > big", Sandbox(work_mb=100))
    assert outcome.status == "output_limit"


@pytest.mark.parametrize("place", ["/x", "/usr/x", "/etc/x", "/dev/x", "/proc/x", "/var/x", "/root/x", "/home/x"])
def test_writing_outside_fails(place):
    assert shell(f"echo hello > {place}").returncode != 0
    assert not Path(place).exists()


def test_home_and_other_folders_are_absent(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    for path in (secret, Path.home(), Path(__file__), Path("/etc/shadow"), Path("/etc/hostname")):
        assert shell(f"ls '{path}'").returncode != 0, path


def test_other_processes_are_not_seen():
    seen = shell("ls -d /proc/[0-9]* | wc -l").stdout
    assert int(seen) < 6


def test_the_network_is_absent():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = python(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2)")
    assert outcome.returncode != 0
    assert shell("cat /proc/net/dev | grep -c eth").stdout == b"0\n"


def test_the_environment_is_scrubbed(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    names = {line.split("=")[0] for line in shell("env").stdout.decode().splitlines()}
    assert names == {"PATH", "HOME", "TMPDIR", "LANG", "TZ", "USER", "PWD"}
    assert b"x=1" in shell("env", Sandbox(env={"x": "1"})).stdout


def test_the_user_is_an_ordinary_one():
    assert shell("id -u; hostname; whoami").stdout == b"1000\nsandbox\nuser\n"


def test_links_and_pipes_left_behind_are_not_followed(tmp_path):
    plain = "echo ok > e.ll; head -c 9000000 /dev/zero > f.ll"
    outcome = shell(
        f"ln -s /etc/passwd a.ll; mkfifo b.ll; mkdir c.ll; ln -s /etc d; {plain}", collect=["*.ll", "d/passwd"]
    )
    assert outcome.files == {"e.ll": b"ok\n"}


def test_a_deep_tree_left_behind_does_no_harm():
    outcome = python("import os\nfor i in range(3000):\n os.mkdir('d'); os.chdir('d')\nopen('x.ll', 'w').close()")
    assert outcome.status == "exited"


def test_standard_input_cannot_be_changed_or_grown():
    outcome = python("import os\nfd = os.open('/proc/self/fd/0', os.O_RDWR)\nos.write(fd, b'x' * 1000)")
    assert outcome.returncode == 1


def test_extra_paths_are_read_only_and_at_their_paths(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "tool").write_text("#!/bin/sh\necho works\n")
    (tmp_path / "tool").chmod(0o755)
    sandbox = Sandbox(binds={"/opt/x": str(tmp_path)}, read_only=(str(tmp_path), "/nowhere"))
    outcome = shell(f"/opt/x/tool; {tmp_path}/tool; echo bad > /opt/x/tool", sandbox)
    assert outcome.stdout == b"works\nworks\n"
    assert outcome.returncode != 0
    assert "works" in (tmp_path / "tool").read_text()


def test_a_sandbox_is_reused_and_leaks_no_descriptors():
    close_sandboxes()
    others, sandbox = descendants(os.getpid()), Sandbox(work_mb=1)
    run(["true"], sandbox=sandbox, limits=LIMITS)
    before = len(list(Path("/proc/self/fd").iterdir()))
    children = descendants(os.getpid())
    for _ in range(5):
        assert run(["true"], sandbox=sandbox, limits=LIMITS).returncode == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert descendants(os.getpid()) == children, "no process of a run is left, not even as a zombie"
    close_sandboxes()
    assert descendants(os.getpid()) == others, "and none of what is kept for the next run"


def test_a_run_finds_nothing_of_the_previous_run():
    write = "for d in . /tmp /dev/shm; do echo x > $d/left; done; (sleep 54322.5 &) ; ipcmk -Q >&2"
    assert shell(write).returncode == 0
    found = shell("ls -A . /tmp /dev/shm; ls /proc | grep -c '^[0-9]'; ipcs -q | grep -c 0x").stdout.decode()
    assert "left" not in found
    assert found.split()[-1] == "0"
    assert not left_over("54322.5")


def test_memory_addresses_are_the_same_in_every_run():
    addresses = {shell("cat /proc/self/maps").stdout for _ in range(3)}
    assert len(addresses) == 1


def test_a_program_inherits_nothing_but_its_streams():
    inside = shell("ls /proc/self/fd; grep -E 'Cap(Prm|Eff)|NoNewPrivs|SigIgn' /proc/self/status").stdout.decode()
    assert inside.split()[:4] == ["0", "1", "2", "3"], "the last one is of `ls` itself"
    for line in ("CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"):
        assert line in inside
    ignored = int(inside.partition("SigIgn:\t")[2].split()[0], 16)
    assert not [number for number in signal.valid_signals() if ignored >> (number - 1) & 1]
    first = shell("tr '\\0' ' ' < /proc/1/cmdline; cat /proc/1/environ; ls /proc/1/fd").stdout.decode()
    assert str(ROOT) not in first
    assert "PYTHONHOME" not in first


@pytest.mark.parametrize("victim", ["init", "bubblewrap"])
def test_a_session_whose_processes_were_killed_is_started_again(victim):
    sandbox = Sandbox(work_mb=1, env={"victim": victim})
    assert run(["true"], sandbox=sandbox, limits=LIMITS).returncode == 0
    victims = [pid for pid in descendants(os.getpid())[1:] if victim in _name_of(pid)]
    assert victims
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    outcomes = [_status_of(sandbox) for _ in range(3)]
    assert outcomes[-1] == "exited", outcomes


def _name_of(pid):
    text = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    return "init" if text.startswith("sandbox\0") else "bubblewrap" if "bwrap" in text else ""


def _status_of(sandbox):
    try:
        return run(["true"], sandbox=sandbox, limits=LIMITS).status
    except InputError:
        return "refused"


STATE = """
import json, os, resource
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
kinds = ("FSIZE", "CORE", "NOFILE", "NPROC")
limits = {kind: resource.getrlimit(getattr(resource, f"RLIMIT_{kind}")) for kind in kinds}
files = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
print(json.dumps([(os.getsid(0), os.getpgrp() == os.getpid()), files, limits, status["SigBlk"], status["SigIgn"]]))
"""


def test_a_program_starts_in_its_own_group_with_three_files_and_hard_limits():
    groups, files, limits, blocked, ignored = json.loads(python(STATE).stdout)
    assert groups == [1, True], "the session is that of the run's first process"
    assert files == [0, 1, 2]
    assert all(soft == hard for soft, hard in limits.values()), "a program cannot raise its limits"
    assert limits["FSIZE"][0] == LIMITS.file_mb * 1_000_000
    assert limits["NPROC"][0] == 2 * LIMITS.processes
    assert int(blocked, 16) == 0
    # Python itself ignores SIGPIPE and SIGXFSZ; signals from 32 on are those of the C library.
    assert int(ignored, 16) % (1 << 31) == 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)


def test_a_small_limit_on_processes_is_seen_before_forks_fail():
    limits = Limits(**{**LIMITS.__dict__, "processes": 2})
    outcome = run(["sh", "-c", "sleep 5 & sleep 5 & sleep 5 & wait"], sandbox=Sandbox(work_mb=1), limits=limits)
    assert (outcome.status, outcome.stderr) == ("process_limit", b"")


@pytest.mark.parametrize("name", ["mem", "environ", "maps", "fd", "root", "cwd"])
def test_the_first_process_of_a_run_shows_nothing(name):
    program = f"import os\npath = '/proc/1/{name}'\n(os.listdir if os.path.isdir(path) else open)(path)"
    outcome = python(program)
    assert outcome.returncode == 1
    assert b"PermissionError" in outcome.stderr


def test_a_missing_program_has_exit_code_127():
    outcome = run(["no-such-program"], sandbox=Sandbox(), limits=LIMITS)
    assert (outcome.status, outcome.returncode) == ("exited", 127)


def test_the_remedy_is_named_where_bubblewrap_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="apt-get install bubblewrap"):
        probe()


def test_the_remedy_is_named_where_name_spaces_are_refused(monkeypatch, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError, match=r"Permission denied; allow unprivileged user namespaces .*apparmor"):
        probe()


def run_as_ordinary_user() -> str:
    """The outcome of a run in the sandbox for an ordinary user, in a process that becomes one."""
    # The project and the Python of these tests may be in folders that only root can enter.
    program_text(init, system_calls, sigchld)
    sys.executable, sys.base_prefix, sys.base_exec_prefix = SYSTEM_PYTHON, "/usr", "/usr"
    os.setgroups([])
    os.setgid(4242)
    os.setuid(4242)
    bubblewrap.unprivileged.cache_clear()
    outcome = shell("id -u; echo x > y", collect=["y"])
    close_sandboxes()
    return repr((outcome.status, outcome.stdout, outcome.files))


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become someone else")
def test_an_ordinary_user_can_use_the_sandbox():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens, this process must not go on with the tests.
        try:
            answer = run_as_ordinary_user()
        except BaseException as error:
            answer = repr(error)
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert os.read(reader, 1000).decode() == repr(("exited", b"1000\n", {"y": b"x\n"}))
    os.close(reader)


KILLED_WORKER = """import os, sys
from scripts.lib.sandbox.run import Limits, Sandbox, run
limits = Limits(wall_seconds=100, cpu_seconds=100, memory_mb=300)
run(["sh", "-c", f"sleep {sys.argv[1]}.1 & touch {sys.argv[2]}; exec sleep {sys.argv[1]}"],
    sandbox=Sandbox(mode="off"), limits=limits)
"""


def test_what_a_killed_worker_leaves_without_isolation_ends_with_the_next_run(tmp_path, monkeypatch):
    """The kernel ends the program itself; the next run finds the program's children by its mark."""
    monkeypatch.setenv("IRCODER_RUN", recovery.run_id(tmp_path))
    started, seconds = tmp_path / "started", str(4321 + os.getpid())
    worker = subprocess.Popen([sys.executable, "-c", KILLED_WORKER, seconds, started], cwd=ROOT)
    while not started.exists():
        time.sleep(0.05)
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + 10
    while left_over(f"sleep {seconds}") != [f"sleep {seconds}.1"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    recovery.end(recovery.leftovers(tmp_path))
    assert left_over(f"sleep {seconds}") == []
