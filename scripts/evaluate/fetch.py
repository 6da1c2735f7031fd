"""Fetch one file of benchmark rows from where `downloads` in config/benchmarks.yaml says it is.

That is a data set of the hub at a pinned revision, an address that holds a revision, or an installed Python package.
The rows are written as JSON lines, under the name and in the fields that a folder of benchmark data has.
"""

import gzip
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any
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
    """Rows of the JSON-lines members of a tar archive whose path ends as the regular expression `members` says.

    Its named groups are fields of the rows: numbers where they are of digits alone.
    """
    pattern = re.compile(f"(?:.*/)?{members}")
    with tarfile.open(path) as archive:
        found = {name: match for name in archive.getnames() if (match := pattern.fullmatch(name))}
        for name in sorted(found):
            fields = {key: int(text) if text.isdigit() else text for key, text in found[name].groupdict().items()}
            for number, line in enumerate(archive.extractfile(name) or (), start=1):
                yield {**parse_object(line, f"{path}, {name}, line {number}"), **fields}


def rows_of(path: str, source: Mapping[str, Any]) -> Iterable[Row]:
    """The wanted rows of a fetched file."""
    if path.endswith(".parquet"):
        return parquet_rows(path, source.get("where", {}))
    if path.endswith(".tar.gz"):
        return archive_rows(path, source["members"])
    return read_jsonl(path)


def hub_rows(source: Mapping[str, Any], offline: bool) -> Iterator[Row]:
    """Rows of a data set's files, in the order of their names; a file is fetched when its rows are wanted."""
    check_online(source["dataset"], offline)
    for path in dataset_files(source["dataset"], source["revision"], source["files"], TABLE):
        yield from rows_of(path, source)


def split_rows(source: Mapping[str, Any], offline: bool) -> Iterator[Row]:
    """The first rows of each split, as many as `rows` says by split, each with its split's name as the field `split`.

    Raises `InputError` when a split has fewer.
    """
    for split, wanted in source["rows"].items():
        files = source["files"].replace("{split}", split)
        count = 0
        for row in islice(hub_rows({**source, "files": files}, offline), wanted):
            count += 1
            yield {**row, "split": split}
        if count < wanted:
            which = f" where {source['where']}" if "where" in source else ""
            raise InputError(f"{source['dataset']} has {count} {split} rows{which}, not {wanted}; lower commits.sizes")


def url_rows(url: str, offline: bool) -> list[Row]:
    """Rows of a JSON list at an address."""
    check_online(url, offline)
    try:
        with urlopen(url, timeout=60) as answer:
            return json.load(answer)
    except (URLError, TimeoutError) as error:
        raise InputError(f"{url} cannot be fetched: {error}; check the network, or correct `url` in {TABLE}") from error


def package_rows(package: str, file: str) -> Iterable[Row]:
    """Rows of a file in an installed Python package."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise InputError(f"the Python package {package} is not installed; run `make setup`")
    return read_jsonl(Path(found.origin).parent / file)


def halved(row: Row) -> Row:
    """A problem with the first half of its solution's lines moved into the prompt, as ReCode does it."""
    lines = row["canonical_solution"].splitlines(keepends=True)
    middle = len(lines) // 2
    return {
        **row,
        "prompt": row["prompt"] + "".join(lines[:middle]),
        "canonical_solution": "".join(lines[middle:]),
    }


def fetched_rows(source: Mapping[str, Any], offline: bool) -> Iterable[Row]:
    """The rows of a source; where it says `rows`, that many of each split."""
    if "rows" in source:
        return split_rows(source, offline)
    if "dataset" in source:
        return hub_rows(source, offline)
    if "url" in source:
        return url_rows(source["url"], offline)
    rows = package_rows(source["package"], source["file"])
    return map(halved, rows) if source.get("halved") else rows


def write_rows(path: str, rows: Iterable[Row]) -> None:
    """Write JSON lines, gzipped without a time stamp when the name ends in `.gz`; no rows are an `InputError`."""
    count = 0
    with ExitStack() as stack:
        stream = stack.enter_context(stack.enter_context(atomic_path(path)).open("wb"))
        if path.endswith(".gz"):
            stream = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0))
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
        if not count:
            raise InputError(f"the source of {Path(path).name} has no such rows; correct it in {TABLE}")


if __name__ == "__main__":
    with job() as snakemake:
        write_rows(snakemake.output[0], fetched_rows(snakemake.params.source, snakemake.params.offline))
