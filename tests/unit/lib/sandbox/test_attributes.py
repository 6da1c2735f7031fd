"""Extended attributes, which the kernel keeps in memory outside the size of a folder, are refused."""

from scripts.lib.sandbox.run import Limits, Sandbox, run

PROGRAM = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for folder in (".", "/tmp", "/dev/shm"):
    path = f"{folder}/file"
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    for target in (path, file):
        for follow in (True, False) if target is path else (True,):
            try:
                os.setxattr(target, "user.a", b"x" * 60_000, follow_symlinks=follow)
                print("kept")
            except OSError as error:
                print(error.strerror)
"""


def test_extended_attributes_are_refused():
    limits = Limits(wall_seconds=20, cpu_seconds=10, memory_mb=200)
    outcome = run(["/usr/bin/python3", "-c", PROGRAM], sandbox=Sandbox(), limits=limits)
    assert set(outcome.stdout.decode().splitlines()) == {"Operation not supported"}, outcome.stderr
