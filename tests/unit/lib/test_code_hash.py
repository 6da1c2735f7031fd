"""Code hashes: a script's hash changes with every module and template that it uses, and with nothing else."""

import pytest

from scripts.lib import code_hash


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A scripts folder of its own: one stage script that reaches two modules, and a third that it does not reach."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "make.py").write_text("from scripts.lib.near import f\nfrom scripts.stage import own\n")
    (tmp_path / "stage" / "own.py").write_text("W = 1\n")
    (tmp_path / "lib" / "near.py").write_text("from scripts.lib import far\nimport json\nPAGE = 'page.md.j2'\n")
    (tmp_path / "lib" / "page.md.j2").write_text("{{ title }}\n")
    (tmp_path / "lib" / "unused.md.j2").write_text("{{ title }}\n")
    (tmp_path / "lib" / "far.py").write_text("X = 1\n")
    (tmp_path / "lib" / "other.py").write_text("Y = 1\n")
    monkeypatch.setattr(code_hash, "SCRIPTS", tmp_path)
    return tmp_path


def fresh_hash():
    code_hash.code_hash.cache_clear()
    code_hash.direct_dependencies.cache_clear()
    return code_hash.code_hash("stage/make.py")


def test_files_that_a_script_imports(project):
    names = [path.relative_to(project).as_posix() for path in code_hash.files_of("stage/make.py")]
    assert names == ["lib/far.py", "lib/near.py", "lib/page.md.j2", "stage/make.py", "stage/own.py"]


@pytest.mark.parametrize(
    ("name", "reruns"),
    [
        ("lib/far.py", True),
        ("stage/make.py", True),
        ("lib/page.md.j2", True),
        ("lib/other.py", False),
        ("lib/unused.md.j2", False),
    ],
)
def test_hash_follows_imports_and_templates(project, name, reruns):
    before = fresh_hash()
    with (project / name).open("a") as stream:
        stream.write("Z = 2\n")
    assert (fresh_hash() != before) == reruns
