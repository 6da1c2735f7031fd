"""The comparison with the paper's code agrees with the configs and shows what concerns a run."""

import pytest

from scripts.provenance.fidelity import follows_original, run_table, setting
from scripts.provenance.page import with_code
from scripts.workflow.fidelity_page import read_deviations
from scripts.workflow.validation import read_yaml
from tests.support.paths import ROOT

DEVIATIONS = read_deviations()
OPTIONS = [(stage, entry) for stage, entries in DEVIATIONS.items() for entry in entries if entry["status"] == "option"]
ENTRY = {"item": "Seed", "original": "1", "ours": "2", "status": "same"}


def merged(base, overlay):
    """The overlay laid over the base the way Snakemake does it."""
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return overlay
    return {**base, **{key: merged(base.get(key), value) for key, value in overlay.items()}}


@pytest.fixture(scope="module")
def default():
    return read_yaml(ROOT / "config" / "config.yaml")


@pytest.fixture(scope="module")
def paper(default):
    return merged(default, read_yaml(ROOT / "config" / "paper.yaml"))


def items(parts):
    return [entry["item"] for entry in parts]


@pytest.mark.parametrize("entry", [entry for _, entry in OPTIONS], ids=[f"{s}-{e['item']}" for s, e in OPTIONS])
def test_paper_config_sets_every_switch_to_the_value_of_the_original(entry, paper):
    assert {key: setting(paper, key) for key in entry["switch"]} == entry["switch"]


def test_items_of_a_stage_have_different_names():
    for entries in DEVIATIONS.values():
        assert len({entry["item"] for entry in entries}) == len(entries)


def test_languages_of_entries_are_known():
    languages = read_yaml(ROOT / "config" / "languages.yaml")
    named = {entry["language"] for entries in DEVIATIONS.values() for entry in entries if "language" in entry}
    assert named <= set(languages)


def test_option_of_the_default_run_that_is_not_the_originals_counts_as_a_difference(default, paper):
    option = {**ENTRY, "status": "option", "switch": {"dedup.threshold": 0.5}}
    assert not follows_original(option, default)
    assert follows_original(option, paper)


def test_switch_with_a_key_that_no_config_has_is_not_the_originals(default):
    assert not follows_original({**ENTRY, "status": "option", "switch": {"dedup.no.such": None}}, default)


def test_entries_of_other_languages_are_left_out_of_a_run(default):
    table = run_table({"compile": [{**ENTRY, "language": "Swift"}, {**ENTRY, "item": "Limits"}]}, default)
    assert items(table["compile"]["agrees"]) == ["Limits"]
    assert table["compile"]["differs"] == []


def test_text_between_backticks_is_code_on_the_page_and_the_rest_is_escaped():
    assert with_code("`-O3` and `a<b`, not <b>") == "<code>-O3</code> and <code>a&lt;b</code>, not &lt;b&gt;"
    assert with_code("one ` alone") == "one ` alone"
