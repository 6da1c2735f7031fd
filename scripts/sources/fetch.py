"""Fetches a corpus from the Hugging Face hub, at a fixed revision: the files that the config's languages need."""

import os
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_file, write_json
from scripts.lib.job import InputError, job


def patterns(corpus: dict[str, Any], languages: list[str]) -> list[str]:
    """Which files of the data set have programs of some languages."""
    names = [corpus["names"].get(language, language) for language in languages]
    splits = list(corpus["splits"].values())
    made = [corpus["files"].replace("{language}", name).replace("{split}", s) for name in names for s in splits]
    return list(dict.fromkeys(made))


def fetch(dataset: dict[str, str], wanted: list[str], folder: Path) -> None:
    """Download the wanted files to `folder`; files that are there already are not fetched again.

    Raises `InputError` when the hub, or access to a gated data set, is not to be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    named = f"{dataset['id']} at {dataset['revision']}"
    try:
        snapshot_download(
            dataset["id"],
            repo_type="dataset",
            revision=dataset["revision"],
            allow_patterns=wanted,
            local_dir=folder,
        )
    except GatedRepoError as error:
        raise InputError(f"{named} is gated: accept its terms on the hub and set HF_TOKEN") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{named} is not on the hub; see corpus.dataset") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(f"{named} cannot be fetched ({error}); give corpus.path of a local copy instead") from error


def listing(folder: Path) -> dict[str, str]:
    """SHA-256 of each fetched file by its path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts)
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


if __name__ == "__main__":
    with job(snakemake):
        params = snakemake.params
        if params.offline:
            raise InputError("hub.offline is true, so corpus.dataset cannot be fetched; set hub.offline to false")
        os.environ["HF_HUB_OFFLINE"] = "0"
        place = Path(snakemake.output[0]).parent / "files"
        chosen = patterns(params.corpus, params.languages)
        fetch(params.corpus["dataset"], chosen, place)
        fetched = listing(place)
        if not fetched:
            raise InputError(f"{params.corpus['dataset']['id']} has no file like {', '.join(chosen)}; see corpus.files")
        write_json(snakemake.output[0], {"dataset": params.corpus["dataset"], "files": fetched})
