"""The documentation against the files that it is drawn from or names."""

import re
import runpy

import pytest

from tests.support.paths import ROOT

DRAWING = runpy.run_path(str(ROOT / "docs" / "images" / "draw.py"))
TABLE_OF_TASKS = re.compile(r"^\| (?P<task>[^|]+) \| (?P<files>[^|]+) \| \[", re.M)
FILE_NAME = re.compile(r"`([^`]+\.(?:py|yaml|smk|md))`")


@pytest.mark.parametrize("name", sorted(DRAWING["FIGURES"]))
def test_figures_are_those_that_the_script_draws(name):
    drawn = DRAWING["FIGURES"][name]()
    stored = (ROOT / "docs" / "images" / f"{name}.svg").read_text(encoding="utf-8")
    assert drawn == stored, "run `python docs/images/draw.py`"


def prose_lines(text: str) -> list[str]:
    """Lines of Markdown but for code, tables and lines that a link makes long."""
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [line for line in without_code.splitlines() if not line.lstrip().startswith("|") and "](" not in line]


def test_prose_is_wrapped_at_100_columns():
    folders = ("docs", "config", "tests", "resources")
    pages = [*ROOT.glob("*.md"), *(page for folder in folders for page in ROOT.glob(f"{folder}/**/*.md"))]
    long = {
        f"{page.relative_to(ROOT)}: {line}"
        for page in pages
        for line in prose_lines(page.read_text(encoding="utf-8"))
        if len(line) > 100
    }
    assert long == set()


def test_each_task_of_a_newcomer_opens_at_most_four_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tasks = {match["task"]: FILE_NAME.findall(match["files"]) for match in TABLE_OF_TASKS.finditer(text)}
    assert len(tasks) == 7
    for task, files in tasks.items():
        assert len(files) <= 4, task
        assert [name for name in files if "<" not in name and not (ROOT / name).is_file()] == [], task


def test_every_folder_of_the_map_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = re.search(r"## Where things are\n\n```\n(.*?)```", text, re.S)
    assert tree
    stack: list[tuple[int, str]] = []
    for line in tree[1].splitlines():
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        stack = [entry for entry in stack if entry[0] < indent]
        parent = "".join(part for _, part in stack).replace("<stage>/", "")
        stack.append((indent, name))
        if "<" not in name:
            assert (ROOT / parent / name).exists(), parent + name
