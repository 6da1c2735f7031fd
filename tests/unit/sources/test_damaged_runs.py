"""Files of the external sort, which a later job reads: a changed byte is noticed and the file named."""

import random

import pyarrow as pa
import pytest

from scripts.lib.files import sha256_bytes
from scripts.lib.job import InputError
from scripts.sources.external_sort import RunWriter, SortedRuns

SCHEMA = pa.schema([("source_sha256", pa.string()), ("source", pa.string())])


@pytest.fixture
def run(tmp_path):
    """A file of a hundred sorted rows."""
    path = tmp_path / "one.run"
    with path.open("wb") as file, RunWriter(file, 4, SCHEMA, texts=("source",)) as writer:
        for number in range(100):
            writer.add({"source_sha256": sha256_bytes(str(number).encode()), "source": "x" * number})
    return path


def read(path):
    with SortedRuns([path], 4) as runs:
        return [row for table in runs.tables() for row in table.to_pylist()]


def test_every_changed_bit_is_noticed(run):
    content, generator = run.read_bytes(), random.Random(5)
    assert len(read(run)) == 100
    for _ in range(200):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        run.write_bytes(changed)
        with pytest.raises(InputError, match=r"one\.run is damaged"):
            read(run)


@pytest.mark.parametrize("length", [0, 5, 31, 40, 200, -1])
def test_a_file_that_was_cut_is_noticed(run, length):
    run.write_bytes(run.read_bytes()[:length])
    with pytest.raises(InputError, match=r"one\.run is damaged"):
        read(run)
