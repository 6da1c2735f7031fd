"""Writes a small, complete results folder for tests of the run's database and of the explorer."""

import json
from pathlib import Path

import zstandard

from scripts.lib.csv_files import write_csv
from scripts.lib.files import sha256_file, sha256_text, write_bytes, write_json
from scripts.lib.parquet import TableWriter, write_table
from scripts.lib.schemas.cost import JOB_COSTS
from scripts.lib.schemas.dedup import CLUSTERS
from scripts.lib.schemas.evaluation import EXECUTIONS, PROGRAMS
from scripts.lib.schemas.ir import IR
from scripts.lib.schemas.ledger import LEDGER
from scripts.lib.schemas.pairs import CONTAMINATION, PAIRS
from scripts.lib.schemas.scores import DIFFERENCES, SCORES
from scripts.lib.schemas.sources import ALIASES, SOURCES
from scripts.lib.schemas.training import TOKEN_STATISTICS, TRUNCATED_DOCUMENTS
from scripts.provenance.database import cells_of, collect

MODEL = "tiny"
VARIANTS = ["perf", "size"]
# Text that must stay text wherever it is shown: markup, an end of CDATA, and a change of direction.
HOSTILE = (
    "<script>window.hacked = 1</script>]]><img src=x onerror='window.hacked = 1'>\u202egnp.exe\u202c & \u05d0\u05d1"
)
LONG_LINE = "x" * 1_000_000
STAGES = {"sources_read": "sources", "evaluate_execute": "evaluate", "evaluate_score": "evaluate"}


def program_id(language: str, name: str) -> str:
    """The id of a program of these results."""
    return sha256_text(f"{language} {name}")[:16]


def _programs(language: str) -> dict[str, str]:
    """Texts of a language's programs, by the last part of their paths."""
    return {"Source_1": f"// {HOSTILE}\nint main;\n", "Source_2": "int two;\n", "Source_3": f"// {LONG_LINE}\n"}


def write_language(results: Path, language: str) -> None:
    """Three programs: the second is a near-duplicate of the first, the third does not compile."""
    sources, modules, members = [], [], []
    for name, text in _programs(language).items():
        source = program_id(language, name)
        common = {"id": source, "language": language, "source_sha256": sha256_text(text)}
        path = f"{language}/{name}/source"
        about = {"encoding": "utf-8", "bytes": len(text), "bad_bytes": 0, "encoding_uncertain": False}
        sources.append({**common, **about, "path": path, "source": text, "rejected": None, "license": None})
        for variant in VARIANTS:
            ir = "" if name == "Source_3" else f"; {variant} {HOSTILE}\ndefine i32 @main() {{\n  ret i32 0\n}}\n"
            row = {**common, "variant": variant, "compiler": "cc 1", "llvm": "19", "command": "cc", "seconds": 0.5}
            row |= {"status": "ok" if ir else "compile_error", "diagnostics": "" if ir else f"error: {HOSTILE}"}
            modules.append({**row, "ir": ir, "ir_sha256": ir and sha256_text(ir), "rewrites": [], "unprepared": None})
        kept = program_id(language, "Source_1" if name == "Source_2" else name)
        member = {"id": source, "cluster": kept, "kept": kept, "similarity": 0.8, "members": 1 + (name != "Source_3")}
        members.append({**member, "tokens": 9, "variants_ok": 2})
    write_table(results / "sources" / language / "000.parquet", sources, SOURCES.schema)
    write_table(results / "ir" / language / "000.parquet", modules, IR.schema)
    write_table(results / "dedup" / language / "clusters.parquet", members, CLUSTERS.schema)
    alias = {"path": f"{language}/Source_4/source", "source_sha256": sources[0]["source_sha256"]}
    alias |= {"kept_id": sources[0]["id"], "kept_path": sources[0]["path"]}
    write_table(results / "sources" / language / "aliases.parquet", [alias], ALIASES.schema)
    _write_pairs(results / "pairs" / language, language, sources[0], modules)
    _write_ledger(results / "pairs" / language / "ledger.parquet", sources, alias["path"])


def _write_ledger(path: Path, sources: list[dict], duplicate: str) -> None:
    first = sources[0]
    near = {"outcome": "near_duplicate", "detail": f"{first['path']} (0.8)", "kept": first["id"], "similarity": 0.8}
    outcomes = [{"outcome": "pair", "detail": "", "split": "train"}, near]
    outcomes.append({"outcome": "compile_error", "detail": f"error: {HOSTILE}"})
    rows = [
        {**outcome, "variant": variant, **{name: source[name] for name in ("path", "id", "language")}}
        for source, outcome in zip(sources, outcomes, strict=True)
        for variant in VARIANTS
    ]
    same = {"path": duplicate, "id": first["id"], "language": first["language"], "kept": first["id"]}
    same |= {"outcome": "duplicate", "detail": first["path"]}
    write_table(path, [*rows, *({**same, "variant": variant} for variant in VARIANTS)], LEDGER.schema)


def _write_pairs(folder: Path, language: str, source: dict, modules: list[dict]) -> None:
    for variant in VARIANTS:
        module = next(row for row in modules if row["id"] == source["id"] and row["variant"] == variant)
        pair = {name: source[name] for name in ("id", "source_sha256", "path", "license")}
        pair |= {"Source_Code": source["source"], "IR_Original": module["ir"], "ir_sha256": module["ir_sha256"]}
        with TableWriter(folder / f"{variant}.parquet", PAIRS.schema, part_bytes=1 << 20) as writer:
            writer.write([{**pair, "split": "train"}])
    shared = {"language": language, "id": program_id(language, "Source_2"), "path": f"{language}/Source_2/source"}
    shared |= {"benchmark": "humaneval/HumanEval", "problem": "HumanEval/0", "parts": "prompt", "ngrams": 3}
    write_csv(folder / "contamination.csv", CONTAMINATION.names, [{**shared, "text": HOSTILE}])


def write_cell(results: Path, task: str, name: str, passes: list[bool]) -> None:
    """Generations, executions and scores of a checkpoint on as many problems as there are in `passes`."""
    setting, trained = name.split("/")
    model, checkpoint = trained.rsplit(".", 1)
    generations, executions, programs = [], [], []
    for number, passed in enumerate(passes):
        problem = f"HumanEval/{number}"
        completion = f"    return {number}  # {HOSTILE}\n" + (f"# {LONG_LINE}" if number == 1 else "")
        row = {"id": problem, "prompt": f'def f():\n    """{HOSTILE}"""\n', "completions": [completion]}
        row |= {"finish_reasons": ["stop"], "engine": "transformers", "version": "5", "seeds": [2**64 - 1]}
        sampling = {"temperature": 0.2, "top_p": 0.95, "samples": 1, "new_tokens": 64}
        generations.append({**row, "sampling": sampling, "target": ""})
        verdict = ("passed", "", "") if passed else ("runtime_error", "ValueError", HOSTILE)
        status = dict(zip(("status", "detail", "message"), verdict, strict=True))
        output = {"exit_code": 1 - passed, "signal": None, "stdout": "", "stderr": "" if passed else HOSTILE}
        digest = sha256_text(completion)
        executions.append({**status, **output, "id": problem, "sample": 0, "program": digest, "seconds": 0.5})
        text = {"files": [{"name": "program.py", "text": completion}], "tests": "assert True", "head": ""}
        programs.append({**text, "program": digest, "entry_point": "f"})
    lines = "".join(json.dumps(row) + "\n" for row in generations)
    write_bytes(results / "generations" / task / f"{name}.jsonl.zst", zstandard.compress(lines.encode()))
    write_table(results / "executions" / task / f"{name}.parquet", executions, EXECUTIONS.schema)
    write_table(results / "programs" / task / f"{name}.parquet", programs, PROGRAMS.schema)
    values = {f"HumanEval/{number}": 100.0 * passed for number, passed in enumerate(passes)}
    row = {"benchmark": task.split("/")[0], "language": "Python", "model": model, "checkpoint": checkpoint}
    row |= {"setting": setting, "metric": "pass@1", "value": sum(values.values()) / len(values), "ci_low": 0.0}
    row |= {"ci_high": 100.0, "problems": len(values), "samples": 1}
    content = {"rows": [row], "per_problem": {setting: {"pass@1": values}}}
    write_json(results / "scores" / task / f"{name}.json", content)


def write_run(results: Path) -> None:
    """Tables of scores and tokens, and the record of the jobs."""
    paths = sorted((results / "scores").rglob("*.json"))
    rows = [json.loads(path.read_text())["rows"][0] for path in paths]
    write_csv(results / "tables" / "scores.csv", SCORES.names, rows)
    key = {name: rows[0][name] for name in ("benchmark", "language", "model", "setting", "metric")}
    trained = {**key, "model": MODEL, "setting": "t0.2", "checkpoint": "ircoder", "base": "base"}
    trained |= {"difference": 50, "ci_low": 0, "ci_high": 100, "problems": 2}
    write_csv(results / "tables" / "differences.csv", DIFFERENCES.names, [trained])
    tokens = {"split": "train", "language": "C++", "documents": 4, "truncated_documents": 2, "tokens": 100}
    tokens |= {"lost_llvm": 0.5, "lost_source": 0.1, "useful_share": 0.9}
    write_csv(results / "tokens" / MODEL / "statistics.csv", TOKEN_STATISTICS.names, [tokens])
    document = {"split": "train", "language": "C++", "variant": "perf", "id": program_id("C++", "Source_1")}
    document |= {"direction": "source_to_llvm", "tokens": 50, "lost_source": 0.1, "lost_llvm": 0.5}
    write_table(results / "tokens" / MODEL / "truncated.parquet", [document], TRUNCATED_DOCUMENTS.schema)
    cost = {"stage": "evaluate", "rule": "evaluate_execute", "job": "evaluate/execute/one", "wall_seconds": 2}
    attempts = [{**cost, "state": state, "user_seconds": 1.5, "peak_memory_mb": 80} for state in ("failed", "done")]
    write_csv(results / "provenance" / "job_costs.csv", JOB_COSTS.names, attempts)
    write_jobs(results)


def write_jobs(results: Path) -> None:
    """The record of jobs: one reads the sources, one executes and one scores each cell."""
    paths = sorted(path for path in results.rglob("*") if path.is_file() and "provenance" not in path.parts)
    names = [path.relative_to(results).as_posix() for path in paths]
    digest = {"bytes": 1}
    files = {name: {**digest, "sha256": sha256_file(path)} for name, path in zip(names, paths, strict=True)}
    jobs = [{"rule": "sources_read", "inputs": [], "outputs": [n for n in names if n.startswith("sources/")]}]
    for name in names:
        cell = name.partition("/")[2].removesuffix(".parquet").removesuffix(".json")
        inputs = {"executions": [f"generations/{cell}.jsonl.zst", "sources/C++/000.parquet"]}
        inputs["scores"] = [f"generations/{cell}.jsonl.zst", f"executions/{cell}.parquet"]
        folder = name.split("/")[0]
        rule = {"executions": "evaluate_execute", "scores": "evaluate_score"}.get(folder)
        if rule:
            jobs.append({"rule": rule, "inputs": inputs[folder], "outputs": [name]})
    write_json(results / "provenance" / "jobs.json", {"jobs": jobs, "files": files})


def write_results(results: Path) -> None:
    """The whole folder: two languages, one task, a model before and after training, and two controls."""
    for language in ("C++", "Python"):
        write_language(results, language)
    cells = {f"t0.2/{MODEL}.base": [False, False], f"t0.2/{MODEL}.ircoder": [True, False]}
    cells |= {"control/reference.control": [True, True], "control/empty.control": [False, False]}
    for name, passes in cells.items():
        write_cell(results, "humaneval/python", name, passes)
    write_run(results)


def write_database(results: Path, text_bytes: int = 2_000_000) -> list[str]:
    """Write the database of the results; return the parts that were replaced."""
    paths = {
        kind: [str(path) for path in sorted((results / kind).rglob("*")) if path.is_file()]
        for kind in ("ir", "scores", "executions")
    }
    cells = cells_of(paths["scores"], paths["executions"], str(results))
    return collect(results, paths["ir"], cells, variants=VARIANTS, text_bytes=text_bytes, stages=STAGES, code="1")
