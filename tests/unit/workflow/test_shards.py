"""The shards of a language, from indexes of two shards."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

from scripts.workflow.shards import Shards

ENTRIES = {"010": {"rows": 3, "sha256": "b"}, "2": {"rows": 4, "sha256": "a", "modules": "m"}}


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    """Sources of C in two shards."""
    folder = tmp_path / "C"
    folder.mkdir()
    (folder / "shards.json").write_text(json.dumps({"shards": ENTRIES}))
    for name in ENTRIES:
        (folder / f"{name}.parquet").touch()
    return Shards(tmp_path)


def test_shards_are_in_the_order_of_their_numbers(shards: Shards) -> None:
    assert shards.names("C") == ["2", "010"]
    assert (shards.rows("C"), shards.rows("D"), shards.names("D")) == (7, 0, [])


def test_a_shard_without_its_table_is_a_fault(shards: Shards) -> None:
    Path(shards.table("C", "2")).unlink()
    with pytest.raises(WorkflowError, match=r"shards\.json names the shard 2, whose table is gone; delete .* again"):
        shards.names("C")


def test_digests_are_those_of_the_index(shards: Shards) -> None:
    second, third, unknown = (SimpleNamespace(language="C", shard=name) for name in ("2", "010", "3"))
    assert [shards.digest(each) for each in (second, third, unknown)] == ["a", "b", ""]
    assert [shards.module_digest(each) for each in (second, third, unknown)] == [["a", "m"], ["b", None], [None, None]]
    assert shards.digests(SimpleNamespace(language="C")) == ["a", "b"]


def test_a_rewritten_index_is_read_again(shards: Shards) -> None:
    assert shards.rows("C") == 7
    index = shards.folder / "C" / "shards.json"
    index.write_text(json.dumps({"shards": {"2": {"rows": 1, "sha256": "c"}}}))
    os.utime(index, ns=(1, 1))
    assert shards.rows("C") == 1
