"""Rows of the run's database for the pages of the explorer."""

from typing import Any

Row = dict[str, Any]


async def all_rows(database: Any, sql: str, **values: object) -> list[Row]:
    """All rows of a query; `database` is one of datasette's."""
    return [dict(row) for row in (await database.execute(sql, values)).rows]


async def one_row(database: Any, sql: str, **values: object) -> Row | None:
    """The first row of a query, or None."""
    rows = await all_rows(database, sql, **values)
    return rows[0] if rows else None
