"""Precompiled headers for programs that begin with the same system headers.

A program's IR is the same with and without one, because the header contains exactly what the
program itself includes
first: system headers, before anything that could change their meaning.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path

from scripts.compile.build import Build
from scripts.compile.compile_program import run_command
from scripts.lib.files import sha256_text, write_bytes, write_text

_EVERYTHING = "bits/stdc++.h"
_MAX_HEADERS = 8
# Headers of a program that are compared; the time for comparing lists grows with the square of their length.
_LONGEST_LIST = 64
# White space and line breaks of C, which are fewer than Python's.
_BLANK = re.compile(r"[ \t\r\n]*")
_LINE_BREAK = re.compile(r"[\r\n]")
_INCLUDE = re.compile(r"#[ \t]*(?:include|import)[ \t]*<([A-Za-z0-9_/.+-]+)>[ \t]*")
# clang ignores these two pragmas.
_HARMLESS = re.compile(r"#[ \t]*pragma[ \t]+GCC[ \t]+(?:optimize|target)\b[^\r\n\\/?]*")
# A line that continues in the next one, also by a trigraph, which some language standards of clang
# accept.
_SPLICE = re.compile(r"(?:\\|\?\?/)[ \t\f\v]*[\r\n]")


def _line_end(source: str, start: int) -> int:
    """Index of the next line break, or the length of the source."""
    line_break = _LINE_BREAK.search(source, start)
    return line_break.start() if line_break else len(source)


def _comment_end(source: str, start: int) -> int | None:
    """End index of the comment that starts at `start`, before its line break if it has one.

    None if no comment starts there, or if it never ends or has joined lines.
    """
    if source.startswith("//", start):
        end = _line_end(source, start)
    elif source.startswith("/*", start):
        end = source.find("*/", start + 2) + 2
    else:
        return None
    return end if end >= start + 2 and not _SPLICE.search(source, start, end + 1) else None


def _line_is_over(source: str, start: int) -> bool:
    """Whether the rest of a line is empty except for a comment that ends on it."""
    comment_end, line_end = _comment_end(source, start), _line_end(source, start)
    rest = source[start if comment_end is None else comment_end : line_end]
    within = comment_end is None or comment_end <= line_end
    return within and not rest.strip(" \t")


def _next_directive(source: str) -> Iterator[re.Match[str]]:
    """The includes and harmless pragmas at the beginning of a program, up to the first other text."""
    position: int | None = 0
    while position is not None:
        blank = _BLANK.match(source, position)
        position = blank.end() if blank else position
        directive = _INCLUDE.match(source, position) or _HARMLESS.match(source, position)
        if directive and _line_is_over(source, directive.end()):
            yield directive
            position = _line_end(source, directive.end())
        else:
            position = _comment_end(source, position)


def leading_headers(source: str) -> tuple[str, ...]:
    """The system headers that a program includes before anything else, in order; empty if there are
    none.

    If `bits/stdc++.h`, which includes all others, is among them, it is the only one. Anything but
    an include or a comment ends the list, such as joined lines and other spellings of `#`: the list
    may be too short, but never names a header that the compiler does not include. It has at most 64
    headers.
    """
    included = (directive[1] for directive in _next_directive(source) if directive.re is _INCLUDE)
    headers = tuple(islice(included, _LONGEST_LIST))
    return (_EVERYTHING,) if _EVERYTHING in headers else headers


def worthwhile(wanted: Iterable[tuple[str, ...]], min_programs: int) -> list[tuple[str, ...]]:
    """The longest prefixes of header lists that at least `min_programs` programs can use, the most
    common first.

    wanted: the headers that each program includes first. A list that too few programs share is
    shortened until enough do.
    """
    remaining = Counter(wanted)
    users: dict[tuple[str, ...], int] = {}
    for length in range(max(map(len, remaining), default=0), 0, -1):
        for headers in [headers for headers in remaining if len(headers) == length]:
            count = remaining.pop(headers)
            if count >= min_programs:
                users[headers] = count
            else:
                remaining[headers[:-1]] += count
    return sorted(users, key=lambda headers: (-users[headers], headers))[:_MAX_HEADERS]


def longest(headers: tuple[str, ...], available: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The longest prefix of a header list that is available; empty if none is."""
    return next((headers[:length] for length in range(len(headers), 0, -1) if headers[:length] in available), ())


def precompile(headers: tuple[str, ...], build: Build, variant: str) -> str | None:
    """Precompile a header list for a variant into the build's folder; return its file name, None if
    that fails.
    """
    if build.headers is None:
        return None
    text = "".join(f"#include <{header}>\n" for header in headers)
    words = build.expanded(build.precompiled, variant)
    name = sha256_text(f"{words}\n{text}")[:16]
    path = Path(build.headers, f"{name}.pch")
    if not path.exists():
        write_text(Path(build.headers, f"{name}.h"), text)
        words = [word.replace("{headers}", f"{build.headers_inside}/{name}.h") for word in words]
        outcome = run_command(build, words, build.extra_files, ["out.pch"])
        if "out.pch" not in outcome.files:
            return None
        write_bytes(path, outcome.files["out.pch"])
    return path.name
