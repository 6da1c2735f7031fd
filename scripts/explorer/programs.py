"""What the pages about a program and about a cluster show."""

from typing import Any

from scripts.explorer.rows import Row, all_rows, one_row

_SOURCE = """
    SELECT sources.*, cluster_members.cluster, clusters.members, clusters.kept, kept.path AS kept_path,
      cluster_members.similarity
    FROM sources
    LEFT JOIN cluster_members ON cluster_members.source = sources.key
    LEFT JOIN clusters ON clusters.key = cluster_members.cluster
    LEFT JOIN sources AS kept ON kept.key = clusters.kept
    WHERE sources.key = :key
"""
_MODULES = "SELECT * FROM modules WHERE source = :key ORDER BY variant"
# Outcomes of the program and of its exact duplicates.
_OUTCOMES = (
    "SELECT path, variant, outcome, detail, split FROM outcomes WHERE source = :key ORDER BY path != :path, path"
)
_MEMBERS = """
    SELECT sources.*, cluster_members.similarity, cluster_members.variants_ok, clusters.kept,
      (SELECT count(*) FROM pairs WHERE pairs.source = sources.key) AS pairs
    FROM cluster_members
    JOIN sources ON sources.key = cluster_members.source
    JOIN clusters ON clusters.key = cluster_members.cluster
    WHERE cluster_members.cluster = :key
    ORDER BY sources.key != clusters.kept, sources.path
"""
# Programs of a cluster that are shown side by side.
SHOWN = 12


async def read_source(database: Any, key: str) -> dict[str, Any] | None:
    """A program with its outcomes, modules and contamination; None for an unknown key."""
    source = await one_row(database, _SOURCE, key=key)
    if source is None:
        return None
    modules: list[Row] = await all_rows(database, _MODULES, key=key)
    outcomes = await all_rows(database, f"{_OUTCOMES}, variant", key=key, path=source["path"])
    shared = await all_rows(database, "SELECT * FROM contamination WHERE source = :key ORDER BY key", key=key)
    return {"source": source, "modules": modules, "outcomes": outcomes, "contamination": shared}


async def read_cluster(database: Any, key: str) -> dict[str, Any] | None:
    """A cluster with its programs, the kept one first; None for an unknown key."""
    members = await all_rows(database, _MEMBERS, key=key)
    return {"members": members[:SHOWN], "total": len(members), "cluster": key} if members else None
