"""Models on the local disk: the path that an entry of config/models.yaml states, and a stamp of its
files.
"""

import hashlib
import importlib.util
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_file, sha256_text

# Files up to this number of bytes are read whole; of others so many blocks of so many bytes.
_WHOLE = 32 << 20
_BLOCKS, _BLOCK = 256, 4096


def local_model(entry: Mapping[str, Any], root: str | Path) -> Path | None:
    """The folder or GGUF file of an entry, existing or not; None for an entry that is not local.

    A GGUF file is in an installed Python package, or else below the project's root.
    """
    if entry["source"] == "folder":
        return Path(root, entry["path"])
    if entry["source"] != "gguf":
        return None
    package = str(entry.get("package") or "").partition("==")[0].replace("-", "_")
    spec = importlib.util.find_spec(package) if package else None
    return Path(spec.origin).parent / entry["file"] if spec and spec.origin else Path(root, entry["file"])


@lru_cache(maxsize=4096)
def _content(path: Path, size: int, modified: int, changed: int) -> str:
    """Digest of a file, or of blocks from its start to its end if it is large.

    modified, changed: times in nanoseconds, so that a file is read once as long as it is the same.
    """
    del modified, changed
    if size <= _WHOLE:
        return sha256_file(path)
    digest, step = hashlib.sha256(), (size - _BLOCK) // (_BLOCKS - 1)
    with path.open("rb") as stream:
        for number in range(_BLOCKS):
            stream.seek(number * step)
            digest.update(stream.read(_BLOCK))
    return digest.hexdigest()


def folder_stamp(path: str | Path) -> str:
    """Sixteen hexadecimal digits over name, size, modification time and content of a file, or of all
    files in a folder.

    Of files larger than 32 MB some blocks are read, which is cheap for weights of any size and
    notices that a model was trained further. Empty if there is no file.
    """
    root = Path(path)
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    lines = []
    for file in files:
        status = file.stat()
        content = _content(file, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        name = file.relative_to(root.parent).as_posix()
        lines.append(f"{name} {status.st_size} {int(status.st_mtime)} {content}")
    return sha256_text("\n".join(lines))[:16] if lines else ""
