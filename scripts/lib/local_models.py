"""Models on the local disk: the path that an entry of config/models.yaml states, and a stamp of its
files.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_text


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


def folder_stamp(path: str | Path) -> str:
    """Sixteen hexadecimal digits over name, size and modification time of a file, or of all files
    in a folder.

    Cheap for weights of any size; it changes when a file is rewritten. Empty if there is no file.
    """
    root = Path(path)
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    lines = []
    for file in files:
        status = file.stat()
        lines.append(f"{file.relative_to(root.parent).as_posix()} {status.st_size} {int(status.st_mtime)}")
    return sha256_text("\n".join(lines))[:16] if lines else ""
