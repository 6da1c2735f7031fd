"""A runner that judges wrongly is refused before generation, with the cause where it is known."""

import os
from types import SimpleNamespace

import pytest

from scripts.evaluate import prepare_runner
from scripts.lib.job import InputError
from scripts.workflow.validation import read_yaml
from tests.support.fake_hub import ROOT

PYTHON = read_yaml(ROOT / "config/runners.yaml")["python"]


@pytest.fixture
def wrong_runner(monkeypatch):
    """A runner for which no program is correct, run by root."""
    verdict = SimpleNamespace(status="compile_error", detail="cannot open", cpu_seconds=0)
    runner = SimpleNamespace(judge=lambda program: verdict)
    monkeypatch.setattr(prepare_runner, "make_runner", lambda *arguments: runner)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.parametrize(
    "mask, message",
    [
        (
            0o077,
            "umask 077 makes the run's files unreadable for the user nobody, as whom programs run; set `umask 022`",
        ),
        (0o027, "umask 027 makes"),
        (0o022, "check that its tools are installed and work (envs/execute.yaml)"),
        (0o002, "check that its tools are installed"),
    ],
)
def test_a_umask_that_makes_files_unreadable_is_named(wrong_runner, mask, message):
    before = os.umask(mask)
    try:
        with pytest.raises(InputError) as caught:
            prepare_runner.check_verdicts("python", PYTHON, {})
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert "returns 'compile_error' (cannot open) for a program whose verdict should be 'passed'" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_umask_does_not_matter_to_users_other_than_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    before = os.umask(0o077)
    try:
        assert prepare_runner.umask_remedy() == ""
    finally:
        os.umask(before)
