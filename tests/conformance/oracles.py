"""Known answers of reference implementations: the rows vendored here, and the whole tables where they are at hand."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
VENDORED = Path(__file__).resolve().parent / "data"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
WHOLE = SHARED / "oracles"
# Marks a test with a parameter `rows`: a function from a table's name to its rows.
Rows = Callable[[str], list[Row]]


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of JSON lines, compressed or not; a table without rows checks nothing and is refused."""
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    # Not splitlines: texts may hold line separators that JSON leaves as they are.
    rows = [json.loads(line) for line in text.decode("utf-8").split("\n") if line]
    assert rows, f"{path} has no rows"
    return rows


def vendored(name: str) -> list[Row]:
    """The rows of a table that this folder carries."""
    return read_rows(VENDORED / f"{name}.jsonl.gz")


def whole(name: str) -> list[Row]:
    """All rows of a table next to the project."""
    return read_rows(next(path for path in sorted(WHOLE.glob(f"{name}.jsonl*"))))


def with_oracles(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test on the vendored rows and, where the whole tables lie next to the project, on these."""
    absent = pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole tables do not lie next to the project")
    tables = [pytest.param(vendored, id="vendored"), pytest.param(whole, id="whole", marks=absent)]
    return pytest.mark.parametrize("rows", tables)(test)
