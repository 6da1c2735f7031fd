"""A corpus from the hub: the files that the config needs, at one commit, whole or not at all."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.sources.fetch import patterns
from scripts.sources.read import corpus_folder
from tests.support.fake_hub import REVISION, fake_hub, hub_environment

CARD = b"---\nlicense: cc-by-sa-4.0\n---\n# Programs\n"
# Runs in a process of its own, because the hub's client reads its address when it is imported.
FETCH = """
import json, sys, time
time.sleep = lambda seconds: None  # no waiting between the attempts of the hub's library
from pathlib import Path
from scripts.lib.job import InputError
from scripts.sources.fetch import fetch
for dataset, wanted, place in json.load(sys.stdin):
    try:
        print(json.dumps(fetch(dataset, wanted, Path(place))))
    except InputError as error:
        print(error)
"""


def table(text: str) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"Source_Code": [text], "IR_Original": [text]}), stream)
    return stream.getvalue()


FILES = {f"{language}/Perf-{part}.parquet": table(f"{language} {part}") for language in ("C", "D") for part in "01"}


@pytest.fixture(scope="module")
def hub():
    """A data set with files of two languages and a card."""
    with fake_hub({"owner/programs": {**FILES, "README.md": CARD, "other.txt": b"x"}}) as address:
        yield address


def fetched(address: str, place: Path, *asked: tuple[str, str, str], token: bool = False) -> list[str]:
    """What fetching says for each asked id, revision and pattern, with HF_TOKEN or without; files go to `place`."""
    jobs = [({"id": name, "revision": revision}, [pattern], str(place)) for name, revision, pattern in asked]
    done = subprocess.run(
        [sys.executable, "-c", FETCH],
        env=hub_environment(address, place / "home") | ({"HF_TOKEN": os.environ["HF_TOKEN"]} if token else {}),
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_patterns_name_the_files_of_the_languages():
    corpus = {"files": "{language}/{split}-*.parquet", "splits": {"perf": "P", "size": "S"}, "names": {"C++": "Cpp"}}
    assert patterns(corpus, ["C", "C++"]) == ["C/P-*.parquet", "C/S-*.parquet", "Cpp/P-*.parquet", "Cpp/S-*.parquet"]
    assert patterns(corpus | {"files": "all.jsonl"}, ["C", "C++"]) == ["all.jsonl"]


@pytest.mark.parametrize("revision", [REVISION, REVISION[:7]])
def test_wanted_files_and_the_card_are_fetched_to_the_folder_of_the_commit(hub, tmp_path, revision):
    (said,) = fetched(hub, tmp_path, ("owner/programs", revision, "C/*.parquet"))
    assert json.loads(said) == [REVISION, ["C/Perf-0.parquet", "C/Perf-1.parquet", "README.md"]]
    place = tmp_path / REVISION
    assert (place / "C/Perf-1.parquet").read_bytes() == FILES["C/Perf-1.parquet"]
    assert (place / "README.md").read_bytes() == CARD
    assert not (place / "D").exists()
    record = tmp_path / "fetched.json"
    record.write_text(json.dumps({"commit": REVISION}))
    assert corpus_folder([str(record)], "-") == place


def test_a_token_is_in_no_file_and_no_message(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    asked = [("owner/programs", REVISION, "C/*.parquet"), ("owner/gated", REVISION, "*"), ("owner/missing", "", "*")]
    said = fetched(hub, tmp_path, *asked, token=True)
    assert len(said) == 3
    assert "hf_verysecret" not in "".join(said)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hf_verysecret" in path.read_bytes()]


REFUSALS = {
    "owner/gated is gated; accept its terms on the hub and set HF_TOKEN": ("owner/gated", REVISION, "*"),
    "owner/missing is not on the hub, or private; correct its name": ("owner/missing", REVISION, "*"),
    "owner/programs at revision beef does not exist": ("owner/programs", "beef", "*"),
    "owner/programs has no file like Nim/*; see corpus.files": ("owner/programs", REVISION, "Nim/*"),
}


def test_refusals_are_one_line_each(hub, tmp_path):
    for told, said in zip(REFUSALS, fetched(hub, tmp_path, *REFUSALS.values()), strict=True):
        assert told in said


@pytest.mark.parametrize("revision", [REVISION, REVISION[:7]])
def test_a_half_filled_folder_is_no_data_set_when_the_hub_is_away(tmp_path, revision):
    (tmp_path / REVISION / "C").mkdir(parents=True)
    (tmp_path / REVISION / "C/Perf-0.parquet").write_bytes(FILES["C/Perf-0.parquet"])
    said = fetched("http://127.0.0.1:9", tmp_path, ("owner/programs", revision, "C/*.parquet"))
    assert len(said) == 1
    assert "cannot be fetched" in said[0]
