"""Hostile programs of a compiled language: none passes, none harms, none outlives its limits.

C++ stands for all such languages, whose programs are built and run alike, because it reaches every
system call.
"""

import os
import socket
from pathlib import Path

import psutil
import pytest
import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.prepare_runner import build_shared
from scripts.evaluate.runners import compiled
from scripts.evaluate.runners.factory import make_runner, toolchain_of
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from scripts.lib.files import atomic_directory
from tests.support.paths import ROOT

TABLE = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))["cpp"]
SECONDS = 1
BY_THE_CLOCK = 3
HEAD = "#include <bits/stdc++.h>\n#include <arpa/inet.h>\n#include <sys/socket.h>\n#include <unistd.h>\n"


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner of C++ programs with low limits of time and memory."""
    shared = str(tmp_path_factory.mktemp("runner") / "shared")
    with atomic_directory(shared) as folder:
        build_shared(folder, TABLE["prepare"], toolchain_of("cpp", TABLE, "off"))
    execute = {**TABLE["limits"]["execute"], "seconds": SECONDS, "memory_mb": 400}
    table = {**TABLE, "limits": {**TABLE["limits"], "execute": execute}}
    return make_runner(
        "cpp", table, {"mode": "bubblewrap", "wall_factor": BY_THE_CLOCK / SECONDS, "scale": 1, "shared": shared}
    )


@pytest.fixture
def judged(runner, monkeypatch):
    """The verdict on a function with this body, and the seconds of its run.

    The function passes when it doubles its argument.
    """
    outcomes = []
    run = compiled.run
    monkeypatch.setattr(compiled, "run", lambda *a, **k: outcomes.append(run(*a, **k)) or outcomes[-1])

    def judge(body):
        problem = Problem(
            "p", "p", "", Stop(), f"{HEAD}int twice(int x) {{\n", "}\nint main() { assert(twice(4) == 8); }"
        )
        verdict = runner.judge(COMPOSERS["cpp"](Prelude(), problem, body))
        assert verdict.status != "compile_error", outcomes[-1].stderr.decode()
        return verdict.status, outcomes[-1].seconds

    return judge


def test_a_correct_program_passes(judged):
    assert judged("return 2 * x;")[0] == "passed"


ATTACKS = {
    "fork bomb": ("while (true) fork();", {"killed", "timeout"}),
    "endless output": ('while (true) fputs("a longer line of output\\n", stderr);', {"killed"}),
    "endless output nobody reads": ('while (true) puts("a longer line of output");', {"timeout"}),
    "closed outputs": ("for (int n = 0; n < 1000; n++) close(n); return 2 * x;", {"runtime_error"}),
    "waits for input": ("std::string line; while (!std::getline(std::cin, line)) sleep(1); return 2 * x;", {"timeout"}),
    "sleeps forever": ("while (true) sleep(1000);", {"timeout"}),
    "allocates 100 GB": ("std::vector<char> all(100ull << 30, 1); return all[x];", {"memory_limit"}),
    "fills the disk": (
        'std::string block(1 << 24, 1); for (int n = 0; n < 10000; n++) { auto name = "/tmp/" + std::to_string(n);'
        " std::ofstream(name) << block; } return 0;",
        {"memory_limit", "killed", "timeout", "wrong"},
    ),
    "kills its parent": ("kill(getppid(), SIGKILL); sleep(1); return 0;", {"wrong", "killed"}),
    "kills everything": ("kill(-1, SIGKILL); sleep(1); return 0;", {"wrong", "killed"}),
    "ignores signals": ("for (int n = 1; n < 32; n++) signal(n, SIG_IGN); while (true) {}", {"timeout"}),
    "exits before the tests": ("exit(0);", {"wrong"}),
    "exits before main": (
        "return 0; }\nstruct Early { Early() { _exit(0); } } early;\nint other(int x) { return 0;",
        {"wrong"},
    ),
    "redefines what the tests call": (
        "return 0; }\n#undef assert\n#define assert(claim) _exit(0)\n#define main other\nint more(int x) { return 0;",
        {"wrong"},
    ),
    "prints that it passed": (
        'for (int n = 0; n < 256; n++) (void)!write(n, "passed", 6);\nstd::ifstream file("nonce"); std::string nonce;\n'
        "file >> nonce; for (int n = 1; n < 256; n++) (void)!write(n, nonce.data(), nonce.size()); _exit(0);",
        {"wrong"},
    ),
}


@pytest.mark.parametrize("body, statuses", ATTACKS.values(), ids=ATTACKS)
def test_attacks_end_in_time_and_do_not_pass(judged, body, statuses):
    status, seconds = judged(body)
    assert status in statuses
    assert seconds < BY_THE_CLOCK + 2


def test_programs_cannot_reach_the_machine(judged, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    paths = [tmp_path / "secret", Path.home() / ".bashrc", Path.home() / ".profile", ROOT / "README.md", "/etc/shadow"]
    names = ", ".join(f'"{path}"' for path in [*paths, "program.cpp", "tests", "/tmp/left", "left"])
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        status, _ = judged(
            f"for (auto name : {{{names}}}) if (std::ifstream(name).good()) return 2 * x;\n"
            f"sockaddr_in there{{AF_INET, htons({port}), {{htonl(INADDR_LOOPBACK)}}, {{}}}};\n"
            "if (connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr *)&there, sizeof there) == 0) return 2 * x;\n"
            'std::ofstream("left") << 1; std::ofstream("/tmp/left") << 1; return 0;'
        )
        assert status == "wrong"
        # Files of one program are not visible to the next.
        body = 'return std::ifstream("left").good() || std::ifstream("/tmp/left").good() ? 2 * x : 0;'
        assert judged(body)[0] == "wrong"


def test_a_daemon_ends_with_its_program(judged):
    seconds = str(800_000 + os.getpid() % 100_000)
    daemon = f'setsid(); if (fork() == 0) execlp("sleep", "sleep", "{seconds}", nullptr); _exit(0);'
    assert judged(f"if (fork() == 0) {{ {daemon} }} usleep(300000); return 0;")[0] == "wrong"
    lines = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if line == ["sleep", seconds]]


@pytest.mark.parametrize("path", ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger"])
def test_system_settings_cannot_be_opened_for_writing(judged, path):
    # Only their owner can enter pytest's folders, so the runner's mounts are below such a folder.
    assert judged(f'return std::ofstream("{path}", std::ios::app).is_open() ? 2 * x : 0;')[0] == "wrong"


CHILD = (
    "int p[2]; if (pipe(p)) return 0; if (fork() == 0) { clock_t t = clock(); while (clock() - t < %s) {} _exit(0); }"
)
WAIT = "close(p[1]); char c; (void)!read(p[0], &c, 1); close(p[0]);"


@pytest.mark.parametrize(
    ("count", "spin", "before"),
    [
        (60, "CLOCKS_PER_SEC / 20", "signal(SIGCHLD, SIG_IGN);"),
        (500, "CLOCKS_PER_SEC / 100", "signal(SIGCHLD, SIG_IGN);"),
    ],
)
def test_cpu_time_of_children_that_are_not_waited_for_is_limited(judged, count, spin, before):
    body = f"{before} for (int n = 0; n < {count}; n++) {{ {CHILD % spin} {WAIT} }} return 2 * x;"
    assert judged(body)[0] in ("timeout", "killed")
