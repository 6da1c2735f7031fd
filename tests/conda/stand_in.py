"""A stand-in for the `conda` executable that implements Snakemake's calls with py-rattler. For tests only.

The packages of the channel are empty or wrappers. The Python packages that an environment file lists come from PyPI, in
the same versions and with what they need there, into a venv of the environment. So it tests how the workflow uses its
environments (hashes, pins, activation, reruns) and that each has the Python packages that its jobs need. It does not
test that an environment can be solved on conda-forge.
`stand_in.py install ROOT` writes ROOT/bin/conda and ROOT/bin/activate.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import rattler
import yaml
from rattler.package_streaming import extract

VERSION = "25.1.0"  # accepted by Snakemake
PLATFORM = "linux-64"
ROOT = Path(os.environ.get("CONDA_STAND_IN_ROOT", "."))
PACKAGES = ROOT / "pkgs"
REPOSITORY = Path(__file__).resolve().parents[2]
BUILT_WITH_TORCH = ("deepspeed",)

CONDA = f"""#!/bin/sh
CONDA_STAND_IN_ROOT="$(cd "$(dirname "$0")/.." && pwd)" exec {sys.executable} {Path(__file__).resolve()} "$@"
"""
ACTIVATE = """# sourced: `source <root>/bin/activate '<env prefix>'`
export CONDA_PREFIX="$1" CONDA_DEFAULT_ENV="$1" CONDA_SHLVL=1 PATH="$1/bin:$PATH"
for _script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do [ ! -e "$_script" ] || . "$_script"; done
unset _script
"""


class RefusalError(Exception):
    """A request that conda would refuse as well; the message is conda's."""


def channel_url(name: str) -> str:
    """The URL of a channel, derived from its name as conda does."""
    alias = os.environ.get("CONDA_CHANNEL_ALIAS", "https://conda.anaconda.org")
    return name if "://" in name else f"{alias.rstrip('/')}/{name}"


def option(arguments: list[str], name: str) -> str:
    """The value of a required option."""
    return arguments[arguments.index(name) + 1]


async def install(records: list, prefix: Path) -> None:
    """Install packages into a prefix."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    await rattler.install(
        records,
        target_prefix=str(prefix),
        cache_dir=PACKAGES,
        platform=rattler.Subdir(PLATFORM),
        show_progress=False,
        execute_link_scripts=False,
    )
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    (prefix / "conda-meta" / "history").touch()


def pip_options() -> list[str]:
    """Options for uv with the sources of packages that pip is configured to use in addition to PyPI."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    options = []
    for line in listed.stdout.splitlines():
        key, _, values = line.partition("=")
        option = {"find-links": "--find-links", "index-url": "--default-index"}.get(key.rpartition(".")[2])
        options += [word for value in values.strip("'\"").split() if option for word in (option, value)]
    return options


def python_requirements(specs: list[str], pip: list[str]) -> list[str]:
    """The Python packages of an environment file as requirements on PyPI."""
    table = yaml.safe_load((REPOSITORY / "envs" / "host" / "versions.yaml").read_text())
    split = [spec.partition("=") for spec in specs]
    pins = [(name, rest.lstrip("=").partition("=")[0]) for name, _, rest in split if name not in table["tools"]]
    return [*(f"{table['names'].get(name, name)}=={version}" for name, version in pins), *pip]


def install_python(prefix: Path, requirements: list[str]) -> None:
    """Make the venv of an environment. Its files are links to a cache that all environments share."""
    base = getattr(sys, "_base_executable", sys.executable)
    uv, venv = Path(sys.executable).with_name("uv"), prefix / "venv"
    cache = ["--quiet", "--no-progress", "--cache-dir", str(REPOSITORY / ".venv-conda" / "cache")]
    subprocess.run([uv, "venv", *cache, "--python", base, venv], check=True)
    install = [uv, "pip", "install", *cache, *pip_options(), "--link-mode", "hardlink", "--python", venv]
    install += [f"--no-build-isolation-package={name}" for name in BUILT_WITH_TORCH]
    # Packages that are built from source with the torch of the environment come last.
    late = [requirement for requirement in requirements if requirement.partition("==")[0] in BUILT_WITH_TORCH]
    for part in filter(None, (sorted(set(requirements) - set(late)), late)):
        done = subprocess.run([*install, *part], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RefusalError(f"PyPI: {done.stderr.strip()}")
    site = next(venv.glob("lib/python3*/site-packages"))
    shutil.copy(REPOSITORY / "tests" / "conda" / "sitecustomize.py", site)


def create_from_yaml(file: Path, prefix: Path) -> None:
    """`conda env create`: solve an environment file and install the solution."""
    wanted = yaml.safe_load(file.read_text())
    specs = [entry for entry in wanted["dependencies"] if isinstance(entry, str)]
    pip = [name for entry in wanted["dependencies"] if isinstance(entry, dict) for name in entry["pip"]]
    channels = [rattler.Channel(channel_url(name)) for name in wanted["channels"] if name != "nodefaults"]
    records = asyncio.run(
        rattler.solve(
            sources=channels,
            specs=[rattler.MatchSpec(spec) for spec in specs],
            platforms=[rattler.Subdir(PLATFORM), rattler.Subdir("noarch")],
            virtual_packages=rattler.VirtualPackage.detect(),
        )
    )
    asyncio.run(install(records, prefix))
    install_python(prefix, python_requirements(specs, pip))


def pinned_record(line: str) -> rattler.RepoDataRecord:
    """The package of a line `file://…#md5` of a pin file; refuse a file with another checksum."""
    url, _, md5 = line.partition("#")
    file = Path(url.removeprefix("file://"))
    if not file.is_file():
        raise RefusalError(f"PackagesNotFoundError: {url}")
    content = file.read_bytes()
    checksum = hashlib.md5(content).hexdigest()
    if md5 and md5 != checksum:
        raise RefusalError(f"ChecksumMismatchError: {url}: expected {md5}, got {checksum}")
    with tempfile.TemporaryDirectory() as folder:
        extract(file, folder)
        record = rattler.PackageRecord.from_index_json(
            Path(folder, "info", "index.json"),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            md5=checksum,
        )
    return rattler.RepoDataRecord(record, file.name, url, f"file://{file.parent.parent}")


def create_from_pin(file: Path, prefix: Path) -> None:
    """`conda create --file` with a pin file: install exactly the packages that it lists."""
    lines = [line.strip() for line in file.read_text().splitlines()]
    urls = [line for line in lines if line and not line.startswith(("#", "@"))]
    records = [pinned_record(url) for url in urls]
    asyncio.run(install(records, prefix))
    specs = [f"{record.name.normalized}={record.version}" for record in records]
    install_python(prefix, python_requirements(specs, []))


def create(make, file: str, prefix: str) -> None:
    """Create an environment; remove it if that fails."""
    if Path(prefix).exists():
        raise RefusalError(f"CondaValueError: prefix already exists: {prefix}")
    try:
        make(Path(file), Path(prefix))
    except BaseException:
        shutil.rmtree(prefix, ignore_errors=True)
        raise


def list_explicit(prefix: str) -> None:
    """`conda list --explicit --md5`."""
    print(f"# platform: {PLATFORM}\n@EXPLICIT")
    for file in sorted(Path(prefix, "conda-meta").glob("*.json")):
        record = json.loads(file.read_text())
        print(f"{record['url']}#{record['md5']}")


def conda(arguments: list[str]) -> None:
    """Execute one call of conda."""
    match arguments:
        case ["--version", *_]:
            print(f"conda {VERSION}")
        case ["info", *_]:
            print(json.dumps({"conda_prefix": str(ROOT), "platform": PLATFORM, "conda_version": VERSION}))
        case ["config", *_]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["clean", *_]:
            shutil.rmtree(PACKAGES, ignore_errors=True)
        case ["list", *_]:
            list_explicit(option(arguments, "--prefix"))
        case ["env", "create", *_]:
            create(create_from_yaml, option(arguments, "--file"), option(arguments, "--prefix"))
        case ["create", *_]:
            create(create_from_pin, option(arguments, "--file"), option(arguments, "--prefix"))
        case _:
            raise RefusalError(f"the stand-in for conda does not implement: {' '.join(arguments)}")


def install_stand_in(root: Path) -> None:
    """Write the stand-in below `root`."""
    (root / "bin").mkdir(parents=True)
    for name, text in (("conda", CONDA), ("activate", ACTIVATE)):
        (root / "bin" / name).write_text(text)
        (root / "bin" / name).chmod(0o755)


def main() -> int:
    """Execute a call and return conda's exit code."""
    try:
        if sys.argv[1:2] == ["install"]:
            install_stand_in(Path(sys.argv[2]))
        else:
            conda(sys.argv[1:])
    except (RefusalError, rattler.exceptions.SolverError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # py-rattler 0.28 can crash while the interpreter shuts down, after its work is done.
    os._exit(code)
