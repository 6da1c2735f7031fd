"""A program as it was read, before exact duplicates are dropped."""

from dataclasses import dataclass, field
from typing import Any

from scripts.lib.schemas.sources import Rejection
from scripts.sources.decode import Decoded

ID_DIGITS = 16


@dataclass(frozen=True)
class Module:
    """A module that the corpus has for a program.

    text: None where only its hash is wanted, or where it is too long.
    """

    sha256: str
    is_too_long: bool
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Record:
    """A file or row of the corpus.

    sha256: of the original bytes, or of the path where the bytes are not read. size: in bytes.
    encoding, rejected: exactly one is set; `source` is empty for a rejected program.
    bad_bytes: number of bytes that are not valid UTF-8.
    uncertain: whether another encoding is as likely.
    variant: variant whose list of programs contains the row; empty where there is one list for all.
    module: the module that the corpus has for the program.
    """

    path: str
    sha256: str
    size: int
    source: str = ""
    encoding: str | None = None
    rejected: Rejection | None = None
    license: str | None = None
    variant: str = ""
    module: Module | None = None
    bad_bytes: int = 0
    uncertain: bool = False

    @classmethod
    def of(cls, decoded: Decoded, path: str, sha256: str, size: int) -> "Record":
        """The record of a program whose bytes were decoded."""
        return cls(
            path,
            sha256,
            size,
            source=decoded.text,
            encoding=decoded.encoding,
            rejected=decoded.rejected,
            bad_bytes=decoded.bad_bytes,
            uncertain=decoded.uncertain,
        )

    @property
    def id(self) -> str:
        """Name of the program in all later stages."""
        return self.sha256[:ID_DIGITS]

    def row(self, language: str) -> dict[str, Any]:
        """The row of the table of sources, with the variant and the hash of the module."""
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
            "ir_sha256": self.module.sha256 if self.module else None,
        }

    def module_row(self) -> dict[str, Any] | None:
        """The row of the module, by the columns of `MODULES`; None for a program without one."""
        if self.module is None:
            return None
        hashed = {"ir": self.module.text, "ir_sha256": self.module.sha256}
        return {"id": self.id, "source_sha256": self.sha256, "variant": self.variant, **hashed}
