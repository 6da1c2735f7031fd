"""One program as it was read, before exact duplicates are dropped, and the tables that programs are kept in."""

from dataclasses import dataclass, field
from typing import Any

from scripts.lib.files import sha256_text

ID_DIGITS = 16


@dataclass(frozen=True)
class Record:
    """What one file or row of the corpus is.

    `sha256` is over the original bytes (over the path where they are not read), `size` in bytes. Exactly one of
    `encoding` and `rejected` is given; `source` is empty for a rejected program. `bad_bytes` counts the bytes that are
    no UTF-8, `uncertain` says that another encoding is as likely. `variant` tells in which of several lists of programs
    a row stood, and `ir` is the module that came with it.
    """

    path: str
    sha256: str
    size: int
    source: str = ""
    encoding: str | None = None
    rejected: str | None = None
    license: str | None = None
    variant: str = ""
    ir: str | None = field(default=None, repr=False)
    bad_bytes: int = 0
    uncertain: bool = False

    @property
    def id(self) -> str:
        """The program's name in all later stages."""
        return self.sha256[:ID_DIGITS]

    def row(self, language: str) -> dict[str, Any]:
        """The row of the sources table, and the variant."""
        return {
            "id": self.id,
            "language": language,
            "path": self.path,
            "source_sha256": self.sha256,
            "encoding": self.encoding,
            "bytes": self.size,
            "source": self.source,
            "rejected": self.rejected,
            "license": self.license,
            "bad_bytes": self.bad_bytes,
            "encoding_uncertain": self.uncertain,
            "variant": self.variant,
        }

    def module(self) -> dict[str, Any]:
        """The row of the modules table."""
        hashed = {"ir": self.ir, "ir_sha256": sha256_text(self.ir or "")}
        return {"id": self.id, "source_sha256": self.sha256, "variant": self.variant, **hashed}
