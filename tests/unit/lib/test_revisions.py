"""Revisions of models and data sets: found wherever a config names them, resolved once, used by the workflow."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.lib.revisions import Revision, locked_commit, pin_in_place, pinned, revisions_in, with_commits
from scripts.workflow.config import read_lock
from scripts.workflow.validation import ConfigError
from tests.support.fake_hub import REVISION, ROOT, fake_hub, hub_environment

OTHER = "f" * 40
NAMED = {
    "model": {"repository": "owner/model", "revision": ""},
    "checkpoints": {"ircoder": {"repository": "owner/tuned", "revision": "dev"}},
    "corpus": {"dataset": {"id": "owner/programs", "revision": "0123456"}},
    "list": [{"dataset": "owner/rows", "revision": OTHER, "files": "*"}],
    "none": {"dataset": None, "revision": "not of a repository"},
}
LOCK = {
    "models": {"owner/model": {"": REVISION}, "owner/tuned": {"main": REVISION}},
    "datasets": {"owner/programs": {"0123456": REVISION}, "owner/rows": {OTHER: REVISION, "": REVISION}},
}


def test_revisions_are_found_at_any_depth():
    assert revisions_in(NAMED) == [
        Revision("dataset", "owner/programs", "0123456"),
        Revision("dataset", "owner/rows", OTHER),
        Revision("model", "owner/model", ""),
        Revision("model", "owner/tuned", "dev"),
    ]


def test_the_lock_is_used_for_the_same_text_and_never_for_a_whole_commit():
    used = pinned(NAMED, LOCK)
    assert used["model"]["revision"] == used["corpus"]["dataset"]["revision"] == REVISION
    assert used["list"][0]["revision"] == OTHER
    assert used["checkpoints"]["ircoder"]["revision"] == "dev"
    assert NAMED["model"]["revision"] == ""
    own = {"id": "owner/programs", "revision": "0123456"}
    pin_in_place(own, LOCK)
    assert own["revision"] == REVISION


def test_models_and_data_sets_of_one_name_are_told_apart():
    lock = with_commits({}, {Revision("model", "a/b", "main"): OTHER, Revision("dataset", "a/b", "main"): REVISION})
    assert lock == {"models": {"a/b": {"main": OTHER}}, "datasets": {"a/b": {"main": REVISION}}}
    assert locked_commit(lock, Revision("dataset", "a/b", "main")) == REVISION
    more = with_commits(lock, {Revision("model", "a/b", ""): REVISION})
    assert more["models"] == {"a/b": {"": REVISION, "main": OTHER}}


WRONG_LOCKS = {
    "does not begin with abcdef0": {"models": {"a/b": {"abcdef0": REVISION}}},
    "models.a/b.main: 'dev' does not match": {"models": {"a/b": {"main": "dev"}}},
    "unknown key 'model'; did you mean 'models'": {"model": {}},
}


@pytest.mark.parametrize("told, lock", WRONG_LOCKS.items(), ids=WRONG_LOCKS)
def test_a_fault_of_the_lock_file_is_one_line(tmp_path, told, lock):
    shutil.copytree(ROOT / "config" / "schemas", tmp_path / "config" / "schemas")
    (tmp_path / "config" / "revisions.lock.yaml").write_text(yaml.safe_dump(lock))
    with pytest.raises(ConfigError, match=r"revisions\.lock\.yaml") as caught:
        read_lock(tmp_path)
    assert told in str(caught.value)


# Runs with a copy of the project's config, which it may change.
PIN = """
import sys, time
time.sleep = lambda seconds: None  # no waiting between the attempts of the hub's library
from pathlib import Path
from scripts.workflow import pin
pin.ROOT = Path(sys.argv.pop(1))
pin.main()
"""


class Project:
    """A copy of the project's config, with the hub at an address."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        shutil.copytree(ROOT / "config", folder / "config")
        (folder / "resources").symlink_to(ROOT / "resources")
        self.lock = folder / "config" / "revisions.lock.yaml"

    def pin(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `make pin` with these arguments."""
        return subprocess.run(
            [sys.executable, "-c", PIN, str(self.folder), *arguments],
            env=hub_environment(self.address, self.folder / "hub"),
            capture_output=True,
            text=True,
            check=False,
        )

    def locked(self) -> dict:
        return yaml.safe_load(self.lock.read_text(encoding="utf-8"))


@pytest.fixture
def project(tmp_path):
    """A project at a hub that answers."""
    with fake_hub({}) as address:
        yield Project(tmp_path, address)


def config_words(**values: object) -> list[str]:
    return ["--config", *(f"{key}={json.dumps(value)}" for key, value in values.items())]


ONLINE = {"hub": {"offline": False}, "corpus": {"dataset": {"id": "owner/programs", "revision": REVISION[:7]}}}


def test_what_a_config_leaves_open_is_looked_up_once(project):
    words = config_words(**ONLINE, models=["starcoderbase-1b", "codellama-7b-hf"])
    done = project.pin(*words)
    assert done.returncode == 0, done.stderr
    assert project.locked() == {
        "datasets": {"owner/programs": {REVISION[:7]: REVISION}},
        "models": {"bigcode/starcoderbase-1b": {"": REVISION}, "codellama/CodeLlama-7b-hf": {"": REVISION}},
    }
    project.address = "http://127.0.0.1:9"
    assert "is a whole commit or pinned" in project.pin(*words).stdout
    assert project.pin(*words, "--update").returncode == 1


def test_a_branch_and_a_checkpoint_of_a_model_are_pinned(project):
    table = project.folder / "config" / "models.yaml"
    text = table.read_text(encoding="utf-8")
    table.write_text(
        text.replace('bigcode/starcoderbase-1b\n  revision: ""', "bigcode/starcoderbase-1b\n  revision: main")
    )
    done = project.pin(*config_words(hub={"offline": False}, models=["starcoderbase-1b"]))
    assert done.returncode == 0, done.stderr
    assert project.locked()["models"] == {"bigcode/starcoderbase-1b": {"main": REVISION}}


def test_without_the_network_it_says_what_it_would_look_up(project):
    project.address = "http://127.0.0.1:9"
    done = project.pin(*config_words(**ONLINE, models=["starcoderbase-1b", "starcoderbase-3b"]))
    assert done.returncode == 1
    assert "model bigcode/starcoderbase-3b at its default branch" in done.stdout
    assert f"dataset owner/programs at {REVISION[:7]}" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: 3 of 3 revisions are not pinned") and "check the network" in line
    assert not project.lock.exists()


def test_an_offline_config_is_not_looked_up(project):
    done = project.pin("--config", 'models=["starcoderbase-1b"]')
    assert (done.returncode, project.lock.exists()) == (1, False)
    assert done.stderr.startswith("error: no revision was resolved, because hub.offline is true")


def test_one_repository_that_is_not_there_leaves_the_others_pinned(project):
    corpus = {"dataset": {"id": "owner/missing", "revision": "main"}}
    done = project.pin(*config_words(hub={"offline": False}, corpus=corpus, models=["starcoderbase-1b"]))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "1 of 2 revisions are not pinned: owner/missing is not on the hub" in line
    assert project.locked() == {"models": {"bigcode/starcoderbase-1b": {"": REVISION}}}


def test_a_wrong_config_is_one_line(project):
    done = project.pin("--config", "models=[nothing]")
    assert done.returncode == 1
    assert done.stderr.startswith("error: config: models: 'nothing' is not in config/models.yaml")
