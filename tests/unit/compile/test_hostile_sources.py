"""Programs that attack their compiler: each ends in its status within its limits; nothing is read, written or left."""

import resource
import socket
import subprocess
import time
from pathlib import Path

import pytest

from scripts.compile.compile_program import compile_source
from tests.support.compiling import build

SMALL = {"wall_seconds": 90, "cpu_seconds": 2, "memory_mb": 400, "processes": 40, "work_mb": 64, "file_mb": 16}
SECRET = "s3cr3t-0f-th1s-m4ch1n3"


def compiled(language, program, **limits):
    """What becomes of a program in the perf variant, and the seconds it took."""
    made = build(language, SMALL | limits)
    started = time.monotonic()
    result = compile_source(program, made, ["perf"])["perf"]
    return result, time.monotonic() - started


def left_over(word):
    """Command lines of processes with `word` in them."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if word in line and "ps -eo" not in line]


@pytest.fixture
def secret(tmp_path):
    """A readable file outside every sandbox."""
    tmp_path.chmod(0o755)
    file = tmp_path / "secret.txt"
    file.write_text(f'static const char *secret = "{SECRET}";\n')
    return file


ENDLESS = {
    "template recursion": (
        "C++",
        "template<int N> struct A { A<N + 1> a; };\nA<0> a;\nint main() {}",
        {"compile_error", "tool_crash", "timeout"},
    ),
    "template recursion without end": (
        "C++",
        "template<int N, int M> struct A { static const int v = A<N - 1, 2 * M>::v + A<N - 1, 2 * M + 1>::v; };\n"
        "template<int M> struct A<0, M> { static const int v = M; };\nint main() { return A<30, 0>::v; }",
        {"timeout", "memory_limit"},
    ),
    "constexpr": (
        "C++",
        "constexpr int f() { while (true) {} }\nconstexpr int x = f();\nint main() {}",
        {"compile_error", "timeout"},
    ),
    "ctfe": (
        "D",
        "int f() { int i; while (true) i++; return i; }\nenum x = f();\nvoid main() {}",
        {"timeout", "memory_limit"},
    ),
    "ctfe memory": (
        "D",
        'string f() { string s = "x"; while (true) s ~= s; return s; }\nenum x = f();\nvoid main() {}',
        {"timeout", "memory_limit", "tool_crash", "compile_error"},
    ),
    "staticExec sleep": ("Nim", 'const x = staticExec("sleep 4321.5")\necho x\n', {"timeout"}),
    "macro": (
        "Rust",
        "macro_rules! m { ($($x:tt)*) => { m!($($x)* $($x)*) } }\nfn main() { m!(a b) }",
        {"compile_error", "timeout", "memory_limit"},
    ),
    "const loop": (
        "Rust",
        'const fn f() -> u32 { loop {} }\nconst X: u32 = f();\nfn main() { println!("{}", X) }',
        {"compile_error", "timeout"},
    ),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_endless_programs_end_at_a_limit(case):
    language, program, statuses = ENDLESS[case]
    wall = 3 if "sleep" in case else SMALL["wall_seconds"]
    result, seconds = compiled(language, program, wall_seconds=wall)
    assert result.status in statuses, result.diagnostics
    assert result.ir == ""
    assert result.diagnostics
    assert seconds < 120
    assert not left_over("4321.5")


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("Nim", "const x = staticExec(\"bash -c ':(){ :|:& };: ; wait; sleep 4322.5'\")\necho x\n"),
        (
            "Haskell",
            "{-# LANGUAGE TemplateHaskell #-}\nimport Language.Haskell.TH\nimport System.Process\n"
            'bomb = readProcess "bash" ["-c", ":(){ :|:& };: ; wait; sleep 4322.5"] ""\n'
            "main = $(runIO bomb >>= \\s -> [| putStr s |])\n",
        ),
    ],
)
def test_fork_bombs_are_bounded(language, program):
    result, seconds = compiled(language, program, wall_seconds=20)
    assert result.status in ("tool_crash", "timeout", "compile_error", "ok"), "ok: the bomb's own forks were refused"
    assert seconds < 60
    assert not left_over("4322.5")


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("C", '#include "{path}"\nconst char *f(void) {{ return secret; }}\n'),
        ("C", '__asm__(".incbin \\"{path}\\"");\nint main(void) {{ return 0; }}\n'),
        ("Rust", 'fn main() {{ println!("{{}}", include_str!("{path}")) }}\n'),
        ("D", 'import std.stdio;\nvoid main() {{ writeln(import("{path}")); }}\n'),
        ("Nim", 'const x = staticRead("{path}")\necho x\n'),
        ("Nim", 'const x = staticExec("cat {path}; ls /root /home; cat /etc/shadow")\necho x\n'),
        ("Fortran", "program p\n include '{path}'\nend program\n"),
        ("Objective-C", '#import "{path}"\nconst char *f(void) {{ return secret; }}\n'),
        (
            "Haskell",
            "{{-# LANGUAGE TemplateHaskell #-}}\nimport Language.Haskell.TH\n"
            'main = $(runIO (readFile "{path}") >>= \\s -> [| putStr s |])\n',
        ),
        ("Haskell", '{{-# LANGUAGE CPP #-}}\n#include "{path}"\nmain = putStr "x"\n'),
    ],
)
def test_files_outside_are_not_read(language, program, secret):
    result, _ = compiled(language, program.format(path=secret))
    assert result.status in ("ok", "compile_error")
    assert SECRET not in result.ir
    assert SECRET not in result.diagnostics
    assert "root:" not in result.ir


@pytest.mark.parametrize("place", ["{path}/made", "/tmp/made-by-a-program", "/usr/made", "/made"])
def test_files_outside_are_not_written(place, tmp_path):
    tmp_path.chmod(0o777)
    target = place.format(path=tmp_path)
    result, _ = compiled("Nim", f'const x = staticExec("mkdir -p {tmp_path}; echo hello > {target}")\necho x\n')
    assert result.status in ("ok", "compile_error")
    assert not Path(target).exists()


def test_template_haskell_writes_nothing_outside(tmp_path):
    tmp_path.chmod(0o777)
    program = (
        "{-# LANGUAGE TemplateHaskell #-}\nimport Language.Haskell.TH\n"
        f'main = $(runIO (writeFile "{tmp_path}/made" "x") >> [| putStr "x" |])\n'
    )
    result, _ = compiled("Haskell", program)
    assert result.status == "compile_error"
    assert not list(tmp_path.iterdir())


CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
SOCKETS = {
    "Nim": f'const x = staticExec("python3 -c \\"{CONNECT}\\"")\necho x\n',
    "Haskell": "{{-# LANGUAGE TemplateHaskell #-}}\nimport Language.Haskell.TH\nimport System.Process\n"
    f'main = $(runIO (readProcess "python3" ["-c", "{CONNECT}"] "") >>= \\s -> [| putStr s |])\n',
}


@pytest.mark.parametrize("language", SOCKETS)
def test_no_socket_reaches_the_network(language):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        result, _ = compiled(language, SOCKETS[language].format(port=server.getsockname()[1]))
        with pytest.raises(TimeoutError):
            server.accept()
    assert result.status in ("ok", "compile_error")
    assert result.status == "compile_error" or "ConnectionRefusedError" in result.ir or "unreachable" in result.ir


@pytest.mark.parametrize(
    "program",
    [
        'const x = staticExec("yes")\necho x\n',
        'static:\n  for i in 0 ..< 1_000_000:\n    echo "' + "x" * 1000 + '"\necho 1\n',
        'const x = staticExec("head -c 1000000000 /dev/zero > big; head -c 1000000000 /dev/zero > /tmp/big")\necho x\n',
    ],
    ids=["without end", "a gigabyte of messages", "two files of a gigabyte"],
)
def test_a_gigabyte_of_output_is_cut(program):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result, _ = compiled("Nim", program, cpu_seconds=20)
    assert result.status in ("timeout", "memory_limit", "tool_crash", "compile_error", "ok")
    assert len(result.ir) + len(result.diagnostics) < 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "kilobytes, of this process"


def test_endless_warnings_are_cut():
    program = "\n".join(f"#warning {'x' * 4000}" for _ in range(1200)) + "\nint main(void) { return 0; }\n"
    result, _ = compiled("C", program)
    assert result.status in ("tool_crash", "ok", "timeout")


@pytest.mark.parametrize(
    ("program", "statuses"),
    [
        ("int main(void) { return 0; } \0 int x;\n", {"ok", "compile_error"}),
        ("", {"invalid_ir"}),
        ("/*" + "x" * 50_000_000 + "*/\nint main(void) { return 0; }\n", {"ok", "tool_crash"}),
        ("int x[] = {" + "1," * 300_000 + "};\n", {"ok", "timeout", "memory_limit", "tool_crash", "compile_error"}),
        ("(" * 100_000, {"compile_error", "tool_crash"}),
        ("int main(void) { return 0; } // \udce9".encode("utf-8", "surrogateescape").decode("latin-1"), {"ok"}),
        ('char a[1 << 30] = "x";\nint main(void) { return a[1]; }\n', {"ok", "timeout", "memory_limit", "tool_crash"}),
    ],
    ids=["nul", "empty", "50 MB", "large array", "deep", "latin-1", "a gigabyte of zeros"],
)
def test_strange_programs_end_in_a_status(program, statuses):
    result, seconds = compiled("C", program)
    assert result.status in statuses, (result.status, result.diagnostics)
    assert seconds < 120
