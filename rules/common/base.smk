"""What every rule file uses: code hashes as params and paths below the project's root."""

from pathlib import Path

from scripts.lib.code import code_hash as code


def rooted(path):
    """A path of the config, read relative to the project's root, whatever the working directory is."""
    return str(Path(ROOT, path))
