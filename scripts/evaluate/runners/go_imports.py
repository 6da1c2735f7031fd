"""The imports of a Go program, computed from the packages that its code uses, because Go refuses any other list."""

import re
from collections.abc import Collection, Iterable

# Comments, interpreted and raw strings, and runes: text in which names of packages do not count. A comment that never
# ends reaches to the end of the text, a string to that of the line: searching for it from each beginning would take
# quadratic time on a completion that repeats itself.
_NO_CODE = re.compile(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"?|`[^`]*`|\'(?:\\.|[^\'\\\n]){1,10}\'', re.DOTALL)
_PACKAGE = re.compile(r"^[^\S\n]*package\s+\w+[ \t;]*$", re.MULTILINE)
# A list of imports ends before the next one begins.
_LISTED = r"\([^)\n]*(?:\n(?!import\b)[^)\n]*)*\)"
_IMPORT = re.compile(rf'^import\s*(?:{_LISTED}|(?:[\w.]+\s+)?"[^"]*")[ \t;]*$', re.MULTILINE)
_PATH = re.compile(r'"([^"\n]+)"')
_USED = re.compile(r"(?<![\w.])([a-z]\w*)\s*\.\s*[A-Z]")
# A variable or parameter with the name in place of {0}, and what ends its declaration.
_DECLARED = r"(?<![\w.]){0}(?:\s*,\s*(?!{0}\b)\w+)*\s*:=|\bvar\s+{0}\b|[(,]\s*{0}\s+[\w*\[]"
_DECLARATION_END = re.compile(r"[;{\n]")

# Import paths in rising preference: of packages with the same name, the last one is used unless the data set names one.
# `unsafe`, with which a program could read or write private parts of the tests, and `syscall` are left out.
_KNOWN = """
bufio bytes cmp container/heap container/list container/ring context crypto/hmac crypto/md5 crypto/rand crypto/sha1
crypto/sha256 crypto/sha512 encoding/base64 encoding/binary encoding/csv encoding/hex encoding/json errors fmt hash
hash/crc32 hash/fnv html index/suffixarray io io/ioutil log maps math math/big math/bits math/cmplx math/rand net
net/http net/url os os/exec os/signal path path/filepath regexp regexp/syntax reflect runtime runtime/debug slices
sort strconv strings sync sync/atomic testing text/scanner text/tabwriter text/template time unicode unicode/utf16
unicode/utf8
github.com/stretchr/testify/assert
"""


def _name(path: str) -> str:
    """The name by which code calls a package."""
    return path.rpartition("/")[2]


def imports_of(text: str) -> list[str]:
    """Import paths that Go code names, in order."""
    return [path for match in _IMPORT.finditer(text) for path in _PATH.findall(match[0])]


def _package_names(code: str, known: Collection[str]) -> set[str]:
    """Which of the `known` names of packages code without comments and literals uses.

    A name that code uses only after it has declared a variable or parameter of that name is that of
    no package, as `scanner` after `scanner := bufio.NewScanner(file)`.
    """
    first_uses: dict[str, int] = {}
    for use in _USED.finditer(code):
        if use[1] in known:
            first_uses.setdefault(use[1], use.start())
    names = set()
    for name, start in first_uses.items():
        declared = re.search(_DECLARED.format(name), code)
        end = _DECLARATION_END.search(code, declared.end()) if declared else None
        if end is None or start < end.start():
            names.add(name)
    return names


def used_packages(text: str, listed: str, known: Iterable[str] | None = None) -> list[str]:
    """Import paths of the packages that Go code uses, sorted.

    listed: text with imports that the data set names. known: paths to choose from; the common ones when None.
    """
    paths = re.findall(r"\S+", _KNOWN) if known is None else known
    by_name = {_name(path): path for path in (*paths, *_PATH.findall(listed))}
    names = _package_names(_NO_CODE.sub(" ", text), by_name)
    return sorted(path for name, path in by_name.items() if name in names)


def without_imports(text: str) -> str:
    """Go code without its package and import lines."""
    return _PACKAGE.sub("", _IMPORT.sub("", text))


def with_imports(text: str, listed: str, package: str, *always: str) -> str:
    """Go code as a file of a package, with its package and import lines replaced by those that it needs.

    always: further imports, as Go writes them.
    """
    body = without_imports(text)
    imports = "".join(f"\t{line}\n" for line in (*always, *(f'"{path}"' for path in used_packages(body, listed))))
    return f"package {package}\n\nimport (\n{imports})\n{body}"
