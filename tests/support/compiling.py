"""Builds of the table's languages with the default settings, for tests that compile."""

from pathlib import Path

from scripts.compile.build import make_build
from scripts.workflow.config import read_yaml

ROOT = Path(__file__).parents[2]
TABLE = read_yaml(ROOT / "config/languages.yaml")
SETTINGS = read_yaml(ROOT / "config/config.yaml")["compile"]
DEFAULT_LANGUAGES = read_yaml(ROOT / "config/config.yaml")["languages"]


def build(language, limits=None, **changes):
    """A language's build with some settings changed."""
    settings = SETTINGS | changes
    return make_build(language, TABLE[language], settings | {"limits": settings["limits"] | (limits or {})})
