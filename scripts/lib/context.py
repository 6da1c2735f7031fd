"""How many tokens a model reads, from the values of its config.json."""

from collections.abc import Mapping
from typing import Any

# Names under which configurations store how many tokens a model reads.
_LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length", "n_ctx")


def context_limit(config: Mapping[str, Any]) -> int | None:
    """Tokens that a model with this configuration (the values of its config.json) can read.

    None for a model without a limit of its own, like BLOOM, whose ALiBi biases go on with the distance.
    """
    values = {**config, **(config.get("text_config") or {})}
    return next((values[name] for name in _LIMITS if isinstance(values.get(name), int) and values[name] > 0), None)
