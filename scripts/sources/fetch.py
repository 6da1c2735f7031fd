"""Fetches a corpus from the Hugging Face hub, at a fixed revision: the files that the config's languages need."""

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
    """Which files of the data set have programs of some languages."""
    names = [corpus["names"].get(language, language) for language in languages]
    splits = list(corpus["splits"].values())
    made = [corpus["files"].replace("{language}", name).replace("{split}", s) for name in names for s in splits]
    return list(dict.fromkeys(made))


def listed(asked: dict[str, Any]) -> dict[str, str]:
    """Files of a data set that match what is asked for, each with the commit that the hub takes the revision for."""
    try:
        found = snapshot_download(**asked, dry_run=True)
    except DryRunError as error:
        raise error.__cause__ or error from error
    return {file.filename: file.commit_hash for file in found}


def fetch(dataset: dict[str, str], wanted: list[str], place: Path) -> tuple[str, list[str]]:
    """Download the wanted files to `place/<commit>`; the commit and the files' paths below that folder.

    A folder holds files of one commit only, and what is there is not fetched again. The hub is asked what there is
    before anything is fetched: an unreachable hub would otherwise pass a half-filled folder off as the data set.
    Raises `InputError` when the hub, or access to a gated data set, is not to be had.
    """
    check_revision(dataset["id"], dataset["revision"], _TABLE)
    asked = {"repo_id": dataset["id"], "repo_type": "dataset", "allow_patterns": [*wanted, CARD]}
    with hub_errors(dataset["id"], dataset["revision"], _TABLE):
        found = listed(asked | {"revision": dataset["revision"]})
        commit = next((commit for name, commit in found.items() if name != CARD), None)
        if commit is None:
            raise InputError(f"{dataset['id']} has no file like {', '.join(wanted)}; see corpus.files")
        snapshot_download(**asked, revision=commit, local_dir=place / commit)
    return commit, sorted(found)


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        corpus = params.corpus["dataset"]
        check_online(corpus["id"], params.offline)
        folder = Path(snakemake.output[0]).parent
        commit, names = fetch(corpus, patterns(params.corpus, params.languages), folder)
        fetched = {name: sha256_file(folder / commit / name) for name in names}
        write_json(snakemake.output[0], {"dataset": corpus, "commit": commit, "files": fetched})
