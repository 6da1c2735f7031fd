"""Where completions end: at stop sequences and at the end of the prompt's block."""

import pytest

from scripts.evaluate.benchmarks.stop_sequences import Stop, balanced_length, indented_length


@pytest.mark.parametrize(
    "stop, text, completion",
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
def test_a_text_is_cut_at_a_stop_sequence_or_the_closing_brace(stop, text, completion):
    assert stop.cut(text) == completion
    assert (stop.position(text) is None) == (completion == text)


PYTHON = Stop(("\nprint", "<|end|>"), indented=True)
BRACES = Stop(("\nfunc",), braces=True)


@pytest.mark.parametrize(
    "stop, text, completion",
    [
        (PYTHON, "\n    return 1\n\nThis adds one.\n", "\n    return 1\n"),
        (PYTHON, "\n    return 1\n```", "\n    return 1"),
        (PYTHON, "\n\treturn 1\n\n", "\n\treturn 1"),
        (PYTHON, "\n    return 1\n    \n\f\n    # inside\nx = 2", "\n    return 1\n    \n\f\n    # inside"),
        (PYTHON, "return 1", ""),
        (PYTHON, "", ""),
        # A line that starts with another kind of blank counts as soon as it has text.
        (PYTHON, "\n    x\n\u3000\n    y\n\u3000z", "\n    x\n\u3000\n    y"),
        (PYTHON, "\n    return 1\n<|end|>x = 1", "\n    return 1\n"),
        (BRACES, " if x { y() }\n}\nMore.\n```", " if x { y() }\n}"),
        (BRACES, ' s = "{"; }\n}\nMore text.', ' s = "{"; }\n}'),
        (BRACES, ' s = "{"; f() }\nMore text.', ' s = "{"; f() }'),
        (BRACES, " if x { y() }\n  z(\nfunc g() {}", " if x { y() }"),
        (BRACES, " return 1  \n", " return 1"),
        (BRACES, "}", "}"),
    ],
)
def test_a_text_is_cut_at_the_end_of_its_block(stop, text, completion):
    assert stop.cut(text) == completion


@pytest.mark.parametrize("stop", [PYTHON, BRACES, Stop(("\nif",))])
@pytest.mark.parametrize(
    "text", ["\n    a { b }\nif c }", "\n    a { b\nprint", "\n\tx }\n\n}", "\n  s = 1\n\nprint(s)\n", "{ { }\nfunc"]
)
def test_cutting_a_completion_again_removes_only_blanks_at_its_end(stop, text):
    assert stop.cut(stop.cut(text)).rstrip() == stop.cut(text).rstrip()


@pytest.mark.parametrize("stop", [PYTHON, BRACES])
def test_more_text_does_not_move_an_end(stop):
    text = "\n    if x { y }\n}\nprint(1)\n<|end|>{ more }"
    positions = [position for end in range(len(text)) if (position := stop.position(text[:end])) is not None]
    assert positions
    assert set(positions) == {stop.position(text)}


@pytest.mark.parametrize("stop", [PYTHON, BRACES, Stop(("\nif",))])
@pytest.mark.parametrize(
    "text", ["\n    if x { y }\n}\nprint(1)", "\n    y\n\n\u3000 z", "\n  x\nif y", "\n  x\n<|end|>"]
)
def test_the_quick_test_never_misses_an_end(stop, text):
    """Engines test the tail of a text before they search all of it."""
    for end in range(1, len(text) + 1):
        ended_now = stop.position(text[:end]) is not None and stop.position(text[: end - 1]) is None
        assert not ended_now or stop.may_end_within(text[:end][-8:])


def test_lines_end_at_line_feeds_only():
    assert indented_length("    a\u2028b\r    c\x0cd") is None
    assert indented_length("    a\n\rb") == len("    a")


def test_braces_in_string_literals_count():
    # As in the original harness, the brace in the literal closes the function.
    assert balanced_length('print("}"); }') == len('print("}')
