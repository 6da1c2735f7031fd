"""What is recorded of a run as a whole, from objects like Snakemake's."""

from types import SimpleNamespace
from typing import Any

from scripts.workflow.provenance_inputs import deployment, recorded_config, scripted_rules, used_revisions


def rule(name: str, script: str | None, env: Any, folder: str = "/project/rules") -> SimpleNamespace:
    """A rule of a file below a folder."""
    return SimpleNamespace(name=name, script=script, conda_env=env, basedir=folder)


def test_rules_with_a_script_are_recorded_with_paths_below_the_project() -> None:
    rules = [
        rule("all", None, None),
        rule("pairs_card", "../scripts/pairs/card.py", "../envs/data.yaml"),
        rule("compile_shard", "../scripts/compile/shard.py", lambda wildcards: "x"),
        rule("of_another_workflow", "own.py", None, "/elsewhere/workflow"),
    ]
    assert scripted_rules(rules, "/project") == {
        "pairs_card": {"script": "scripts/pairs/card.py", "env": "envs/data.yaml"},
        "compile_shard": {"script": "scripts/compile/shard.py", "env": ""},
    }


def test_programs_come_from_conda_where_the_run_uses_it() -> None:
    assert [deployment(methods) for methods in (set(), {"conda"})] == ["host", "conda"]


def test_the_recorded_config_does_not_say_where_results_are() -> None:
    assert list(recorded_config({"seed": 1, "results_dir": "x", "models": []})) == ["models", "seed"]


def test_revisions_are_listed_by_their_address() -> None:
    revision = "0" * 40
    used = used_revisions({"m": {"repository": "owner/m", "revision": revision}}, [])
    assert list(used.values()) == [["owner/m", revision]]
    assert all("owner/m" in address and revision in address for address in used)
