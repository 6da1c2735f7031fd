"""How a table that stages exchange is described: its columns with type, meaning and unit."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import pyarrow as pa


class Word(StrEnum):
    """A word that a column may hold, with its meaning; members are written `NAME = "word",
    "meaning"`.
    """

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:
        """A member that equals its word; a look-up of a member has the word alone."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member


@dataclass(frozen=True)
class Column:
    """A column of a table.

    dtype: its type in parquet; in CSV and JSON files, the type of the values that the text stands
    for.
    description: what a value means, for the documentation.
    unit: unit of the values, empty for texts and plain counts.
    words: the enumeration of all values, where they are enumerable.
    nullable: whether the parquet schema allows nulls.
    """

    name: str
    dtype: pa.DataType
    description: str
    unit: str = ""
    words: type[Word] | None = None
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """A table that one stage writes and others read.

    name: what the documentation calls it.
    path: where it is, below `results_dir` unless it starts with `config/`; names in braces are
    wildcards.
    description: what a row is, and the order of rows.
    """

    name: str
    path: str
    description: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the columns that hold numbers, in order."""
        return tuple(
            column.name
            for column in self.columns
            if pa.types.is_integer(column.dtype) or pa.types.is_floating(column.dtype)
        )

    @property
    def schema(self) -> pa.Schema:
        """The parquet schema. It has no metadata, so that descriptions are no part of a file's
        bytes.
        """
        return pa.schema([pa.field(column.name, column.dtype, column.nullable) for column in self.columns])


def text(name: str, description: str, words: type[Word] | None = None) -> Column:
    """A column of texts."""
    return Column(name, pa.string(), description, words=words)
