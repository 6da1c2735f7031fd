"""What a page looks like in the browser: texts that overlap, and a page that is too wide."""

from tests.browser.conftest import Browser

# Rectangles of all displayed texts, cut where a scrolling ancestor cuts them. Drawings are left out: their
# labels are placed by hand.
_TEXTS = """
const rectangles = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode() && rectangles.length < 3000) {
  const node = walker.currentNode, parent = node.parentElement;
  const undrawn = "svg, script, style, select, textarea, .CodeMirror, .cm-editor";
  if (!node.textContent.trim() || parent.closest(undrawn)) continue;
  if (!parent.checkVisibility({visibilityProperty: true})) continue;  // such as in closed <details>
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const full of [...range.getClientRects()].slice(0, 200)) {
    let [left, top, right, bottom] = [full.left, full.top, full.right, full.bottom];
    for (let box = parent; box && box !== document.body; box = box.parentElement) {
      if (getComputedStyle(box).overflow !== "visible") {
        const cut = box.getBoundingClientRect();
        [left, top] = [Math.max(left, cut.left), Math.max(top, cut.top)];
        [right, bottom] = [Math.min(right, cut.right), Math.min(bottom, cut.bottom)];
      }
    }
    if (right - left > 1 && bottom - top > 1)
      rectangles.push({left, top, right, bottom, text: node.textContent.trim().slice(0, 40)});
  }
}
"""
_OVERLAPS = f"""{_TEXTS}
rectangles.sort((a, b) => a.top - b.top);
const overlaps = [];
for (let i = 0; i < rectangles.length; i++) {{
  for (let j = i + 1; j < rectangles.length && rectangles[j].top < rectangles[i].bottom; j++) {{
    const [a, b] = [rectangles[i], rectangles[j]];
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    const lower = Math.min(a.bottom - a.top, b.bottom - b.top);
    if (width > 2 && height > 0.4 * lower) overlaps.push([a.text, b.text]);
  }}
}}
return [rectangles.length, overlaps.slice(0, 5)];
"""


def assert_laid_out(browser: Browser) -> None:
    """The page displays texts, none covers another, and none is cut at the window's right edge."""
    texts, overlaps = browser.run(_OVERLAPS)  # type: ignore[misc]
    assert texts > 0
    assert overlaps == []
    wide, window = browser.run("return [document.documentElement.scrollWidth, window.innerWidth]")  # type: ignore[misc]
    assert wide <= window
