"""The explorer in a browser: every question and page, hostile texts, search, facets, and no writing."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from scripts.explorer.metadata import read_queries
from tests.browser.conftest import Browser
from tests.browser.layout import assert_laid_out

# The names by which WebDriver knows ways to find elements.
CSS, LINK, CLASS, TAG = "css selector", "link text", "class name", "tag name"
pytestmark = pytest.mark.browser

WIDTHS = (1366, 800)
QUERIES = read_queries()
# Beginning of the text that tests.support.database_results puts everywhere, as it is displayed.
HOSTILE = "<script>window.hacked = 1</script>]]><img src=x onerror='window.hacked = 1'>[U+202E]gnp.exe[U+202C]"


def rows(explorer: str, path: str) -> list[dict]:
    """The rows of a table or query."""
    with urllib.request.urlopen(f"{explorer}/run/{path}", timeout=60) as answer:
        return json.load(answer)


def key_of(explorer: str, table: str, **values: str) -> str:
    """The quoted key of a row with these values."""
    query = urllib.parse.urlencode({"_shape": "array", "_col": "key", "_size": "1", **values})
    return urllib.parse.quote(rows(explorer, f"{table}.json?{query}")[0]["key"])


def assert_text_is_text(browser: Browser) -> None:
    """No text of a program or model became a part of the page."""
    assert browser.run("return window.hacked") is None
    assert browser.driver.find_elements(CSS, "img[src='x']") == []
    assert not {"\u202e", "\u202c"} & set(browser.text)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", QUERIES)
def test_each_question_is_answered_and_leads_to_its_page(explorer, browser, name, width, request):
    run = request.node.callspec.id.split("-")[0]
    browser.open(explorer, width)
    browser.follow(browser.driver.find_element(LINK, QUERIES[name]["title"]).click)
    assert browser.driver.find_elements(CLASS, "message-error") == []
    # A run may have no cluster or no truncated document; the results with hostile texts have all.
    assert run == "last_run" or browser.driver.find_elements(CSS, "table.rows-and-columns tbody tr") != []
    assert_laid_out(browser)
    assert_text_is_text(browser)
    browser.driver.save_screenshot(str(browser.pictures / f"{run}-query-{name}-{width}.png"))
    links = browser.driver.find_elements(CSS, "td.col-page a")
    if "AS page" in QUERIES[name]["sql"] and (links or run != "last_run"):
        browser.follow(links[0].click)
        assert browser.driver.find_elements(CSS, "pre.code, table") != []
        assert_laid_out(browser)
        assert_text_is_text(browser)
        browser.driver.save_screenshot(str(browser.pictures / f"{run}-page-{name}-{width}.png"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["", "run", "run/sources", "run/modules", "run/completions", "run/executions"])
def test_tables_fit_the_window(explorer, browser, path, width, request):
    run = request.node.callspec.id.split("-")[0]
    browser.open(f"{explorer}/{path}", width, f"{run}-{path.replace('/', '-') or 'home'}")
    assert_laid_out(browser)
    assert_text_is_text(browser)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_program_is_shown_next_to_both_modules_as_text(hostile, browser, width):
    key = key_of(hostile, "sources", path="C++/Source_1/source")
    browser.open(f"{hostile}/-/source?key={key}", width, "hostile-source")
    titles = [title.text for title in browser.driver.find_elements(CSS, ".pane h3")]
    assert titles == ["Source", "LLVM IR, perf", "LLVM IR, size"]
    texts = [pane.text for pane in browser.driver.find_elements(CSS, "pre.code")]
    assert all(HOSTILE in text for text in texts)
    assert "define i32 @main()" in texts[1]
    assert browser.driver.find_elements(CSS, "pre.code span") != []
    assert_text_is_text(browser)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_of_a_megabyte_stays_in_its_pane(hostile, browser, width):
    key = key_of(hostile, "sources", path="C++/Source_3/source")
    browser.open(f"{hostile}/-/source?key={key}", width, "hostile-long-line")
    assert browser.run("return document.querySelector('pre.code').textContent.length") > 1_000_000
    assert_laid_out(browser)


@pytest.mark.parametrize("table", ["sources", "modules", "completions", "executions", "programs", "contamination"])
def test_a_row_with_hostile_text_is_text(hostile, browser, table):
    key = "completion" if table == "executions" else "key"
    for row in rows(hostile, f"{table}.json?_shape=array&_col={key}&_size=3"):
        quoted = row[key].replace("~", "~7E")
        for character in "/+#.":
            quoted = quoted.replace(character, f"~{ord(character):02X}")
        browser.open(f"{hostile}/run/{table}/{quoted}", 800)
        assert "404" not in browser.driver.title
        assert browser.driver.find_elements(CSS, "table.rows-and-columns td") != []
        assert_text_is_text(browser)
        assert_laid_out(browser)


def test_the_message_of_a_failure_is_text(hostile, browser):
    browser.open(f"{hostile}/run/failures?task=", 1366)
    assert HOSTILE in browser.text
    assert_text_is_text(browser)


def test_the_matrix_shows_what_base_and_ircoder_solved(hostile, browser):
    browser.open(f"{hostile}/-/matrix?task=humaneval/python", 1366)
    heads = [head.text.split("\n")[:2] for head in browser.driver.find_elements(CSS, "thead th")]
    assert heads[1:3] == [["tiny", "base"], ["tiny", "ircoder"]]
    cells = [
        [cell.text for cell in row.find_elements(TAG, "td")][:2]
        for row in browser.driver.find_elements(CSS, "tbody tr")
    ]
    assert cells == [["✗ 0/1", "✓ 1/1"], ["✗ 0/1", "✗ 0/1"]]


def test_search_finds_a_program_by_a_word_of_its_text(hostile, browser):
    browser.open(hostile, 1366)
    field = browser.driver.find_element(CSS, "form[action$='/sources'] input[type=search]")
    field.send_keys("two")
    browser.follow(field.submit)
    paths = [cell.text for cell in browser.driver.find_elements(CSS, "td.col-path")]
    assert paths == ["C++/Source_2/source", "Python/Source_2/source"]


def test_a_facet_filters_the_table(hostile, browser):
    browser.open(f"{hostile}/run/sources", 1366)
    browser.follow(browser.driver.find_element(CSS, ".facet-results").find_element(LINK, "Python").click)
    languages = {cell.text for cell in browser.driver.find_elements(CSS, "td.col-language")}
    assert languages == {"Python"}


def test_a_score_leads_to_the_files_it_stands_on(hostile, browser):
    key = key_of(hostile, "scores", checkpoint="ircoder")
    browser.open(f"{hostile}/-/score?key={key}", 1366)
    assert "evaluate_execute" in browser.text
    assert "sources/C++/000.parquet" in browser.text


@pytest.mark.parametrize("page", ["source", "cluster", "completion", "score"])
def test_an_unknown_row_is_named(hostile, browser, page):
    browser.open(f"{hostile}/-/{page}?key=%3Cscript%3Ewindow.hacked%3D1%3C/script%3E", 800)
    assert f"the run has no {page} with the key '<script>window.hacked=1</script>'" in browser.text
    assert browser.run("return window.hacked") is None


def test_the_database_cannot_be_written(hostile):
    before = rows(hostile, "sources.json?_shape=array&_col=key")
    for statement in ("DELETE FROM sources", "PRAGMA writable_schema = 1", "WITH x AS (SELECT 1) DELETE FROM sources"):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            rows(hostile, f"../run.json?{urllib.parse.urlencode({'sql': statement})}")
    assert rows(hostile, "sources.json?_shape=array&_col=key") == before
