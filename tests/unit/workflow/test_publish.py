"""What is published of a run: repositories, cards and files, at a local server in place of the hub."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard, ModelCard

from scripts.lib.files import write_json
from scripts.lib.training.model_card import Card, render
from scripts.lib.training.usage import pair_usage, tuned_usage
from scripts.workflow.publish import _readable, plan, source_folder
from tests.support.fake_hub import hub_environment
from tests.support.stand_in_hub import stand_in_hub

COMMIT = "89abcdef" * 5
TOKEN = "hf_secret_of_this_test"
SCORES = """benchmark,language,model,checkpoint,setting,metric,value,ci_low,ci_high,problems,samples
multipl-e,C++,tiny,ircoder,t0.2,pass@1,12.5,10,15,24,20
multipl-e,C++,tiny,base,t0.2,pass@1,7.5,5,9,24,20
"""
CURVE = "step,learning_rate,train_loss,validation_loss,validation_accuracy\n2,,,3.5,0.1\n"
PAIRS_CARD = """---
license: apache-2.0
configs:
- config_name: C
  data_files: []
---

# Pairs

```python
folder = "../pairs"  # this folder, or the name of the repository on the hub
```
"""


def write_model(folder: Path, usage: str, **values: object) -> None:
    """A folder with a card and files that stand for weights."""
    folder.mkdir(parents=True)
    (folder.parent / "curve.csv").write_text(CURVE)
    card = Card("Tiny", "MIT", None, ["Rows."], {"seed": 1}, {}, folder.parent / "curve.csv", usage)
    (folder / "README.md").write_text(render(Card(**{**vars(card), **values})))
    (folder / "model.safetensors").write_bytes(b"w" * 1500)
    (folder / ".snakemake_timestamp").touch()


@pytest.fixture
def results(tmp_path):
    """The results of a run with a base, an adapter, its merged model and two tuned ones."""
    root, pairs = tmp_path / "results", {"datasets": ["../../../pairs"]}
    models = root / "models/tiny"
    templates = {"source_to_llvm": "{source}<source_to_llvm>{llvm}"}
    write_model(models / "base", "", **pairs)
    write_model(models / "adapter", pair_usage(templates, "results/x"), base="../base", relation="adapter", **pairs)
    adapter = {"base_model_name_or_path": "results/models/tiny/base", "revision": None, "r": 4}
    write_json(models / "adapter/adapter_config.json", adapter)
    write_model(models / "ircoder", "", base="../base", relation="finetune", **pairs)
    tuned = tuned_usage("{diff}", ".", chat=False)
    write_model(models / "ircoder-commits-C++", tuned, base="../ircoder", relation="finetune")
    # An imported model has no card and is somebody else's.
    (models / "imported").mkdir()
    (root / "pairs/C").mkdir(parents=True)
    (root / "pairs/C/perf.parquet").mkdir()
    (root / "pairs/C/perf.parquet/00000.parquet").write_bytes(b"p" * 2_500_000)
    (root / "pairs/README.md").write_text(PAIRS_CARD)
    (root / "tables").mkdir()
    (root / "tables/scores.csv").write_text(SCORES)
    write_json(root / "provenance/run.json", {"starts": [{"commit": COMMIT}]})
    return root


def run(results: Path, address: str, *options: str, token: str | None = TOKEN) -> subprocess.CompletedProcess[str]:
    environment = hub_environment(address, results.parent / "home") | ({"HF_TOKEN": token} if token else {})
    command = [sys.executable, "-m", "scripts.workflow.publish", "--results", str(results), *options]
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, timeout=120)


def test_each_data_set_adapter_and_model_has_a_repository(results):
    assert {item.folder: (item.kind, item.repository) for item in plan(results, "me")} == {
        "models/tiny/adapter": ("model", "me/ircoder-tiny-adapter"),
        "models/tiny/base": ("model", "me/ircoder-tiny-base"),
        "models/tiny/ircoder": ("model", "me/ircoder-tiny-ircoder"),
        "models/tiny/ircoder-commits-C++": ("model", "me/ircoder-tiny-ircoder-commits-Cpp"),
        "pairs": ("dataset", "me/ircoder-pairs"),
    }
    assert [item.folder for item in plan(results, "me", "*adapter")] == ["models/tiny/adapter"]


def test_a_dry_run_lists_files_with_sizes_and_needs_neither_token_nor_network(results):
    done = run(results, "http://127.0.0.1:1", "--to", "me", "--dry", token=None)
    assert done.returncode == 0, done.stderr
    assert "dataset me/ircoder-pairs: 2 files, 2.5 MB" in done.stdout
    assert re.search(r"^\| model\.safetensors +\| +1\.5 kB \|$", done.stdout, re.MULTILINE)
    assert ".snakemake" not in done.stdout


def test_a_run_is_pushed_with_the_names_of_its_repositories(results):
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    with stand_in_hub() as hub:
        done = run(results, hub.address, "--to", "me")
    assert done.returncode == 0, done.stderr
    assert (
        set(hub.files)
        == set(hub.repositories)
        == {
            "datasets/me/ircoder-pairs",
            *(f"models/me/ircoder-tiny-{name}" for name in ("adapter", "base", "ircoder", "ircoder-commits-Cpp")),
        }
    )
    assert all(values["visibility"] == "private" for values in hub.repositories.values())
    assert hub.tokens == {f"Bearer {TOKEN}"}
    adapter = hub.files["models/me/ircoder-tiny-adapter"]
    assert json.loads(adapter["adapter_config.json"])["base_model_name_or_path"] == "me/ircoder-tiny-base"
    card = ModelCard(adapter["README.md"].decode())
    assert (card.data.base_model, card.data.datasets) == ("me/ircoder-tiny-base", ["me/ircoder-pairs"])
    assert 'folder = "me/ircoder-tiny-adapter"\n' in card.text and COMMIT in card.text
    merged = ModelCard(hub.files["models/me/ircoder-tiny-ircoder"]["README.md"].decode())
    for results_of in (card, merged):
        values = {(item.dataset_name, item.metric_type): item.metric_value for item in results_of.data.eval_results}
        assert values["multipl-e, C++", "pass@1"] == 12.5 and 7.5 not in values.values()
    tuned = ModelCard(hub.files["models/me/ircoder-tiny-ircoder-commits-Cpp"]["README.md"].decode())
    assert tuned.data.base_model == "me/ircoder-tiny-ircoder"
    pairs = hub.files["datasets/me/ircoder-pairs"]
    assert pairs["C/perf.parquet/00000.parquet"] == b"p" * 2_500_000
    assert DatasetCard(pairs["README.md"].decode()).data.configs
    # Nothing in the results changes, and the token is in no file and in no output.
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before
    written = [path.read_bytes() for path in results.parent.rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in content for content in written)
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "token", "message"),
    [
        (["--to", "me"], None, "HF_TOKEN is not set; set it to a token with write access"),
        (
            ["--to", "refused"],
            TOKEN,
            "refused/ircoder-tiny-adapter was not published: .*; check owner, token and network",
        ),
        (["--to", "me", "--only", "nothing"], TOKEN, "has nothing to publish that matches nothing"),
        (["--to", ""], TOKEN, "--to names no owner"),
    ],
)
def test_a_fault_is_one_line(results, options, token, message):
    with stand_in_hub() as hub:
        done = run(results, hub.address, *options, token=token)
    assert done.returncode == 1 and re.search(message, done.stderr), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and TOKEN not in done.stderr


def test_sizes_are_in_the_largest_unit():
    assert [_readable(size) for size in (0, 999, 1000, 2_500_000, 7.1e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 MB",
        "7.1 TB",
    ]


def test_tuned_models_are_merged_from_their_adapters_when_they_are_pushed(results, monkeypatch):
    tuned, adapter = results / "models/tiny/ircoder-commits-C++", results / "models/tiny/adapter"
    write_json(tuned / "adapter_config.json", {"base_model_name_or_path": "results/models/tiny/ircoder"})
    merges = []

    def merge(*paths: str) -> None:
        merges.append([str(Path(path).relative_to(results)) for path in paths[:3] if "tmp" not in Path(path).parts[-2]])
        Path(paths[3]).mkdir()

    monkeypatch.setattr("scripts.pretrain.merge.write_merged", merge)
    published = {item.folder: item for item in plan(results, "me")}
    with ExitStack() as stack:
        assert source_folder(results, published["models/tiny/adapter"], stack) == adapter
        assert source_folder(results, published["models/tiny/base"], stack) == results / "models/tiny/base"
        assert source_folder(results, published["models/tiny/ircoder-commits-C++"], stack).name == "merged"
        assert merges.pop() == [
            "models/tiny/ircoder",
            "models/tiny/ircoder-commits-C++",
            "models/tiny/ircoder-commits-C++",
        ]
        shutil.rmtree(results / "models/tiny/ircoder")
        source_folder(results, published["models/tiny/ircoder-commits-C++"], stack)
    assert merges[0] == ["models/tiny/base", "models/tiny/adapter", "models/tiny/tokenizer"]
    assert len(merges) == 2
    assert sorted(path.name for path in results.iterdir()) == ["models", "pairs", "provenance", "tables"]
    dry = run(results, "http://127.0.0.1:1", "--to", "me", "--dry", token=None)
    assert dry.stdout.count("merged from the adapter when it is pushed") == 2


def test_an_adapter_of_an_ablation_is_pushed_as_it_is_and_its_model_is_merged_from_it(results, monkeypatch):
    models, merges = results / "models/tiny", []
    for name in ("adapter-to-llvm-only", "to-llvm-only-instruct"):
        write_model(models / name, "", base="../base", relation="adapter")
        write_json(models / name / "adapter_config.json", {"base_model_name_or_path": "x", "revision": None})

    def merge(*paths: str) -> None:
        merges.append([Path(path).name for path in paths[:3]])
        Path(paths[3]).mkdir()

    monkeypatch.setattr("scripts.pretrain.merge.write_merged", merge)
    published = {item.folder: item for item in plan(results, "me")}
    with ExitStack() as stack:
        adapter = published["models/tiny/adapter-to-llvm-only"]
        assert source_folder(results, adapter, stack) == models / "adapter-to-llvm-only"
        assert not merges
        source_folder(results, published["models/tiny/to-llvm-only"], stack)
        assert merges.pop() == ["base", "adapter-to-llvm-only", "tokenizer"]
        source_folder(results, published["models/tiny/to-llvm-only-instruct"], stack)
    tuned = "to-llvm-only-instruct"
    assert merges == [["base", "adapter-to-llvm-only", "tokenizer"], ["merged", tuned, tuned]]
