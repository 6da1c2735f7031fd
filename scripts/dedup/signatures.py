"""MinHash signatures of the sources of a language, by rensa's R-MinHash.

The sketch is Dahlgaard, Knudsen and Thorup's Fast Similarity Sketching (2017).
"""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np
import pyarrow as pa
import rensa

from scripts.lib.files import sha256_text
from scripts.lib.job import job
from scripts.lib.parquet import iter_batches, write_table
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.shingles import Shingles, shingles

_BATCH = 512
# It begins where a run of blanks does: with a start at each blank, a long run would take quadratic time.
_LAYOUT = re.compile(r"(?<![ \t])[ \t]*(?:\r\n|\r|\n)")


def exact_key(text: str) -> str:
    """A hash of a text without line end style, blanks before line ends, and blank lines at either
    end.
    """
    return sha256_text(_LAYOUT.sub("\n", text).strip("\n\t "))[:32]


def _shingles(texts: list[str], settings: dict[str, Any]) -> Shingles:
    return shingles([text.encode() for text in texts], settings["ngram"], empty=settings["tokens"] == "split")


def signature_matrix(texts: list[str], settings: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Signatures, shape (n, permutations) uint32, and token counts, shape (n,), of n texts."""
    hashes = _shingles(texts, settings)
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
        hashes.values, hashes.offsets, settings["permutations"], settings["seed"]
    )
    return np.array(matrix.to_rows(), dtype="<u4").reshape(len(texts), settings["permutations"]), hashes.tokens


def batch_columns(texts: list[str], settings: dict[str, Any]) -> dict[str, list[Any]]:
    """Columns `tokens`, `exact` and `signature` of some sources; the text of a rejected source is
    empty.

    Without deduplication only tokens are counted, and the other columns are null.
    """
    if not settings.get("enabled", True):
        nothing: list[None] = [None] * len(texts)
        return {"tokens": _shingles(texts, settings).tokens.tolist(), "exact": nothing, "signature": nothing}
    matrix, counts = signature_matrix(texts, settings)
    least = max(settings["min_tokens"], settings["ngram"])
    long = counts >= least
    keys = [None if enough or not text else exact_key(text) for text, enough in zip(texts, long.tolist(), strict=True)]
    rows = [row.tobytes() if enough else None for row, enough in zip(matrix, long.tolist(), strict=True)]
    return {"tokens": counts.tolist(), "exact": keys, "signature": rows}


def signatures(sources: Iterable[str], settings: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """The rows of the table of signatures, in batches: in the order of the tables of sources and of
    their rows.
    """
    columns = signatures_table(settings["permutations"]).schema
    for path in sources:
        for batch in iter_batches(path, ["id", "source"], _BATCH):
            values = batch_columns(cast(list[str], batch["source"].to_pylist()), settings)
            yield pa.RecordBatch.from_pydict({"id": batch["id"], **values}, schema=columns)


if __name__ == "__main__":
    with job() as snakemake:
        os.environ["RAYON_NUM_THREADS"] = str(snakemake.threads)
        settings = snakemake.params.settings
        table = signatures_table(settings["permutations"])
        write_table(snakemake.output[0], signatures(snakemake.input, settings), table.schema)
