"""Programs that hold memory or use CPU time where no process shows it, or leave something for the next run."""

import contextlib
import errno
import os
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.lib.job import InputError
from scripts.lib.sandbox import bubblewrap, program_filter
from scripts.lib.sandbox.run import Limits, Sandbox, close_sandboxes, run

LIMITS = Limits(wall_seconds=20, cpu_seconds=10, memory_mb=300, file_mb=600, processes=64)
SYSTEM_PYTHON = "/usr/bin/python3"
HEAD = """
import ctypes, mmap, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
megabyte = bytes(range(256)) * 4096
def call(number, *values):
    return libc.syscall(ctypes.c_long(number), *map(ctypes.c_ulong, values))
"""


def python(program, sandbox=None, words=(), **changes):
    """Run a Python program in a sandbox, with words in its command line and some limits changed."""
    limits = Limits(**{**LIMITS.__dict__, **changes})
    return run([SYSTEM_PYTHON, "-S", "-c", HEAD + program, *words], sandbox=sandbox or Sandbox(), limits=limits)


# Each prints the megabytes that it holds when it is done, and waits to be measured.
HOARDS = {
    "memory files": """
kept = []
while len(kept) < 14:
    kept.append(os.memfd_create("x"))
    for _ in range(50): os.write(kept[-1], megabyte)
print(700)
""",
    "secret memory": """
kept = call(447, 0)
if kept >= 0:
    os.ftruncate(kept, 700 << 20)
    mmap.mmap(kept, 700 << 20).write(megabyte * 700)
print(700 if kept >= 0 else 0)
""",
    "detached segments": """
total = 0
libc.shmat.restype = ctypes.c_void_p
for _ in range(14):
    number = libc.shmget(0, ctypes.c_size_t(50 << 20), 0o1600)
    if number < 0: break
    place = libc.shmat(number, None, 0)
    ctypes.memset(place, 1, 50 << 20)
    libc.shmdt(ctypes.c_void_p(place))
    total += 50
print(total)
""",
    "message queues": """
total = 0
for _ in range(20000):
    queue = libc.msgget(0, 0o1600)
    if queue < 0: break
    message = ctypes.create_string_buffer(b"1" * 8 + megabyte[:8000])
    while libc.msgsnd(queue, message, ctypes.c_size_t(8000), 0o4000) == 0: total += 8000
print(total >> 20)
""",
    "semaphores": """
total = 0
while total < 700 << 20 and libc.semget(0, 32000, 0o1600) >= 0: total += 32000 * 64
print(total >> 20)
""",
    "an own file system": """
user = os.getuid()
if libc.unshare(0x10000000 | 0x20000) == 0:
    open("/proc/self/setgroups", "w").write("deny")
    open("/proc/self/uid_map", "w").write(f"0 {user} 1")
    assert libc.mount(b"x", b"/tmp", b"tmpfs", 0, b"size=100g") == 0
    with open("/tmp/file", "wb") as file:
        for _ in range(700): file.write(megabyte)
    print(700)
else: print(0)
""",
    "files in three folders": """
for folder in (".", "/tmp", "/dev/shm"):
    with open(folder + "/file", "wb") as file:
        for _ in range(250): file.write(megabyte)
print(750)
""",
    "a file without a name": """
file = open("/dev/shm/file", "wb"); os.unlink("/dev/shm/file")
for _ in range(450): file.write(megabyte)
file.flush()
print(450)
""",
    "shared memory that is not touched any more": """
kept = []
for _ in range(14):
    kept.append(mmap.mmap(-1, 50 << 20))
    kept[-1].write(megabyte * 50)
    kept[-1].madvise(mmap.MADV_DONTNEED)
print(700)
""",
    "shared memory that a child has not touched": """
for _ in range(7):
    kept = mmap.mmap(-1, 100 << 20)
    ready, writer = os.pipe()
    if os.fork() == 0: time.sleep(100)
    kept.write(megabyte * 100)
    kept.close()
print(700)
""",
    "huge pages": """
total = 0
try:
    while total < 700: kept = mmap.mmap(-1, 2 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000); total += 2
except OSError: pass
print(total)
""",
    "page tables": """
count = 0
libc.mmap.restype = ctypes.c_void_p
for _ in range(8):
    place = libc.mmap(None, ctypes.c_size_t(50 << 30), 1, 0x4022, -1, 0)
    if place is None or place > 1 << 62: break
    libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(50 << 30), 15)
    for at in range(place, place + (50 << 30), 2 << 20): ctypes.c_char.from_address(at).value; count += 1
print(count * 4096 >> 20)
""",
    "pipes": """
total = 0
for _ in range(8):
    if os.fork() == 0:
        for _ in range(500):
            _, end = os.pipe()
            os.set_blocking(end, False)
            try:
                while True: os.write(end, megabyte)
            except BlockingIOError: pass
        time.sleep(100)
time.sleep(3)
print(0)
""",
    "pipes that keep pages of a process": """
total = 0
for _ in range(200):
    _, end = os.pipe()
    os.set_blocking(end, False)
    block = mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); block.madvise(14); block.write(megabyte * 4)
    address = ctypes.addressof(ctypes.c_char.from_buffer(block))
    for at in range(0, 4 << 20, 1 << 20):
        piece = (ctypes.c_ulong * 2)(address + at, 4096)
        if libc.vmsplice(end, piece, ctypes.c_ulong(1), 1) > 0: total += 2
print(total)
""",
    "sockets with large buffers": """
total = 0
for _ in range(8):
    if os.fork() == 0:
        for _ in range(500):
            one, two = socket.socketpair()
            for name in (7, 8, 32, 33):
                try: one.setsockopt(1, name, 8 << 20)
                except OSError: pass
            one.setblocking(False)
            try:
                while True: one.send(megabyte)
            except BlockingIOError: pass
            one.detach(); two.detach()
        time.sleep(100)
time.sleep(3)
print(700)
""",
    "connections that nobody takes": """
for number in range(400):
    server = socket.socket(socket.AF_UNIX); server.bind(f"/tmp/{number}"); server.listen(4000); server.detach()
    for _ in range(128):
        one = socket.socket(socket.AF_UNIX); one.setblocking(False)
        try:
            one.connect(f"/tmp/{number}")
            while True: one.send(megabyte)
        except (BlockingIOError, OSError): pass
        one.close()
print(700)
""",
    "loopback connections": """
total = 0
try:
    server = socket.create_server(("127.0.0.1", 0))
    total = 700
except OSError: pass
print(total)
""",
}


@pytest.mark.parametrize("program", HOARDS.values(), ids=HOARDS)
def test_memory_that_no_process_shows_is_counted_or_refused(program):
    outcome = python(f"{program}\nsys.stdout.flush(); time.sleep(0.5)")
    held = int(outcome.stdout or 0) if outcome.status == "exited" and outcome.returncode == 0 else 0
    assert outcome.status == "memory_limit" or held < LIMITS.memory_mb, outcome
    assert outcome.status in ("memory_limit", "exited"), outcome


def test_reserved_memory_is_not_counted():
    outcome = python("kept = mmap.mmap(-1, 900 << 20); time.sleep(0.5)")
    assert (outcome.status, outcome.returncode) == ("exited", 0)
    assert outcome.peak_mb < 100


def test_a_file_that_is_mapped_counts_once():
    program = """
file = open("/dev/shm/file", "w+b"); file.truncate(200 << 20)
place = mmap.mmap(file.fileno(), 200 << 20)
for _ in range(200): place.write(megabyte)
for _ in range(3):
    if os.fork() == 0: sum(place[at] for at in range(0, 200 << 20, 4096)); time.sleep(0.5); os._exit(0)
time.sleep(0.5)
"""
    outcome = python(program)
    assert (outcome.status, outcome.returncode) == ("exited", 0), outcome
    assert outcome.peak_mb > 200


SPIN = "def spin(seconds):\n    end = time.process_time() + seconds\n    while time.process_time() < end: pass\n"
BURNERS = {
    "children that are ignored": """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(60):
    ready, writer = os.pipe()
    if os.fork() == 0: spin(0.05); os._exit(0)
    os.close(writer); os.read(ready, 1); os.close(ready)
""",
    "many small children that are ignored": """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(2000):
    ready, writer = os.pipe()
    if os.fork() == 0: spin(0.01); os._exit(0)
    os.close(writer); os.read(ready, 1); os.close(ready)
""",
    "children that leave no zombies": """
fields = [("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int), ("old", ctypes.c_long)]
Action = type("Action", (ctypes.Structure,), {"_fields_": fields})
assert libc.sigaction(17, ctypes.byref(Action(0, (ctypes.c_ulong * 16)(), 2, 0)), None) == 0
for _ in range(60):
    ready, writer = os.pipe()
    if os.fork() == 0: spin(0.05); os._exit(0)
    os.close(writer); os.read(ready, 1); os.close(ready)
""",
    "a program started with children ignored": """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
loop = "for ((m = 0; m < 10000; m++)); do :; done"
os.execv("/bin/bash", ["bash", "-c", "for n in {1..200}; do (" + loop + ") & done; sleep 5"])
""",
    "grandchildren": """
for _ in range(60):
    if os.fork() == 0:
        if os.fork() == 0: os.setsid(); spin(0.05); os._exit(0)
        os._exit(0)
    os.wait()
time.sleep(6)
""",
    "a chain of children": """
if os.fork(): time.sleep(15); os._exit(0)
for _ in range(100):
    spin(0.05)
    if os.fork(): os._exit(0)
    os.setsid()
""",
    "children with another signal": """
for _ in range(60):
    ready, writer = os.pipe()
    child = call(56, 0, 0, 0, 0, 0) if os.uname().machine == "x86_64" else call(220, 0, 0, 0, 0, 0)
    if child == 0: spin(0.05); os._exit(0)
    os.close(writer); os.read(ready, 1); os.close(ready)
""",
    "children that are never waited for": """
for _ in range(60):
    ready, writer = os.pipe()
    if os.fork() == 0: spin(0.05); os._exit(0)
    os.close(writer); os.read(ready, 1); os.close(ready)
""",
}


@pytest.mark.parametrize("program", BURNERS.values(), ids=BURNERS)
def test_cpu_time_of_every_child_is_counted(program):
    outcome = python(SPIN + program + "\nprint('done')", cpu_seconds=1, processes=400)
    assert outcome.status == "cpu_limit", outcome
    assert outcome.cpu_seconds >= 0.9


def test_cpu_time_of_processes_that_are_left_is_counted():
    program = SPIN + "for _ in range(10):\n    if os.fork() == 0: spin(0.02); os._exit(0)\ntime.sleep(0.9)"
    outcome = python(program)
    assert outcome.status == "exited"
    assert outcome.cpu_seconds > 0.2


def test_handlers_for_children_still_work():
    program = """
ended = []
signal.signal(signal.SIGCHLD, lambda *_: ended.append(os.wait()[0]))
child = os.fork()
if child == 0: os._exit(0)
while not ended: signal.pause()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
if os.fork() == 0: os._exit(3)
print(ended == [child], os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert python(program).stdout == b"True 3\n"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_shells_wait_for_their_jobs(shell):
    command = [shell, "-c", "(sleep 0.1; exit 3) & (exit 4) & wait $!; echo $?; wait; echo ok"]
    assert run(command, sandbox=Sandbox(), limits=LIMITS).stdout == b"4\nok\n"


def test_system_calls_of_ordinary_programs_work():
    program = """
import asyncio, multiprocessing as mp, multiprocessing.shared_memory as shared, subprocess, threading
def double(x): return 2 * x
with mp.get_context("fork").Pool(2) as pool: assert pool.map(double, [1, 2]) == [2, 4]
lock, value, queue = mp.Lock(), mp.Value("i", 3), mp.Queue()
queue.put(value.value); assert queue.get() == 3
block = shared.SharedMemory(create=True, size=1000); block.buf[0] = 7; block.close(); block.unlink()
with mp.Manager() as manager: assert manager.list([1])[0] == 1
async def later(): await asyncio.sleep(0.01); return (await asyncio.create_subprocess_exec("true")).pid
assert asyncio.run(later())
assert subprocess.run("echo x | cat", shell=True, capture_output=True).stdout == b"x\\n"
threads = [threading.Thread(target=double, args=(1,)) for _ in range(5)]
[t.start() for t in threads]; [t.join() for t in threads]
print("ok")
"""
    outcome = python(program)
    assert outcome.stdout == b"ok\n", outcome.stderr.decode()


REFUSED = {
    "key ring": "libc.syscall(248, b'user', b'left', b'here', 4, -4)",
    "another key ring": "libc.syscall(250, 1, b'left')",
    "host name": "libc.sethostname(b'left', 4)",
    "user name space": "libc.unshare(0x10000000)",
    "process in a user name space": "call(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "user name space in clone3": "libc.syscall(435, (ctypes.c_ulong * 8)(0x10000000, 0, 0, 0, 17), 64)",
    "mount": "libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)",
    "tracing": "libc.ptrace(0, 0, 0, 0)",
    "memory of another process": "call(311, os.getppid(), 0, 0, 0, 0, 0)",
    "a process in other name spaces": "call(56, 0x2C020000 | 17, 0, 0, 0, 0)",
    "another process's name space": "libc.setns(os.open('/proc/self/ns/mnt', 0), 0)",
    "an io_uring": "libc.syscall(425, 8, (ctypes.c_ulong * 15)())",
    "a program in the kernel": "call(321, 0, 0, 0)",
    "counters": "libc.syscall(298, (ctypes.c_ulong * 16)(), 0, -1, -1, 0)",
    "page faults": "call(323, 1)",
    "x32 memory file": "libc.syscall(0x40000000 + 319, b'x', 0)",
    "x32 with a process": "call(0x40000000 + 56, 0x10000000 | 17, 0, 0, 0, 0)",
    "a packet socket": "libc.socket(17, 3, 0)",
    "a netlink socket": "libc.socket(16, 3, 0)",
    "an internet socket": "libc.socket(2, 1, 0)",
    "family with high bits": "call(41, 2 | 1 << 32, 1, 0)",
}


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="has the numbers of this machine")
@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED)
def test_system_calls_that_evade_the_sandbox_are_refused(attempt):
    outcome = python(f"result = {attempt}\nprint(result, ctypes.get_errno())")
    result, number = outcome.stdout.split()
    assert int(result) == -1
    assert int(number) in (errno.EPERM, errno.ENOSYS, errno.ENETUNREACH, errno.EAFNOSUPPORT)


def test_a_32_bit_program_cannot_use_its_own_numbers():
    # mov eax, 356 (memfd_create); xor ecx, ecx; xor ebx, ebx; int 0x80; ret
    program = """
code = mmap.mmap(-1, 4096, prot=7)
code.write(b"\\xb8\\x64\\x01\\x00\\x00\\x31\\xc9\\x31\\xdb\\xcd\\x80\\xc3")
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
print(function())
"""
    if os.uname().machine != "x86_64":
        pytest.skip("has the code of this machine")
    assert python(program).stdout in (f"{-errno.ENOSYS}\n".encode(), b""), "refused, or the kernel has no 32-bit calls"


def test_files_of_the_machine_cannot_be_written():
    program = """
for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try: os.close(os.open(f"{folder}/{name}", os.O_WRONLY)); print(folder, name)
        except OSError: pass
for path in ("/proc/sysrq-trigger", "/proc/irq/0/smp_affinity", "/proc/1/oom_score_adj", "/proc/self/uid_map"):
    try: os.close(os.open(path, os.O_WRONLY)); print(path)
    except OSError: pass
"""
    outcome = python(program)
    assert (outcome.returncode, outcome.stdout) == (0, b""), outcome.stderr


def test_ports_keys_and_names_do_not_reach_the_next_run():
    leave = """
for family in (socket.AF_INET, socket.AF_INET6):
    try: socket.create_server(("", 4321), family=family)
    except OSError: pass
libc.sethostname(b"left", 4)
libc.syscall(248, b"user", b"left", b"here", 4, -4)
server = socket.socket(socket.AF_UNIX); server.bind("\\0left"); server.listen()
if os.fork() == 0: time.sleep(100)
print("done")
"""
    find = 'print(open("/proc/net/tcp").read(), open("/proc/net/unix").read(), open("/proc/keys").read(), os.uname())'
    assert python(leave).stdout == b"done\n"
    outcome = python(find)
    assert b"sandbox" in outcome.stdout
    assert b"left" not in outcome.stdout
    assert b"10E1" not in outcome.stdout


def test_times_and_modes_of_folders_do_not_reach_the_next_run():
    walk = """
def paths():
    for folder, folders, files in os.walk("/"):
        folders[:] = [] if folder.startswith(("/proc", "/usr", "/etc")) else folders
        yield from [folder, *(os.path.join(folder, name) for name in files)]
"""
    leave = """
for path in paths():
    for change in (lambda: os.utime(path, (111, 111)), lambda: os.chmod(path, 0o711)):
        try: change()
        except OSError: pass
"""
    find = """
found = {path: os.lstat(path) for path in paths()}
print([path for path, state in found.items() if state.st_mtime == 111 or state.st_mode & 0o777 == 0o711])
"""
    assert python(walk + leave).returncode == 0
    outcome = python(walk + find)
    assert (outcome.returncode, outcome.stdout) == (0, b"[]\n"), outcome.stderr
    assert python("import pty; print(os.ttyname(pty.openpty()[1]))").stdout == b"/dev/pts/0\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to have a folder that others cannot enter")
def test_root_is_never_root_inside_even_below_a_private_folder(tmp_path):
    private = tmp_path / "private"
    (private / "tools" / "deep").mkdir(parents=True)
    (private / "tools" / "deep" / "file").write_text("content")
    (private / "alone").write_text("one file")
    private.chmod(0o700)
    binds = {"/opt/tools": str(private / "tools"), "/tmp/alone": str(private / "alone")}
    sandbox = Sandbox(binds=binds, read_only=(str(private / "tools"),))
    word = f"run-{os.getpid()}"
    program = (
        "for path in ('/opt/tools/deep/file', '/tmp/alone', sys.argv[1]): print(open(path).read())\n"
        f"sys.stdout.flush(); '{word}'; sys.stdin.read(); time.sleep(2)"
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: (python(program, sandbox, [f"{private}/tools/deep/file"]), close_sandboxes())[0])
        identities = identities_of(word)
        outcome = running.result()
    assert identities == {str(bubblewrap.unprivileged().user)}, "real, effective, saved and of files"
    assert outcome.stdout == b"content\none file\ncontent\n", outcome.stderr
    assert python("os.open('/opt/tools/deep/new', os.O_CREAT | os.O_WRONLY)", sandbox).returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to have a folder that others cannot enter")
def test_links_in_a_private_folder_lead_to_what_others_can_reach(tmp_path):
    tmp_path.chmod(0o700)
    # The target must not be below a private folder itself, as the temporary folders of the tests are.
    (tmp_path / "library").symlink_to("/usr/lib")
    link = str(tmp_path / "library")
    program = f"for folder in ('/opt/library', '{link}'): print(len(open(folder + '/os-release').read()) > 9)"
    outcome = python(program, Sandbox(binds={"/opt/library": link}, read_only=(link,)))
    assert outcome.stdout == b"True\nTrue\n", outcome.stderr


def identities_of(word):
    """The user numbers of processes with a word in their command line, as seen from outside, once there are some."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if word in (folder / "cmdline").read_text():
                    return set((folder / "status").read_text().partition("Uid:")[2].splitlines()[0].split())
    return set()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to have files that others cannot read")
def test_an_error_names_files_that_only_root_can_read(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir(mode=0o700)
    with pytest.raises(InputError, match=r"tools can be read by its owner only.*umask 022.*chmod -R go\+rX"):
        python("", Sandbox(binds={"/opt/tools": str(tools)}))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("notify", [True, False])
def test_filters_are_whole_programs(machine, notify):
    text = program_filter.filter_program(notify, machine)
    steps = list(struct.iter_unpack("=HBBI", text))
    assert len(steps) < 4096
    for place, (code, yes, no, _) in enumerate(steps):
        assert code == 0x06 or place + 1 + max(yes, no) < len(steps), "no jump leads out of the program"
    assert steps[-1][0] == 0x06


def test_a_machine_whose_calls_are_not_known_is_named():
    with pytest.raises(ValueError, match="riscv64"):
        program_filter.filter_program(True, "riscv64")
