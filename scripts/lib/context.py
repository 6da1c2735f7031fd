"""The context length of a model, from the values of its config.json."""

from collections.abc import Mapping
from typing import Any

# Keys of configurations for the context length in tokens.
_LIMITS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
    "model_max_length",
    "max_target_positions",
    "n_ctx",
)
# Tokenizers and configurations without a limit state huge numbers.
_NO_LIMIT = 1 << 40


def context_limit(config: Mapping[str, Any]) -> int | None:
    """Context length in tokens of a model with this configuration (the values of its config.json).

    None for a model without a limit, such as BLOOM, whose ALiBi biases extend to any distance.
    """
    values = {**config, **(config.get("text_config") or {})}
    return next((int(values[name]) for name in _LIMITS if _is_limit(values.get(name))), None)


def _is_limit(value: Any) -> bool:
    """Whether a value is a number of tokens; some files have floats, and -1 or 0 for no limit."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _NO_LIMIT
