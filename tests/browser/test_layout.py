"""The check of layouts itself sees texts that overlap and pages that are too wide."""

import pytest

from tests.browser.layout import assert_laid_out

pytestmark = pytest.mark.browser

PAGES = (
    "<div style='height: 0'>covered</div><div>covering</div>",
    "<p>text</p><div style='width: 3000px'>wide</div>",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_broken_page_is_noticed(browser, page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><body>{page}", encoding="utf-8")
    browser.open(path.as_uri(), 800)
    with pytest.raises(AssertionError):
        assert_laid_out(browser)


def test_a_good_page_passes(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<!doctype html><body><p>one</p><details><summary>two</summary><p>three</p></details><p>four</p>")
    browser.open(path.as_uri(), 800)
    assert_laid_out(browser)
