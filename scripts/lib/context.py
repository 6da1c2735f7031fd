"""The context length of a model, from the values of its config.json."""

from collections.abc import Mapping
from typing import Any

# Keys of configurations for the context length in tokens.
_LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length", "n_ctx")


def context_limit(config: Mapping[str, Any]) -> int | None:
    """Context length in tokens of a model with this configuration (the values of its config.json).

    None for a model without a limit, such as BLOOM, whose ALiBi biases extend to any distance.
    """
    values = {**config, **(config.get("text_config") or {})}
    return next((values[name] for name in _LIMITS if isinstance(values.get(name), int) and values[name] > 0), None)
