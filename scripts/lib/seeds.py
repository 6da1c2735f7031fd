"""Random numbers that hang on the seed and a row's own name, never on order or on the number of workers."""

import hashlib


def seed_for(seed: int, *names: object) -> int:
    """A 64-bit seed for what `names` names, from SHA-256 over the run's seed and the names."""
    text = "\0".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def unit_for(seed: int, *names: object) -> float:
    """A number in [0, 1), uniform over names, always the same for the same seed and names."""
    return (seed_for(seed, *names) >> 11) / (1 << 53)
