"""Pairs of source and IR of a language, without near-duplicates, long and contaminated programs,
and the ledger that says what became of every source.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.batches import batched
from scripts.lib.csv_files import write_csv
from scripts.lib.files import read_json
from scripts.lib.job import job
from scripts.lib.parquet import TableWriter, iter_rows
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.ledger import LEDGER
from scripts.lib.schemas.pairs import CONTAMINATION, PAIRS, Split
from scripts.lib.seeds import unit_for
from scripts.pairs import ledger
from scripts.pairs.contamination import Benchmarks, Match
from scripts.pairs.lengths import measure, too_long
from scripts.pairs.outcomes import Language, RepresentativePaths, read_clusters, read_outcomes

_BATCH = 256
_RESULT_BATCH = 64
_SOURCE = ["id", "path", "source_sha256", "source", "rejected", "license"]
_MODULE = ["id", "language", "variant", "status", "compiler", "llvm", "diagnostics", "ir", "ir_sha256", "unprepared"]


def normalised(source: str) -> str:
    """A source with line feeds for line ends and one at its end."""
    return source.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


@dataclass(frozen=True)
class Result:
    """What became of a program in a variant: its row of the ledger, and its pair if there is one."""

    entry: ledger.Entry
    pair: dict[str, Any] | None = None


class Builder:
    """Builds the pairs of a language and the rows of its ledger."""

    def __init__(
        self,
        name: str,
        language: Language,
        benchmarks: Benchmarks,
        settings: dict[str, Any],
        paths: RepresentativePaths,
    ) -> None:
        self.name, self.language, self.benchmarks = name, language, benchmarks
        self.settings, self.paths = settings, paths
        self.representing = language.representing()
        self.contaminated: list[dict[str, Any]] = []

    def sources(self, path: str) -> dict[str, dict[str, Any]]:
        """The shard's sources by id.

        Those that represent their cluster in a variant have their text and its `matches` with
        benchmarks.
        """
        rows = {}
        for row in iter_rows(path, _SOURCE):
            rows[row["id"]] = row
            if not self.representing[self.language.index(row["id"])]:
                del row["source"]
        wanted = [row for row in rows.values() if "source" in row]
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            matches = self.benchmarks.match([row["source"] for row in batch])
            for row, own in zip(batch, matches, strict=True):
                row["matches"] = own
                self._report(row, own)
        return rows

    def _report(self, row: dict[str, Any], matches: list[Match]) -> None:
        for match in matches:
            self.contaminated.append(
                {"language": self.name, "id": row["id"], "path": row["path"], **match.__dict__},
            )

    def _split(self, name: str) -> Split:
        """The part of the data set of a program: the same for a whole cluster, in both variants."""
        cluster = self.language.names[self.language.clusters[self.language.index(name)]]
        share = self.settings["validation_share"]
        validation = unit_for(self.settings["seed"], "split", self.name, cluster) < share
        return Split.VALIDATION if validation else Split.TRAIN

    def _representative(self, row: dict[str, Any], source: dict[str, Any], entry: ledger.Entry) -> Result:
        """The result of a program that represents its cluster."""
        text = normalised(source["source"]) if self.settings["normalise_newlines"] else source["source"]
        lengths = measure(text, row["ir"])
        if source["matches"]:
            return Result({**entry, **ledger.contaminated(source["matches"]), **lengths})
        limits = self.settings["limits"]
        if (length := too_long(lengths, limits)) is not None:
            return Result({**entry, **ledger.filtered(length, lengths, limits[f"max_{length}"])})
        split = self._split(row["id"])
        hashes = {"source_sha256": source["source_sha256"], "ir_sha256": row["ir_sha256"]}
        where = {"path": source["path"], "license": source["license"]}
        pair = {"Source_Code": text, "IR_Original": row["ir"], "id": row["id"], **hashes, "split": split, **where}
        return Result({**entry, **ledger.paired(split, lengths)}, pair)

    def result(self, row: dict[str, Any], source: dict[str, Any], shard: str) -> Result:
        """What became of a program in a variant; `row` is that of the IR table."""
        entry = ledger.base_entry(row, source, shard)
        if row["status"] != CompileStatus.OK:
            return Result({**entry, **ledger.failed(row, source)})
        index = self.language.index(row["id"])
        representative = int(self.language.representatives[row["variant"]][index])
        if representative != index:
            return Result({**entry, **ledger.near_duplicate(self.language, self.paths, index, representative)})
        return self._representative(row, source, entry)

    def shard(self, sources: str, ir: str) -> Iterator[Result]:
        """The results of all rows of one shard's IR table, in its order."""
        known, name = self.sources(sources), Path(ir).stem
        for row in iter_rows(ir, _MODULE, batch_size=32):
            yield self.result(row, known[row["id"]], name)


def in_order(contaminated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the list of contaminated sources in order of id, then problem."""
    return sorted(contaminated, key=lambda row: (row["id"], row["benchmark"], row["problem"]))


def build(
    builder: Builder,
    shards: list[tuple[str, str]],
    aliases: str,
    outputs: dict[str, str],
    ledger_path: str,
    part_bytes: int,
) -> int:
    """Write the pairs of all shards (paths of sources and IR) to one table per variant, in parts of
    `part_bytes`, and the ledger; return the number of rows of the ledger.
    """
    with ExitStack() as stack:
        writers = {
            variant: stack.enter_context(TableWriter(path, PAIRS.schema, part_bytes))
            for variant, path in outputs.items()
        }
        entries = stack.enter_context(TableWriter(ledger_path, LEDGER.schema))
        for sources, ir in shards:
            for results in batched(builder.shard(sources, ir), _RESULT_BATCH):
                entries.write(result.entry for result in results)
                for variant, writer in writers.items():
                    pairs = (result.pair for result in results if result.entry["variant"] == variant)
                    writer.write(pair for pair in pairs if pair is not None)
        entries.write(ledger.duplicates(aliases, builder.name, list(outputs)))
    return entries.written


def check_rows(language: str, rows: int, sources: int, variants: int) -> None:
    """Raise `RuntimeError` unless the ledger has a row for each source file and variant."""
    if rows != sources * variants:
        raise RuntimeError(f"{language}: the ledger has {rows} rows for {sources} sources in {variants} variants")


if __name__ == "__main__":
    with job() as snakemake:
        inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
        language = read_clusters(inputs.clusters)
        read_outcomes(language, list(inputs.ir), params.variants)
        benchmarks = Benchmarks(inputs.ngrams[0] if inputs.ngrams else None, params.ngram)
        paths = RepresentativePaths(language, list(inputs.sources))
        builder = Builder(snakemake.wildcards.language, language, benchmarks, params.settings, paths)
        shards = list(zip(inputs.sources, inputs.ir, strict=True))
        pairs = {variant: outputs[variant] for variant in params.variants}
        rows = build(builder, shards, inputs.aliases, pairs, outputs.ledger, params.part_mb * 1_000_000)
        check_rows(builder.name, rows, read_json(inputs.index)["sources"], len(params.variants))
        write_csv(outputs.contamination, CONTAMINATION.names, in_order(builder.contaminated))
        logging.info("%d rows of the ledger", rows)
