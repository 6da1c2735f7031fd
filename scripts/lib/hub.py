"""Files of data sets on the Hugging Face hub; whatever keeps them from being fetched is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase

from huggingface_hub import HfApi, hf_hub_download
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
        raise InputError(
            f"{repository} has no revision; set the commit to use as `revision` in {table}, or run make pin"
        )


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


def dataset_files(dataset: str, revision: str, pattern: str, table: str) -> Iterator[str]:
    """Local paths of a data set's files that match `pattern`, in the order of their names.

    pattern: path in the data set with shell wild cards. table: what names data set and revision, for messages.
    A file is fetched when its path is asked for. Raises `InputError` when no file matches or one cannot be fetched.
    """
    check_revision(dataset, revision, table)
    source = {"repo_id": dataset, "repo_type": "dataset", "revision": revision}
    with hub_errors(dataset, revision, table):
        names = sorted(name for name in HfApi().list_repo_files(**source) if fnmatchcase(name, pattern))
    if not names:
        raise InputError(f"{dataset} at revision {revision} has no file like {pattern}; correct `files` in {table}")
    for name in names:
        with hub_errors(dataset, revision, table):
            path = hf_hub_download(filename=name, **source)
        yield path
