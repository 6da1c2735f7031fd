"""Builds of the languages in config/languages.yaml, with the default settings."""

from pathlib import Path

from scripts.compile.build import make_build
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).parents[2]
TABLE = read_yaml(ROOT / "config/languages.yaml")
SETTINGS = read_yaml(ROOT / "config/config.yaml")["compile"]


def build(language, limits=None, **changes):
    """The build of a language; `changes` replace settings of `compile`, `limits` some of its limits."""
    settings = SETTINGS | changes
    return make_build(language, TABLE[language], settings | {"limits": settings["limits"] | (limits or {})})
