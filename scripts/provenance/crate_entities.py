"""Entities of an RO-Crate: files with their digests, times, and entities that are not files."""

import mimetypes
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from rocrate.model import ContextEntity, DataEntity, Entity
from rocrate.rocrate import ROCrate

from scripts.provenance.digests import PAGE, ROWS, Digest

# Start of the URI of a file outside the crate (RFC 6920).
NAMED_BY_DIGEST = "ni:///sha-256;"
MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".jsonl": "application/jsonl",
    ".zst": "application/zstd",
    ".smk": "text/x-snakemake",
    ".safetensors": "application/octet-stream",
    ".tex": "application/x-tex",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
    ".cff": "application/yaml",
}

# When a job started and ended, in seconds since 1970; None where that is not known.
Times = tuple[float | None, float | None]


def media_type(name: str) -> str:
    """The media type of a file by its name; tables of the machine have no influence."""
    known = mimetypes.MimeTypes().guess_type(name, strict=False)[0]
    return MEDIA_TYPES.get(PurePosixPath(name).suffix) or known or "text/plain"


def id_of_names(*names: str) -> str:
    """An identifier that depends on the names only."""
    return f"#{uuid.uuid5(uuid.NAMESPACE_URL, chr(10).join(names))}"


def time_text(seconds: float) -> str:
    """A time in UTC as ISO 8601, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def time_properties(times: Times) -> dict[str, str]:
    """Start and end of an action, as far as they are known."""
    named = zip(("startTime", "endTime"), times, strict=True)
    return {name: time_text(time) for name, time in named if time is not None}


def references(entities: Iterable[Entity]) -> Any:
    """The value of a property that refers to entities: JSON-LD of RO-Crate has a single one without
    a list.
    """
    listed = list(entities)
    return listed[0] if len(listed) == 1 else listed


def add_context(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> Entity:
    """Add an entity that is no file of the crate."""
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def file_properties(name: str, digest: Digest) -> dict[str, Any]:
    """Name, media type, and size and SHA-256 of a file, or the digest of what is equal in equal runs."""
    properties = {"name": PurePosixPath(name).name, "encodingFormat": media_type(name)}
    if not digest:
        return {**properties, "description": "differs between equal runs and has no digest"}
    if "rows_sha256" in digest:
        note = "SHA-256 over all columns except `seconds`, the run times"
        return {**properties, "identifier": ROWS + digest["rows_sha256"], "description": note}
    if "page_sha256" in digest:
        note = "SHA-256 over the page without the parts that show what the run cost"
        return {**properties, "identifier": PAGE + digest["page_sha256"], "description": note}
    return {**properties, "contentSize": str(digest["bytes"]), "sha256": digest["sha256"]}


def add_file(crate: ROCrate, name: str, digest: Digest, identifier: str | None = None) -> Entity:
    """Add a file under its path; one outside the results under the path of its copy or its URI."""
    properties = file_properties(name, digest)
    if identifier is not None:
        properties["alternateName"] = name
    if identifier is not None and identifier.startswith(NAMED_BY_DIGEST):
        return crate.add(DataEntity(crate, identifier, properties={"@type": "File", **properties}))
    return crate.add_file(dest_path=identifier or name, properties=properties)


def add_removed(crate: ROCrate, name: str) -> Entity:
    """Add a temporary file, which existed only until its last use."""
    description = "removed after its last use"
    return add_context(crate, f"#{quote(name)}", "CreativeWork", name=PurePosixPath(name).name, description=description)
