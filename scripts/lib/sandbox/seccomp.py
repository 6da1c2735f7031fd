"""Building blocks of seccomp filters: steps of the BPF program that the kernel runs for each system
call.
"""

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
NOTIFY = 0x7FC00000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
# The kernel's number of the architecture, and the column of a table of call numbers.
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


@dataclass(frozen=True)
class Step:
    """One instruction; `yes` and `no` are the numbers of following instructions that a comparison
    skips.
    """

    code: int
    value: int
    yes: int = 0
    no: int = 0

    def packed(self) -> bytes:
        """The instruction as `struct sock_filter`."""
        return struct.pack("=HBBI", self.code, self.yes, self.no, self.value)


ALLOWED = Step(RETURN, _ALLOW)
KILLED = Step(RETURN, _KILL)


def refuse(error: int) -> Step:
    """End the filter: the call returns this error, or for 0 reports success without an effect."""
    return Step(RETURN, _ERROR | error)


def argument(number: int, high: bool = False) -> Step:
    """Load the low or high half of an argument; both supported machines are little-endian."""
    return Step(LOAD, _ARGUMENTS + 8 * number + (4 if high else 0))


def when(values: Sequence[int], steps: Sequence[Step], code: int = JUMP_EQUAL) -> list[Step]:
    """Run `steps`, which end the filter, if the loaded word equals (or shares a bit with) one of
    `values`.

    Otherwise the filter continues after them.
    """
    tests = [Step(code, value, yes=len(values) - 1 - number) for number, value in enumerate(values)]
    return [*tests[:-1], Step(code, values[-1], no=len(steps)), *steps]


def machine_numbers(machine: str | None = None) -> tuple[str, int, int]:
    """Name, architecture and column of `machine` (as in `uname -m`), by default this one;
    `ValueError` if unknown.
    """
    name = machine or os.uname().machine
    if name not in _MACHINES:
        raise ValueError(f"no system call numbers for the machine {name}; supported: {', '.join(_MACHINES)}")
    return name, *_MACHINES[name]


def prologue(architecture: int, otherwise: Step) -> list[Step]:
    """Steps that execute `otherwise` for calls of another architecture, and load the number of any
    other call.
    """
    return [Step(LOAD, _ARCHITECTURE), Step(JUMP_EQUAL, architecture, yes=1), otherwise, Step(LOAD, _NUMBER)]


def packed(steps: Sequence[Step]) -> bytes:
    """The program as an array of `struct sock_filter`."""
    return b"".join(step.packed() for step in steps)
