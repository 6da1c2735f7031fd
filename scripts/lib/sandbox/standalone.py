"""Programs made of this project's modules that run where the project's files cannot be read.

Root's sandboxes are set up by another user, and a sandbox shows no file of the project. Such a
program is started from its text, which includes the text of the modules that it imports.
"""

from functools import cache
from pathlib import Path
from types import ModuleType

_LOADER = """import sys, types
_module = sys.modules[{name!a}] = types.ModuleType({name!a})
exec(compile({text!a}, {name!a}, "exec"), vars(_module))
"""


def _text(module: ModuleType) -> str:
    """The source text of a module."""
    return Path(str(module.__file__)).read_text(encoding="utf-8")


@cache
def program_text(module: ModuleType, *imported: ModuleType) -> str:
    """Python source text that runs `module` as a program, without any file of the project.

    imported: the project's modules that it imports; like `module` itself they may import the
    standard library, and one of them those before it.
    """
    loaders = [_LOADER.format(name=each.__name__, text=_text(each)) for each in imported]
    return "".join([*loaders, _text(module)])
