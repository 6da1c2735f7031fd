"""Compares what the scripts of rules import with what the files of their conda environments list.

`uses()` reads from the rule files which rule runs which script in which environments. Two checks
build on it: `missing_packages` follows every import statement, and `failed_imports` imports the
scripts in a Python that finds nothing but the packages of one environment.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lib.code_hash import SCRIPTS, files_of
from scripts.workflow.environments import python_packages
from scripts.workflow.validation import read_yaml
from tests.support.paths import ROOT

WORKFLOW = "workflow"
# Environments that a rule chooses by its wildcards or the config: what the rule file says, and how
# to list all that it may choose.
_CHOICES = {
    "LANGUAGES": lambda: {entry["env"] for entry in read_yaml(ROOT / "config" / "languages.yaml").values()},
    "RUNNERS": lambda: _runner_envs(),
    "task(wildcards).runner": lambda: _runner_envs(),
    "task(wildcards).source.runner": lambda: _runner_envs(),
    'MODEL.env("train")': lambda: {"train", "train-gpu"},
    'MODEL.env("vllm" if': lambda: {"generate", "generate-gpu", "vllm", "vllm-gpu"},
}
# Modules started by name (constants of rules/common.smk), which no script imports.
_STARTED = {"TRAINING_PROCESS": "lib/training/worker.py"}
# What an environment may lack: module of the project, import, environments (a pattern), reason.
OPTIONAL = (
    ("evaluate/engines/vllm_engine.py", "vllm", r"generate(-gpu)?", "evaluate.engine: vllm runs in vllm.yaml"),
    ("evaluate/engines/vllm_engine.py", "torch", r"vllm(-gpu)?", "vllm needs one exact version and brings it"),
    ("lib/gpu.py", "torch", r"vllm(-gpu)?", "vllm needs one exact version and brings it"),
    ("lib/native_bf16.py", "torch", r"vllm(-gpu)?", "vllm needs one exact version and brings it"),
    ("evaluate/engines/decoding.py", "torch", r"vllm(-gpu)?", "never imported with evaluate.engine: vllm"),
    ("evaluate/engines/text_likelihood.py", "torch", r"vllm(-gpu)?", "never imported with evaluate.engine: vllm"),
    ("lib/training/models.py", "torch", r"vllm(-gpu)?", "vllm needs one exact version and brings it"),
    ("lib/training/loading.py", "torch", r"vllm(-gpu)?", "vllm needs one exact version and brings it"),
    ("evaluate/engines/transformers_engine.py", "torch", r"vllm(-gpu)?", "never imported with evaluate.engine: vllm"),
    ("evaluate/metrics.py", "rouge_score", r"(?!score)[\w-]+", "only evaluate_score computes ROUGE"),
    ("evaluate/benchmarks/codexglue.py", "sacremoses", r"execute.*|d|rust|swift|modules|workflow", "no texts here"),
    *(
        (f"lib/training/{file}.py", name, "workflow", "make publish merges a model in .venv, or in train's environment")
        for file, names in (
            ("models", ("peft", "torch", "transformers")),
            ("loading", ("torch", "transformers")),
            ("generation_settings", ("transformers",)),
        )
        for name in names
    ),
    ("lib/training/model_tokenizer.py", "transformers", "workflow", "make publish merges a model, as above"),
    ("evaluate/runtime/arrays.py", "numpy", r"execute.*|d|rust|swift", "for programs that import it themselves"),
)


def _runner_envs() -> set[str]:
    return {entry["env"] for entry in read_yaml(ROOT / "config" / "runners.yaml").values()}


@dataclass(frozen=True, order=True)
class Use:
    """A rule runs modules (paths below scripts/) in an environment (name of a file in envs/)."""

    rule: str
    modules: tuple[str, ...]
    env: str


def _envs_of(rule: str, text: str) -> set[str]:
    """The environments in the text of a `conda:` directive."""
    if name := re.fullmatch(r'"\.\./envs/([\w-]+)\.yaml"', text):
        return {name[1]}
    for expression, envs in _CHOICES.items():
        if expression in text:
            return set(envs())
    raise AssertionError(f"rule {rule}: tests/support/env_imports.py does not know the environments of: {text}")


def uses() -> list[Use]:
    """Every rule with a script, once for each environment that it may run in."""
    result = []
    for file in sorted((ROOT / "rules").glob("*.smk")):
        # Rules of a loop are indented and have their name as an expression.
        text = file.read_text(encoding="utf-8")
        for part in re.split(r"^ *(?:rule|checkpoint) *(?=\w*:\n)", text, flags=re.MULTILINE)[1:]:
            named = re.search(r"^ +name:\s+(\S+)", part, re.MULTILINE)
            rule = named[1] if named else part.partition(":")[0]
            script = re.search(r'^ +script:\n +"\.\./scripts/(\S+)"', part, re.MULTILINE)
            conda = re.search(r"^ +conda:\n +(.+)$", part, re.MULTILINE)
            if script and conda:
                started = [path for name, path in _STARTED.items() if name in part]
                result += [Use(rule, (script[1], *started), env) for env in _envs_of(rule, conda[1])]
            assert bool(script) == bool(conda), f"rule {rule} has a script without conda, or conda without a script"
    return [*sorted(result), *_uses_of_snakemake()]


def _uses_of_snakemake() -> Iterator[Use]:
    """What Snakemake's own Python runs: the Snakefile and the commands of the Makefile."""
    imported: set[str] = set()
    for file in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")):
        for name, names in re.findall(r"^from scripts\.([\w.]+) import (.+)$", file.read_text(), re.MULTILINE):
            paths = [name, *(f"{name}.{part.strip()}" for part in names.split(","))]
            imported |= {path.replace(".", "/") + ".py" for path in paths}
    modules = sorted(name for name in imported if (SCRIPTS / name).is_file())
    yield Use("Snakefile", tuple(modules), WORKFLOW)
    # A command of a Python of its own, such as .venv-explore, has the environment of that name.
    commands = re.findall(r"(?:\.venv-(\w+)\S* )?-m scripts\.([\w.]+)", (ROOT / "Makefile").read_text())
    for python, command in sorted(set(commands)):
        path = command.replace(".", "/")
        module = f"{path}.py" if (SCRIPTS / f"{path}.py").is_file() else f"{path}/__main__.py"
        yield Use(f"python -m scripts.{command}", (module,), python or WORKFLOW)


@cache
def _modules_by_package() -> Mapping[str, frozenset[str]]:
    """Normalised package name -> top-level modules; a package not installed here is absent."""
    modules: dict[str, set[str]] = {}
    for module, packages in metadata.packages_distributions().items():
        for package in packages:
            modules.setdefault(canonicalize_name(package), set()).add(module)
    return {name: frozenset(names) for name, names in modules.items()}


def modules_of(packages: Iterable[str]) -> set[str]:
    """Top-level modules of packages; a package that is not installed here has one of its own name."""
    known = _modules_by_package()
    return {module for name in packages for module in known.get(name, {name.replace("-", "_")})}


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Top-level modules that a file imports, wherever the statement is; without the project's own."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names - {"scripts", "__future__"} - sys.stdlib_module_names)


def missing_packages(envs: Path, used: Iterable[Use]) -> list[str]:
    """A line for each import of a rule that no package in the rule's environment file provides.

    Packages that others bring are not counted: what the project imports, the file itself lists.
    """
    lines = []
    for use in used:
        present = modules_of(python_packages(envs / f"{use.env}.yaml"))
        for file in files_of(*use.modules):
            module = file.relative_to(SCRIPTS).as_posix()
            if file.suffix != ".py":
                continue
            for name in sorted(imports_of(file) - present - _siblings(file)):
                if not any((module, name) == key[:2] and re.fullmatch(key[2], use.env) for key in OPTIONAL):
                    lines.append(
                        f"rule {use.rule}: scripts/{module} imports {name}, which envs/{use.env}.yaml does not list"
                    )
    return lines


def _siblings(file: Path) -> set[str]:
    """Modules next to a file that runs by itself, which finds them without a package name."""
    return {path.stem for path in file.parent.glob("*.py")}


def closure(packages: Iterable[str]) -> set[str]:
    """Packages and all that they need on this platform, as their metadata here states."""
    result: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in result:
            continue
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        result.add(name)
        waiting += [need.name for need in map(Requirement, needed) if not need.marker or need.marker.evaluate()]
    return result


def link_packages(packages: Iterable[str], folder: Path) -> None:
    """Make a folder like site-packages that holds links to the files of packages and no others."""
    shared = {module for module, owners in metadata.packages_distributions().items() if len(set(owners)) > 1}
    for name in packages:
        files = [file for file in metadata.files(name) or [] if ".." not in file.parts]
        # A folder of several packages, such as google/, becomes a folder of links to files.
        links = {Path(file) if file.parts[0] in shared else Path(file.parts[0]) for file in files}
        site = Path(str(metadata.distribution(name).locate_file("")))
        for link in links:
            if "__pycache__" not in link.parts and not (folder / link).is_symlink():
                (folder / link).parent.mkdir(parents=True, exist_ok=True)
                (folder / link).symlink_to(site / link)


_IMPORT = """
import importlib, json, sys
sys.path[:0] = sys.argv[1:3]
failures = {}
for name in sys.argv[3:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failures[name] = str(error)
print(json.dumps(failures))
"""


def failed_imports(packages: Iterable[str], modules: Iterable[str], folder: Path) -> dict[str, str]:
    """Module (path below scripts/) -> error, of those that cannot be imported with these packages.

    They are imported in an isolated Python whose only site-packages is made in `folder`.
    """
    link_packages(closure(packages), folder)
    names = {"scripts." + module.removesuffix(".py").replace("/", "."): module for module in modules}
    command = [sys.executable, "-I", "-S", "-c", _IMPORT, str(folder), str(ROOT), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    failures: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return {names[name]: error for name, error in failures.items()}
