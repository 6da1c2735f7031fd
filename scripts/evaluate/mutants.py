"""Mutants of a program: texts that differ from it in one operator, constant or keyword.

The operators are the usual ones of mutation testing (Jia and Harman 2011,
doi:10.1109/TSE.2010.62): replacement of relational, arithmetic and logical operators and of
constants. Programs are split into tokens by Pygments, so strings and comments stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pygments.lexers import find_lexer_class
from pygments.token import Token

from scripts.lib.job import InputError
from scripts.lib.seeds import seed_for

# Replacement of each operator or keyword. One table covers all languages, because a program
# contains only the operators of its own.
REPLACEMENTS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "===": "!==",
    "!==": "===",
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "//": "*",
    "%": "*",
    "+=": "-=",
    "-=": "+=",
    "*=": "+=",
    "and": "or",
    "or": "and",
    "&&": "||",
    "||": "&&",
    "True": "False",
    "False": "True",
    "true": "false",
    "false": "true",
    "break": "continue",
    "min": "max",
    "max": "min",
}


@dataclass(frozen=True)
class Mutant:
    """A changed program.

    text: the whole program. position: index of the change in the original, in characters.
    change: what was replaced, and by what.
    """

    text: str
    position: int
    change: str


def _pieces(program: str, language: str) -> Iterator[tuple[int, object, str]]:
    """Position, kind and text of each token; operators of several characters are one token."""
    lexer = find_lexer_class(language)
    if lexer is None:
        raise InputError(f"Pygments knows no language '{language}'; use a name of its list of lexers")
    start, operator = 0, ""
    # Without these options, the lexer would change line ends and remove blank lines.
    for position, kind, text in lexer(stripnl=False, ensurenl=False).get_tokens_unprocessed(program):
        is_symbol = kind in Token.Operator and not text.isalpha()
        if operator and not (is_symbol and position == start + len(operator)):
            yield start, Token.Operator, operator
            operator = ""
        if is_symbol:
            start, operator = (start, operator + text) if operator else (position, text)
        else:
            yield position, kind, text
    if operator:
        yield start, Token.Operator, operator


def _replacements(kind: object, text: str) -> list[str]:
    if kind in Token.Literal.Number and text.isdecimal():
        return [str(int(text) + 1), *([str(int(text) - 1)] if int(text) else [])]
    is_text = kind in Token.Literal.String or kind in Token.Comment
    return [REPLACEMENTS[text]] if text in REPLACEMENTS and not is_text else []


def mutants(program: str, language: str, name: str, seed: int) -> list[Mutant]:
    """All mutants of a program, in an order determined by `seed` and by the program's `name`.

    `language` is a name of Pygments, such as `C++`; raises `InputError` for one that it lacks.
    """
    changed = [
        Mutant(program[:position] + new + program[position + len(text) :], position, f"{text} -> {new}")
        for position, kind, text in _pieces(program, language)
        for new in _replacements(kind, text)
    ]
    return sorted(changed, key=lambda mutant: seed_for(seed, "mutant", name, mutant.position, mutant.change))
