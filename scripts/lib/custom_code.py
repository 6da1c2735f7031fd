"""Models that consist of Python code in their repository: such code runs only where the config trusts
it.

`trust_remote_code` in an entry of config/models.yaml lets the import of a base run the code. What
the workflow saves of such a model contains the code and a mark, by which later jobs know that it is
trusted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.lib.files import write_text
from scripts.lib.job import InputError

MARK = "trusted_code"
# Package in which transformers imports code of a repository.
_PACKAGE = "transformers_modules"


def is_trusted(folder: str | Path) -> bool:
    """Whether a folder that the workflow wrote contains code that the config trusts."""
    return Path(folder, MARK).is_file()


def mark_trusted(model: object, folder: str | Path) -> None:
    """Mark the folder of a saved model whose class comes from its repository's code."""
    if type(model).__module__.split(".")[0] == _PACKAGE:
        write_text(Path(folder, MARK), "config/models.yaml sets trust_remote_code for this model.\n")


@contextmanager
def code_errors(folder: str | Path) -> Iterator[None]:
    """Turn the refusal to run code of a repository into `InputError`."""
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" not in str(error):
            raise
        problem = f"{folder} needs Python code of its repository, which is not run"
        remedy = "read the code, then set trust_remote_code: true in the model's entry of config/models.yaml"
        raise InputError(f"{problem}; {remedy}") from error
