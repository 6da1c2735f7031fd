"""The SQLite file of the run's database: its tables, and the replacement of single parts."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from scripts.lib.files import atomic_path
from scripts.lib.job import InputError
from scripts.lib.schemas.database import BY_NAME, DATABASE_TABLES, DatabaseTable

Row = Mapping[str, Any]
# The rows of a part, by table.
Part = Iterable[tuple[str, Row]]
RUN = "run"
# Underscores belong to words, because the texts are programs.
_TOKENIZER = "unicode61 tokenchars '_'"
# Rows that are inserted together.
_BATCH = 500


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _columns(table: DatabaseTable) -> Iterator[str]:
    """The column definitions of a table."""
    for field in table.fields:
        key = " PRIMARY KEY NOT NULL" if field.name == table.key else ""
        target = BY_NAME[field.references] if field.references else None
        reference = f" REFERENCES {quoted(target.name)} ({quoted(target.key)})" if target else ""
        yield f"{quoted(field.name)} {field.kind}{key}{reference}"


def _search(table: DatabaseTable) -> Iterator[str]:
    """Statements that create the full-text search of a table, and the triggers that keep it in step."""
    name, search = quoted(table.name), quoted(f"{table.name}_fts")
    columns = ", ".join(map(quoted, table.searched))
    yield (f"CREATE VIRTUAL TABLE {search} USING fts5 ({columns}, content={name}, tokenize={quoted(_TOKENIZER)})")
    new, old = (", ".join(f"{row}.{quoted(column)}" for column in table.searched) for row in ("new", "old"))
    insertion = f"INSERT INTO {search} (rowid, {columns}) VALUES (new.rowid, {new});"
    deletion = f"INSERT INTO {search} ({search}, rowid, {columns}) VALUES ('delete', old.rowid, {old});"
    yield f"CREATE TRIGGER {quoted(f'{table.name}_added')} AFTER INSERT ON {name} BEGIN {insertion} END"
    yield f"CREATE TRIGGER {quoted(f'{table.name}_removed')} AFTER DELETE ON {name} BEGIN {deletion} END"


def statements() -> Iterator[str]:
    """The SQL that creates the empty database."""
    for table in DATABASE_TABLES:
        yield f"CREATE TABLE {quoted(table.name)} ({', '.join(_columns(table))})"
        for field in table.fields[1:]:
            if field.indexed or field.references:
                index = quoted(f"{table.name}_{field.name}")
                yield f"CREATE INDEX {index} ON {quoted(table.name)} ({quoted(field.name)})"
        if table.searched:
            yield from _search(table)


def _create(connection: sqlite3.Connection) -> None:
    for statement in statements():
        connection.execute(statement)


def _has_tables(path: Path) -> bool:
    """Whether the file is a database with exactly the tables, indexes and triggers of the schema."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND sql NOT LIKE 'CREATE TABLE ''%'"
            present = {sql for (sql,) in connection.execute(query)}
    except sqlite3.DatabaseError:
        return False
    return present == set(statements())


def _digests(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT part, digest FROM parts"))


def _delete(connection: sqlite3.Connection, part: str) -> None:
    """Delete the rows of a part; `run` is all tables without a column for their part."""
    kind, _, value = part.partition("/")
    for table in DATABASE_TABLES:
        if part == RUN and not table.part and table.name != "parts":
            connection.execute(f"DELETE FROM {quoted(table.name)}")
        elif table.part == kind:
            connection.execute(f"DELETE FROM {quoted(table.name)} WHERE {quoted(table.part)} = ?", (value,))
    connection.execute("DELETE FROM parts WHERE part = ?", (part,))


def _insert(connection: sqlite3.Connection, table: DatabaseTable, rows: list[Row]) -> None:
    names = ", ".join(map(quoted, table.names))
    values = ", ".join(f":{name}" for name in table.names)
    connection.executemany(f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({values})", rows)


def _fill(connection: sqlite3.Connection, rows: Part) -> None:
    """Insert the rows of a part, in batches for each table."""
    waiting: dict[str, list[Row]] = {}
    for name, row in rows:
        batch = waiting.setdefault(name, [])
        batch.append(row)
        if len(batch) == _BATCH:
            _insert(connection, BY_NAME[name], batch)
            batch.clear()
    for name, batch in waiting.items():
        _insert(connection, BY_NAME[name], batch)


def _check_references(connection: sqlite3.Connection) -> None:
    """Raise `InputError` for a row whose reference has no target."""
    for table, rowid, target, number in connection.execute("PRAGMA foreign_key_check"):
        columns = {row[0]: row[3] for row in connection.execute(f"PRAGMA foreign_key_list({quoted(table)})")}
        query = f"SELECT {quoted(columns[number])} FROM {quoted(table)} WHERE rowid = ?"
        (value,) = connection.execute(query, (rowid,)).fetchone()
        raise InputError(
            f"the table {table} of the database refers to '{value}', which {target} does not contain; "
            "the results are from different runs: run again"
        )


@contextmanager
def _updated(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of the database, or to an empty one where it is missing or has other tables.

    The copy replaces the database at a clean exit, so that a reader never sees half an update.
    """
    with atomic_path(path) as temporary:
        is_current = path.exists() and _has_tables(path)
        if is_current:
            shutil.copyfile(path, temporary)
        with closing(sqlite3.connect(temporary)) as connection:
            # The file is renamed when it is complete, so a journal protects nothing.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            if not is_current:
                _create(connection)
            yield connection
            connection.commit()


def update(path: str | Path, digests: Mapping[str, str], rows_of: Callable[[str], Part]) -> list[str]:
    """Bring the database up to date; return the parts that were replaced.

    `digests` has the digest of each part's inputs by its name: `language/…`, `task/…` or `run`. Parts
    with another digest than the recorded one are filled with `rows_of(part)`; parts that are no
    longer named are deleted. Raises `InputError` when a reference has no target.
    """
    with _updated(Path(path)) as connection:
        recorded = _digests(connection)
        changed = sorted(part for part, digest in digests.items() if recorded.get(part) != digest)
        for part in sorted({*changed, *recorded.keys() - digests.keys()}):
            _delete(connection, part)
        for part in changed:
            _fill(connection, rows_of(part))
            connection.execute("INSERT INTO parts (part, digest) VALUES (?, ?)", (part, digests[part]))
        _check_references(connection)
    return changed
