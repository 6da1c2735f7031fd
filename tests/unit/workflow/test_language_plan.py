"""What jobs of a language depend on, from a small table."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from scripts.workflow.language_plan import LanguagePlan

LANGUAGES: dict[str, Any] = {
    "C": {"suffixes": ["c"], "frontends": [{"command": "clang"}]},
    "Python": {
        "suffixes": ["py"],
        "frontends": [
            {"prepare": ["annotate"], "extra_files": {"b.py": "scripts/compile/b.py", "a.py": "scripts/compile/a.py"}},
            {"extra_files": {"a.py": "scripts/compile/a.py"}},
        ],
    },
}
C, PYTHON = SimpleNamespace(language="C"), SimpleNamespace(language="Python")
FOLDER = {"dataset": None, "path": "corpus", "format": "tree", "columns": {"ir": None}, "max_bytes": 100}


def test_frontends_determine_preparation_and_extra_files() -> None:
    plan = LanguagePlan(FOLDER, LANGUAGES, ".")
    assert (plan.preparation_keys(C), plan.preparation_keys(PYTHON)) == ([], ["prepare"])
    assert (plan.extra_files(C), plan.extra_files(PYTHON)) == ([], ["compile/a.py", "compile/b.py"])


def test_the_fingerprint_follows_the_files_of_the_language_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "corpus" / "C").mkdir(parents=True)
    (tmp_path / "corpus" / "C" / "a.c").write_text("int a;")
    before = LanguagePlan(FOLDER, LANGUAGES, str(tmp_path))
    digests = (before.fingerprint(C), before.fingerprint(PYTHON))
    (tmp_path / "corpus" / "C" / "a.c").write_text("int a, b;")
    assert (before.fingerprint(C), before.fingerprint(PYTHON)) == digests  # read once in a run
    after = LanguagePlan(FOLDER, LANGUAGES, str(tmp_path))
    assert after.fingerprint(C) != digests[0]
    assert after.fingerprint(PYTHON) == digests[1]
    assert (before.fetched, before.module_origin) == ([], "came with the program")


def test_a_fetched_corpus_is_determined_by_its_revision() -> None:
    plan = LanguagePlan({**FOLDER, "dataset": {"id": "owner/rows", "revision": "abc"}}, LANGUAGES, ".")
    assert plan.fingerprint(C) == ""
    assert (plan.fetched, plan.module_origin) == (["<results>/corpus/fetched.json"], "owner/rows at abc")
