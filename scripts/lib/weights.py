"""Format and digests of a model's weights, checked before loading, since safetensors files have no
checksum.

The file has the format of the `sha256sum` tool, which can check it, too: `sha256sum -c
weights.sha256`.
"""

from pathlib import Path

from scripts.lib.files import sha256_file, write_text
from scripts.lib.job import InputError

DIGESTS = "weights.sha256"
# Suffixes of weights in pickle format, which can execute code when they are loaded.
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


def write_weight_digests(folder: str | Path) -> None:
    """Write the SHA-256 of each safetensors file of a folder into its file `DIGESTS`."""
    files = sorted(Path(folder).glob("*.safetensors"))
    write_text(Path(folder, DIGESTS), "".join(f"{sha256_file(file)}  {file.name}\n" for file in files))


def _check_format(folder: Path) -> None:
    """Raise `InputError` if a folder has no safetensors weights."""
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(file.name for file in folder.glob("*") if file.suffix in _PICKLES)
    problem = f"{folder} has no safetensors weights"
    if pickles:
        problem += f", only {pickles[0]}, a pickle file, which can execute code when it is loaded"
    raise InputError(f"{problem}; use a revision with safetensors files, or convert the weights")


def check_weights(folder: str | Path) -> None:
    """Raise `InputError` if a folder has no safetensors weights or they differ from their digests.

    A folder without digests passes.
    """
    _check_format(Path(folder))
    stored = Path(folder, DIGESTS)
    if not stored.is_file():
        return
    lines = stored.read_text(encoding="utf-8", errors="replace").splitlines()
    listed = {line.partition("  ")[2] for line in lines}
    missing = next((file for file in sorted(Path(folder).glob("*.safetensors")) if file.name not in listed), None)
    if missing is not None:
        problem = f"{stored} does not list {missing.name}: it is damaged, or a file was added"
        raise InputError(f"{problem}; delete {folder} and run again, or delete {stored} if you changed the weights")
    for line in lines:
        digest, _, name = line.partition("  ")
        file = Path(folder, name)
        if not name or not file.is_file() or sha256_file(file) != digest:
            problem = f"{file} differs from {DIGESTS}: it is damaged or was changed"
            raise InputError(f"{problem}; delete {folder} and run again, or delete {stored} if you changed the weights")
