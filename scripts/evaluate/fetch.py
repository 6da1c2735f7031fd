"""Fetch one file of benchmark rows, as `downloads` in config/benchmarks.yaml describes it.

A download is a data set of the Hugging Face hub at a pinned revision, a URL that contains a
revision, or a file of an installed Python package. Rows are written as JSON lines, with the name
and the fields of a file below `evaluate.data_dir`.
"""

import gzip
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from urllib.request import urlopen

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.files import atomic_path
from scripts.lib.hub import check_online, dataset_files
from scripts.lib.job import InputError, job
from scripts.lib.json_lines import json_list, json_type, read_jsonl, rows_in
from scripts.lib.parquet import open_table

TABLE = "config/benchmarks.yaml"
Row = dict[str, Any]
_MOST_BYTES = 256 << 20


def parquet_rows(path: str, where: Mapping[str, Any]) -> Iterator[Row]:
    """Rows of a parquet file whose fields have the values of `where`.

    Raises `InputError` for a damaged file, and for a field that it lacks or whose values are of another
    type.
    """
    with open_table(path) as file:
        for batch in file.iter_batches(1000):
            for field, value in where.items():
                try:
                    batch = batch.filter(pc.equal(batch[field], value))
                except (KeyError, pa.ArrowException) as error:
                    fault = f"has no field '{field}' with values like {value!r}"
                    raise InputError(f"{path} {fault}; correct `where` in {TABLE}") from error
            yield from batch.to_pylist()


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Turn errors about the content of an archive into an `InputError` that names it."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error


def archive_rows(path: str, members: str) -> Iterator[Row]:
    """Rows of the JSON-lines files in a tar archive whose path ends in the pattern `members`.

    Each named group of the pattern is a field of the rows: a number where it consists of digits.
    Raises `InputError` for a damaged archive, and for a line that is no JSON object.
    """
    pattern = re.compile(f"(?:.*/)?{members}")
    with _naming(path), tarfile.open(path, "r:gz") as archive:
        names = [member.name for member in archive if member.isfile()]
        matches = {name: match for name in names if (match := pattern.fullmatch(name))}
        for name in sorted(matches):
            groups = matches[name].groupdict()
            fields = {key: int(text) if text.isdigit() else text for key, text in groups.items()}
            for _, row in rows_in(cast(BinaryIO, archive.extractfile(name)), f"{path}, {name}"):
                yield {**row, **fields}


def rows_of(path: str, source: Mapping[str, Any]) -> Iterable[Row]:
    """The rows of a downloaded file that `source`, its entry under `downloads`, selects."""
    if path.endswith(".parquet"):
        return parquet_rows(path, source.get("where", {}))
    if path.endswith(".tar.gz"):
        return archive_rows(path, source["members"])
    return read_jsonl(path)


def hub_rows(source: Mapping[str, Any], offline: bool) -> Iterator[Row]:
    """Rows of a data set's files, in the order of the files' names.

    Each file is fetched when it is read.
    """
    check_online(source["dataset"], offline)
    for path in dataset_files(source["dataset"], source["revision"], source["files"], TABLE):
        yield from rows_of(path, source)


def split_rows(source: Mapping[str, Any], offline: bool) -> Iterator[Row]:
    """The first rows of each split, each with the name of its split in the field `split`.

    `rows` in the source has the number of rows of each split. Raises `InputError` when a split has
    fewer rows.
    """
    for split, size in source["rows"].items():
        files = source["files"].replace("{split}", split)
        count = 0
        for row in islice(hub_rows({**source, "files": files}, offline), size):
            count += 1
            yield {**row, "split": split}
        if count < size:
            which = f" where {source['where']}" if "where" in source else ""
            raise InputError(f"{source['dataset']} has {count} {split} rows{which}, not {size}; lower commits.sizes")


def url_rows(url: str, offline: bool) -> list[Row]:
    """Rows of a JSON list at a URL; raise `InputError` when it cannot be fetched, or is something else."""
    check_online(url, offline)
    remedy = f"check the network, or correct `url` in {TABLE}"
    try:
        with urlopen(url, timeout=60) as answer:
            content = answer.read(_MOST_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise InputError(f"{url} cannot be fetched: {error}; {remedy}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{url} has more than {_MOST_BYTES >> 20} MB; {remedy}")
    rows = json_list(content, url, remedy)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(f"{url}, row {number}: a JSON {json_type(row)}, not an object; {remedy}")
    return rows


def package_rows(package: str, file: str) -> Iterable[Row]:
    """Rows of a file in an installed Python package.

    Raises `InputError` when the package is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(f"the Python package {package} is not installed; run `make setup`")
    return read_jsonl(Path(spec.origin).parent / file)


def halved(row: Row) -> Row:
    """A problem with the first half of its solution's lines moved into the prompt, as in ReCode."""
    lines = row["canonical_solution"].splitlines(keepends=True)
    middle = len(lines) // 2
    return {
        **row,
        "prompt": row["prompt"] + "".join(lines[:middle]),
        "canonical_solution": "".join(lines[middle:]),
    }


def fetched_rows(source: Mapping[str, Any], offline: bool) -> Iterable[Row]:
    """The rows of a source; with `rows` in it, that number of rows of each split."""
    if "rows" in source:
        return split_rows(source, offline)
    if "dataset" in source:
        return hub_rows(source, offline)
    if "url" in source:
        return url_rows(source["url"], offline)
    rows = package_rows(source["package"], source["file"])
    return map(halved, rows) if source.get("halved") else rows


@contextmanager
def _new_file(path: str) -> Iterator[IO[bytes]]:
    """A file that is written atomically; gzipped without a time stamp if its name ends in `.gz`."""
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        if not path.endswith(".gz"):
            yield stream
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as zipped:
            yield cast(IO[bytes], zipped)


def write_rows(path: str, rows: Iterable[Row]) -> None:
    """Write rows as JSON lines, gzipped when the name ends in `.gz`.

    Raises `InputError` when there are no rows, and for a value that JSON cannot represent.
    """
    count = 0
    with _new_file(path) as stream:
        for count, row in enumerate(rows, start=1):
            try:
                line = json.dumps(row, ensure_ascii=False).encode()
            except (TypeError, ValueError) as error:
                fault = f"row {count} of the source of {Path(path).name} is not JSON ({error})"
                raise InputError(f"{fault}; correct the source in {TABLE}") from error
            stream.write(line + b"\n")
        if not count:
            raise InputError(f"the source of {Path(path).name} has no rows that match; correct it in {TABLE}")


if __name__ == "__main__":
    with job() as snakemake:
        write_rows(snakemake.output[0], fetched_rows(snakemake.params.source, snakemake.params.offline))
