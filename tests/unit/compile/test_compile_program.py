"""Parts of the compile stage: error lines, header lists, kept outcomes, missing toolchains."""

import contextlib
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest
import yaml
from llvmlite import binding

from scripts.compile.cache import Cache
from scripts.compile.compile_program import Result, compile_source, first_error
from scripts.compile.headers import leading_headers, longest, worthwhile
from scripts.compile.shard import make_compiler
from scripts.lib.job import InputError
from scripts.lib.sandbox.supervise import descendants
from scripts.lib.sandbox.toolchain import candidates
from scripts.workflow.validation import read_yaml
from tests.support.compiling import ROOT, SETTINGS, TABLE, build


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("source.c:1:2: warning: w\nsource.c:3:4: error: bad\n", "source.c:3:4: error: bad"),
        ("error: Semantic errors in source.f90\n./source.f90:2:3: error: no\n", "./source.f90:2:3: error: no"),
        ("\n\nsource.hs:3:5: error:\n    Variable not in scope: x\n", "source.hs:3:5: error: Variable not in scope: x"),
        ("error[E0382]: borrow of moved value\n --> source.rs:3:4\n", "error[E0382]: borrow of moved value"),
        ("fatal.nim(54, 5) sysFatal\nsource.nim(3, 1) Error: unhandled\n", "source.nim(3, 1) Error: unhandled"),
        ("\x1b[1msource.py:1 (2-3): \x1b[1;31merror:\x1b[0m no\n", "source.py:1 (2-3): error: no"),
        ("strange words\nmore\n", "strange words"),
        ("", ""),
    ],
)
def test_the_first_error_line_is_found(text, line):
    assert first_error(text) == line


def test_addresses_are_no_part_of_an_error():
    assert "7f" not in first_error("error: at 0x7f00deadbeef\n")


@pytest.mark.parametrize(
    ("source", "headers"),
    [
        ("#include <bits/stdc++.h>\nint main() {}\n", ("bits/stdc++.h",)),
        ("// hi\n\n#include <cmath>\n#include<bits/stdc++.h>\nint x;", ("bits/stdc++.h",)),
        (
            "/* a\n b */ #include <vector>\n  #  include <map>\nusing namespace std;\n#include <set>\n",
            ("vector", "map"),
        ),
        ('#pragma GCC optimize("O3")\n#include <vector>\n', ("vector",)),
        ("#pragma once\n#include <vector>\n", ()),
        ("#define int long long\n#include <bits/stdc++.h>\n", ()),
        ("#ifdef X\n#include <vector>\n#endif\n", ()),
        ('#include "own.h"\n#include <vector>\n', ()),
        ("int x;\n#include <vector>\n", ()),
        ("#include <vector> // why\n#include MACRO\n", ("vector",)),
        ("", ()),
    ],
)
def test_only_headers_before_other_text_are_read(source, headers):
    assert leading_headers(source) == headers


def test_headers_are_precompiled_where_enough_programs_share_them():
    common, rare = ("vector",), ("map",)
    assert worthwhile([common, common, rare, common, rare, ()], 3) == [common]


def test_header_lists_are_shortened_until_enough_programs_share_them():
    lists = [("a", "b", "c"), ("a", "b", "d"), ("a", "b"), ("a", "b"), ("a",), ("b",), ()]
    assert worthwhile(lists, 4) == [("a", "b")]
    assert worthwhile(lists, 2) == [("a", "b")]
    assert worthwhile(lists, 1) == [("a", "b"), ("a",), ("a", "b", "c"), ("a", "b", "d"), ("b",)]
    assert worthwhile([], 1) == []


def test_a_program_uses_the_longest_header_that_it_begins_with():
    made = {("a",): {}, ("a", "b"): {}}
    assert longest(("a", "b", "c"), made) == ("a", "b")
    assert longest(("a", "c"), made) == ("a",)
    assert longest(("b", "a"), made) == longest((), made) == ()


@pytest.mark.parametrize(("language", "groups"), [("C", [["perf"], ["size"]]), ("Nim", [["perf", "size"]])])
def test_variants_are_compiled_together_where_they_share_a_step(language, groups):
    assert build(language).groups(["perf", "size"]) == groups
    assert build("C", shared_frontend=True).groups(["perf", "size"]) == [["perf", "size"]]


def test_cached_outcomes_are_returned(tmp_path):
    result = Result("ok", 1.5, "", "define …")
    Cache(tmp_path).put("a", "key", result)
    assert Cache(tmp_path).get("a", "key") == result
    assert Cache(tmp_path).get("a", "other") is None
    assert Cache(tmp_path).get("b", "key") is None
    assert Cache(None).get("a", "key") is None


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b""])
def test_a_damaged_cache_is_discarded(tmp_path, damage):
    Cache(tmp_path).put("a", "key", Result("ok"))
    (tmp_path / "a.sqlite").write_bytes(damage)
    cache = Cache(tmp_path)
    assert cache.get("a", "key") is None
    cache.put("a", "key", Result("timeout"))
    assert Cache(tmp_path).get("a", "key") == Result("timeout")


def test_a_truncated_cache_is_discarded(tmp_path):
    for number in range(200):
        Cache(tmp_path).put("a", str(number), Result("ok", ir="x" * 5000 + str(number)))
    file = tmp_path / "a.sqlite"
    file.write_bytes(file.read_bytes()[:9000])
    cache = Cache(tmp_path)
    found = [cache.get("a", str(number)) for number in range(200)]
    assert all(each is None or each.ir.endswith("x" + str(number)) for number, each in enumerate(found))
    cache.put("a", "new", Result("ok"))
    assert cache.get("a", "new") == Result("ok")


def test_candidates_take_the_folder_before_the_name(monkeypatch):
    monkeypatch.setenv("PATH", "/first:/second")
    assert list(candidates(["b-19", "b"])) == ["/first/b-19", "/first/b", "/second/b-19", "/second/b"]


def test_a_missing_toolchain_stops_the_run_with_its_remedy(tmp_path):
    entry = TABLE["C"] | {"frontends": [dict(TABLE["C"]["frontends"][0])]}
    entry["frontends"][0]["tools"] = {"clang": entry["frontends"][0]["tools"]["clang"] | {"programs": ["no-clang"]}}
    with pytest.raises(
        InputError, match=r"no working tools for C .*no-clang.*apt-get install clang-19.*envs/clang.yaml"
    ):
        make_compiler("C", entry, ["perf"], SETTINGS, None, tmp_path)
    recording = make_compiler("C", entry, ["perf"], SETTINGS | {"missing_toolchain": "record"}, None, tmp_path)
    row = {"id": "x", "language": "C", "source_sha256": "y", "source": "int main() {}", "rejected": None}
    [made] = recording.rows(row, {}, ["perf"])
    assert (made["status"], made["compiler"], made["command"]) == ("no_toolchain", "", "")
    assert "apt-get install clang-19" in made["diagnostics"]


def test_a_tool_that_does_not_work_in_the_sandbox_is_skipped(monkeypatch, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "clang-19").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "clang-19").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert build("C").toolchain.tools["clang"].outside == "/usr/bin/clang-19"


def test_commands_name_no_path_of_this_machine():
    for language in ("C", "Nim", "Objective-C", "Haskell"):
        made = build(language)
        for variant in ("perf", "size"):
            assert not [word for word in made.command(variant).split() if word.startswith("/") and word != "/bin/sh"]


def test_steps_that_variants_share_run_once():
    results = compile_source("echo 1\n", build("Nim"), ["perf", "size"])
    assert [result.status for result in results.values()] == ["ok", "ok"]
    assert results["perf"].ir != results["size"].ir


def test_one_frontend_pass_gives_both_variants():
    program = '#include <stdio.h>\nint main(void) { for (int i = 0; i < 9; i++) printf("%d", i); }\n'
    apart = compile_source(program, build("C"), ["perf", "size"])
    shared = compile_source(program, build("C", shared_frontend=True), ["perf", "size"])
    assert {variant: result.ir for variant, result in shared.items()} == {v: result.ir for v, result in apart.items()}


SIZED = {
    "Fortran": "program p\n integer :: i, s\n s = 0\n do i = 1, 10\n s = s + i\n end do\n print *, s\nend program\n",
    "Haskell": "main :: IO ()\nmain = interact (unlines . map (show . (* 2) . (read :: String -> Int)) . lines)\n",
    "Python": "total = 0\nfor word in input().split():\n    total += int(word) ** 2\nprint(total)\n",
}


def code_bytes(module):
    """Bytes of machine code that a module's functions become."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    parsed = binding.parse_assembly(module, context=binding.create_context())
    machine = binding.Target.from_triple(parsed.triple).create_target_machine(reloc="pic", opt=2)
    sections = binding.object_file.ObjectFileRef.from_data(machine.emit_object(parsed)).sections()
    return sum(section.size() for section in sections if section.is_text())


@pytest.mark.parametrize("language", SIZED)
def test_a_true_size_build_is_smaller_than_the_papers(language):
    paper = compile_source(SIZED[language], build(language), ["size"])["size"]
    true = compile_source(SIZED[language], build(language, size_build="true"), ["size"])["size"]
    assert (paper.status, true.status) == ("ok", "ok")
    assert "minsize" in true.ir
    assert code_bytes(true.ir) < code_bytes(paper.ir)


def test_a_killed_compiler_is_run_again(monkeypatch):
    import scripts.compile.compile_program as unit
    from scripts.lib.sandbox.run import Outcome

    seen = []

    def killed_first(*arguments, **options):
        seen.append(arguments)
        return Outcome("killed", 137, b"", b"", 0, 0, 0) if len(seen) == 1 else real(*arguments, **options)

    real = unit.run
    monkeypatch.setattr(unit, "run", killed_first)
    assert compile_source("int main() {}", build("C"), ["perf"])["perf"].status == "ok"
    assert len(seen) == 2


def test_a_compiler_killed_in_its_middle_is_run_again():
    program = """
proc slow(): int {.compileTime.} =
  for i in 1 .. 4_000_000: result = (result + i) mod 1009
const x = slow()
echo x
"""
    made, killed = build("Nim"), []

    def kill_once():
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            for process in descendants(os.getpid()):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if Path(f"/proc/{process}/comm").read_text() == "nim\n":
                        os.kill(process, signal.SIGKILL)
                        killed.append(process)
            time.sleep(0.05)

    whole = compile_source(program, made, ["perf"])["perf"]
    killer = threading.Thread(target=kill_once)
    killer.start()
    broken = compile_source(program, made, ["perf"])["perf"]
    killer.join()
    assert killed
    assert (broken.status, broken.ir) == ("ok", whole.ir)


@pytest.mark.parametrize("language", list(TABLE))
def test_every_language_has_its_files(language):
    entry = TABLE[language]
    env = ROOT / "envs" / f"{entry['env']}.yaml"
    packages = yaml.safe_load(env.read_text())["dependencies"]
    assert all("=" in package for package in packages if isinstance(package, str) and package not in ("pip", "curl"))
    for frontend in entry["frontends"]:
        assert {step["run"][0] for step in frontend["steps"]} <= set(frontend["tools"])
        assert all((ROOT / path).is_file() for path in frontend.get("extra_files", {}).values())
        assert frontend["source"].rsplit(".", 1)[1] in [*entry["suffixes"], "f90"]


def test_default_languages_name_their_debian_packages():
    wanted = {package for name in read_yaml(ROOT / "config/config.yaml")["languages"] for package in TABLE[name]["apt"]}
    listed = {line.split("#")[0].strip() for line in (ROOT / "envs/host/apt.txt").read_text().splitlines()}
    assert wanted <= listed


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("crystal") is None, reason="Debian's crystal is not installed")
def test_a_twelfth_language_is_an_entry_of_the_table():
    made = build("Crystal")
    program = "n = gets.not_nil!.to_i\na = [] of Int32\nn.times { |i| a << i * i }\nputs a.sum\n"
    [result] = compile_source(program, made, ["perf"]).values()
    assert (result.status, result.diagnostics) == ("ok", "")
    assert "define " in result.ir
    [result] = compile_source("puts undefined_name\n", made, ["size"]).values()
    assert result.status == "compile_error"
    assert "undefined_name" in result.diagnostics
