"""Read a file in a process of its own, because a damaged or crafted parquet file can end it.

Arrow aborts on some metadata, and the memory that it takes depends on what the metadata states.
"""

import faulthandler
import multiprocessing
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from scripts.lib.job import InputError
from scripts.lib.system_calls import die_with_parent

T = TypeVar("T")

_REMEDY = "write it again with fewer rows a group, or remove it"


def limit_memory(more: int) -> None:
    """Let allocations of this process fail that need `more` bytes more than it has now."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    has = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = has + more if hard == resource.RLIM_INFINITY else min(has + more, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _serve(channel: Connection, parent: int, read: Callable[[], Iterator[Any]]) -> None:
    """In the process: send each item, then how reading ended."""
    die_with_parent(parent)
    faulthandler.disable()
    try:
        for item in read():
            channel.send(("item", item))
        channel.send(("end", None))
    except Exception as error:
        channel.send(("error", _explained(error)))


def _explained(error: Exception) -> Exception:
    """The error that the reading process raises: one line for lack of memory and for damage, any
    other as it is.
    """
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return InputError(f"needs far more memory for a few rows than its metadata states; {_REMEDY}")
    if isinstance(error, ValueError | KeyError | TypeError | ArithmeticError):
        return InputError(f"is damaged ({' '.join(str(error).split())[:200]}); {_REMEDY}")
    return error


def items_of(path: Path, read: Callable[[], Iterator[T]]) -> Iterator[T]:
    """The items that `read` yields, called in another process, which may limit its memory.

    Raises `InputError` naming the file if that process dies or lacks memory, and what `read`
    raises.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(sender, multiprocessing.current_process().pid, read), daemon=True)
    with warnings.catch_warnings():
        # A copy of a process with threads is safe here: it only reads, and Arrow starts its own.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    sender.close()
    try:
        while (message := _received(receiver))[0] == "item":
            yield message[1]
        if message[0] == "end":
            return
        process.join()
        error = message[1] or _death(process.exitcode)
        raise InputError(f"{path} {error}") if f"{path}" not in str(error) and isinstance(error, InputError) else error
    finally:
        process.kill()
        process.join()
        receiver.close()


def _received(receiver: Connection) -> tuple[str, Any]:
    try:
        kind, content = receiver.recv()
    except EOFError:
        return "error", None
    return kind, content


def _death(exitcode: int | None) -> InputError:
    """The error for a reader that a signal ended, or that ended without sending a message."""
    how = signal.Signals(-exitcode).name if exitcode and exitcode < 0 else f"exit code {exitcode}"
    return InputError(
        f"cannot be read: its content ended the reader ({how}); it is damaged, write it again or remove it"
    )
