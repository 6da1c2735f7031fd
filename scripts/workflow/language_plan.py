"""What the jobs of a language depend on: its programs in the corpus, and its entry in
config/languages.yaml.

Methods that take wildcards are params or input functions of rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.sources.corpus import Corpus
from scripts.workflow.shards import LanguageWildcards
from scripts.workflow.validation import Entry


@dataclass(frozen=True)
class LanguagePlan:
    """The languages of a run.

    corpus: the section of that name of the config. languages: the table. root: the project's
    folder, to which the path of the corpus is relative.
    """

    corpus: dict[str, Any]
    languages: Mapping[str, Entry]
    root: str
    _fingerprints: dict[str, str] = field(default_factory=dict, init=False)

    def fingerprint(self, wildcards: LanguageWildcards) -> str:
        """Changes with every file of the language in the corpus. A fetched corpus has a revision
        and never changes.
        """
        language = wildcards.language
        if self.corpus["dataset"]:
            return ""
        if language not in self._fingerprints:
            folder = Path(self.root, self.corpus["path"])
            corpus = Corpus(folder, language, self.corpus, self.languages[language]["suffixes"])
            self._fingerprints[language] = corpus.fingerprint()
        return self._fingerprints[language]

    @property
    def fetched(self) -> list[str]:
        """The record of the corpus fetched from the hub; empty where the corpus is a folder."""
        return ["<results>/corpus/fetched.json"] if self.corpus["dataset"] else []

    @property
    def module_origin(self) -> str:
        """Where the IR that comes with programs is from, for the column of compilers."""
        dataset = self.corpus["dataset"]
        return f"{dataset['id']} at {dataset['revision']}" if dataset else "came with the program"

    def _frontends(self, wildcards: LanguageWildcards) -> list[Entry]:
        frontends: list[Entry] = self.languages[wildcards.language]["frontends"]
        return frontends

    def preparation_keys(self, wildcards: LanguageWildcards) -> list[str]:
        """The key `compile.prepare`, where a frontend of the language prepares programs."""
        return ["prepare"] if any("prepare" in frontend for frontend in self._frontends(wildcards)) else []

    def extra_files(self, wildcards: LanguageWildcards) -> list[str]:
        """The files that the language's frontends put next to each program, below scripts/."""
        paths = {path for frontend in self._frontends(wildcards) for path in frontend.get("extra_files", {}).values()}
        return [path.removeprefix("scripts/") for path in sorted(paths)]
