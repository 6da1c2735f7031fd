"""Replace constant expressions in the text of LLVM IR that the reader no longer accepts by their
values.

Older frontends write such expressions: flang 19 writes the size of N elements as `mul (i64 ptrtoint
(ptr getelementptr (float, ptr null, i32 1) to i64), i64 N)`, nested for a descriptor. LLVM removed
`mul`, `shl`, `or` and others from its constant expressions and rejects the module. Here each of
them is written as instructions of a function, which LLVM itself folds by the module's data layout,
so that no value is guessed. An expression that LLVM does not fold to a plain constant stays
unchanged. Strings, quoted names and comments are skipped, and the work is linear in the text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from llvmlite import binding

from scripts.lib.ir_operands import member, operands, split_type

_READ_BINARY = ("add", "sub", "xor")
_DROPPED_BINARY = ("mul", "shl", "lshr", "ashr", "and", "or", "udiv", "sdiv", "urem", "srem")
_DROPPED_FLOATING = ("fadd", "fsub", "fmul", "fdiv", "frem")
_READ_CASTS = ("ptrtoint", "inttoptr", "trunc", "bitcast", "addrspacecast")
_DROPPED_CASTS = ("zext", "sext", "fptrunc", "fpext", "fptoui", "fptosi", "uitofp", "sitofp")
_COMPARISONS = ("icmp", "fcmp")
AGGREGATES = ("extractvalue", "insertvalue")
CASTS = {*_READ_CASTS, *_DROPPED_CASTS}
DROPPED = {*_DROPPED_BINARY, *_DROPPED_FLOATING, *_DROPPED_CASTS, *_COMPARISONS, *AGGREGATES, "select", "fneg"}
OPERATIONS = {*DROPPED, *_READ_BINARY, *CASTS, "getelementptr"}
# A number, or a vector, structure or array of numbers.
_PLAIN = re.compile(r"(?!.*\b(?:undef|poison)\b)(?:[\w.+-]+|[<{\[][\w.+,<>{}\[\] -]*|splat \([\w.+ -]+\))")
_UNKNOWN = {"undef", "poison", "blockaddress", "dso_local_equivalent", "no_cfi", "asm", "ptrauth", "c", "splat"}
_WORDS = "|".join(sorted(DROPPED))
# A comparison of numbers has up to eight words between operation and bracket. The bound keeps the search linear.
_MOST_FLAGS = 10
_ANY = re.compile(rf" (?:{_WORDS})(?: [a-z]+){{0,{_MOST_FLAGS}}} \(")
# Words between an operation and its bracket.
_FLAG_WORDS = (
    "nuw|nsw|exact|inbounds|nusw|disjoint|nneg|samesign|eq|ne|ugt|uge|ult|ule|sgt|sge|slt|sle|"
    "oeq|ogt|oge|olt|ole|one|ord|ueq|une|uno|true|false"
)
_FLAGS = frozenset(_FLAG_WORDS.split("|"))
# What an expression begins with after its operation: cheap to look for in a long text.
_FLOATS = ("half", "bfloat", "float", "double", "fp128", "x86_fp80", "ppc_fp128")
_OPENINGS = (" (i", " (<", " ({", " ([", *(f" ({name} " for name in _FLOATS))


def opening(operations: Iterable[str]) -> str:
    """A pattern of expressions with one of the `operations` up to the bracket, as a group.

    A word between operation and bracket is a flag, such as `nuw`, or a predicate, such as `eq`; with a
    type it is the instruction that compares pointers to functions.
    """
    words = "|".join(sorted(operations))
    return rf"(?<![\w.$@%!#-])((?:{words})(?: (?!void|half|bfloat|float|double|ptr)[a-z]+){{0,{_MOST_FLAGS}}} \()"


_NEXT = re.compile(rf'"[^"]*"|;[^\n]*|{opening(DROPPED)}')
# The same with any white space.
_LOOSE = re.compile(
    rf'"[^"]*"|(;[^\n]*)|(?<![\w.$@%!#-])((?:{"|".join(sorted(OPERATIONS))})'
    rf"(?:\s+(?:{_FLAG_WORDS}))*)\s*\(\s*"
)
_TOKEN = re.compile(r'"[^"]*"|[()]|[^\s"(),]+|\s+|,')
_LAYOUT = re.compile(r"^target datalayout = .*$", re.MULTILINE)
# Types whose size depends on the target, and is unknown without a data layout.
_LAID_OUT = re.compile(r"[%{<]|fp80|fp128|\bi(?!(?:1|8|16|32|64)\b)\d+")
_BY_LAYOUT = re.compile(r"getelementptr|bitcast|ptrtoint|inttoptr")
_TYPE = re.compile(r'^%(?:[\w.$-]+|"[^"\n]*") = type .*$', re.MULTILINE)
_STORED = re.compile(r"^  store volatile (.+), ptr %result, align \d+$", re.MULTILINE)
# Swift sets the highest bit of the address of a constant string. No address of a global variable
# has that bit, so that addition, which the reader accepts, is equivalent.
_MARKED = re.compile(
    r"or (\(i64 sub \(i64 ptrtoint \(ptr @(?:\"[^\"]*\"|[\w.$-]+) to i64\), i64 \d+\), i64 -9223372036854775808\))"
)


@dataclass
class _Expression:
    """An expression that is being read: its text without inner expressions, which are named
    instead.
    """

    operation: str
    start: int
    parts: list[str] = field(default_factory=list)
    known: bool = True


@dataclass(frozen=True)
class _Candidate:
    """A removed kind of expression with known parts: its position, type, and the number of its last
    instruction.
    """

    start: int
    end: int
    kind: str
    last: int


def _is_flag(word: str) -> bool:
    """Whether a word may stand between an operation and its bracket, such as `nuw`."""
    return word.isspace() or word in _FLAGS


def _operation(parts: list[str]) -> str:
    """Remove the operation with its flags, such as `mul nuw`, from the end of `parts`; empty if
    there is none.
    """
    end = len(parts)
    while end and _is_flag(parts[end - 1]):
        end -= 1
    if not end or parts[end - 1] not in OPERATIONS:
        return ""
    words = [part for part in parts[end - 1 :] if not part.isspace()]
    del parts[end - 1 :]
    return " ".join(words)


def _compared(kind: str) -> str:
    """The type of a comparison of two values of a type."""
    return f"{kind[:-1].partition(' x ')[0]} x i1>" if kind.startswith("<") else "i1"


def _instruction(operation: str, content: str) -> tuple[str, str] | None:
    """An expression as an instruction, and the type of its value; None if it does not have the
    expected form.
    """
    name = operation.partition(" ")[0]
    if name == "getelementptr":
        return f"{operation} {content}", "ptr"
    if name in CASTS:
        _, to, kind = content.rpartition(" to ")
        return (f"{operation} {content}", kind) if to else None
    (kind, first), *others = map(split_type, operands(content))
    if name == "extractvalue":
        found = member(kind, [index for index, _ in others])
        return (f"{operation} {content}", found) if found else None
    if name in ("select", "insertvalue", "fneg"):
        return f"{operation} {content}", others[-1][0] if name == "select" else kind
    if [other for other, _ in others] != [kind]:
        return None
    return f"{operation} {kind} {first}, {others[0][1]}", _compared(kind) if name in _COMPARISONS else kind


class _Reader:
    """Reads one constant expression, with all nested ones, from `text` at `start`.

    The instructions that compute its known parts are appended to `body`, the body of a function.
    """

    def __init__(self, text: str, start: int, body: list[str]) -> None:
        self.text = text
        self.end = start
        self.open = [_Expression("", start)]
        self.body = body
        self.candidates: list[_Candidate] = []
        self.marked: list[int] = []

    def read(self) -> bool:
        """Read up to the closing parenthesis; return False if there is none."""
        for token in _TOKEN.finditer(self.text, self.end):
            self._take(token[0], token.start())
            if token[0] == ")" and len(self.open) == 1:
                self.end = token.end()
                return True
        return False

    def _take(self, token: str, position: int) -> None:
        """Process the next token."""
        current = self.open[-1]
        if token == "(":
            operation = _operation(current.parts)
            start = self.text.rindex(operation.partition(" ")[0], current.start, position) if operation else position
            self.open.append(_Expression(operation, start))
        elif token == ")":
            self._close(position + 1)
        else:
            current.known = current.known and token[0] != "@" and token not in _UNKNOWN
            current.parts.append(token)

    def _close(self, end: int) -> None:
        """End the innermost expression and append the name of its value to the enclosing one."""
        inner, outer = self.open.pop(), self.open[-1]
        content = "".join(inner.parts).strip()
        if inner.known and not inner.operation:
            # Of a type: the parameters of a function or an address space.
            outer.parts.append(f"({content})")
            return
        typed = _instruction(inner.operation, content) if inner.known else None
        dropped = inner.operation.partition(" ")[0] in DROPPED
        if typed is None:
            outer.known = False
            outer.parts.append("()")
            if dropped and _MARKED.fullmatch(self.text, inner.start, end):
                self.marked.append(inner.start)
            return
        instruction, kind = typed
        number = len(self.body)
        self.body.append(f"  %v{number} = {instruction}")
        outer.parts.append(f"%v{number}")
        if dropped:
            while self.candidates and self.candidates[-1].start >= inner.start:
                self.candidates.pop()
            self.candidates.append(_Candidate(inner.start, end, kind, number))


def _regions(text: str, body: list[str]) -> Iterator[_Reader]:
    """The outermost removed expressions outside strings and comments, in order, up to one that
    never closes.
    """
    position = 0
    while (match := _NEXT.search(text, position)) is not None:
        position = match.end()
        if match[1]:
            reader = _Reader(text, match.start(), body)
            if not reader.read():
                return
            position = reader.end
            yield reader


def _stored(candidate: _Candidate) -> str:
    """The instruction that stores an expression's value."""
    return f"  store volatile {candidate.kind} %v{candidate.last}, ptr %result"


def _values(body: list[str], text: str) -> list[str]:
    """The constants to which LLVM folds the stored values, in order, by the layout and types of the
    module `text`.
    """
    function = ["define void @f(ptr %result) {", *body, "  ret void", "}"]
    lines = [*_LAYOUT.findall(text)[:1], *_TYPE.findall(text), *function, ""]
    binding.initialize_native_target()
    machine = binding.Target.from_default_triple().create_target_machine(cpu="generic", features="")
    try:
        with binding.parse_assembly("\n".join(lines), context=binding.create_context()) as module, machine:
            builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=0))
            passes = binding.create_new_function_pass_manager()
            passes.add_instruction_combine_pass()
            passes.run(next(module.functions), builder)
            printed = str(module)
    except RuntimeError:
        return []
    return [split_type(stored)[1] for stored in _STORED.findall(printed)]


def _needs_layout(text: str, candidate: _Candidate) -> bool:
    """Whether the value of an expression may depend on the module's data layout."""
    span = candidate.start, candidate.end
    return _LAID_OUT.search(text, *span) is not None and _BY_LAYOUT.search(text, *span) is not None


def may_have_dropped(text: str) -> bool:
    """Whether a text may have an expression that the reader rejects: a quick check, which also
    matches text inside strings.
    """
    return _ANY.search(text) is not None


def with_usual_spacing(text: str) -> str:
    """The `text` of a module with its constant expressions spaced as LLVM prints them, and without
    comments: `mul(i64 2, i64 3)` becomes `mul (i64 2, i64 3)`.
    """

    def usual(match: re.Match[str]) -> str:
        return "" if match[1] else f"{' '.join(match[2].split())} (" if match[2] else match[0]

    return _LOOSE.sub(usual, text)


def without_dropped(text: str) -> str:
    """The `text` of a module with the constant expressions that the reader rejects replaced by
    their values.

    An expression that LLVM cannot evaluate, such as an address times two, stays unchanged.
    """
    if not any(opening in text for opening in _OPENINGS) or not may_have_dropped(text):
        return text
    edits: list[tuple[int, int, str]] = []
    body: list[str] = []
    candidates: list[_Candidate] = []
    no_layout = _LAYOUT.search(text) is None
    for reader in _regions(text, body):
        edits += [(start, start + len("or"), "add") for start in reader.marked]
        known = [each for each in reader.candidates if not (no_layout and _needs_layout(text, each))]
        body += map(_stored, known)
        candidates += known
    values = _values(body, text) if candidates else []
    if len(values) == len(candidates):
        pairs = zip(candidates, values, strict=True)
        edits += [(each.start, each.end, value) for each, value in pairs if _PLAIN.fullmatch(value)]
    return _edited(text, sorted(edits))


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    """`text` with replacements (start, end, new text), which are in order and do not overlap."""
    parts, position = [], 0
    for start, end, replacement in edits:
        parts += [text[position:start], replacement]
        position = end
    return "".join([*parts, text[position:]])
