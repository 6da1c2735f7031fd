"""The card of a data set of the hub: a README.md whose YAML header may state a license for the
whole set.
"""

import logging
from pathlib import Path

import yaml

from scripts.lib.job import InputError

CARD = "README.md"
# Maximum number of characters of a path, a license or a language's name.
LONGEST_LABEL = 4096
_FENCE = "---"
# Characters of the card that are read.
_LONGEST = 1 << 20
_NULL = "tag:yaml.org,2002:null"


def stated_license(folder: Path) -> str | None:
    """The license that the card in a folder states, several joined by commas; None without a card
    or a license.

    Raises `InputError` for one that is too long.
    """
    card = folder / CARD
    if not card.is_file():
        return None
    with card.open(encoding="utf-8-sig", errors="replace") as stream:
        text = stream.read(_LONGEST)
    start, *parts = f"\n{text}".split(f"\n{_FENCE}\n", 2)
    if start.strip() or len(parts) < 2:
        return None
    license = ", ".join(_texts(_header_value(parts[0], "license", card)))
    if len(license) > LONGEST_LABEL:
        raise InputError(f"{card} states a license of {len(license)} characters; give its name")
    return license or None


def _header_value(header: str, key: str, card: Path) -> yaml.Node | None:
    """The node of a key of a YAML header; None without the key or if the header is not valid.

    Nodes keep what is written: nothing is converted to a date or number, which may fail, and a
    list that repeats another one many times is not unfolded.
    """
    try:
        root = yaml.compose(header, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        logging.warning("%s: no valid YAML header (%s), so it states no license", card, " ".join(str(error).split()))
        return None
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    return next((value for name, value in entries if name.value == key), None)


def _texts(node: yaml.Node | None) -> list[str]:
    """The texts of a value or of the values of a list, in valid Unicode; without null and nested values."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    texts = [each.value for each in nodes if isinstance(each, yaml.ScalarNode) and each.tag != _NULL]
    return [text.encode("utf-8", "backslashreplace").decode() for text in texts]
