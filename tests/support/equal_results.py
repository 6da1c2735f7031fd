"""What equal runs have equal: results without run times, costs, and times of the day."""

import json
import re

from scripts.provenance.digests import END_OF_VARYING, VARYING

CRATE = "ro-crate-metadata.json"
# Properties of the crate's entities that may differ between equal runs.
TIMES = {"startTime", "endTime", "datePublished"}


def same_times(name: str, text: str) -> object:
    """The content of a file without what is allowed to differ between equal runs."""
    if name != CRATE:
        return without_costs(text)
    return [{key: value for key, value in one.items() if key not in TIMES} for one in json.loads(text)["@graph"]]


def without_costs(page: str) -> str:
    """A page without the parts that show what the run cost, which has some in the report."""
    return re.sub(f"{VARYING}.*?{END_OF_VARYING}", "", page, flags=re.DOTALL)
