"""Tables of the stage `sources`: programs, and exact duplicates."""

import pyarrow as pa

from scripts.lib.schemas.table import Column, Table, Word, text


class Rejection(Word):
    """Why a file or row of the corpus is not a program that can be compiled."""

    EMPTY = "empty", "nothing but white space"
    BINARY = "binary", "contains a NUL character"
    BAD_BYTES = "bad_bytes", "UTF-8 with more invalid bytes than `corpus.max_bad_bytes`"
    UNDECODABLE = "undecodable", "no encoding of `corpus.encodings` can read it"
    TOO_LARGE = "too_large", "more bytes than `corpus.max_bytes`, or a module that is too long"
    SYMLINK_OUTSIDE = "symlink_outside", "a symbolic link that leaves the corpus"
    NOT_REGULAR = "not_regular", "not a regular file, such as a pipe or a broken link"


ID = text("id", "first 16 hexadecimal digits of `source_sha256`; names the program in all stages")
LANGUAGE = text("language", "language, as named in `config/languages.yaml`")
VARIANT = text("variant", "optimisation variant: `perf` or `size`")
SOURCE_SHA256 = text(
    "source_sha256", "SHA-256 of the program's original bytes; of its path where the bytes are not read"
)
PATH = text("path", "path below the corpus, or file and row number in a table without paths")
LICENSE = text("license", "license that the corpus states for the program; null where it states none")

SOURCES = Table(
    "Sources",
    "sources/{language}/{shard}.parquet",
    "One row for each program of a language, exact duplicates dropped, in the order of `source_sha256`.",
    (
        ID,
        LANGUAGE,
        PATH,
        SOURCE_SHA256,
        text("encoding", "Python codec that decoded the program; null for a rejected one"),
        Column("bytes", pa.int64(), "size of the original file or value", "bytes"),
        text("source", "the program's text, without byte order mark; empty for a rejected one"),
        text("rejected", "why the program is not compiled; null for a program that is", Rejection),
        LICENSE,
        Column("bad_bytes", pa.int64(), "bytes that are not valid UTF-8, each replaced by U+FFFD", "bytes"),
        Column("encoding_uncertain", pa.bool_(), "whether another encoding is as likely and gives another text"),
    ),
)

# Modules that came with programs, while they are sorted: no result, and no table of parquet.
MODULES = pa.schema([(name, pa.string()) for name in ("id", "source_sha256", "variant", "ir", "ir_sha256")])

ALIASES = Table(
    "Exact duplicates",
    "sources/{language}/aliases.parquet",
    "One row for each file or row of the corpus that was dropped because another one has the same bytes, in the order "
    "of `source_sha256` and `path`.",
    (
        text("path", "path of the dropped program"),
        text("source_sha256", "SHA-256 of the bytes that both have"),
        text("kept_id", "`id` of the program that remains"),
        text("kept_path", "`path` of the program that remains"),
    ),
)
