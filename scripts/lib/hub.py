"""Files of data sets on the Hugging Face hub, with errors of one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import cast

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

# Any error of the HTTP library that the hub's client uses; a base class of its own errors.
_HTTP_ERROR = cast(type[Exception], HfHubHTTPError.__bases__[0])


def check_online(what: str, offline: bool) -> None:
    """Raise `InputError` when the config forbids downloads; `what` begins the message."""
    if offline:
        raise InputError(f"{what} must be fetched, but `hub.offline` is true; set it to false, or use a folder")


def check_revision(repository: str, revision: str, table: str) -> None:
    """Raise `InputError` when the config file `table` has no revision for a repository."""
    if not revision:
        raise InputError(
            f"{repository} has no revision; set the commit to use as `revision` in {table}, or run make pin"
        )


@contextmanager
def hub_errors(repository: str, revision: str, table: str) -> Iterator[None]:
    """Turn errors of the hub into `InputError`; `table` is the config file that names repository
    and revision.
    """
    named = f"{repository} at revision {revision}"
    try:
        yield
    except GatedRepoError as error:
        remedy = "accept its terms on the hub and set HF_TOKEN in the environment"
        raise InputError(f"{repository} is gated; {remedy}") from error
    except RevisionNotFoundError as error:
        raise InputError(f"{named} does not exist; correct `revision` in {table}") from error
    except RepositoryNotFoundError as error:
        remedy = f"correct its name in {table}, or set HF_TOKEN"
        raise InputError(f"{repository} is not on the hub, or private; {remedy}") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, _HTTP_ERROR) as error:
        raise InputError(f"{named} cannot be fetched: {error}; check the network, then run again") from error


def dataset_files(dataset: str, revision: str, pattern: str, table: str) -> Iterator[str]:
    """Local paths of a data set's files that match `pattern`, in the order of their names.

    pattern: path in the data set, with shell wildcards. table: config file with data set and
    revision, for messages. A file is fetched when the iterator reaches it. Raises `InputError` when
    no file matches or one cannot be fetched.
    """
    check_revision(dataset, revision, table)
    with hub_errors(dataset, revision, table):
        files = HfApi().list_repo_files(dataset, repo_type="dataset", revision=revision)
        names = sorted(name for name in files if fnmatchcase(name, pattern))
    if not names:
        raise InputError(f"{dataset} at revision {revision} has no file like {pattern}; correct `files` in {table}")
    for name in names:
        with hub_errors(dataset, revision, table):
            path = hf_hub_download(dataset, name, repo_type="dataset", revision=revision)
        yield path
