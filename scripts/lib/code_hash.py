"""Which project files a script runs: itself, the modules of the project that it imports, and their
templates.
"""

import ast
import re
from functools import cache
from pathlib import Path

from scripts.lib.files import sha256_file, sha256_text

SCRIPTS = Path(__file__).resolve().parent.parent


def _names(node: ast.AST) -> list[str]:
    """Dotted names that an import statement may refer to; empty for any other node."""
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


@cache
def direct_dependencies(path: Path) -> frozenset[Path]:
    """The modules below `scripts/` that a Python file imports, and its templates (`.j2`).

    A template is in the folder of the file, which contains the template's name as a string.
    """
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))))
    names = {name for node in nodes for name in _names(node) if name.startswith("scripts.")}
    files = {SCRIPTS.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in names}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    files |= {path.with_name(text) for text in texts if text.endswith(".j2") and re.fullmatch(r"[\w.]+", text)}
    return frozenset(file for file in files if file.is_file())


def files_of(*scripts: str) -> list[Path]:
    """The given scripts (paths below `scripts/`) and all files that they depend on, sorted."""
    files: set[Path] = set()
    waiting = [SCRIPTS / script for script in scripts]
    while waiting:
        path = waiting.pop()
        if path not in files:
            files.add(path)
            waiting.extend(direct_dependencies(path) if path.suffix == ".py" else ())
    return sorted(files)


@cache
def code_hash(*scripts: str) -> str:
    """Sixteen hexadecimal digits of a hash over all files that `scripts` run.

    As a rule's param it reruns the rule when such a module changes, which Snakemake does not notice
    by itself.
    """
    lines = [f"{path.relative_to(SCRIPTS).as_posix()} {sha256_file(path)}" for path in files_of(*scripts)]
    return sha256_text("\n".join(lines))[:16]
