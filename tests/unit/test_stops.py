"""Where completions end."""

import pytest

from scripts.evaluate.stops import Stop, balanced_length


@pytest.mark.parametrize(
    "stop, text, kept",
    [
        (Stop(("\ndef", "\n#")), "  return 1\n# so\ndef g", "  return 1"),
        (Stop(("\ndef", "\n#")), "  return 1\n  # inside", "  return 1\n  # inside"),
        (Stop(("\n\n",)), "\n\nnothing left", ""),
        (Stop(("\nfunc",)), "", ""),
        (Stop((), braces=True), " if (x) { y(); }\n}\nint main() {}", " if (x) { y(); }\n}"),
        (Stop((), braces=True), " if (x) { y();", " if (x) { y();"),
        (Stop(("<|endoftext|>",), braces=True), " y(); <|endoftext|> }", " y(); "),
    ],
)
def test_cut(stop, text, kept):
    assert stop.cut(text) == kept
    assert (stop.position(text) is None) == (kept == text)


def test_cutting_twice_changes_nothing():
    stop = Stop(("\nif",), braces=True)
    once = stop.cut("a { b }\nif c }")
    assert stop.cut(once) == once


def test_braces_count_in_texts_too():
    # As in the original harness: the brace of the text closes the function.
    assert balanced_length('print("}"); }') == len('print("}')
