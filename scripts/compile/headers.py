"""Precompiled headers for programs that begin with the same system headers.

A program's IR is the same with and without one, because the header holds exactly what the program itself includes
first: includes of system headers, before anything that could change what they mean.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from scripts.compile.build import Build
from scripts.compile.compile_program import run_command
from scripts.lib.files import sha256_text, write_bytes, write_text

_EVERYTHING = "bits/stdc++.h"
_MOST_HEADERS = 8
# Blanks and line breaks as C has them: not what Python takes for them beyond these.
_BLANK = re.compile(r"[ \t\r\n]+")
_LINE_END = re.compile(r"[\r\n]|\Z")
_INCLUDE = re.compile(r"#[ \t]*(?:include|import)[ \t]*<([A-Za-z0-9_/.+-]+)>[ \t]*")
# clang ignores these two.
_HARMLESS = re.compile(r"#[ \t]*pragma[ \t]+GCC[ \t]+(?:optimize|target)\b[^\r\n\\/?]*")
# A line that goes on in the next one, also with trigraphs, of which clang's standard decides whether they count.
_SPLICE = re.compile(r"(?:\\|\?\?/)[ \t\f\v]*[\r\n]")


def _comment_end(source: str, start: int) -> int | None:
    """Where the comment that starts at `start` ends, before its line break if it has one.

    None where no comment starts, and for one that never ends or has lines that are joined.
    """
    if source.startswith("//", start):
        end = _LINE_END.search(source, start).start()
    elif source.startswith("/*", start):
        end = source.find("*/", start + 2) + 2
    else:
        return None
    return end if end >= start + 2 and not _SPLICE.search(source, start, end + 1) else None


def _line_is_over(source: str, start: int) -> bool:
    """Whether a line has nothing more than a comment, which ends on it."""
    end = _comment_end(source, start)
    rest = source[start if end is None else end : _LINE_END.search(source, start).start()]
    within = end is None or end <= _LINE_END.search(source, start).start()
    return within and not rest.strip(" \t")


def leading_headers(source: str) -> tuple[str, ...]:
    """The system headers that a program includes before anything else, in order; empty when there are none.

    Where the header of all headers is among them, it alone. Whatever is not plainly an include or a comment ends the
    list, such as joined lines and other spellings of `#`: the list may be too short, and never has what the compiler
    does not include.
    """
    found: list[str] = []
    place = 0
    while True:
        blank = _BLANK.match(source, place)
        place = blank.end() if blank else place
        include, harmless = _INCLUDE.match(source, place), _HARMLESS.match(source, place)
        directive = include or harmless
        if directive and _line_is_over(source, directive.end()):
            found += [include[1]] if include else []
            place = _LINE_END.search(source, directive.end()).start()
        else:
            place = _comment_end(source, place)
            if place is None:
                return (_EVERYTHING,) if _EVERYTHING in found else tuple(found)


def worthwhile(wanted: Iterable[tuple[str, ...]], min_programs: int) -> list[tuple[str, ...]]:
    """Beginnings of header lists that at least `min_programs` programs can use, and no longer one, the commonest first.

    `wanted` has the headers that each program includes first. A list that too few share is cut until enough do.
    """
    waiting, kept = Counter(wanted), Counter()
    for length in range(max(map(len, waiting), default=0), 0, -1):
        for headers in [headers for headers in waiting if len(headers) == length]:
            users = waiting.pop(headers)
            if users >= min_programs:
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
        outcome = run_command(build, words, build.extra_files, ["out.pch"])
        if "out.pch" not in outcome.files:
            return None
        write_bytes(made, outcome.files["out.pch"])
    return made.name
