"""Runs the functions of the data stages in order: a corpus in, pairs and statistics out, with invented IR."""

from pathlib import Path

from scripts.dedup import clusters, signatures
from scripts.lib.files import read_json, sha256_text
from scripts.lib.ledger import summarise
from scripts.lib.parquet import iter_rows, write_table
from scripts.lib.schemas.dedup import CLUSTERS, signatures_table
from scripts.lib.schemas.ir import IR
from scripts.pairs.contamination import Benchmarks
from scripts.pairs.language import Builder, build, check_rows
from scripts.pairs.outcomes import RepresentativePaths, read_clusters, read_outcomes
from scripts.sources.corpus import Corpus
from scripts.sources.read import read

CORPUS = {
    "path": "-",
    "format": "tree",
    "dataset": None,
    "files": "{language}/{split}*.parquet",
    "splits": {"perf": "Perf_Optimized", "size": "Size_Optimized"},
    "names": {},
    "columns": {"source": "Source_Code", "language": None, "path": None, "license": None, "ir": None},
    "max_bytes": 262_144,
    "first": None,
    "max_bad_bytes": 16,
    "encodings": ["cp1252"],
}
DEDUP = {
    "enabled": True,
    "tokens": "words",
    "ngram": 5,
    "permutations": 256,
    "min_tokens": 8,
    "seed": 1,
    "threshold": 0.7,
    "verify": True,
    "recall": 0.99,
    "short_documents": "keep",
}
PAIRS = {
    "limits": {"max_source_bytes": None, "max_source_tokens": None, "max_ir_bytes": None, "max_ir_tokens": None},
    "normalise_newlines": True,
    "validation_share": 0.2,
    "seed": 484,
}
VARIANTS = ["perf", "size"]


def module_of(source: str, variant: str) -> str:
    """A small module whose text is determined by source and variant."""
    return f"; {variant} {sha256_text(source)}\ndefine i32 @main() {{\n  ret i32 {len(source)}\n}}\n"


def write_ir(sources: Path, target: Path, failing: dict[str, tuple[str, ...]]) -> None:
    """Write the IR table of a shard; a source that contains a key of `failing` fails in the variants listed for it."""
    rows = []
    for row in iter_rows(sources):
        for variant in VARIANTS:
            fails = any(mark in row["source"] and variant in variants for mark, variants in failing.items())
            status = "rejected_source" if row["rejected"] else "compile_error" if fails else "ok"
            ir = module_of(row["source"], variant) if status == "ok" else None
            outcome = {"status": status, "ir": ir, "ir_sha256": sha256_text(ir) if ir else None}
            source = {key: row[key] for key in ("id", "language", "source_sha256")}
            tools = {"compiler": "by hand 1", "llvm": "22", "command": "", "seconds": 0.0, "rewrites": []}
            rows.append({**source, **tools, "variant": variant, "diagnostics": "", **outcome})
    write_table(target, rows, IR.schema)


def run(corpus: Path, out: Path, shard_size=1000, language="C", suffixes=("c",), failing=None, ngrams=None, **settings):
    """Run all data stages for one language; returns the summary of its ledger, the paths of its pairs by variant, and
    what was contaminated.

    `settings` replace settings of deduplication and pairs by name.
    """
    out.mkdir(parents=True, exist_ok=True)
    read(Corpus(corpus, language, CORPUS, list(suffixes)), shard_size, out / "shards.json", out / "aliases.parquet")
    index = read_json(out / "shards.json")
    dedup = {key: settings.get(key, value) for key, value in DEDUP.items()}
    names = sorted(index["shards"], key=int)
    sources, signed, ir = ([str(out / f"{kind}{name}.parquet") for name in names] for kind in ("", "signed-", "ir-"))
    for source, signature, table in zip(sources, signed, ir, strict=True):
        write_table(signature, signatures.signatures([source], dedup), signatures_table(256).schema)
        write_ir(Path(source), Path(table), failing or {})
    write_table(out / "clusters.parquet", clusters.clusters(signed, sources, ir, dedup), CLUSTERS.schema)
    known = read_clusters(str(out / "clusters.parquet"))
    read_outcomes(known, ir, VARIANTS)
    pair_settings = {key: settings.get(key, value) for key, value in PAIRS.items()}
    builder = Builder(language, known, Benchmarks(ngrams, 13), pair_settings, RepresentativePaths(known, sources))
    paths = {variant: str(out / f"pairs-{variant}.parquet") for variant in VARIANTS}
    aliases, ledger = str(out / "aliases.parquet"), str(out / "ledger.parquet")
    rows = build(builder, list(zip(sources, ir, strict=True)), aliases, paths, ledger, 1 << 20)
    check_rows(language, rows, index["sources"], len(VARIANTS))
    return summarise(ledger, language, VARIANTS), paths, builder.contaminated
