"""The compile rule on small corpora: all languages, equal bytes, resuming, unusual file names."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scripts.lib.parquet import read_table
from tests.workflow.conftest import ROOT, snakemake_command, snakemake_environment

C_PROGRAMS = [f'#include <stdio.h>\nint main(void) {{ printf("%d\\n", {n} * {n}); return 0; }}\n' for n in range(12)]


def corpus(folder, files):
    """A corpus of files by their path in it; returns its folder."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def settings(folder, path, languages, keep_ll=False, shard_size=64, **changes):
    """Options for a corpus, with changes of the section `compile`.

    They go through a file in `folder`.
    """
    values = {"corpus": {"path": str(path)}, "languages": languages, "keep_ll": keep_ll, "shard_size": shard_size}
    file = folder / "overlay.json"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values | {"compile": changes}))
    return ["--configfile", str(file)]


def rows(folder, language):
    """All rows of a language's outcomes, by path of the source and variant."""
    paths = {}
    for table in sorted((folder / "results/sources" / language).glob("[0-9]*.parquet")):
        paths |= {row["id"]: row["path"] for row in read_table(table, ["id", "path"]).to_pylist()}
    outcomes = {}
    for table in sorted((folder / "results/ir" / language).glob("[0-9]*.parquet")):
        outcomes |= {(paths[row["id"]], row["variant"]): row for row in read_table(table).to_pylist()}
    return outcomes


def content(folder, language):
    """The rows of outcomes without the values that may differ between runs."""
    return {key: {**row, "seconds": None} for key, row in rows(folder, language).items()}


def sample(folder, languages, programs=2):
    """The first programs of the project's own corpus."""
    files = {}
    for language in languages:
        for source in sorted((ROOT / "resources/corpus" / language).glob("Source_[1-4]/[sS]ource.*"))[:programs]:
            files[f"{language}/{source.parent.name}/{source.name}"] = source.read_bytes()
    return corpus(folder, files)


LANGUAGES = ["C", "C++", "D", "Fortran", "Haskell", "Nim", "Objective-C", "Python", "Rust"]


@pytest.fixture(scope="module")
def all_languages(tmp_path_factory, workflow):
    """A run of two programs in each of the nine languages."""
    folder = tmp_path_factory.mktemp("nine")
    path = sample(folder / "corpus", LANGUAGES)
    workflow(folder, "ir", *settings(folder, path, LANGUAGES, keep_ll=True))
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_compiles_to_verified_modules(all_languages, language):
    outcomes = rows(all_languages, language)
    assert len(outcomes) == 4
    assert {row["status"] for row in outcomes.values()} == {"ok"}
    for (_, variant), row in outcomes.items():
        text = row["ir"]
        file = all_languages / f"results/ir/{language}/000/{row['id']}.{variant}.ll"
        assert file.read_text(encoding="utf-8") == text
        assert "define " in text
        assert not any(word in text for word in (str(ROOT), "/root", "/home", "source_filename"))
        assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", text)
        assert row["compiler"]
        assert str(ROOT) not in row["command"]


@pytest.mark.resilience
def test_one_worker_in_another_folder_gives_the_same_bytes(all_languages, tmp_path, workflow):
    path = sample(tmp_path / "else where" / "corpus", LANGUAGES)
    workflow(tmp_path, "ir", *settings(tmp_path, path, LANGUAGES, jobs=1, cache=None, shard_size=1))
    for language in LANGUAGES:
        assert content(tmp_path, language) == content(all_languages, language)


def test_unusual_files_get_a_status(tmp_path, workflow):
    outside = tmp_path / "outside.c"
    outside.write_text("int outside(void) { return 1; }\n")
    path = corpus(
        tmp_path / "corpus",
        {
            "C/Source 'quoted' \"twice\"/source.c": "int a(void) { return 1; }\n",
            "C/Source_line\nbreak/Source.c": "int b(void) { return 2; }\n",
            "C/Source_nul/source.c": "int c(void) { return 3; } \0\n",
            "C/Source_bytes/source.c": b"int d(void) { return 4; } // \xff\xfe\xe9\n",
            "C/Source_huge/source.c": "/*" + "x" * 50_000_000 + "*/\n",
            "C/Source_empty/source.c": "",
        },
    )
    (path / "C/Source_link").mkdir()
    (path / "C/Source_link/source.c").symlink_to(outside)
    workflow(tmp_path, "ir", *settings(tmp_path, path, ["C"]))
    outcomes = {key[0].split("/")[1]: row for key, row in rows(tmp_path, "C").items()}
    assert outcomes["Source 'quoted' \"twice\""]["status"] == "ok"
    assert outcomes["Source_line\nbreak"]["status"] == "ok"
    assert outcomes["Source_huge"]["status"] == outcomes["Source_empty"]["status"] == "rejected_source"
    assert outcomes["Source_link"]["status"] == "rejected_source"
    assert {outcomes[name]["status"] for name in ("Source_nul", "Source_bytes")} <= {"ok", "rejected_source"}
    assert all("@outside" not in row["ir"] for row in outcomes.values())
    assert len(rows(tmp_path, "C")) == 2 * len(outcomes)


@pytest.mark.resilience
def test_a_killed_run_resumes_and_equals_an_uninterrupted_one(tmp_path, workflow):
    path = corpus(tmp_path / "corpus", {f"C/Source_{n}/source.c": text for n, text in enumerate(C_PROGRAMS)})
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    workflow(whole, "ir", *settings(whole, path, ["C"]))
    broken.mkdir()
    command = snakemake_command(broken, "ir", *settings(broken, path, ["C"], jobs=1))
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(command, env=snakemake_environment(), stdout=log, stderr=log, start_new_session=True)
    cache = broken / "cache/ir/C"
    deadline = time.monotonic() + 120
    while len(list(cache.glob("*.sqlite"))) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None, (tmp_path / "log").read_text()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    log.close()
    assert not list((broken / "results/ir/C").glob("*.parquet"))
    workflow(broken, "ir", "--rerun-incomplete", "--nolock", *settings(broken, path, ["C"]))
    assert content(broken, "C") == content(whole, "C")


def test_the_gain_of_preparation_is_recorded(tmp_path, workflow):
    programs = {
        "1": "print(1)\n",
        "2": "a, b = map(int, input().split())\nprint(a + b)\n",
        "3": "import socketserver\n",
    }
    path = corpus(tmp_path / "corpus", {f"Python/Source_{n}/source.py": text for n, text in programs.items()})
    workflow(tmp_path, "ir", *settings(tmp_path, path, ["Python"]))
    outcomes = {(key[0][-11], key[1]): row for key, row in rows(tmp_path, "Python").items()}
    assert {key: row["unprepared"] for key, row in outcomes.items() if row["unprepared"]} == {
        ("2", "perf"): "compile_error"
    }
    assert {key: row["status"] for key, row in outcomes.items() if key[1] == "perf"} == {
        ("1", "perf"): "ok",
        ("2", "perf"): "ok",
        ("3", "perf"): "compile_error",
    }
    assert outcomes["2", "perf"]["rewrites"] == outcomes["2", "size"]["rewrites"] != []


@pytest.mark.resilience
def test_new_shards_and_new_programs_compile_only_what_is_new(tmp_path, workflow):
    path = corpus(tmp_path / "corpus", {f"C/Source_{n}/source.c": text for n, text in enumerate(C_PROGRAMS)})
    workflow(tmp_path, "ir", *settings(tmp_path, path, ["C"]))
    before = rows(tmp_path, "C")
    corpus(path, {"C/Source_99/source.c": "int added(void) { return 99; }\n"})
    workflow(tmp_path, "ir", *settings(tmp_path, path, ["C"], shard_size=4))
    after = rows(tmp_path, "C")
    assert len(list((tmp_path / "results/ir/C").glob("*.parquet"))) > 1
    # Cached rows have the seconds of the first run, which a second compilation would not repeat.
    assert {key: after[key] for key in before} == before
    assert after["C/Source_99/source.c", "perf"]["status"] == "ok"


def test_a_language_without_a_compiler_stops_the_run_or_is_recorded(tmp_path, workflow):
    path = corpus(tmp_path / "corpus", {"Swift/Source_1/source.swift": "print(1)\n"})
    done = workflow(tmp_path, "ir", *settings(tmp_path, path, ["Swift"]), succeeds=False)
    assert "no working tools for Swift" in done.stdout
    assert "envs/swift.yaml" in done.stdout
    workflow(tmp_path, "ir", *settings(tmp_path, path, ["Swift"], missing_toolchain="record"))
    assert {row["status"] for row in rows(tmp_path, "Swift").values()} == {"no_toolchain"}


HEADED = {
    "C++": "#include <bits/stdc++.h>\nusing namespace std;\n"
    "int main() { vector<int> v(%d); map<int, string> m; m[1] = to_string(v.size()); cout << m[1]; }\n",
    "Objective-C": "#import <Foundation/Foundation.h>\n#include <stdio.h>\n@interface P : NSObject\n- (int)n;\n@end\n"
    '@implementation P\n- (int)n { return %d; }\n@end\nint main(void) { printf("%%d", [[P new] n]); }\n',
}


@pytest.mark.resilience
@pytest.mark.parametrize("language", HEADED)
def test_a_shared_precompiled_header_changes_no_byte(language, tmp_path, workflow):
    name = f"source.{'m' if language == 'Objective-C' else 'cpp'}"
    programs = {f"{language}/Source_{n}/{name}": HEADED[language] % n for n in range(3)}
    few = dict(list(programs.items())[:1])
    workflow(tmp_path / "a", "ir", *settings(tmp_path / "a", corpus(tmp_path / "many", programs), [language]))
    workflow(tmp_path / "b", "ir", *settings(tmp_path / "b", corpus(tmp_path / "few", few), [language]))
    with_header, without = content(tmp_path / "a", language), content(tmp_path / "b", language)
    assert {row["status"] for row in with_header.values()} == {"ok"}
    assert {key: with_header[key] for key in without} == without


def test_no_worker_outlives_the_run(all_languages):
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert not [line for line in lines if str(all_languages) in line and "pytest" not in line]
    assert not list(Path(all_languages).glob("results/ir/*/.*.tmp"))
