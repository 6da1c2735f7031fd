"""JSON lines with a checksum each, which an interrupted job leaves for the next one.

Such a file is written while the job runs, so that it has no checksum as a whole.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

_KEY = "crc32"


def _sum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def checked_line(row: Mapping[str, Any]) -> str:
    """A row, which must not be empty, as a line of JSON with its checksum as first entry."""
    body = json.dumps(row)
    return f'{{"{_KEY}": "{_sum(body)}", {body[1:]}\n'


def checked_row(line: bytes) -> dict[str, Any]:
    """The row of a line; raise `ValueError` if it has changed since it was written.

    A line without a checksum is read as well.
    """
    row: Any = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError("the line is not a JSON object")
    expected = row.pop(_KEY, None)
    if expected is not None and expected != _sum(json.dumps(row)):
        raise ValueError("the line has changed since it was written")
    return row
