"""Digests of result files: SHA-256 of the bytes, or of what is equal in equal runs: the rows of a table that also has
run times, and a page without the parts that show costs.
"""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_file
from scripts.lib.job import InputError, progress
from scripts.lib.parquet import open_table

# The only column that differs between two equal runs; digests ignore it.
RUN_TIME = "seconds"
# Prefix of a digest of rows where the crate identifies a file by it.
ROWS = "rows-sha256:"
# The same of a page, and the comments around parts of a page that differ between equal runs.
PAGE = "page-sha256:"
VARYING, END_OF_VARYING = "<!-- differs between equal runs -->", "<!-- end of what differs -->"
_VARYING_PART = re.compile(f"{VARYING}.*?{END_OF_VARYING}".encode(), re.DOTALL)

Digest = dict[str, Any]


def rows_digest(path: str | Path) -> str | None:
    """SHA-256 over all columns of a parquet table except the run times; None if the table has none."""
    with open_table(path) as file:
        names = file.schema_arrow.names
        if RUN_TIME not in names:
            return None
        columns = [name for name in names if name != RUN_TIME]
        digest = hashlib.sha256("\n".join(columns).encode())
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=columns).combine_chunks()
            for batch in table.to_batches():
                digest.update(batch.serialize())
    return digest.hexdigest()


def page_digest(path: str | Path) -> str | None:
    """SHA-256 of a page without the parts that differ between equal runs; None if it has none."""
    content = Path(path).read_bytes()
    return hashlib.sha256(_VARYING_PART.sub(b"", content)).hexdigest() if VARYING.encode() in content else None


def digest_of(path: str | Path) -> Digest:
    """`{"bytes", "sha256"}` of a file, `{"rows_sha256"}` of a table with run times, or `{"page_sha256"}` of a page with
    parts that differ between equal runs.
    """
    rows = rows_digest(path) if Path(path).suffix == ".parquet" else None
    if rows is not None:
        return {"rows_sha256": rows}
    page = page_digest(path) if Path(path).suffix == ".html" else None
    if page is not None:
        return {"page_sha256": page}
    return {"bytes": Path(path).stat().st_size, "sha256": sha256_file(path)}


def files_in(path: str | Path) -> list[Path]:
    """The file itself, or all files of a folder, sorted, without hidden ones such as Snakemake's time stamps."""
    top = Path(path)
    if not top.is_dir():
        return [top] if top.exists() else []
    files = (file for file in top.rglob("*") if file.is_file())
    return sorted(file for file in files if not any(part.startswith(".") for part in file.relative_to(top).parts))


def digest_all(paths: list[Path], threads: int) -> dict[Path, Digest]:
    """Digests of many files; raise `InputError` for one that cannot be read."""
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, progress(pool.map(_digest_or_name, paths), "hashing", len(paths)), strict=True))


def _digest_or_name(path: Path) -> Digest:
    try:
        return digest_of(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); run again") from error
