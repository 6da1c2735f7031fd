"""Random numbers determined by the seed and the name of a row, not by order or number of workers."""

import hashlib


def seed_for(seed: int, *names: object) -> int:
    """A 64-bit seed for the object with these names: SHA-256 of the run's seed and the names."""
    text = "\0".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def unit_for(seed: int, *names: object) -> float:
    """A number in [0, 1), uniform over names and determined by seed and names."""
    return (seed_for(seed, *names) >> 11) / (1 << 53)
