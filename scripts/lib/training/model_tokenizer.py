"""Tokenizers: load from a local folder, and save without local paths.

A module of its own, because what models need takes seconds to import.
"""

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.tokenization_utils_base import VERY_LARGE_INTEGER

from scripts.lib.custom_code import is_trusted
from scripts.lib.files import read_json, write_json
from scripts.lib.training.loading_errors import loading_errors

# Keys of tokenizer_config.json that state how a tokenizer was loaded.
_LOADING = ("name_or_path", "is_local", "local_files_only", "trust_remote_code")


def load_tokenizer(folder: str | Path, trust_code: bool | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer in a local folder, without a limit of length, since jobs encode whole documents.

    trust_code: whether Python code in the folder may run; None for a folder that the workflow wrote
    and marked.
    """
    trusted = is_trusted(folder) if trust_code is None else trust_code
    with loading_errors(folder, "the tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=trusted)
    tokenizer.model_max_length = VERY_LARGE_INTEGER
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: str | Path, context: int | None = None) -> None:
    """Save a tokenizer without the path that it was loaded from, with padding as in training.

    context: the longest text in tokens that its model reads; None for no limit.
    """
    tokenizer.save_pretrained(str(folder))
    path = Path(folder, "tokenizer_config.json")
    values = {key: value for key, value in read_json(path).items() if key not in _LOADING}
    limit = {} if context is None else {"model_max_length": context}
    write_json(path, {**values, **limit, "padding_side": "right"})
