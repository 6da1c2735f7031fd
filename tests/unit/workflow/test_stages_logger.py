"""The logger of `make run`: a screenful on the terminal, everything in its log."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.workflow.plugins.snakemake_logger_plugin_stages.board import Board, Job
from scripts.workflow.plugins.snakemake_logger_plugin_stages.job_logs import LONGEST, error_in, printable, warnings_in

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "scripts" / "workflow" / "plugins"
SHARDS = 15
# A run in the form of the real one: shards, then a table. Jobs print, warn and, on demand, fail.
SNAKEFILE = f"""
rule all:
    input: "end"

rule sources_read:
    output: "shards/{{n}}"
    log: "logs/{{n}}.log"
    shell: "echo noise of a job; printf 'INFO read\\nWARNING the corpus is small\\n' > {{log}}; touch {{output}}"

rule tables_main:
    input: expand("shards/{{n}}", n=range({SHARDS}))
    output: "end"
    log: "logs/tables.log"
    shell: "cp text {{log}}; touch started; sleep {{config[pause]}}; {{config[then]}} && touch {{output}}"
"""

WITH_CHECKPOINTS = """
from scripts.workflow.summary import follow_stages
follow_stages(workflow)
SHARDS = {"C": 3, "D": 2, "Go": 1}

rule all:
    input: "end"

checkpoint sources_read:
    output: directory("shards/{language}")
    params: number=lambda wildcards: SHARDS[wildcards.language]
    shell: "mkdir -p {output}; seq {params.number} | xargs -I N touch {output}/N"

def modules(wildcards):
    folder = checkpoints.sources_read.get(language=wildcards.language).output[0]
    return [f"modules/{wildcards.language}/{shard.name}" for shard in Path(folder).iterdir() if shard.name.isdigit()]

rule compile_shard:
    output: "modules/{language}/{shard}"
    shell: "touch {output}"

rule dedup_clusters:
    input: modules
    output: "clusters/{language}"
    shell: "touch {output}"

rule tables_main:
    input: expand("clusters/{language}", language=SHARDS)
    output: "end"
    shell: "touch {output}"
"""


def job_of(rule: str, start: float = 0.0) -> Job:
    return Job(rule, ("C",), (), start)


def command(*settings: str) -> list[str]:
    defaults = {"pause": "0", "then": "true"}
    values = defaults | dict(setting.split("=", 1) for setting in settings)
    config = [f"{key}='{value}'" for key, value in values.items()]
    return [sys.executable, "-m", "snakemake", "--cores", "4", "--config", *config, "--logger", "stages"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the small workflow whose shards are read."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "text").write_text("INFO fine\n")
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    return tmp_path


@pytest.fixture
def shards(folder):
    """The working directory after its shards were read."""
    (folder / "shards").mkdir()
    for number in range(SHARDS):
        (folder / "shards" / str(number)).touch()
    return folder


def run(folder: Path, *settings: str) -> tuple[int, str]:
    """Exit code of a run and what it printed to a pipe."""
    done = subprocess.run(
        command(*settings), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def log_of(folder: Path) -> str:
    (log,) = (folder / ".snakemake" / "log").glob("*.run.log")
    return log.read_text()


def test_a_run_prints_a_line_for_each_stage_and_logs_everything(folder):
    code, printed = run(folder)
    lines = printed.splitlines()
    assert code == 0
    assert len(lines) < 12
    assert [line for line in lines if line.startswith("warning")] == ["warning: sources_read: the corpus is small"]
    assert f"{SHARDS + 1} jobs planned: sources {SHARDS}, tables 1" in lines
    assert any(f"sources     {SHARDS} of {SHARDS} jobs done" in line for line in lines)
    log = log_of(folder)
    assert lines[0] == f"log: {next(folder.glob('.snakemake/log/*.run.log')).relative_to(folder)}"
    assert log.count("noise of a job") == SHARDS
    assert log.count("rule sources_read:") == SHARDS
    assert "Job stats:" in log


def test_jobs_that_checkpoints_add_are_counted_in_their_stages(folder):
    header = f"import sys\nfrom pathlib import Path\nsys.path.insert(0, {str(ROOT)!r})\n"
    (folder / "Snakefile").write_text(header + WITH_CHECKPOINTS)
    code, printed = run(folder)
    stages = [line.split(maxsplit=1)[1] for line in printed.splitlines() if " all stages: " in line]
    counts = [tuple(stage.split(" jobs done in ")[0].split(maxsplit=1)) for stage in stages]
    expected = [("sources", "3 of 3"), ("compile", "6 of 6"), ("dedup", "3 of 3"), ("tables", "1 of 1")]
    assert (code, counts) == (0, expected), printed
    assert printed.splitlines()[-1].startswith("13 of 13 jobs done")


def test_a_failed_job_is_named_with_its_log_and_the_last_line_of_its_error(shards):
    (shards / "text").write_text("INFO a\nERROR tables_main: row 3 is \033[31mwrong\nINFO b\n")
    code, printed = run(shards, "then=exit 3")
    assert code == 1
    assert "error: tables_main failed: row 3 is  [31mwrong\n  its log: logs/tables.log\n" in printed
    assert printed.count("failed") == 1
    assert "0 of 1 jobs done" in printed


def test_a_dry_run_prints_counts_and_changes_nothing(folder):
    done = subprocess.run([*command(), "-n"], cwd=folder, capture_output=True, text=True, check=True)
    assert f"sources     sources_read {SHARDS}" in done.stdout
    assert "This was a dry-run" in done.stdout
    assert len(done.stdout.splitlines()) < 20
    assert not (folder / "shards").exists()


def test_an_error_before_the_first_job_is_shown(folder):
    (folder / "Snakefile").write_text("import sys\nsys.exit('error: config: there is no key x')\n")
    code, printed = run(folder)
    assert (code, printed.splitlines()[-1]) == (1, "error: config: there is no key x")
    assert "error: config: there is no key x" in log_of(folder)


def test_an_interrupt_ends_the_run_and_its_jobs(shards):
    process = subprocess.Popen(
        command("pause=300"),
        cwd=shards,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (shards / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(2)  # Snakemake itself fails when it is interrupted while it starts a job
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Terminating processes on user request" in printed
    assert "Traceback" not in printed
    assert "error" not in printed
    assert printed.splitlines()[-1].startswith("0 of 1 jobs done")


def test_a_terminal_shows_bars_and_gets_its_cursor_back(shards, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    main, terminal = pty.openpty()
    with subprocess.Popen(command("pause=2"), cwd=shards, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                shown += os.read(main, 65536)
            except OSError:  # the terminal's other end is closed
                break
    os.close(main)
    assert process.returncode == 0
    assert b"noise" not in shown
    assert b"1/1" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")


def test_the_makefile_runs_with_this_logger():
    for target in ("run", "resume"):
        recipe = subprocess.run(
            ["make", "-n", target, "ARGS=pairs -n"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert "pairs -n --logger stages" in recipe
        assert str(PLUGINS.relative_to(ROOT)) in recipe


def test_a_stage_is_complete_only_after_the_stages_before_it():
    """A checkpoint of an earlier stage can still add jobs to a later one."""
    board = Board()
    board.plan({"sources_read": 2, "all": 1}, ["sources", "compile"])
    board.start(1, job_of("sources_read"))
    board.finish(1, 2.0)
    board.plan({"sources_read": 2, "compile_shard": 1}, ["sources", "compile"])
    board.start(3, job_of("compile_shard", 2.0))
    board.finish(3, 5.0)
    assert board.newly_complete() == []
    board.start(2, job_of("sources_read", 2.0))
    board.finish(2, 7.0)
    assert [(stage.name, stage.seconds) for stage in board.newly_complete()] == [("sources", 7.0), ("compile", 3.0)]
    assert board.newly_complete() == []
    assert (board.done, board.total) == (3, 3)


def test_jobs_that_checkpoints_add_raise_the_total():
    board = Board()
    board.start(1, job_of("compile_shard"))
    assert board.total == 1
    board.plan({"compile_shard": 5})
    board.fail(1, 3.0)
    assert (board.done, board.total, board.running) == (0, 5, [])


def test_running_jobs_are_counted_beyond_a_few():
    board = Board()
    for number in range(5):
        board.start(number, job_of("compile_shard", float(number)))
    assert board.running_now(65.0, most=2) == "compile_shard C (0:01:05), compile_shard C (0:01:04), 3 more"


@pytest.mark.parametrize(
    ("log", "error"),
    [
        ("INFO a\nERROR rule: no file\nINFO b\n", "ERROR rule: no file"),
        ("ERROR rule failed\nTraceback (most recent call last):\n  File x\nValueError: 3\n", "ValueError: 3"),
        ("killed\n\n", "killed"),
        ("", ""),
    ],
)
def test_the_error_of_a_log_is_one_line(tmp_path, log, error):
    path = tmp_path / "rule.log"
    path.write_text(log)
    assert error_in([str(path), str(tmp_path / "missing.log")]) == error


def test_a_log_that_is_missing_gives_way_to_the_next(tmp_path):
    (tmp_path / "slurm.log").write_text("slurmstepd: error: oom_kill\n")
    assert error_in([str(tmp_path / "rule.log"), str(tmp_path / "slurm.log")]) == "slurmstepd: error: oom_kill"


def test_warnings_of_a_log_are_listed_once(tmp_path):
    path = tmp_path / "rule.log"
    path.write_bytes(b"WARNING a\nINFO WARNING b\nWARNING \xff\x1b[2J\nWARNING a\n")
    assert warnings_in([str(path)]) == ["a", "\ufffd [2J"]


def test_text_of_programs_cannot_move_the_cursor_or_fill_the_screen():
    assert printable("\x1b]0;title\x07\x9b2J\ta") == " ]0;title 2J   a"
    assert len(printable("x" * 10_000)) == LONGEST
