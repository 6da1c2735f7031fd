"""Generation settings of a model's folder: generation_config.json, or config.json of older models.

Published files contain settings that transformers refuses to store again (a temperature without
`do_sample`) or to read, and that the workflow does not use. Only the ids of tokens matter.
"""

from pathlib import Path
from typing import Any

from transformers import GenerationConfig

from scripts.lib.files import read_json
from scripts.lib.job import InputError

GENERATION_FILE = "generation_config.json"
MODEL_FILE = "config.json"
_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")


def read_settings(path: Path) -> dict[str, Any]:
    """The values of a folder's generation_config.json or config.json.

    Raises `InputError` if it is not a JSON object, or its end tokens are not ids of tokens.
    """
    values = read_json(path)
    if not isinstance(values, dict):
        raise InputError(f"{path}: not a JSON object; replace it")
    ends = values.get("eos_token_id")
    listed = ends if isinstance(ends, list) else [] if ends is None else [ends]
    if not all(isinstance(number, int) for number in listed):
        problem = f"{path}: eos_token_id is {repr(ends)[:80]}, neither the id of a token nor a list of ids"
        raise InputError(f"{problem}; correct it")
    return values


def generation_settings(folder: str | Path) -> GenerationConfig:
    """The generation settings of a model's folder; the ids of tokens alone if others are invalid.

    Raises `InputError` like `read_settings`.
    """
    name = GENERATION_FILE if Path(folder, GENERATION_FILE).is_file() else MODEL_FILE
    values = read_settings(Path(folder, name))
    try:
        settings = GenerationConfig.from_pretrained(
            str(folder), config_file_name=name, local_files_only=True, _from_model_config=name == MODEL_FILE
        )
        # Warnings are errors when a changed configuration is saved.
        settings.validate(strict=True)
    except (ValueError, TypeError):
        return GenerationConfig(**{key: values[key] for key in _TOKENS if values.get(key) is not None})
    return settings
