"""Precompiled headers for programs that begin with the same system headers.

A program's IR is the same with and without one, because the header holds exactly what the program itself includes
first: includes of system headers, before anything that could change what they mean.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from scripts.compile.build import Build
from scripts.compile.unit import run_command
from scripts.lib.files import sha256_text, write_bytes, write_text

_EVERYTHING = "bits/stdc++.h"
_MOST_HEADERS = 8
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r"#\s*(?:include|import)\s*<([\w/.+-]+)>")
_HARMLESS = re.compile(r"#\s*pragma\s+GCC\s+(?:optimize|target)\b.*")


def leading_headers(source: str) -> tuple[str, ...]:
    """The system headers that a program includes before anything else, in order; empty when there are none.

    Where the header of all headers is among them, it alone.
    """
    found: list[str] = []
    for line in _COMMENT.sub(" ", source).splitlines():
        text = line.strip()
        include = _INCLUDE.fullmatch(text)
        if include:
            found.append(include[1])
        elif text and not _HARMLESS.fullmatch(text):
            break
    return (_EVERYTHING,) if _EVERYTHING in found else tuple(found)


def worthwhile(wanted: Iterable[tuple[str, ...]], fewest: int) -> list[tuple[str, ...]]:
    """Beginnings of header lists that at least `fewest` programs can use, and no longer one, the commonest first.

    `wanted` has the headers that each program includes first. A list that too few share is cut until enough do.
    """
    waiting, kept = Counter(wanted), Counter()
    for length in range(max(map(len, waiting), default=0), 0, -1):
        for headers in [headers for headers in waiting if len(headers) == length]:
            users = waiting.pop(headers)
            if users >= fewest:
                kept[headers] = users
            else:
                waiting[headers[:-1]] += users
    return sorted(kept, key=lambda headers: (-kept[headers], headers))[:_MOST_HEADERS]


def longest(headers: tuple[str, ...], kept: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest beginning of a header list that is among some; empty when none is."""
    return next((headers[:length] for length in range(len(headers), 0, -1) if headers[:length] in kept), ())


def precompile(headers: tuple[str, ...], build: Build, variant: str) -> str | None:
    """Precompile a header list for a variant into the build's folder; return its file name, None if that fails."""
    text = "".join(f"#include <{header}>\n" for header in headers)
    words = build.expanded(build.precompiled, variant)
    name = sha256_text(f"{words}\n{text}")[:16]
    made = Path(build.headers, f"{name}.pch")
    if not made.exists():
        write_text(Path(build.headers, f"{name}.h"), text)
        words = [word.replace("{headers}", f"{build.headers_inside}/{name}.h") for word in words]
        outcome = run_command(build, words, build.support, ["out.pch"])
        if "out.pch" not in outcome.files:
            return None
        write_bytes(made, outcome.files["out.pch"])
    return made.name
