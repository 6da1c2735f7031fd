"""Benchmark data from a hub, a URL and a package: equal rows in each case, and one-line errors."""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.fetch import fetched_rows, rows_of, write_rows
from scripts.lib.commits import read_commits
from scripts.lib.job import InputError
from scripts.lib.json_lines import read_jsonl
from tests.support.fake_hub import REVISION, fake_hub, hub_environment
from tests.support.paths import ROOT

TABLE = yaml.safe_load((ROOT / "config" / "benchmarks.yaml").read_text(encoding="utf-8"))
DOWNLOADS = {file: source for entry in TABLE.values() for file, source in entry.get("downloads", {}).items()}
# Runs in a separate process, because the hub's client reads its address when it is imported.
FETCH = """
import json, sys
from scripts.evaluate.fetch import fetched_rows, write_rows
from scripts.lib.job import InputError
for path, source in json.load(sys.stdin):
    try:
        write_rows(path, fetched_rows(source, offline=False))
        print()
    except InputError as error:
        print(error)
"""


def fetched(address: str, sources: dict[str | Path, dict]) -> list[str]:
    """Fetch each source from the hub at `address` to its path.

    Returns the error of each, or the empty text.
    """
    home = Path(next(iter(sources))).parent / "hub"
    environment = hub_environment(address, home)
    arguments = json.dumps([(str(path), source) for path, source in sources.items()])
    command = [sys.executable, "-c", FETCH]
    done = subprocess.run(command, env=environment, input=arguments, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def parquet(rows: list[dict]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def archive(files: dict[str, list[dict]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, rows in files.items():
            content = "".join(json.dumps(row) + "\n" for row in rows).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def commit(number: int, language: str) -> dict:
    mods = [{"change_type": "ADD", "old_path": None, "new_path": f"{number}.x", "diff": f"+{number}\n"}]
    return {"message": f"message {number}", "mods": mods, "language": language, "hash": str(number)}


PROBLEM = {"entry_point": "f", "canonical_solution": "    return 1\n", "test": "def check(f): assert f() == 1"}
SIZES = {"train": 6, "validation": 1, "test": 2}
COMMITS = [commit(number, "C++" if number % 3 == 0 else "Python") for number in range(30)]


@pytest.fixture(scope="module")
def hub():
    """A hub with data sets in the layout that the table expects."""
    rows = {name: [{**PROBLEM, "task_id": "T/0", "prompt": f"def f(): # {name}\n"}] for name in ("Swap_s1", "Case_s0")}
    members = {f"full/func_name/humaneval_{name}.jsonl": content for name, content in rows.items()}
    datasets = {
        "bigcode/humanevalpack": {
            "go/test-00000-of-00001.parquet": parquet([{"task_id": "Go/0"}]),
            "python/test-00000-of-00001.parquet": parquet([{"task_id": "Python/0"}, {"task_id": "Python/1"}]),
        },
        "RaymondLi/perturbed_humaneval": {"func_name.tar.gz": archive({**members, "full/README.md": []})},
        "JetBrains-Research/commit-chronicle": {
            "data/train-00000-of-00002.parquet": parquet(COMMITS[:15]),
            "data/train-00001-of-00002.parquet": parquet(COMMITS[15:]),
            "data/validation-00000-of-00001.parquet": parquet([commit(n, "C++") for n in range(100, 105)]),
            "data/test-00000-of-00001.parquet": parquet([commit(n, "C++") for n in range(200, 205)]),
            "subset_llm/test-00000-of-00001.parquet": b"not to be fetched",
        },
    }
    with fake_hub(datasets) as address:
        yield address


def source(template: str, task: str, **changes: object) -> dict:
    """An entry of the table with the task filled in and the revision of the test's hub."""
    entry = {**DOWNLOADS[template], "revision": REVISION}
    return {**entry, "files": entry["files"].replace("{task}", task), **changes}


@pytest.fixture(scope="module")
def files(hub, tmp_path_factory):
    """Files fetched from the hub, by name without suffix."""
    folder = tmp_path_factory.mktemp("data")
    commits = "commitchronicle/real_commits/{task}.jsonl.gz"
    sources = {
        folder / "humanevalpack.jsonl": source("humanevalpack/humanevalpack-{task}.jsonl", "python"),
        folder / "recode.jsonl.gz": source("recode/perturbed_humaneval_{task}.jsonl.gz", "func_name"),
        folder / "commits.jsonl.gz": source(commits, "Cpp", where={"language": "C++"}, rows=SIZES),
    }
    assert fetched(hub, sources) == ["", "", ""]
    return {path.name.partition(".")[0]: path for path in sources}


def test_rows_of_a_parquet_file_are_fetched(files):
    assert [row["task_id"] for row in read_jsonl(files["humanevalpack"])] == ["Python/0", "Python/1"]


def test_rows_of_an_archive_have_the_fields_of_their_file_names(files):
    path = files["recode"]
    assert [(row["perturbation_name"], row["seed"]) for row in read_jsonl(path)] == [("Case", 0), ("Swap", 1)]
    problems = read_problems(Task("recode", "func_name", [str(path)]))
    assert [problem.id for problem in problems] == ["T/0/Case/0", "T/0/Swap/1"]
    assert path.read_bytes()[4:8] == bytes(4)


def messages(path: Path, split: str) -> list[str]:
    return [row["message"] for row in read_commits(path, split, SIZES)]


def test_commits_of_a_language_are_the_first_of_each_split(files):
    path = files["commits"]
    assert messages(path, "train") == ["message 0", "message 3", "message 6", "message 9", "message 12", "message 15"]
    assert messages(path, "validation") == ["message 100"]
    assert messages(path, "test") == ["message 200", "message 201"]
    assert gzip.decompress(path.read_bytes()).count(b"\n") == sum(SIZES.values())


FAULTS = {
    "owner/gated is gated; accept its terms on the hub and set HF_TOKEN": {"dataset": "owner/gated"},
    "owner/missing is not on the hub, or private; correct its name": {"dataset": "owner/missing"},
    "does not exist; correct `revision` in config/benchmarks.yaml": {"revision": "f" * 40},
    "bigcode/humanevalpack has no revision; set the commit to use": {"revision": ""},
    "has no file like cpp/*.parquet; correct `files`": {"files": "cpp/*.parquet"},
    "has no rows that match": {"where": {"task_id": "none"}},
}


def test_faults_are_one_line(hub, tmp_path):
    sources = [source("humanevalpack/humanevalpack-{task}.jsonl", "go", **changes) for changes in FAULTS.values()]
    few = {"where": {"language": "C++"}, "rows": {**SIZES, "validation": 6}}
    sources.append(source("commitchronicle/real_commits/{task}.jsonl.gz", "Cpp", **few))
    paths = {tmp_path / f"{number}.jsonl": each for number, each in enumerate(sources)}
    for expected, message in zip([*FAULTS, "has 5 validation rows"], fetched(hub, paths), strict=True):
        assert expected in message
    assert not list(tmp_path.glob("*.jsonl*"))


@pytest.mark.parametrize("entry", [{"dataset": "a/b", "revision": "", "files": "*"}, {"url": "https://localhost/none"}])
def test_nothing_is_fetched_offline(entry):
    with pytest.raises(InputError, match=r"must be fetched, but `hub\.offline` is true"):
        list(fetched_rows(entry, offline=True))


OTHER_CONTENT = {
    b'[{"name": "a"}, {"na': "not JSON in UTF-8",
    b"<html>not found</html>": "not JSON in UTF-8",
    b'["\xff"]': "not JSON in UTF-8",
    b"[" * 100_000: "not JSON in UTF-8",
    b'{"name": "a"}': "a JSON object, not a list",
    b'[{"name": "a"}, null]': "row 2: a JSON null, not an object",
}


def test_rows_at_a_url_are_fetched(tmp_path):
    (tmp_path / "rows.json").write_text('[{"name": "a"}, {"name": "b"}]', encoding="utf-8")

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert list(fetched_rows({"url": f"{address}/rows.json"}, offline=False)) == [{"name": "a"}, {"name": "b"}]
        with pytest.raises(InputError, match=r"none\.json cannot be fetched: .*404.*correct `url`"):
            fetched_rows({"url": f"{address}/none.json"}, offline=False)
        for content, told in OTHER_CONTENT.items():
            (tmp_path / "rows.json").write_bytes(content)
            with pytest.raises(InputError, match=told) as caught:
                fetched_rows({"url": f"{address}/rows.json"}, offline=False)
            assert f"{address}/rows.json" in str(caught.value) and "\n" not in str(caught.value)
        server.shutdown()


WHOLE = archive({"full/a_s1.jsonl": [{"text": str(number) * 50} for number in range(500)]})
ROWS = parquet([{"name": "a", "time": 1}] * 50)
MEMBERS = {"members": r"(?P<name>\w)_s(?P<seed>\d)\.jsonl"}
DAMAGED = {
    "an archive that ends early": ("a.tar.gz", WHOLE[: len(WHOLE) // 2], MEMBERS, "is damaged"),
    "an archive with a wrong byte": ("a.tar.gz", WHOLE[:99] + bytes(9) + WHOLE[108:], MEMBERS, "is damaged"),
    "a page instead of an archive": ("a.tar.gz", b"<html>", MEMBERS, "is damaged"),
    "an empty archive": ("a.tar.gz", b"", MEMBERS, "is damaged"),
    "a line of an archive": ("a.tar.gz", archive({"a_s1.jsonl": [[1]]}), MEMBERS, "a_s1.jsonl, line 1: a JSON list"),
    "a table that ends early": ("a.parquet", ROWS[:-20], {}, "is not a whole parquet file"),
    "a page instead of a table": ("a.parquet", b"<html>", {}, "is not a whole parquet file"),
    "a table without a field": ("a.parquet", ROWS, {"where": {"language": "C"}}, "has no field 'language'"),
    "a field of another type": (
        "a.parquet",
        ROWS,
        {"where": {"time": "C"}},
        "has no field 'time' with values like 'C'",
    ),
    "bytes": ("a.parquet", parquet([{"name": b"\xff"}]), {}, "row 1 of the source of rows.jsonl is not JSON"),
    "lines that end early": ("a.jsonl.gz", gzip.compress(b'{"name": 1}\n' * 99)[:-9], {}, "is damaged"),
}


@pytest.mark.parametrize(("name", "content", "selected", "told"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_download_is_one_line_that_names_it(tmp_path, name, content, selected, told):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        write_rows(str(tmp_path / "rows.jsonl"), rows_of(str(path), selected))
    assert told in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "rows.jsonl").exists()


def test_humaneval_comes_from_its_package_whole_and_halved(tmp_path):
    whole = list(fetched_rows(DOWNLOADS["recode/nominal_HumanEval.jsonl.gz"], offline=True))
    halved = list(fetched_rows(DOWNLOADS["recode/nominal_humaneval_partial.jsonl.gz"], offline=True))
    assert len(whole) == len(halved) == 164
    for row, half in zip(whole, halved, strict=True):
        assert half["prompt"] + half["canonical_solution"] == row["prompt"] + row["canonical_solution"]
    first = halved[0]["canonical_solution"]
    assert first.startswith("                if distance < threshold:\n") and first.count("\n") == 4
    write_rows(str(tmp_path / "rows.jsonl"), halved)
    assert len(list(read_jsonl(tmp_path / "rows.jsonl"))) == 164


def test_every_file_of_a_benchmark_has_a_download():
    for entry in TABLE.values():
        tasks = entry.get("tasks", {"any": {}}).values()
        files = {file for task in tasks for file in task.get("files", entry.get("files", []))}
        assert files == set(entry.get("downloads", {}))
