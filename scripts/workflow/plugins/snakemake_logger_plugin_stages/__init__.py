"""Logger plugin of Snakemake, `snakemake --logger stages`: progress by stage on the terminal, all
output in a log file.

Snakemake finds plugins by the name of a package on the module path, so this folder's parent must be
in PYTHONPATH, as in `make run`.
"""

from .handler import LogHandler

__all__ = ["LogHandler"]
