"""Known answers of reference implementations: vendored rows, and complete tables if available."""

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
# The parameter `rows` of a test: a function from a table's name to its rows.
Rows = Callable[[str], list[Row]]


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of JSON lines, compressed or not; fails for a file without rows."""
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    # Not splitlines: texts may contain line separators that JSON does not escape.
    rows = [json.loads(line) for line in text.decode("utf-8").split("\n") if line]
    assert rows, f"{path} has no rows"
    return rows


def vendored(name: str) -> list[Row]:
    """The rows of a table that are vendored here."""
    return read_rows(VENDORED / f"{name}.jsonl.gz")


def whole(name: str) -> list[Row]:
    """All rows of a table in `../shared`."""
    return read_rows(next(path for path in sorted(WHOLE.glob(f"{name}.jsonl*"))))


def with_oracles(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test on the vendored rows and, where `../shared` has the complete tables, on these."""
    absent = pytest.mark.skipif(not WHOLE.is_dir(), reason="the complete tables are not in ../shared")
    tables = [pytest.param(vendored, id="vendored"), pytest.param(whole, id="whole", marks=absent)]
    return pytest.mark.parametrize("rows", tables)(test)
