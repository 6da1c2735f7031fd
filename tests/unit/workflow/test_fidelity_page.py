"""The page of differences from the paper's code: up to date, whole tables, errors that name the entry."""

import copy

import pytest

from scripts.workflow.fidelity_page import PAGE, markdown, read_deviations
from scripts.workflow.validation import ConfigError, validate
from tests.support.paths import ROOT

DEVIATIONS = read_deviations()
ENTRY = {"item": "Seed", "original": "1", "ours": "2", "status": "same"}


def test_page_is_what_the_table_gives():
    assert PAGE.read_text(encoding="utf-8") == markdown(DEVIATIONS), "run: python -m scripts.workflow.fidelity_page"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"status": "option"}, "switch"),
        ({"switch": {"seed": 1}}, "compile.0"),
        ({"status": "other"}, "status"),
        ({"status": "different"}, "reason"),
    ],
)
def test_wrong_entry_is_one_line_that_names_it(change, named):
    deviations = copy.deepcopy(DEVIATIONS) | {"compile": [{**ENTRY, **change}]}
    with pytest.raises(ConfigError) as caught:
        validate(deviations, "deviations", ROOT, "config/deviations.yaml")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_of_a_cell_keeps_the_table_whole():
    page = markdown({"corpus": [{**ENTRY, "original": "a | b\nc"}]})
    assert "| a \\| b c |" in page
