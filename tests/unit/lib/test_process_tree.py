"""Processes and their files in /proc, which may be gone at any time."""

import os
import subprocess
import sys

from scripts.lib.process_tree import children, descendants, read_proc


def test_descendants_begin_with_the_process_and_are_bounded() -> None:
    code = "import subprocess; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        while len(tree := descendants(process.pid)) < 2:
            assert process.poll() is None
        assert process.pid in children(os.getpid())
        assert tree[0] == process.pid and children(process.pid) == tree[1:]
        assert descendants(process.pid, 1) == [process.pid]
        os.kill(tree[1], 9)
    assert children(process.pid) == []
    assert descendants(process.pid) == [process.pid]


def test_a_file_of_an_ended_process_is_empty() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert read_proc(f"/proc/{process.pid}/stat").startswith(str(process.pid).encode())
        process.kill()
    assert read_proc(f"/proc/{process.pid}/stat") == b""
