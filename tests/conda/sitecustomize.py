"""Makes a package that only another environment has look absent. Part of every test environment.

Snakemake appends its own search path to that of a job, so a package that an environment lacks could
come from the environment of Snakemake. Here only Snakemake's own modules may import from there.
"""

import builtins
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import FrameType, ModuleType
from typing import Any

_SITE = "site-packages"
_HERE = os.path.realpath(sys.prefix) + os.sep
_import = builtins.__import__


def _is_outside(file: str | None) -> bool:
    """Whether a file is in the site-packages of another environment."""
    return file is not None and f"{os.sep}{_SITE}{os.sep}" in file and not os.path.realpath(file).startswith(_HERE)


def _is_refused(name: str, file: str | None, importer: str | None) -> bool:
    return not name.partition(".")[0].startswith("snakemake") and _is_outside(file) and not _is_outside(importer)


def _importer() -> str | None:
    """The file whose code asks for a module, below the frames of the import system."""
    frame: FrameType | None = sys._getframe(2)
    while frame and ("importlib" in frame.f_code.co_filename or frame.f_code.co_filename == __file__):
        frame = frame.f_back
    return frame.f_code.co_filename if frame else None


class _Finder(PathFinder):
    """Finds what is in this environment; what is elsewhere, for code from there alone."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        file = spec and (spec.origin or next(iter(spec.submodule_search_locations or ()), None))
        return None if _is_refused(fullname, file, _importer()) else spec


def _checked_import(name: str, globals_: Any = None, *rest: Any, **more: Any) -> ModuleType:
    """`__import__` that refuses a module which other code has already loaded from elsewhere."""
    module = _import(name, globals_, *rest, **more)
    importer = (globals_ or {}).get("__file__")
    if importer and not (rest and rest[-1]) and _is_refused(name, getattr(module, "__file__", None), importer):
        raise ModuleNotFoundError(f"No module named '{name}' in this environment", name=name)
    return module


sys.meta_path[sys.meta_path.index(PathFinder)] = _Finder
builtins.__import__ = _checked_import
