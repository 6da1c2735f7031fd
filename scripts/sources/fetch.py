"""Fetches a corpus from the Hugging Face hub, at a fixed revision: the files that the config's
languages need.
"""

from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import DryRunError

from scripts.lib.files import sha256_file, write_json
from scripts.lib.hub import check_online, check_revision, hub_errors
from scripts.lib.job import InputError, job
from scripts.sources.dataset_card import CARD

_TABLE = "corpus.dataset"


def patterns(corpus: dict[str, Any], languages: list[str]) -> list[str]:
    """Patterns of the files of the data set with programs of some languages."""
    names = [corpus["names"].get(language, language) for language in languages]
    splits = list(corpus["splits"].values())
    names_of_files = [
        corpus["files"].replace("{language}", name).replace("{split}", s) for name in names for s in splits
    ]
    return list(dict.fromkeys(names_of_files))


def listed(request: dict[str, Any]) -> dict[str, str]:
    """Files of a data set that match a request, each with the commit of the request's revision."""
    try:
        files = snapshot_download(**request, dry_run=True)
    except DryRunError as error:
        raise error.__cause__ or error from error
    return {file.filename: file.commit_hash for file in files}


def fetch(dataset: dict[str, str], wanted: list[str], folder: Path) -> tuple[str, list[str]]:
    """Download the wanted files to `folder/<commit>`; the commit and the files' paths below that
    folder.

    A folder has files of one commit only, and files that are there are not fetched again. Files are
    listed before any is fetched, because the client accepts an incomplete folder when the hub is
    unreachable. Raises `InputError` when the hub is unreachable or denies access to a gated data
    set.
    """
    check_revision(dataset["id"], dataset["revision"], _TABLE)
    request: dict[str, Any] = {"repo_id": dataset["id"], "repo_type": "dataset", "allow_patterns": [*wanted, CARD]}
    with hub_errors(dataset["id"], dataset["revision"], _TABLE):
        files = listed(request | {"revision": dataset["revision"]})
        commit = next((commit for name, commit in files.items() if name != CARD), None)
        if commit is None:
            raise InputError(f"{dataset['id']} has no file like {', '.join(wanted)}; see corpus.files")
        snapshot_download(**request, revision=commit, local_dir=folder / commit)
    return commit, sorted(files)


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        corpus = params.corpus["dataset"]
        check_online(corpus["id"], params.offline)
        folder = Path(snakemake.output[0]).parent
        commit, names = fetch(corpus, patterns(params.corpus, params.languages), folder)
        fetched = {name: sha256_file(folder / commit / name) for name in names}
        write_json(snakemake.output[0], {"dataset": corpus, "commit": commit, "files": fetched})
