"""Push the data set of pairs, adapters and models of a finished run to the Hugging Face hub: `python -m
scripts.workflow.publish --help`, or `make publish`.

Each goes into its own repository, in one commit. The token comes from HF_TOKEN alone.
"""

import argparse
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.markdown_table import markdown_table
from scripts.provenance.run_record import read_starts
from scripts.workflow.command import add_results, one_line_errors, results_folder
from scripts.workflow.published_cards import dataset_card, model_card, scores_of

PAIRS = "pairs"
_CARD, _ADAPTER_CONFIG = "README.md", "adapter_config.json"
# What tuning appends to the name of a checkpoint.
_TUNING = re.compile(r"-(instruct|commits-.+)$")
# The adapters of IRCoder and of an ablation.
_ADAPTER = re.compile(r"adapter(?:-(?P<ablation>.+))?")
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Published:
    """One repository.

    folder: its folder below the results; the model's files, or `pairs`. repository: owner and name.
    """

    folder: str
    repository: str

    @property
    def kind(self) -> str:
        """`dataset` or `model`, as the hub names them."""
        return "dataset" if self.folder == PAIRS else "model"


def _name(text: str) -> str:
    """A name that the hub accepts: C++ becomes Cpp, C# becomes Csharp."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text.replace("+", "p").replace("#", "sharp"))


def plan(results: Path, owner: str, only: str = "*") -> list[Published]:
    """What there is to publish: the pairs, and each model with a card, which imported ones lack.

    Tuned models are published whole. only: a pattern of folders.
    """
    folders = [PAIRS] if (results / PAIRS / _CARD).is_file() else []
    for card in sorted(results.glob(f"models/*/*/{_CARD}")):
        folders.append(card.parent.relative_to(results).as_posix())
        if (adapter := _ADAPTER.fullmatch(card.parent.name)) is not None:
            folders.append(card.parent.with_name(adapter["ablation"] or "ircoder").relative_to(results).as_posix())
    named = {folder: _name("-".join(["ircoder", *folder.split("/")[-2:]])) for folder in folders}
    return [Published(folder, f"{owner}/{name}") for folder, name in sorted(named.items()) if fnmatchcase(folder, only)]


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder, without hidden ones and Snakemake's."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def needs_merge(results: Path, published: Published) -> bool:
    """Whether the adapter must be merged before the repository is pushed: for IRCoder and an ablation
    if the merged folder was deleted, and for each tuned model.
    """
    folder = results / published.folder
    is_tuned = _ADAPTER.fullmatch(folder.name) is None and (folder / _ADAPTER_CONFIG).is_file()
    return is_tuned or not folder.is_dir()


def source_folder(results: Path, published: Published, stack: ExitStack) -> Path:
    """The folder with the files of a repository; a merged model is made in a temporary one."""
    folder = results / published.folder
    if not needs_merge(results, published):
        return folder
    from scripts.pretrain.merge import write_merged

    model = folder.parent
    own = "adapter" if folder.name == "ircoder" else f"adapter-{folder.name}"
    base, adapter, tokenizer = model / "base", model / own, model / "tokenizer"
    start = _TUNING.sub("", published.folder)
    if start != published.folder:
        # The folder of the checkpoint that was tuned may be gone as well.
        base, adapter, tokenizer = source_folder(results, Published(start, ""), stack), folder, folder
    merged = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=results)), "merged")
    # An adapter contains all rows of new tokens, so their initialisation does not matter.
    write_merged(str(base), str(adapter), str(tokenizer), str(merged), "mean")
    return merged


def _changed(results: Path, source: Path, published: Published, repositories: Mapping[str, str]) -> dict[str, bytes]:
    """Files whose published content differs from that in the results: the card, and an adapter's base."""
    starts = read_starts(results)
    commit = starts[-1]["commit"] if starts else None
    text = (source / _CARD).read_text(encoding="utf-8")
    if published.kind == "dataset":
        return {_CARD: dataset_card(text, published.folder, repositories, commit).encode()}
    model, checkpoint = published.folder.split("/")[1:]
    # An adapter is the checkpoint that it is merged to.
    adapter = _ADAPTER.fullmatch(checkpoint)
    evaluated = checkpoint if adapter is None else adapter["ablation"] or "ircoder"
    scores = scores_of(results / "tables/scores.csv", model, evaluated)
    changed = {_CARD: model_card(text, published.folder, repositories, scores, commit).encode()}
    config = source / _ADAPTER_CONFIG
    if config.is_file():
        values = read_json(config)
        base = repositories.get(f"models/{model}/base") if values["revision"] is None else None
        name = base or values["base_model_name_or_path"]
        changed[_ADAPTER_CONFIG] = json.dumps({**values, "base_model_name_or_path": name}, indent=2).encode()
    return changed


def contents(
    results: Path, source: Path, published: Published, repositories: Mapping[str, str]
) -> dict[str, Path | bytes]:
    """Path in the repository -> file on the disk, or content that differs from it."""
    files: dict[str, Path | bytes] = {path.relative_to(source).as_posix(): path for path in _files(source)}
    return files | _changed(results, source, published, repositories)


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _readable(size: float) -> str:
    """A number of bytes in the largest unit of which there is at least one."""
    power = min((len(str(int(size))) - 1) // 3, len(_UNITS) - 1)
    return f"{size / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"


def listing(published: Published, files: Mapping[str, Path | bytes]) -> str:
    """A repository with its files and their sizes, as a table."""
    total = _readable(sum(_size(content) for content in files.values()))
    cells = [[name, _readable(_size(content))] for name, content in sorted(files.items())]
    table = markdown_table(["file", "size"], cells, right=(1,), aligned=True)
    return "\n".join([f"{published.kind} {published.repository}: {len(files)} files, {total}", *table])


def push(api: HfApi, published: Published, files: Mapping[str, Path | bytes], private: bool) -> str:
    """Create the repository if it does not exist, and commit all files; return the commit's address."""
    api.create_repo(published.repository, repo_type=published.kind, private=private, exist_ok=True)
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=content if isinstance(content, bytes) else str(content))
        for name, content in sorted(files.items())
    ]
    message = f"Publish {published.folder}"
    commit = api.create_commit(published.repository, operations, commit_message=message, repo_type=published.kind)
    return commit.commit_url


def publish(results: Path, owner: str, only: str, dry: bool, public: bool) -> None:
    """Publish a run, or print what would be published.

    Raises `InputError` without a token, without results, or for an error of the hub.
    """
    if not owner:
        raise InputError("--to names no owner; set it to a user or organisation on the hub, or TO= of make")
    repositories = {item.folder: item.repository for item in plan(results, owner)}
    items = plan(results, owner, only)
    if not items:
        raise InputError(f"{results} has nothing to publish that matches {only}; run the workflow first")
    token = os.environ.get("HF_TOKEN")
    if not dry and not token:
        raise InputError(
            "HF_TOKEN is not set; set it to a token with write access, or set DRY=1 to list what would be pushed"
        )
    api = HfApi(token=token or False)
    for item in items:
        with ExitStack() as stack:
            if dry and needs_merge(results, item):
                print(f"model {item.repository}: merged from the adapter when it is pushed\n")
                continue
            source = source_folder(results, item, stack)
            files = contents(results, source, item, repositories)
            if dry:
                print(listing(item, files) + "\n")
                continue
            try:
                print(push(api, item, files, private=not public), flush=True)
            except (HfHubHTTPError, HFValidationError, ValueError, OSError) as error:
                text = " ".join(str(error).split())[:300]
                problem = f"{item.repository} was not published: {text}"
                raise InputError(f"{problem}; check owner, token and network") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Push pairs, adapters and models of a run to the Hugging Face hub.")
    parser.add_argument("--to", required=True, metavar="OWNER", help="user or organisation on the hub")
    add_results(parser)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="folders below the results, such as '*adapter'")
    parser.add_argument("--dry", action="store_true", help="list what would be pushed, with sizes, and push nothing")
    parser.add_argument("--public", action="store_true", help="make new repositories public; by default private")
    options = parser.parse_args(arguments)
    with one_line_errors("publish"):
        publish(results_folder(options.results), options.to, options.only, options.dry, options.public)


if __name__ == "__main__":
    main()
