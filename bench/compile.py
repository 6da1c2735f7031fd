"""Measures the compile stage against plain compilers: CPU and wall seconds on the same programs,
both variants.

Run: python -m bench.compile [--corpus FOLDER] [--languages …] [--programs N] [--jobs N] [--csv
FILE]

Baseline (`plain`): one compiler process for each program and variant, without a sandbox, as many at
the same time as the stage has, so that both share the processor in the same way. As in the stage, a
program that the first alternative of a frontend refuses (an edition of Rust, a form of Fortran) is
compiled by the next one. The stage (`stage`) includes sandboxes, verification and normalisation;
nothing comes from a cache. A third line measures one frontend pass for both variants
(`compile.shared_frontend`) where the language has it.

Columns: `modules` is the number of modules made; `lost` counts modules that only the baseline
makes, which the last column names with their status; `to plain` is CPU time divided by the
baseline's (lower is better, 1 means that the stage costs nothing); `wall/CPU` shows how many cores
were used (0.5 means two). The shared frontend's last column has the number of modules that stay
identical, and in parentheses the number when names of values are ignored.
"""

import argparse
import csv
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from scripts.compile.build import Build, make_build
from scripts.compile.shard import make_compiler, outcomes
from scripts.lib.files import sha256_text
from scripts.lib.parquet import write_table
from scripts.lib.sandbox.run import close_sandboxes
from scripts.lib.schemas.sources import SOURCES
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / "resources/corpus"
SETTINGS = read_yaml(ROOT / "config/config.yaml")["compile"]
TABLE = read_yaml(ROOT / "config/languages.yaml")
VARIANTS = ["perf", "size"]
_LOCAL = re.compile(r'%(?P<local>[\w.$-]+|"[^"]*")|^(?P<block>[\w.$-]+|"[^"]*"):', re.MULTILINE)
_PREDECESSORS = re.compile(r" +; preds = .*$", re.MULTILINE)
# Outcome rows by program and variant.
Outcomes = dict[tuple[str, str], dict[str, Any]]
T = TypeVar("T")
# The plain way to GHC's IR runs LLVM's tools afterwards.
PLAIN_STEPS = {"Haskell": [["ghc", "-fllvm", "-keep-llvm-files", "-fforce-recomp", "{flags}", "-c", "source.hs"]]}


@dataclass(frozen=True)
class Line:
    """One measurement: CPU and wall seconds; ratios are to the plain way's CPU time and to its own."""

    language: str
    way: str
    programs: int
    modules: int
    lost: int
    cpu: float
    wall: float
    cpu_to_plain: float
    wall_to_cpu: float


def measured(work: Callable[[], T]) -> tuple[T, float, float]:
    """The result of `work`, the CPU seconds of it and of its children, and the wall seconds."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)

    def cpu() -> float:
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))

    cpu_before, before = cpu(), time.monotonic()
    result = work()
    return result, cpu() - cpu_before, time.monotonic() - before


def programs_of(corpus: Path, language: str, containing: str, most: int) -> list[str]:
    """Up to `most` programs of a language that contain a text, are not too large, and are not meant
    to fail.
    """
    texts = []
    for source in sorted((corpus / language).glob("*/[sS]ource.*")):
        data = source.read_bytes()
        right = source.suffix[1:] in TABLE[language]["suffixes"] and 0 < len(data) < 200_000 and b"\0" not in data
        planted = corpus == OWN and int(source.parent.name.partition("_")[2]) > 50
        if right and not planted and containing.encode() in data:
            texts.append(data.decode("utf-8", "replace"))
    return texts[:most]


def compiled_plainly(language: str, program: str, build: Build, variant: str) -> bool:
    """Whether the plain way makes a module of a program, by one alternative of the frontend."""
    steps: Sequence[Mapping[str, Any]] = [{"run": words} for words in PLAIN_STEPS.get(language, [])] or build.steps
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, build.frontend["source"]).write_text(program, encoding="utf-8")
        for name, content in build.extra_files.items():
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, name).write_bytes(content)
        for step in steps:
            words = build.expanded(step, variant)
            command = [build.toolchain.tools[words[0]].outside, *build.toolchain.command(words)[1:]]
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        return done.returncode == 0 and Path(folder, build.output).is_file()


def plain_variants(language: str, program: str, build: Build) -> set[tuple[str, str]]:
    """The id of a program with each variant for which the plain way makes a module.

    As in the stage, the frontend's first alternative that compiles the first variant is used for
    all variants, or the first alternative if none does.
    """
    first, *others = VARIANTS
    alternatives = [each for each in build.alternatives if "pragma" not in each.alternative]
    chosen = next((each for each in alternatives if compiled_plainly(language, program, each, first)), None)
    variants = [first] if chosen else []
    variants += [each for each in others if compiled_plainly(language, program, chosen or build, each)]
    return {(program_id(program), variant) for variant in variants}


def plain(language: str, programs: list[str], build: Build, jobs: int) -> set[tuple[str, str]]:
    """Compile programs the plain way, `jobs` at a time; return the programs and variants for which a
    module was made.
    """
    with ThreadPoolExecutor(jobs) as pool:
        return set().union(*pool.map(lambda program: plain_variants(language, program, build), programs))


def program_id(program: str) -> str:
    """Id of a program in the sources table."""
    return sha256_text(program)[:16]


def source_row(language: str, program: str) -> dict[str, object]:
    """A row of the sources table."""
    digest = sha256_text(program)
    row = {"id": program_id(program), "language": language, "path": digest, "source_sha256": digest}
    about = {"encoding": "utf-8", "bytes": len(program.encode()), "rejected": None, "license": None}
    return row | about | {"source": program}


def staged(language: str, programs: list[str], jobs: int, **changes: object) -> Outcomes:
    """Compile programs by the stage; return the outcome rows by program and variant."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        table, headers = Path(folder, "sources.parquet"), Path(folder, "headers")
        headers.mkdir()
        write_table(table, [source_row(language, program) for program in programs], SOURCES.schema)
        compiler = make_compiler(language, TABLE[language], VARIANTS, SETTINGS | changes, None, headers)
        rows = list(outcomes(str(table), compiler, jobs))
        # The usage of the sandboxes counts when they have ended.
        close_sandboxes()
    return {(row["id"], row["variant"]): row for row in rows}


def modules(rows: Outcomes) -> dict[tuple[str, str], str]:
    """The modules of the accepted programs, by program and variant."""
    return {key: row["ir"] for key, row in rows.items() if row["status"] == "ok"}


def nameless(module: str) -> str:
    """A module's text with local values and blocks named by their order of occurrence."""
    names: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        name = match["local"] or match["block"]
        return match[0].replace(name, names.setdefault(name, f"n{len(names)}"))

    return _LOCAL.sub(renamed, _PREDECESSORS.sub("", module))


def agreement(one: dict[tuple[str, str], str], other: dict[tuple[str, str], str], variant: str) -> str:
    """The number of identical modules of a variant, and in parentheses the number when names are
    ignored.
    """
    pairs = [(one.get(key, ""), text) for key, text in other.items() if key[1] == variant]
    return f"{sum(a == b for a, b in pairs)} ({sum(nameless(a) == nameless(b) for a, b in pairs)})"


def lines_of(language: str, programs: list[str], jobs: int) -> Iterator[Line]:
    """The measurements of one language: each way on the same programs, in turn."""
    build = make_build(language, TABLE[language], SETTINGS)
    accepted, base, wall = measured(lambda: plain(language, programs, build, jobs))
    if not accepted:
        # A baseline that fails costs too little; GHC's, for example, needs LLVM's opt and llc.
        raise SystemExit(f"error: the plain way compiled no {language} program; install envs/host/apt-test.txt")
    yield Line(language, "plain", len(programs), len(accepted), 0, base, wall, 1.0, wall / base)
    rows, cpu, wall = measured(lambda: staged(language, programs, jobs))
    apart, lost = modules(rows), sorted(key for key in accepted if rows[key]["status"] != "ok")
    way = "; ".join(["stage", *(f"{'.'.join(key)}: {rows[key]['status']}, {rows[key]['diagnostics']}" for key in lost)])
    yield Line(language, way, len(programs), len(apart), len(lost), cpu, wall, cpu / base, wall / cpu)
    if "shared_frontend" in build.frontend:
        rows, cpu, wall = measured(lambda: staged(language, programs, jobs, shared_frontend=True))
        shared, lost = modules(rows), [key for key in accepted if rows[key]["status"] != "ok"]
        same = ", ".join(f"{kind} {agreement(apart, shared, kind)}" for kind in VARIANTS)
        way = f"shared frontend; same modules (same but for names) of {len(shared) // 2}: {same}"
        yield Line(language, way, len(programs), len(shared), len(lost), cpu, wall, cpu / base, wall / cpu)


def shown(line: Line) -> str:
    """A measurement as a line of the printed table."""
    figures = f"{line.cpu:9.2f} {line.wall:9.2f} {line.cpu_to_plain:9.2f} {line.wall_to_cpu:9.2f}"
    return f"{line.language:<12} {line.programs:>8} {line.modules:>7} {line.lost:>4} {figures}  {line.way}"


def main() -> None:
    """Print the table and write it as a file where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=OWN, help="folder of the corpus")
    default = read_yaml(ROOT / "config/config.yaml")["languages"]
    parser.add_argument("--languages", nargs="+", default=default, choices=sorted(TABLE), help="languages to measure")
    parser.add_argument("--programs", type=int, default=50, help="most programs of a language")
    parser.add_argument("--containing", default="", help="only programs with this text, such as bits/stdc++.h")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at the same time")
    parser.add_argument("--csv", type=Path, help="file to write the table to")
    options = parser.parse_args()
    figures = f"{'CPU s':>9} {'wall s':>9} {'to plain':>9} {'wall/CPU':>9}"
    print(f"{'language':<12} {'programs':>8} {'modules':>7} lost {figures}  way")
    lines = []
    # Modules that a job loads at its start are not part of its work.
    staged(options.languages[0], [], options.jobs)
    for language in options.languages:
        programs = programs_of(options.corpus, language, options.containing, options.programs)
        for line in lines_of(language, programs, options.jobs) if programs else ():
            print(shown(line), flush=True)
            lines.append(line)
    if options.csv:
        with options.csv.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([each.name for each in fields(Line)])
            writer.writerows(map(astuple, lines))


if __name__ == "__main__":
    main()
