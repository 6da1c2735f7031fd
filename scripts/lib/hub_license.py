"""Licenses in the metadata of the Hugging Face hub, which accepts a fixed list of identifiers."""

import re
from collections.abc import Iterable
from typing import Any

from scripts.lib.escape import one_line

# Values of `license` that the hub's check of metadata accepts (huggingface_hub, GitHub issue 4218),
# without `other`.
_IDENTIFIERS = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m
afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5
cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0
lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 grok2-community gemma unknown
"""
IDENTIFIERS = frozenset(_IDENTIFIERS.split())
OTHER, UNKNOWN = "other", "unknown"
# Names of licenses whose identifiers differ from them.
_ALIASES = {"llama-2-community-license": "llama2"}


def _identifier(name: str) -> str:
    """A license's name in lower-case letters, digits, dots and hyphens, as identifiers and
    `license_name` are.
    """
    name = one_line(name).lower()
    if name in IDENTIFIERS:
        return name
    identifier = re.sub(r"[^a-z0-9.]+", "-", name).strip("-") or "unnamed"
    return _ALIASES.get(identifier, identifier)


def license_metadata(names: Iterable[str], link: str | None = None) -> dict[str, Any]:
    """`license`, and `license_name` and `license_link` if the hub lacks one of them, for the names of
    licenses; empty for no name.

    link: address of the text of a license that the hub lacks. Several licenses are a list. Names
    that the hub lacks become `other`; `license_name` is the name of the only such license, or
    `several`.
    """
    identifiers = {_identifier(name) for name in names}
    unlisted = sorted(identifiers - IDENTIFIERS)
    values = sorted(identifiers & IDENTIFIERS) + ([OTHER] if unlisted else [])
    if not values:
        return {}
    metadata: dict[str, Any] = {"license": values[0] if len(values) == 1 else values}
    if unlisted:
        metadata["license_name"] = unlisted[0] if len(unlisted) == 1 else "several"
        metadata |= {"license_link": link} if link else {}
    return metadata
