"""Lines that an interrupted job left: one that has changed is never read as another one."""

import contextlib

import pytest

from scripts.lib.checked_lines import checked_line, checked_row

ROW = {
    "program": "0123",
    "verdict": {"status": "passed", "cpu_seconds": 1 / 7, "message": "\u00e9 \ud800\u2028\n", "n": None},
}


def test_a_row_comes_back():
    assert checked_row(checked_line(ROW).encode()) == ROW
    assert checked_line(ROW).count("\n") == 1


def test_no_changed_bit_gives_other_values():
    line = checked_line(ROW).encode()
    for index in range(8 * len(line) - 8):
        changed = bytearray(line)
        changed[index // 8] ^= 1 << index % 8
        with contextlib.suppress(ValueError):
            row = checked_row(bytes(changed))
            assert {name: row[name] for name in ROW} == ROW


@pytest.mark.parametrize("line", [b"[1]\n", b"", b'{"a": 1', b'{"crc32": 1, "a": 1}', b'{"crc32": "00000000", "a": 1}'])
def test_other_lines_are_errors(line):
    with pytest.raises(ValueError):
        checked_row(line)


def test_a_line_without_a_checksum_is_read():
    assert checked_row(b'{"a": 1}\n') == {"a": 1}
