"""What keeps files of the Hugging Face hub from being fetched, each as one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from scripts.lib.job import InputError

# Whatever goes wrong on the way, in the HTTP library that the hub's client is built on.
_HTTP_ERROR = HfHubHTTPError.__bases__[0]


def check_online(what: str, offline: bool) -> None:
    """Raise `InputError` when nothing may be fetched."""
    if offline:
        raise InputError(f"{what} must be fetched, but `hub.offline` is true; set it to false, or use a folder")


def check_revision(repository: str, revision: str, table: str) -> None:
    """Raise `InputError` when the file `table` names no revision of a repository."""
    if not revision:
        raise InputError(f"{repository} has no revision; set the commit to use as `revision` in {table}")


@contextmanager
def hub_errors(repository: str, revision: str, table: str) -> Iterator[None]:
    """Turn the hub's errors into `InputError`; `table` is the file that names repository and revision."""
    place = f"{repository} at revision {revision}"
    try:
        yield
    except GatedRepoError as error:
        remedy = "accept its terms on the hub and set HF_TOKEN in the environment"
        raise InputError(f"{repository} is gated; {remedy}") from error
    except RevisionNotFoundError as error:
        raise InputError(f"{place} does not exist; correct `revision` in {table}") from error
    except RepositoryNotFoundError as error:
        remedy = f"correct its name in {table}, or set HF_TOKEN"
        raise InputError(f"{repository} is not on the hub, or private; {remedy}") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, _HTTP_ERROR) as error:
        raise InputError(f"{place} cannot be fetched: {error}; check the network, then run again") from error
