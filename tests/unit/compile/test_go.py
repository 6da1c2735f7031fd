"""Go's entry of the table, with stand-ins for TinyGo and the go command that behave as those do."""

import copy
import re
import subprocess

import pytest

from scripts.compile.build import make_build
from scripts.compile.compile_program import compile_source, first_error
from scripts.lib.job import InputError
from tests.support.compiling import ROOT, SETTINGS, TABLE, build

# It writes the whole program, and each package by itself to its cache; it finds the standard library by the go command.
TINYGO = r"""#!/bin/sh
if [ "$1" = version ]; then
    echo "tinygo version 0.39.0 linux/amd64 (using go version go1.25.4 and LLVM version 19.1.2)"
    exit 0
fi
go env GOROOT > /dev/null 2>&1 || { echo "error: could not find 'go' command" >&2; exit 1; }
for word; do
    case "$word" in
        -opt=none|-opt=0|-opt=1|-opt=2|-opt=s|-opt=z) level=${word#-opt=} ;;
        -opt=*) echo "error: incorrect optimization level: ${word#-opt=}" >&2; exit 1 ;;
        -o) is_output=yes ;;
        *.go) source=$word ;;
        *) if [ "$is_output" = yes ]; then output=$word; is_output=; fi ;;
    esac
done
case "$(cat "$source")" in
    *undefinedName*)
        echo "# command-line-arguments" >&2
        echo "./source.go:3:2: undefined: undefinedName" >&2
        exit 1 ;;
    *crash*)
        printf 'panic: nil pointer\n\ngoroutine 1 [running]:\nmain.main()\n\t/opt/goroot-%064d/x.go\n' 7 >&2
        exit 2 ;;
esac
cache="$HOME/.cache/tinygo"
mkdir -p "$cache"
package() {
    printf '%s\n' 'target triple = "x86_64-unknown-linux-gnu"' "$2" > package.ll
    /usr/bin/clang-19 -c -w -emit-llvm -x ir package.ll -o "$cache/pkg-$1.bc"
}
big=$(for n in 1 2 3 4 5 6 7 8 9; do echo "define i32 @runtime.f$n(i32 %x) { ret i32 $n }"; done)
package 0123abcd "$big declare void @main.main()"
own="%x = add i32 $(wc -c < "$source"), $(printf %d "'$level") ret i32 %x"
package 89ef0123 "define void @main.init() { ret void } define i32 @main.main() { $own }"
package fedc4567 "define void @fmt.init() { ret void }"
cp "$cache/pkg-0123abcd.bc" "$output"
"""
GO = """#!/bin/sh
[ "$1" = version ] && echo "go version go1.25.4 linux/amd64"
exit 0
"""
HELLO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n'


def stand_in(folder, name, text):
    """An executable in a package folder of its own, readable by everybody."""
    program = folder / name / "bin" / name
    program.parent.mkdir(parents=True)
    program.write_text(text)
    for each in (folder, folder / name, program.parent, program):
        each.chmod(0o755)
    return str(program.parent)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Stand-ins of both on PATH."""
    folders = [stand_in(tmp_path, "tinygo", TINYGO), stand_in(tmp_path, "go", GO)]
    monkeypatch.setenv("PATH", ":".join([*folders, "/usr/bin", "/bin"]))


def test_the_programs_own_module_is_compiled_in_both_variants(tools):
    made = build("Go")
    assert made.toolchain.compiler.startswith("tinygo 0.39.0, go 1.25.4, clang ")
    results = compile_source(HELLO, made, ["perf", "size"])
    assert [(result.status, result.diagnostics) for result in results.values()] == [("ok", "")] * 2
    for level, result in zip("1z", results.values(), strict=True):
        assert re.findall(r"define .*@([\w.]+)\(", result.ir) == ["main.init", "main.main"]
        assert f"ret i32 {len(HELLO) + ord(level)}" in result.ir
    assert "-opt=1" in results["perf"].command and "-O3" in results["perf"].command
    assert "-opt=z" in results["size"].command and "-Oz" in results["size"].command


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            '"$big declare void @main.main()"',
            '"$big declare void @main.main() declare void @main.init() define void @runtime.run() '
            '{ call void @main.init() call void @main.main() ret void }"',
        ),
        ('"$big declare', '"$big @s = constant [9 x i8] c\\"main.init\\" declare'),
        (
            'fedc4567 "define void @fmt.init() { ret void }"',
            '0000aaaa "define void @domain.init() { ret void } define void @domain.main() { ret void }"',
        ),
        (
            'package fedc4567 "define',
            'printf BC > "$cache/pkg-0000bbbb.bc"\nprintf main.init > "$cache/pkg-0000cccc.bc"\n'
            'package fedc4567 "define',
        ),
    ],
    ids=["calls", "a string", "longer names", "no bitcode"],
)
def test_a_module_that_only_mentions_the_programs_functions_is_not_the_programs(tmp_path, monkeypatch, old, new):
    assert old in TINYGO
    folders = [stand_in(tmp_path, "tinygo", TINYGO.replace(old, new)), stand_in(tmp_path, "go", GO)]
    monkeypatch.setenv("PATH", ":".join([*folders, "/usr/bin", "/bin"]))
    [result] = compile_source(HELLO, build("Go"), ["perf"]).values()
    assert (result.status, result.diagnostics) == ("ok", "")
    assert re.findall(r"define .*@([\w.]+)\(", result.ir) == ["main.init", "main.main"]


def test_a_program_of_which_no_module_defines_its_functions_is_refused(tmp_path, monkeypatch):
    text = TINYGO.replace("define void @main.init() { ret void }", "declare void @main.init()")
    folders = [stand_in(tmp_path, "tinygo", text), stand_in(tmp_path, "go", GO)]
    monkeypatch.setenv("PATH", ":".join([*folders, "/usr/bin", "/bin"]))
    [result] = compile_source(HELLO, build("Go"), ["perf"]).values()
    assert (result.status, result.diagnostics) == ("compile_error", "no module of the program itself")


def test_without_a_sandbox_the_go_command_is_reached_too(tools):
    [result] = compile_source(HELLO, build("Go", sandbox="off"), ["perf"]).values()
    assert (result.status, result.diagnostics) == ("ok", "")


def test_refusals_and_compiler_crashes_have_different_statuses(tools):
    made = build("Go")
    [refused] = compile_source("package main\nfunc main() {\n\tundefinedName()\n}\n", made, ["perf"]).values()
    assert (refused.status, refused.diagnostics) == ("compile_error", "./source.go:3:2: undefined: undefinedName")
    [broken] = compile_source("package main // crash\n", made, ["perf"]).values()
    assert (broken.status, broken.diagnostics) == ("tool_crash", "panic: nil pointer")


def test_the_entry_asks_for_no_level_that_tinygo_refuses(tools):
    [tinygo] = [frontend for frontend in TABLE["Go"]["frontends"] if frontend["name"] == "tinygo"]
    levels = [word.removeprefix("-opt=") for words in tinygo["flags"].values() for word in words]
    assert set(levels) <= {"none", "0", "1", "2", "s", "z"}
    assert build("Go").limits.cpu_seconds == 2 * SETTINGS["limits"]["cpu_seconds"]


def test_without_the_go_command_the_entry_is_no_working_frontend(tools):
    entry = copy.deepcopy(TABLE["Go"])
    entry["frontends"][1]["tools"]["go"]["programs"] = ["no-go"]
    with pytest.raises(InputError, match=r"none of no-go is installed .*apt-get install golang-go clang-19"):
        make_build("Go", entry, SETTINGS)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# command-line-arguments\n./source.go:3:2: undefined: x\n", "./source.go:3:2: undefined: x"),
        (f"# fmt\nsource.go:1:1: in goroot-{'0a' * 32}/src\n", "source.go:1:1: in /src"),
        (
            "# command-line-arguments\nsource.go:2:8: package x is not in std\nmore\n",
            "source.go:2:8: package x is not in std",
        ),
    ],
)
def test_the_first_error_of_go_names_a_position(text, line):
    assert first_error(text) == line


def test_the_archives_checksum_is_recorded_with_where_it_comes_from():
    script = (ROOT / "envs/go.post-deploy.sh").read_text()
    assert re.search(r"^sha256=[0-9a-f]{64}$", script, re.MULTILINE)
    assert "stated publicly" in script and "not checked" in script
    assert subprocess.run(["sh", "-n", ROOT / "envs/go.post-deploy.sh"], check=False).returncode == 0
