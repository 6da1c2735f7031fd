"""Fetch one file of benchmark rows, as `downloads` in config/benchmarks.yaml describes it.

A download is a data set of the Hugging Face hub at a pinned revision, a URL that contains a
revision, or a file of an installed Python package. Rows are written as JSON lines, with the name
and the fields of a file below `evaluate.data_dir`.
"""

import gzip
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast
from urllib.error import URLError
from urllib.request import urlopen

import pyarrow.compute as pc
import pyarrow.parquet as pq

from scripts.lib.files import atomic_path
from scripts.lib.hub import check_online, dataset_files
from scripts.lib.job import InputError, job
from scripts.lib.json_lines import parse_object, read_jsonl

TABLE = "config/benchmarks.yaml"
Row = dict[str, Any]


def parquet_rows(path: str, where: Mapping[str, Any]) -> Iterator[Row]:
    """Rows of a parquet file whose fields have the values of `where`."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(1000):
            for field, value in where.items():
                batch = batch.filter(pc.equal(batch[field], value))
            yield from batch.to_pylist()


def archive_rows(path: str, members: str) -> Iterator[Row]:
    """Rows of the JSON-lines files in a tar archive whose path ends in the pattern `members`.

    Each named group of the pattern is a field of the rows: a number where it consists of digits.
    """
    pattern = re.compile(f"(?:.*/)?{members}")
    with tarfile.open(path) as archive:
        matches = {name: match for name in archive.getnames() if (match := pattern.fullmatch(name))}
        for name in sorted(matches):
            groups = matches[name].groupdict()
            fields = {key: int(text) if text.isdigit() else text for key, text in groups.items()}
            for number, line in enumerate(archive.extractfile(name) or (), start=1):
                yield {**parse_object(line, f"{path}, {name}, line {number}"), **fields}


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
    """Rows of a JSON list at a URL; raise `InputError` when it cannot be fetched."""
    check_online(url, offline)
    try:
        with urlopen(url, timeout=60) as answer:
            rows: list[Row] = json.load(answer)
    except (URLError, TimeoutError) as error:
        raise InputError(f"{url} cannot be fetched: {error}; check the network, or correct `url` in {TABLE}") from error
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

    Raises `InputError` when there are no rows.
    """
    count = 0
    with _new_file(path) as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
        if not count:
            raise InputError(f"the source of {Path(path).name} has no rows that match; correct it in {TABLE}")


if __name__ == "__main__":
    with job() as snakemake:
        write_rows(snakemake.output[0], fetched_rows(snakemake.params.source, snakemake.params.offline))
