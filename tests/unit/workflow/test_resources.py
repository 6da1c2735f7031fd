"""Resources of jobs, by attempt."""

from types import SimpleNamespace

from scripts.lib.job_memory import NESTED_SNAKEMAKE_MB, script_mb
from scripts.workflow.resources import megabytes, memory, memory_of_threads, minutes


def test_resources_grow_with_the_attempt() -> None:
    assert [memory(1000)(None, attempt) for attempt in (1, 2)] == [1000 + NESTED_SNAKEMAKE_MB, 2600]
    assert [minutes(60)(None, attempt) for attempt in (1, 3)] == [60, 180]


def test_resources_may_depend_on_the_wildcards() -> None:
    need = memory(lambda wildcards: {"C": 100}[wildcards.language])
    assert need(SimpleNamespace(language="C"), 1) == 100 + NESTED_SNAKEMAKE_MB


def test_memory_of_rows_is_in_megabytes() -> None:
    assert (megabytes(1000, 0, 500), megabytes(1000, 4_000_000, 500)) == (1000, 3000)


def test_a_script_may_use_what_its_job_needs_of_all_its_threads() -> None:
    need = memory_of_threads(lambda wildcards, threads: 100 * threads)
    requested = need(SimpleNamespace(), 2, 4)
    assert requested == 2 * (400 + NESTED_SNAKEMAKE_MB)
    assert script_mb(SimpleNamespace(mem_mb=need(SimpleNamespace(), 1, 4))) == 400
