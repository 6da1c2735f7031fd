"""Documents that deduplication keeps, compared with the original.

The choice of hash functions does not matter for these documents.
"""

import pyarrow as pa
import pytest

from scripts.dedup import clusters, signatures
from scripts.lib.files import sha256_text
from scripts.lib.parquet import write_table
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.schemas.sources import SOURCES
from scripts.sources.record import Record
from tests.conformance.oracles import vendored

PAPER = {
    "enabled": True,
    "tokens": "split",
    "ngram": 5,
    "permutations": 256,
    "threshold": 0.5,
    "min_tokens": 8,
    "short_documents": "paper",
    "verify": False,
    "recall": 0.99,
}
IR = pa.schema([("id", pa.string()), ("variant", pa.string()), ("status", pa.string())])
SHORT = 5


def representatives(folder, texts, settings):
    """The text that represents each text's cluster, by this project, for a shard without IR."""
    by_id = {sha256_text(text)[:16]: text for text in texts}
    records = [Record("", sha256_text(text), len(text), text, "utf-8") for text in texts]
    paths = [str(folder / name) for name in ("sources", "signatures", "outcomes")]
    write_table(
        paths[0], [record.row("C") for record in sorted(records, key=lambda record: record.sha256)], SOURCES.schema
    )
    table = signatures_table(settings["permutations"])
    write_table(paths[1], signatures.signatures([paths[0]], settings), table.schema)
    write_table(paths[2], [], IR)
    table = clusters.clusters([paths[1]], [paths[0]], [paths[2]], settings).to_pylist()
    return {by_id[row["id"]]: by_id[row["kept"]] for row in table}


@pytest.mark.parametrize("seed", [1, 77, 484])
@pytest.mark.parametrize(("threshold", "least"), [(0.5, 8), (0.7, 5)])
def test_oracle_of_cluster_representatives(tmp_path, threshold, least, seed):
    """The documents are in the order of their hashes: the smallest index is the smallest id.

    Their similarities are above 0.88 or below 0.12, so the family of hash functions is irrelevant.
    """
    rows = vendored("dedup_kept")
    texts = [row["text"] for row in rows]
    expected = {row["text"]: texts[row[f"cluster_{threshold}/{least}"]] for row in rows}
    actual = representatives(tmp_path, texts, {**PAPER, "threshold": threshold, "min_tokens": least, "seed": seed})
    assert {text: actual[text] for text in texts} == expected
    assert len(set(expected.values())) < len(texts)


def test_oracle_of_short_documents_which_are_one_cluster():
    """In the original, all documents with fewer tokens than the minimum are one cluster."""
    rows = vendored("dedup_kept")
    clustered: dict[int, list[str]] = {}
    for row in rows:
        clustered.setdefault(row["cluster_0.5/8"], []).append(row["text"])
    largest = max(clustered.values(), key=len)
    assert {"int main(){}", "print(1)", "fn main() {}"} <= set(largest)
    assert len(largest) > SHORT
