"""Tables of the stage `dedup`: MinHash signatures and clusters of near-duplicates."""

import pyarrow as pa

from scripts.lib.schemas.sources import ID
from scripts.lib.schemas.table import Column, Table, text

_TOKENS = Column("tokens", pa.int32(), "tokens that deduplication counts; 0 for a rejected program", "tokens")


def signatures_table(permutations: int) -> Table:
    """The table of signatures of `permutations` slots each (`dedup.permutations`)."""
    signature = pa.binary(4 * permutations)
    return Table(
        "Signatures",
        "dedup/{language}/signatures.parquet",
        "One row for each program of a language, in the order of `id`.",
        (
            ID,
            _TOKENS,
            text("exact", "hash of the text, for a program too short for shingles; null for others"),
            Column("signature", signature, "MinHash signature: `dedup.permutations` little-endian uint32; else null"),
        ),
    )


CLUSTERS = Table(
    "Clusters of near-duplicates",
    "dedup/{language}/clusters.parquet",
    "One row for each program of a language, in the order of `id`.",
    (
        ID,
        text("cluster", "name of the program's cluster: the smallest `id` in it"),
        text("kept", "`id` of the program that represents the cluster"),
        Column("similarity", pa.float64(), "Jaccard similarity to `kept`, from 0 to 1; null where not compared"),
        Column("members", pa.int32(), "programs in the cluster"),
        _TOKENS,
        Column("variants_ok", pa.int8(), "variants in which the program compiled"),
    ),
)
