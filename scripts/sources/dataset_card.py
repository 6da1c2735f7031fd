"""The card of a data set of the hub: a README.md whose YAML header may state a license for the
whole set.
"""

import logging
from pathlib import Path

import yaml

CARD = "README.md"
_FENCE = "---"
# Characters of the card that are read.
_LONGEST = 1 << 20


def stated_license(folder: Path) -> str | None:
    """The license that the card in a folder states, several joined by commas; None without a card
    or a license.
    """
    card = folder / CARD
    if not card.is_file():
        return None
    with card.open(encoding="utf-8", errors="replace") as stream:
        text = stream.read(_LONGEST)
    start, *parts = f"\n{text}".split(f"\n{_FENCE}\n", 2)
    if start.strip() or len(parts) < 2:
        return None
    try:
        header = yaml.safe_load(parts[0])
    except yaml.YAMLError as error:
        logging.warning("%s: no valid YAML header (%s), so it states no license", card, " ".join(str(error).split()))
        return None
    license = header.get("license") if isinstance(header, dict) else None
    return ", ".join(map(str, license)) if isinstance(license, list) else license and str(license)
