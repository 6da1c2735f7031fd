"""Every job that a run of a config has, planned in an empty folder, with what determines its cost.

Reading the sources decides how many shards there are. So the folder gets an index of empty shards
first, whose number follows from the number of programs.
"""

import contextlib
import io
import json
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import snakemake.api  # noqa: F401  # Snakemake's modules import each other; this one has to be first
from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings
from snakemake.workflow import Workflow

from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.sources import tree
from scripts.sources.shards import shard_name
from scripts.sources.tables import total_bytes
from scripts.workflow.disk import Disk
from scripts.workflow.disk_budget import stated_size
from scripts.workflow.estimate.units import Counts, key_of, rated_rule, units_of

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class PlannedJob:
    """A job of a run.

    name: path of its log below `logs/`, without suffix, as in the table of the cost of jobs.
    rule: the rule that has its rates.
    key: what its rate depends on besides the rule, such as its language or model.
    units: how much it has to do, in the unit of the rule (`units.UNITS`).
    threads, gpus, minutes: what the rule requests.
    needs: positions of the jobs whose outputs it reads.
    size: bytes of its outputs that stay, where they are known without a rate (scripts.workflow.disk).
    temporary: bytes of outputs that are deleted again. working: bytes of a training's checkpoints.
    """

    name: str
    rule: str
    stage: str
    key: str
    units: float
    threads: int
    gpus: int
    minutes: float
    needs: tuple[int, ...]
    size: float | None = None
    temporary: float = 0.0
    working: float = 0.0


def _tree_rows(folder: Path, language: str, suffixes: Sequence[str]) -> int:
    return len(list(tree.entries(folder, language, list(suffixes))))


def _table_rows(folder: Path, language: str, corpus: Mapping[str, Any]) -> int | None:
    """Rows of parquet files of a language, one for each variant where these have files of their own."""
    name = corpus["names"].get(language, language)
    rows = []
    for split in corpus["splits"].values():
        pattern = corpus["files"].format(language=name, split=split)
        paths = [folder] if folder.is_file() else sorted(folder.glob(pattern))
        if any(path.suffix != ".parquet" for path in paths):
            return None
        rows.append(sum(pq.read_metadata(path).num_rows for path in paths))
    return max(rows, default=0)


def source_counts(config: Mapping[str, Any], languages: Mapping[str, Any], results: Path | None) -> dict[str, int]:
    """Number of programs of each language: from an index of a run in `results`, from the corpus where
    it is here, or from `estimate.rows`.

    Raises `InputError` where none of these has it.
    """
    corpus, (stated, _) = config["corpus"], stated_size(config)
    folder = ROOT / corpus["path"]
    counts: dict[str, int] = {}
    for language in config["languages"]:
        index = Path(results, "sources", language, "shards.json") if results else None
        count: int | None = None
        if index and index.is_file():
            count = sum(shard["rows"] for shard in read_json(index)["shards"].values())
        elif isinstance(stated, dict):
            count = stated.get(language)
        elif stated is not None:
            # Rows of all languages and variants.
            count = math.ceil(stated / len(config["languages"]) / len(config["variants"]))
        elif not corpus["dataset"] and folder.exists():
            is_tree = corpus["format"] == "tree"
            suffixes = languages[language]["suffixes"]
            count = _tree_rows(folder, language, suffixes) if is_tree else _table_rows(folder, language, corpus)
        if count is None:
            remedy = "set estimate.rows in the config, and estimate.dataset to null if it names another corpus"
            raise InputError(f"the number of programs in {language} is not known; {remedy}")
        counts[language] = count
    return counts


def _write_shards(results: Path, counts: Counts, with_corpus: bool) -> None:
    """Write an index and empty tables of shards."""
    if with_corpus:
        (results / "corpus").mkdir(parents=True)
        (results / "corpus" / "fetched.json").write_text("{}", encoding="utf-8")
    for language, rows in counts.sources.items():
        folder = results / "sources" / language
        folder.mkdir(parents=True)
        size = counts.shard(language)
        number = round(rows / size) if rows else 1
        shards = {shard_name(shard): {"rows": size, "sha256": "", "modules": ""} for shard in range(number)}
        for shard in shards:
            (folder / f"{shard}.parquet").touch()
        (folder / "aliases.parquet").touch()
        index = {"language": language, "sources": rows, "duplicates": 0, "rejected": 0, "shards": shards}
        (folder / "shards.json").write_text(json.dumps(index), encoding="utf-8")


@contextlib.contextmanager
def _planned_in(folder: Path, configfiles: Sequence[Path], config: Mapping[str, Any]) -> Iterator[Workflow]:
    """The workflow with all jobs of its default target, in a folder; what Snakemake prints is dropped.

    Raises `InputError` with what it printed where the config is wrong.
    """
    printed = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(printed))
        stack.enter_context(contextlib.redirect_stderr(printed))
        try:
            api = stack.enter_context(SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, dryrun=True)))
            workflow = api.workflow(
                ResourceSettings(cores=100_000),
                ConfigSettings(config={**config, "results_dir": "results"}, configfiles=list(configfiles)),
                snakefile=ROOT / "Snakefile",
                workdir=folder,
            )
            workflow.dag(DAGSettings()).execute_workflow(executor="dryrun")
        except (SystemExit, WorkflowError) as error:
            lines = [line for line in [*printed.getvalue().splitlines(), str(error)] if line.startswith("error: ")]
            raise InputError(
                lines[-1].removeprefix("error: ")
                if lines
                else f"the run cannot be planned; see `snakemake -n` with the same config: {error}"
            ) from error
        # Snakemake's public interface runs jobs and has no way to look at them.
        planned = workflow._workflow
        yield planned
        # At exit, a plan is followed by what this machine lacks for it.
        planned._dag = None


def text_bytes(config: Mapping[str, Any]) -> float | None:
    """Bytes of text of the corpus, programs and IR: as the config states, or of tables that are here;
    None if it is not known.
    """
    corpus, (_, stated) = config["corpus"], stated_size(config)
    folder = ROOT / corpus["path"]
    if stated is not None or corpus["dataset"] or corpus["format"] == "tree" or not folder.exists():
        return stated
    has_ir = corpus["columns"]["ir"] is not None
    return float(sum(total_bytes(folder, name, corpus) for name in config["languages"])) if has_ir else None


def disk_of(counts: Counts) -> Disk:
    """What the outputs of a run occupy."""
    return Disk(counts.config, counts.models, counts.sources, text_bytes(counts.config))


def _disk(job: Any, wildcards: Mapping[str, str], disk: Disk, counts: Counts) -> dict[str, Any]:
    """Disk of a job of Snakemake: `size`, `temporary` and `working` of `PlannedJob`."""
    language = wildcards.get("language", "")
    shards = round(counts.sources[language] / counts.shard(language)) if counts.sources.get(language) else 1
    sizes = {path: disk.of_output(str(path).partition("/")[2], shards) for path in job.output}
    lasting = [size for path, size in sizes.items() if path not in job.temp_output and size is not None]
    temporary = [size for path, size in sizes.items() if path in job.temp_output and size is not None]
    return {
        "size": sum(lasting) if lasting or temporary else None,
        "temporary": sum(temporary),
        "working": disk.while_running(job.rule.name, wildcards.get("model", "")),
    }


def _job_name(job: Any) -> str:
    log = str(job.log[0]) if job.log else f"{job.rule.name}.log"
    return log.partition("logs/")[2].removesuffix(".log") or job.rule.name


def plan(configfiles: Sequence[Path], config: Mapping[str, Any], counts: Counts) -> list[PlannedJob]:
    """All jobs of a run from scratch, with `counts` of what it has to do.

    configfiles, config: as Snakemake takes them, over config/config.yaml.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        is_fetched = bool(counts.config["corpus"]["dataset"])
        _write_shards(folder / "results", counts, is_fetched)
        disk = disk_of(counts)
        with _planned_in(folder, configfiles, config) as workflow:
            jobs = sorted(workflow.dag.jobs, key=lambda job: (job.rule.name, _job_name(job)))
            scripted = [job for job in jobs if job.rule.script]
            position = {job: number for number, job in enumerate(scripted)}
            planned = []
            for job in scripted:
                wildcards = {key: str(value) for key, value in job.wildcards_dict.items()}
                rule = rated_rule(job.rule.name)
                needs = sorted(position[other] for other in workflow.dag.dependencies[job] if other in position)
                planned.append(
                    PlannedJob(
                        name=_job_name(job),
                        rule=rule,
                        stage=_job_name(job).split("/")[0],
                        key=key_of(rule, wildcards, counts),
                        units=units_of(rule, wildcards, counts),
                        threads=int(job.threads),
                        gpus=int(job.resources.get("gpu", 0) or 0),
                        minutes=float(job.resources.get("runtime", 0) or 0),
                        needs=tuple(needs),
                        **_disk(job, wildcards, disk, counts),
                    )
                )
            return planned
