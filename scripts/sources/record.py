"""One source file as it was read, before exact duplicates are dropped."""

from dataclasses import dataclass

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("path", pa.string()),
        ("source_sha256", pa.string()),
        ("encoding", pa.string()),
        ("bytes", pa.int64()),
        ("source", pa.string()),
        ("rejected", pa.string()),
        ("licence", pa.string()),
    ]
)

ALIAS_SCHEMA = pa.schema([(name, pa.string()) for name in ("path", "source_sha256", "kept_id", "kept_path")])

ID_DIGITS = 16


@dataclass(frozen=True)
class Record:
    """What one file of the corpus is.

    `sha256` is over the original bytes (over the path where there are none to read), `size` in bytes. Exactly one of
    `encoding` and `rejected` is given; `source` is empty for a rejected file.
    """

    path: str
    sha256: str
    size: int
    source: str = ""
    encoding: str | None = None
    rejected: str | None = None
    licence: str | None = None

    def row(self, language: str) -> dict[str, object]:
        """The row of the sources table."""
        return {
            "id": self.sha256[:ID_DIGITS],
            "language": language,
            "path": self.path,
            "source_sha256": self.sha256,
            "encoding": self.encoding,
            "bytes": self.size,
            "source": self.source,
            "rejected": self.rejected,
            "licence": self.licence,
        }
