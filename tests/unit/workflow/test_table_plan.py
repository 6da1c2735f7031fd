"""Which tables a run has, from a small config/tables.yaml."""

from types import SimpleNamespace

import pytest

from scripts.workflow.table_plan import TablePlan
from scripts.workflow.validation import ConfigError

SPEC = {"title": "T", "caption": "C", "decimals": 1, "notes": ["n"], "headline": "h", "columns": ["c"]}
SPECS = {"validation": SPEC, "multipl-e": SPEC, "recode": {"title": "R"}}


def plan(*scored: str, has_losses: bool = True, is_sandboxed: bool = True) -> TablePlan:
    """The tables of a run with some benchmarks."""
    return TablePlan(SPECS, scored, has_losses, is_sandboxed)


def test_benchmarks_with_scores_get_a_table_in_the_order_of_the_entries() -> None:
    assert plan("recode", "multipl-e").benchmarks == ["validation", "multipl-e", "recode"]
    assert plan("recode", "multipl-e").score_benchmarks == ["multipl-e", "recode"]
    assert plan("recode", has_losses=False).benchmarks == ["recode"]
    assert plan("recode").titles == {"validation": "T", "recode": "R"}


def test_a_benchmark_without_an_entry_is_a_fault() -> None:
    plan("recode").check()
    with pytest.raises(ConfigError, match=r"^config/tables\.yaml has no entry 'humaneval'; add one"):
        plan("recode", "humaneval").check()


def test_a_table_of_digits_depends_on_no_text() -> None:
    run = plan("multipl-e")
    assert run.spec(SimpleNamespace(benchmark="multipl-e", format="csv")) == {"columns": ["c"]}
    assert run.spec(SimpleNamespace(benchmark="multipl-e", format="md")).keys() == SPEC.keys() - {"headline"}
    assert run.keys_of(["recode", "multipl-e"], "title", "decimals") == {
        "recode": {"title": "R"},
        "multipl-e": {"title": "T", "decimals": 1},
    }


def test_tables_of_an_unsandboxed_run_say_so() -> None:
    assert plan("recode").notes == []
    assert plan("recode", is_sandboxed=False).notes == [
        "Generated programs were run without a sandbox (evaluate.sandbox: off)."
    ]


def test_figures_are_those_with_data() -> None:
    assert plan("recode").figures(has_curves=True) == ["base_vs_ircoder", "validation_loss", "learning_curves"]
    assert plan("recode", has_losses=False).figures(has_curves=False) == ["base_vs_ircoder"]
