"""Rows of the run's database for one language: programs, modules, clusters and pairs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.lib.csv_files import read_csv
from scripts.lib.parquet import iter_rows, parts_of
from scripts.provenance.database_file import Part

# A function that gives a text, or None where the text is too large for the database.
Limit = Callable[[str | None], str | None]


def limit(most: int) -> Limit:
    """Keep texts of at most `most` bytes."""

    def limited(text: str | None) -> str | None:
        return text if text is not None and len(text) <= most and len(text.encode()) <= most else None

    return limited


def numbered(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a parquet file with their numbers, from 0."""
    return enumerate(iter_rows(path, batch_size=64))


class LanguageRows:
    """The rows of one language.

    results: the folder of results. shards: names of the language's shards. variants: variants of the
    run. text: keeps texts that are not too large.
    """

    def __init__(self, results: Path, language: str, shards: list[str], variants: list[str], text: Limit) -> None:
        self.results, self.language, self.shards, self.variants, self.text = results, language, shards, variants, text

    def files(self) -> list[str]:
        """The files that rows are read from, relative to the results."""
        language = self.language
        shards = [f"{stage}/{language}/{shard}.parquet" for shard in self.shards for stage in ("sources", "ir")]
        pairs = [name for variant in self.variants for name in self._pair_files(variant)]
        pairs += [f"pairs/{language}/{name}" for name in ("ledger.parquet", "contamination.csv")]
        return [*shards, *pairs, f"sources/{language}/aliases.parquet", f"dedup/{language}/clusters.parquet"]

    def rows(self) -> Part:
        """All rows, each with its table."""
        for shard in self.shards:
            yield from self._sources(f"sources/{self.language}/{shard}.parquet")
            yield from self._modules(f"ir/{self.language}/{shard}.parquet")
        yield from self._duplicates()
        yield from self._outcomes()
        yield from self._clusters()
        for variant in self.variants:
            yield from self._pairs(variant)
        yield from self._contamination()

    def _key(self, name: str) -> str:
        return f"{self.language}/{name}"

    def _sources(self, file: str) -> Part:
        for number, row in numbered(self.results / file):
            text = self.text(row.pop("source"))
            yield "sources", {**row, "key": self._key(row["id"]), "text": text, "file": file, "row": number}

    def _modules(self, file: str) -> Part:
        for number, row in numbered(self.results / file):
            source, ir = self._key(row["id"]), row["ir"] or None
            yield (
                "modules",
                {
                    **row,
                    "key": f"{source}/{row['variant']}",
                    "source": source,
                    "rewrites": json.dumps(row["rewrites"] or []),
                    "ir_sha256": row["ir_sha256"] or None,
                    "ir_bytes": len(ir.encode()) if ir else None,
                    "ir": self.text(ir),
                    "file": file,
                    "row": number,
                },
            )

    def _duplicates(self) -> Part:
        for row in iter_rows(self.results / "sources" / self.language / "aliases.parquet"):
            key, source = self._key(row["path"]), self._key(row["kept_id"])
            yield "duplicates", {"key": key, "language": self.language, "path": row["path"], "source": source}

    def _outcomes(self) -> Part:
        for row in iter_rows(self.results / "pairs" / self.language / "ledger.parquet"):
            key = self._key(f"{row['path']}/{row['variant']}")
            kept = row["kept"] and self._key(row["kept"])
            yield "outcomes", {**row, "key": key, "source": self._key(row["id"]), "kept": kept}

    def _clusters(self) -> Part:
        seen = set()
        for row in iter_rows(self.results / "dedup" / self.language / "clusters.parquet"):
            cluster = self._key(row["cluster"])
            common = {**row, "language": self.language}
            if cluster not in seen:
                seen.add(cluster)
                yield "clusters", {**common, "key": cluster, "kept": self._key(row["kept"])}
            yield "cluster_members", {**common, "source": self._key(row["id"]), "cluster": cluster}

    def _pair_files(self, variant: str) -> list[str]:
        """Names of the parts of a table of pairs."""
        parts = parts_of(self.results / f"pairs/{self.language}/{variant}.parquet")
        return [part.relative_to(self.results).as_posix() for part in parts]

    def _pairs(self, variant: str) -> Part:
        for file in self._pair_files(variant):
            yield from self._pairs_of_file(file, variant)

    def _pairs_of_file(self, file: str, variant: str) -> Part:
        for number, row in numbered(self.results / file):
            source = self._key(row["id"])
            key = f"{source}/{variant}"
            yield (
                "pairs",
                {
                    "key": key,
                    "language": self.language,
                    "source": source,
                    "module": key,
                    "variant": variant,
                    "split": row["split"],
                    "source_bytes": len(row["Source_Code"].encode()),
                    "ir_bytes": len(row["IR_Original"].encode()),
                    "file": file,
                    "row": number,
                },
            )

    def _contamination(self) -> Part:
        for row in read_csv(self.results / "pairs" / self.language / "contamination.csv"):
            source = self._key(row["id"])
            key = f"{source}/{row['benchmark']}/{row['problem']}"
            yield "contamination", {**row, "language": self.language, "key": key, "source": source}
