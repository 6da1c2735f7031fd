"""Digests of result files: SHA-256 of the bytes, or of the rows where a table also holds run times."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_file
from scripts.lib.job import InputError, progress
from scripts.lib.parquet import open_table

# The one column that differs between two runs of the same thing; a digest leaves it out.
RUN_TIME = "seconds"

Digest = dict[str, Any]


def rows_digest(path: str | Path) -> str | None:
    """SHA-256 over all columns but the run time of a parquet table; None where the table has no run times."""
    with open_table(path) as file:
        names = file.schema_arrow.names
        if RUN_TIME not in names:
            return None
        kept = [name for name in names if name != RUN_TIME]
        digest = hashlib.sha256("\n".join(kept).encode())
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=kept).combine_chunks()
            for batch in table.to_batches():
                digest.update(batch.serialize())
    return digest.hexdigest()


def digest_of(path: str | Path) -> Digest:
    """`{"bytes", "sha256"}` of a file, or `{"rows_sha256"}` of a table with run times."""
    rows = rows_digest(path) if Path(path).suffix == ".parquet" else None
    if rows is not None:
        return {"rows_sha256": rows}
    return {"bytes": Path(path).stat().st_size, "sha256": sha256_file(path)}


def files_in(path: str | Path) -> list[Path]:
    """The file itself, or all files of a folder, sorted; hidden ones, Snakemake's time stamps among them, left out."""
    place = Path(path)
    if not place.is_dir():
        return [place] if place.exists() else []
    files = (file for file in place.rglob("*") if file.is_file())
    return sorted(file for file in files if not any(part.startswith(".") for part in file.relative_to(place).parts))


def digest_all(paths: list[Path], threads: int) -> dict[Path, Digest]:
    """Digests of many files; `InputError` names one that cannot be read."""
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(paths, progress(pool.map(_digest_or_name, paths), "hashing", len(paths)), strict=True))


def _digest_or_name(path: Path) -> Digest:
    try:
        return digest_of(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); run again") from error
