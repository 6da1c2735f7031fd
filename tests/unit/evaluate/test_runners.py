"""Runners judge correct, wrong, cheating and hostile programs, and programs that exceed limits."""

import os
import shutil
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest
import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.prepare_runner import prepare
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from scripts.lib.job import InputError
from tests.support.paths import ROOT

RUNNERS = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
COMMANDS = {"d": "ldc2", "go": "go", "ruby": "ruby", "rust": "rustc", "cpp": "g++", "python": "python3"}
SECONDS = 0.6
# Wall-clock limits: short for programs that sleep or block, long for others on a busy machine.
SHORT, LONG = 4, 60
MARKER = "answer-8431"


@pytest.fixture(scope="module", params=list(COMMANDS))
def language(request):
    """Each language whose tools are installed."""
    if shutil.which(COMMANDS[request.param]) is None:
        pytest.skip(f"{COMMANDS[request.param]} is not installed")
    return request.param


@pytest.fixture(scope="module")
def python_runner(tmp_path_factory):
    """A runner of Python programs with a limit of `SECONDS`."""
    return small_runner("python", RUNNERS["python"], tmp_path_factory.mktemp("shared"), LONG)


@pytest.fixture(scope="module")
def impatient_runner(tmp_path_factory):
    """The same with a short wall-clock limit."""
    return small_runner("python", RUNNERS["python"], tmp_path_factory.mktemp("shared"), SHORT)


def small_runner(name, table, shared, wall):
    table = {**table, "limits": {step: {**own, "memory_mb": 400} for step, own in table["limits"].items()}}
    scale = SECONDS / table["limits"]["execute"]["seconds"]
    settings = {"mode": "bubblewrap", "wall_factor": wall / SECONDS, "scale": scale, "shared": str(shared)}
    return make_runner(name, table, settings)


def python_verdict(runner, body, tests=None, head=""):
    """The verdict on `def answer(x):` with this body, and the seconds that it took."""
    code = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    problem = Problem("p", "p", "", Stop(), f"{head}def answer(x):\n", tests or f"assert answer(3) == '{MARKER}'")
    started = time.monotonic()
    verdict = runner.judge(COMPOSERS["python"](Prelude(), problem, code))
    return verdict, time.monotonic() - started


def test_every_runner_passes_its_self_test(language, tmp_path):
    settings = {"mode": "bubblewrap", "wall_factor": 8}
    probe = prepare(language, RUNNERS[language], settings, str(tmp_path / "shared"))
    assert probe["runner"] == language
    assert any(character.isdigit() for character in probe["version"])


def test_a_missing_tool_is_an_error_that_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    table = RUNNERS["ruby"] | {"apt": ["ruby", "ruby-test-unit"]}
    with pytest.raises(InputError, match="apt-get install ruby ruby-test-unit"):
        make_runner("ruby", table, {"mode": "bubblewrap", "wall_factor": 1, "scale": 1, "shared": str(tmp_path)})


@pytest.mark.parametrize(
    "body, status",
    [
        (f"return '{MARKER}'", "passed"),
        ("return 'other'", "wrong"),
        ("return undefined", "runtime_error"),
        ("return (", "compile_error"),
        ("while True: pass", "timeout"),
        ("return 'a' * (100 << 30)", "memory_limit"),
    ],
)
def test_python_programs_get_the_expected_status(python_runner, body, status):
    verdict, _ = python_verdict(python_runner, body)
    assert verdict.status == status


@pytest.mark.parametrize(
    "value, test",
    [
        ("(n for n in [1, 2])", "assert tuple(answer(0)) == (1, 2)"),
        ("{1: [(2.5, None)], 'k': {3}}", "assert answer(0) == {1: [(2.5, None)], 'k': {3}}"),
        ("range(3)", "assert answer(0) == range(3)"),
        ("__import__('collections').Counter('aab')", "assert answer(0) == {'a': 2, 'b': 1}"),
        ("__import__('fractions').Fraction(1, 2)", "assert abs(answer(0) - 0.5) < 1e-9"),
        ("True", "assert answer(0) is True"),
        ("x + [4]", "assert answer([3]) == [3, 4]"),
        ("helper(x)", "assert answer(2) == helper(2) == 4"),
    ],
)
def test_values_reach_the_tests_unchanged(python_runner, value, test):
    verdict, _ = python_verdict(python_runner, f"return {value}", test, head="def helper(x):\n    return 2 * x\n\n")
    assert verdict.status == "passed", verdict


FORGERIES = {
    "exits before the tests": "import sys; sys.exit(0)",
    "exits without cleanup": "import os; os._exit(0)",
    "prints that it passed": (
        "import os\nfor fd in range(64):\n"
        "    try:\n        os.set_blocking(fd, False)\n        os.write(fd, b'passed')\n    except OSError: pass"
    ),
    "is equal to everything": "class Any:\n    def __eq__(self, other): return True\nreturn Any()",
    "is a text equal to everything": "class Any(str):\n    def __eq__(self, other): return True\nreturn Any('no')",
    "changes builtins": (
        "import builtins\nbuiltins.AssertionError = builtins.str = builtins.abs = lambda *a: 0\nreturn 0"
    ),
    "changes the caller": (
        "import sys\nframe = sys._getframe()\nwhile frame:\n"
        "    frame.f_globals.update(check=print, answer=print)\n    frame = frame.f_back"
    ),
    "writes to all processes": (
        "import glob, os\nfor path in glob.glob('/proc/[0-9]*/fd/*'):\n"
        "    try: os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), b'passed')\n    except OSError: pass"
    ),
    "searches for the tests": (
        "import glob, os\npaths = [name for pattern in ('/proc/*/cmdline', '/proc/*/environ', '/proc/*/fd/*', '/tmp/*',"
        " '/work-folder/*') for name in glob.glob(pattern)]\nfor path in paths:\n"
        "    try: text = os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 100000).decode('latin-1')\n"
        "    except OSError: continue\n    if 'assert answer' in text: return 'answer-8431'"
    ),
    "reads its parent's memory": (
        "import os\nparent = f'/proc/{os.getppid()}'\n"
        "with open(f'{parent}/maps') as maps, open(f'{parent}/mem', 'rb') as memory:\n"
        "    for line in maps:\n        start, end = (int(part, 16) for part in line.split()[0].split('-'))\n"
        "        try:\n            memory.seek(start)\n            text = memory.read(end - start)\n"
        "        except (OSError, ValueError): continue\n        if b'assert answer' in text: return 'answer-8431'"
    ),
    "reads the tests from memory": (
        "import gc\nfor item in gc.get_objects():\n"
        "    if isinstance(item, (tuple, list)):\n        for part in item:\n"
        "            if isinstance(part, str) and part.startswith('answer-' + '8'): return part"
    ),
}


@pytest.mark.parametrize("body", FORGERIES.values(), ids=FORGERIES)
def test_forgeries_do_not_pass(impatient_runner, body):
    verdict, _ = python_verdict(impatient_runner, body)
    assert verdict.status != "passed", verdict


ATTACKS = {
    "fork bomb": "import os\nwhile True: os.fork()",
    "endless output": "while True: print('x' * 10000)",
    "endless output to the judge's pipes": (
        "import os\nwhile True:\n    for fd in range(3, 64):\n"
        "        try: os.write(fd, b'x' * 1000)\n        except OSError: pass"
    ),
    "closed outputs": "import os; os.closerange(0, 1000)",
    "waits for input": "return input()",
    "sleeps forever": "import time; time.sleep(10**6)",
    "allocates 100 GB": "return [bytearray(1 << 30) for _ in range(100)]",
    "fills the disk": "for n in range(10**6): open(f'/tmp/{n}', 'wb').write(bytes(1 << 24))",
    "kills its parent": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
    "kills everything": "import os, signal; os.kill(-1, signal.SIGKILL)",
    "ignores signals": (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass"
    ),
}


@pytest.mark.parametrize("body", ATTACKS.values(), ids=ATTACKS)
def test_attacks_end_in_time_and_do_not_pass(python_runner, impatient_runner, body):
    verdict, seconds = python_verdict(impatient_runner, body)
    assert verdict.status not in ("passed", "wrong"), verdict
    assert seconds < SHORT + 2
    assert python_verdict(python_runner, f"return '{MARKER}'")[0].status == "passed"


def test_a_daemon_ends_with_its_program(python_runner):
    seconds = str(900_000 + os.getpid() % 100_000)
    daemon = f"os.setsid()\n    if os.fork() == 0: os.execvp('sleep', ['sleep', '{seconds}'])"
    body = f"import os, time\nif os.fork() == 0:\n    {daemon}\n    os._exit(0)\ntime.sleep(0.3)\nreturn 0"
    assert python_verdict(python_runner, body)[0].status == "wrong"
    lines = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if line == ["sleep", seconds]]


def test_programs_have_no_network(python_runner):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        body = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=1); return '{MARKER}'"
        assert python_verdict(python_runner, body)[0].status == "runtime_error"


def test_programs_see_no_home_and_no_files_of_others(python_runner, tmp_path):
    (tmp_path / "secret").write_text(MARKER, encoding="utf-8")
    for path in (tmp_path / "secret", Path.home() / ".bashrc", ROOT / "README.md"):
        verdict, _ = python_verdict(python_runner, f"open({str(path)!r}).read(); return '{MARKER}'")
        assert verdict.status == "runtime_error", path
    for folder in ("/tmp", "/work-folder", "."):
        python_verdict(python_runner, f"open('{folder}/left', 'w').write('x')")
        assert (
            python_verdict(python_runner, f"open('{folder}/left'); return '{MARKER}'")[0].detail == "FileNotFoundError"
        )


def test_verdicts_do_not_change_under_load_and_next_to_attacks(python_runner):
    """Verdicts are the same while attacks run in other sandboxes and the CPUs are busy."""
    bodies = [f"return '{MARKER}'", "return 1", "while True: pass", "import os; os._exit(0)"]
    alone = [python_verdict(python_runner, body)[0].status for body in bodies]
    attack = threading.Thread(target=python_verdict, args=(python_runner, ATTACKS["fork bomb"]))
    attack.start()
    loaded = [python_verdict(python_runner, body)[0].status for body in bodies]
    attack.join()
    assert loaded == alone == ["passed", "wrong", "timeout", "runtime_error"]
