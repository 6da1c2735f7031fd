"""Which project files a script runs: the script itself and every `scripts.lib` module that it imports."""

import ast
from functools import cache
from pathlib import Path

from scripts.lib.files import sha256_file, sha256_text

SCRIPTS = Path(__file__).resolve().parent.parent


def _lib_names(node: ast.AST) -> list[str]:
    """Names of library modules in one import statement; empty for anything else."""
    if isinstance(node, ast.ImportFrom) and node.module == "scripts.lib":
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("scripts.lib."):
        return [node.module.split(".")[2]]
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[2] for alias in node.names if alias.name.startswith("scripts.lib.")]
    return []


@cache
def imported_modules(path: Path) -> frozenset[Path]:
    """The `scripts.lib` modules that a Python file imports by itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return frozenset(SCRIPTS / "lib" / f"{name}.py" for node in ast.walk(tree) for name in _lib_names(node))


def files_of(*scripts: str) -> list[Path]:
    """The given scripts (paths below `scripts/`) and all library modules behind them, sorted."""
    found: set[Path] = set()
    waiting = [SCRIPTS / script for script in scripts]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(imported_modules(path) if path.suffix == ".py" else ())
    return sorted(found)


@cache
def code_hash(*scripts: str) -> str:
    """Sixteen hexadecimal digits over the bytes of all files behind `scripts`.

    As a rule's param it reruns the rule when a library module changes, which Snakemake does not notice by itself.
    """
    lines = [f"{path.relative_to(SCRIPTS).as_posix()} {sha256_file(path)}" for path in files_of(*scripts)]
    return sha256_text("\n".join(lines))[:16]
