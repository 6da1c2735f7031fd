"""Digests that are stored with a model's weights and checked before they are loaded: safetensors files have none.

The file is in the form of the `sha256sum` tool, which can check it too: `sha256sum -c weights.sha256`.
"""

from pathlib import Path

from scripts.lib.files import sha256_file, write_text
from scripts.lib.job import InputError

DIGESTS = "weights.sha256"


def write_weight_digests(folder: str | Path) -> None:
    """Store the SHA-256 of each safetensors file in a folder next to it."""
    files = sorted(Path(folder).glob("*.safetensors"))
    write_text(Path(folder, DIGESTS), "".join(f"{sha256_file(file)}  {file.name}\n" for file in files))


def check_weights(folder: str | Path) -> None:
    """Raise `InputError`, naming the file, where weights differ from their digests; folders without any are passed."""
    stored = Path(folder, DIGESTS)
    if not stored.is_file():
        return
    for line in stored.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        file = Path(folder, name)
        if not name or not file.is_file() or sha256_file(file) != digest:
            fault = f"{file} differs from {DIGESTS}, so it is damaged or was changed"
            raise InputError(f"{fault}; delete {folder} and run again, or delete {stored} if you changed the weights")
