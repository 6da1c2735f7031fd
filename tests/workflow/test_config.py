"""A wrong configuration ends a run within seconds, with one line that names the key."""

import time

import pytest

FAULTS = {
    "unknown key": ("pairz=1", "unknown key 'pairz'; did you mean 'pairs'?"),
    "unknown language": (
        "languages=[Pyton]",
        "'Pyton' is not in config/languages.yaml; did you mean 'Python'?",
    ),
    "negative shard size": ("shard_size=-4", "shard_size: -4 is less than the minimum of 1"),
    "missing corpus": ("corpus={path: no/such/folder}", "corpus.path: 'no/such/folder' does not exist"),
    "wrong type": ("keep_ll=perhaps", "keep_ll: 'perhaps' is not of type 'boolean'"),
    "key of a section": ("compile={wall: 3}", "compile: unknown key 'wall'"),
}


@pytest.mark.parametrize("setting, told", FAULTS.values(), ids=FAULTS)
def test_fault_is_told_in_one_line(workflow, tmp_path, setting, told):
    started = time.monotonic()
    output = workflow(tmp_path / "run", "--config", setting, succeeds=False).stdout
    # The bound of five seconds is for a machine of its own; the margin is for one that is shared.
    assert time.monotonic() - started < 15
    lines = [line for line in output.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert told in lines[0]
    assert "Traceback" not in output
