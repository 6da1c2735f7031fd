"""Imports of a Go program made anew: exactly the packages that its code uses, because Go refuses any other list."""

import re

# Comments, interpreted and raw strings, and runes: what looks like code in them is none.
_NO_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|`[^`]*`|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
_PACKAGE = re.compile(r"^\s*package\s+\w+[ \t;]*$", re.MULTILINE)
_IMPORT = re.compile(r'^import\s*(?:\([^)]*\)|(?:[\w.]+\s+)?"[^"]*")[ \t;]*$', re.MULTILINE)
_PATH = re.compile(r'"([^"\n]+)"')
_USED = re.compile(r"(?<![\w.])([a-z]\w*)\.[A-Z]")

# Import paths in rising preference: of packages with the same name, the last is meant where the data set says nothing.
_KNOWN = """
bufio bytes container/heap container/list container/ring context crypto/hmac crypto/md5 crypto/rand crypto/sha1
crypto/sha256 crypto/sha512 encoding/base64 encoding/binary encoding/csv encoding/hex encoding/json errors fmt hash
hash/crc32 hash/fnv html index/suffixarray io io/ioutil log math math/big math/bits math/cmplx math/rand net net/http
net/url os os/exec os/signal path path/filepath regexp regexp/syntax reflect runtime runtime/debug sort strconv strings
sync sync/atomic syscall testing text/scanner text/tabwriter text/template time unicode unicode/utf16 unicode/utf8
unsafe github.com/stretchr/testify/assert
"""


def _name(path: str) -> str:
    """The name by which code calls a package."""
    return path.rpartition("/")[2]


def used_packages(text: str, listed: str) -> list[str]:
    """Import paths of the packages that Go code uses, sorted; `listed` is text with imports that the data set names."""
    known = {_name(path): path for path in (*re.findall(r"\S+", _KNOWN), *_PATH.findall(listed))}
    names = set(_USED.findall(_NO_CODE.sub(" ", text)))
    return sorted(path for name, path in known.items() if name in names)


def with_imports(text: str, listed: str) -> str:
    """Go code as a file of package main: its own package and import lines dropped, the imports that it needs made."""
    body = _PACKAGE.sub("", _IMPORT.sub("", text))
    paths = sorted({"testing", *used_packages(body, listed)})
    imports = "".join(f'\t"{path}"\n' for path in paths)
    return f"package main\n\nimport (\n{imports})\n{body}"
