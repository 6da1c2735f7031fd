"""Licenses of cards: the hub's identifiers where it has them, `other` with a name where not."""

import re

import pytest

from scripts.lib.hub_license import license_metadata


@pytest.mark.parametrize(
    ("names", "metadata"),
    [
        ([], {}),
        (["MIT"], {"license": "mit"}),
        (["BigCode OpenRAIL-M"], {"license": "bigcode-openrail-m"}),
        (["MIT", "Apache-2.0", "mit"], {"license": ["apache-2.0", "mit"]}),
        (["DeepSeek License"], {"license": "other", "license_name": "deepseek-license"}),
        (["MIT", "by hand"], {"license": ["mit", "other"], "license_name": "by-hand"}),
        (["by hand", "in house"], {"license": "other", "license_name": "several"}),
    ],
)
def test_known_licenses_have_identifiers_and_others_a_name(names, metadata):
    assert license_metadata(names) == metadata


@pytest.mark.parametrize("name", ["- - -\n---\n", "a: b\nc", "`x` & <b>", "\u202e", "許諾"])
def test_a_license_name_has_the_hubs_characters(name):
    metadata = license_metadata([name])
    assert metadata["license"] == "other"
    assert re.fullmatch(r"[a-z0-9.-]+", metadata["license_name"])
