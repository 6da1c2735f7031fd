"""Writes generated C programs as a corpus of folders: the worked example of docs/reference/scale.md.

Run: python -m bench.scale_programs NUMBER FOLDER

Each program has three to eight functions of random loops, branches, arrays and arithmetic, and prints
their results. 30 % are near-duplicates of another program: one constant differs.
"""

import argparse
import random
from pathlib import Path

NEAR_DUPLICATES = 0.3
_WORDS = ("total", "count", "index", "value", "limit", "step", "score", "depth", "width", "delta", "power", "error")
_OPERATORS = ("+", "-", "*", "^", "|", "&")
_COMPARISONS = ("<", ">", "!=", "<=", ">=", "==")


class _Writer:
    """Writes the functions of one program."""

    def __init__(self, choice: random.Random) -> None:
        self.choice = choice
        self.names = [f"{word}_{choice.randrange(1000)}" for word in choice.sample(_WORDS, 4)]

    def _expression(self, depth: int = 2) -> str:
        if depth == 0 or self.choice.random() < 0.25:
            return self.choice.choice([*self.names, str(self.choice.randrange(1, 500))])
        parts = self._expression(depth - 1), self._expression(depth - 1)
        return f"({parts[0]} {self.choice.choice(_OPERATORS)} {parts[1]})"

    def _assignment(self) -> str:
        return f"{self.choice.choice(self.names)} = {self._expression()};"

    def _loop(self) -> str:
        counter, bound = self.choice.choice("ijk"), self.choice.randrange(4, 64)
        body = f"{self._assignment()} table[{counter} % 16] += {self._expression(1)};"
        return f"for (unsigned {counter} = 0; {counter} < {bound}; {counter}++) {{ {body} }}"

    def _branch(self) -> str:
        condition = f"{self._expression(1)} {self.choice.choice(_COMPARISONS)} {self._expression(1)}"
        return f"if ({condition}) {{ {self._assignment()} }} else {{ {self._assignment()} }}"

    def function(self, name: str) -> str:
        """A function of two numbers that returns a number."""
        first, second, *others = self.names
        lines = [f"unsigned {other} = {self.choice.randrange(1, 100)};" for other in others]
        lines.append("unsigned table[16] = {0};")
        steps = (self._assignment, self._loop, self._branch)
        lines += [self.choice.choice(steps)() for _ in range(self.choice.randrange(4, 12))]
        lines.append(f"return {self._expression()} + table[{self.choice.randrange(16)}];")
        body = "".join(f"  {line}\n" for line in lines)
        return f"static unsigned {name}(unsigned {first}, unsigned {second}) {{\n{body}}}\n"


def program(seed: int) -> str:
    """A program that compiles without warnings of the language; equal seeds give equal programs."""
    choice = random.Random(seed)
    names = [f"compute_{number}_{choice.randrange(10_000)}" for number in range(choice.randrange(3, 9))]
    functions = [_Writer(choice).function(name) for name in names]
    calls = [f'  printf("%u\\n", {name}({choice.randrange(100)}u, {choice.randrange(100)}u));\n' for name in names]
    return "#include <stdio.h>\n\n" + "\n".join(functions) + f"\nint main(void) {{\n{''.join(calls)}  return 0;\n}}\n"


def programs(number: int, seed: int = 1) -> list[str]:
    """So many different programs."""
    choice = random.Random(seed)
    texts: list[str] = []
    for index in range(number):
        if texts and choice.random() < NEAR_DUPLICATES:
            texts.append(choice.choice(texts).replace("return 0;", f"return {index};", 1))
        else:
            texts.append(program(index))
    return texts


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write generated C programs as a corpus of folders.")
    parser.add_argument("number", type=int)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    for index, text in enumerate(programs(arguments.number)):
        path = arguments.folder / "C" / f"Source_{index}" / "source.c"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
