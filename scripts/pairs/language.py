"""Pairs of source and IR of a language, without near-duplicates, long and contaminated programs."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import numpy as np

from scripts.lib.csv_files import write_csv
from scripts.lib.files import read_json, write_json
from scripts.lib.job import job
from scripts.lib.parquet import TableWriter, iter_rows
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.pairs import CONTAMINATION, PAIRS, SourceOutcome, Split
from scripts.lib.seeds import unit_for
from scripts.pairs.contamination import Benchmarks, Match
from scripts.pairs.lengths import Lengths, measure, too_long
from scripts.pairs.outcomes import Language, read_clusters, read_outcomes

_BATCH = 256


def normalised(source: str) -> str:
    """A source with line feeds for line ends and one at its end."""
    return source.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


class Builder:
    """Builds the pairs of a language and counts the outcomes of all sources in every variant."""

    def __init__(self, name: str, language: Language, benchmarks: Benchmarks, settings: dict[str, Any]) -> None:
        self.name, self.language, self.benchmarks, self.settings = name, language, benchmarks, settings
        self.counts: dict[str, Counter[str]] = {variant: Counter() for variant in language.represents}
        self.lengths = {variant: Lengths([]) for variant in language.represents}
        self.licenses: Counter[str] = Counter()
        self.contaminated: list[dict[str, Any]] = []

    def sources(self, path: str) -> dict[str, dict[str, Any]]:
        """The shard's sources that represent their cluster in a variant, by id, with `contaminated`
        marked.
        """
        wanted = np.any(list(self.language.represents.values()), axis=0)
        columns = ["id", "path", "source_sha256", "source", "license"]
        rows = [row for row in iter_rows(path, columns) if wanted[self.language.index(row["id"])]]
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            matches = self.benchmarks.match([row["source"] for row in batch])
            for row, own in zip(batch, matches, strict=True):
                row["contaminated"] = bool(own)
                self._report(row, own)
        return {row["id"]: row for row in rows}

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

    def pair(self, row: dict[str, Any], source: dict[str, Any]) -> dict[str, Any] | None:
        """The pair of one module and its source, or None (counted) when it is contaminated or too
        long.
        """
        counts = self.counts[row["variant"]]
        text = normalised(source["source"]) if self.settings["normalise_newlines"] else source["source"]
        lengths = measure(text, row["ir"])
        over = too_long(lengths, self.settings["limits"])
        if source["contaminated"] or over:
            counts.update(
                [SourceOutcome.CONTAMINATED] if source["contaminated"] else [SourceOutcome.FILTERED, f"long_{over}"]
            )
            return None
        split = self._split(row["id"])
        counts.update([SourceOutcome.PAIRS, split])
        self.lengths[row["variant"]].add(lengths)
        self.licenses[source["license"] or "not stated"] += 1
        hashes = {"source_sha256": source["source_sha256"], "ir_sha256": row["ir_sha256"]}
        where = {"path": source["path"], "license": source["license"]}
        return {"Source_Code": text, "IR_Original": row["ir"], "id": row["id"], **hashes, "split": split, **where}

    def shard(self, sources: str, ir: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Variant and row of each pair of one shard, in order of id."""
        known = self.sources(sources)
        for row in iter_rows(ir, ["id", "variant", "status", "ir", "ir_sha256"], batch_size=32):
            represents = self.language.represents[row["variant"]]
            if row["status"] != CompileStatus.OK:
                continue
            if not represents[self.language.index(row["id"])]:
                self.counts[row["variant"]][SourceOutcome.NEAR_DUPLICATES] += 1
            elif (pair := self.pair(row, known[row["id"]])) is not None:
                yield row["variant"], pair

    def funnel(self, index: dict[str, Any], variant: str) -> dict[str, int]:
        """Number of source files by outcome; raises `RuntimeError` when they do not add up."""
        statuses, counts = self.language.statuses[variant], self.counts[variant]
        rejected, compiled = statuses[CompileStatus.REJECTED_SOURCE], statuses[CompileStatus.OK]
        ends = {str(outcome): counts[outcome] for outcome in SourceOutcome} | {
            str(SourceOutcome.DUPLICATES): index["duplicates"],
            str(SourceOutcome.REJECTED): rejected,
            str(SourceOutcome.FAILED): statuses.total() - rejected - compiled,
        }
        if index["sources"] != sum(ends.values()):
            raise RuntimeError(f"{self.name}, {variant}: {index['sources']} sources do not add up to {ends}")
        return {"sources": index["sources"], **ends}

    def statistics(self, index: dict[str, Any]) -> dict[str, Any]:
        """Everything that is counted, by variant."""
        variants = {
            variant: {
                "funnel": self.funnel(index, variant),
                "splits": {str(split): self.counts[variant][split] for split in Split},
                "statuses": dict(sorted(self.language.statuses[variant].items())),
                "filtered": {key[5:]: n for key, n in sorted(self.counts[variant].items()) if key.startswith("long_")},
                "lengths": self.lengths[variant].summary(),
            }
            for variant in self.counts
        }
        tools = [{"compiler": compiler, "llvm": llvm} for compiler, llvm in sorted(self.language.tools)]
        licenses = dict(sorted(self.licenses.items()))
        return {"language": self.name, "variants": variants, "tools": tools, "licenses": licenses}


def in_order(contaminated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the list of contaminated sources in order of id, then problem."""
    return sorted(contaminated, key=lambda row: (row["id"], row["benchmark"], row["problem"]))


def chunks(items: Iterator[Any]) -> Iterator[list[Any]]:
    """The items in lists of 64."""
    while chunk := list(islice(items, 64)):
        yield chunk


def build(builder: Builder, shards: list[tuple[str, str]], outputs: dict[str, str]) -> None:
    """Write the pairs of all shards (paths of sources and IR) to one table per variant."""
    with ExitStack() as stack:
        writers = {
            variant: stack.enter_context(TableWriter(outputs[variant], PAIRS.schema))
            for variant in builder.language.represents
        }
        for sources, ir in shards:
            for pairs in chunks(builder.shard(sources, ir)):
                for variant, writer in writers.items():
                    writer.write(pair for of_variant, pair in pairs if of_variant == variant)


if __name__ == "__main__":
    with job() as snakemake:
        inputs, outputs, params = snakemake.input, snakemake.output, snakemake.params
        language = read_clusters(inputs.clusters)
        read_outcomes(language, list(inputs.ir), params.variants)
        benchmarks = Benchmarks(inputs.ngrams[0] if inputs.ngrams else None, params.ngram)
        builder = Builder(snakemake.wildcards.language, language, benchmarks, params.settings)
        shards = list(zip(inputs.sources, inputs.ir, strict=True))
        build(builder, shards, {variant: outputs[variant] for variant in params.variants})
        statistics = builder.statistics(read_json(inputs.index))
        write_csv(outputs.contamination, CONTAMINATION.names, in_order(builder.contaminated))
        write_json(outputs.statistics, statistics)
        logging.info("%s", statistics["variants"])
