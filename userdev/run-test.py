#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dmabuf run`: what a program finds that looks for dma-heaps, udmabuf and sw_sync.

    run-test.py DMABUF PRELOAD [--long]         TAP on standard output; each case_... is one

A case is a program of its own: its body runs in a Python below `dmabuf run`, with userdev/client.py.
"""
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import tap                                                  # noqa: E402
from tap import Skip, need                                  # noqa: E402

DMABUF = os.path.abspath(sys.argv[1])
LONG = "--long" in sys.argv
BARE = False                                                # with --no-preload


def run(*words, options=(), **more):
    bare = ["--no-preload"] if BARE else []
    return subprocess.run([DMABUF, "run", *bare, *options, "--", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=3000 if LONG else 100, **more)


def inside(body, options=(), env=None, python=sys.executable, **more):
    """Run the text of the function @body as a program with devices; it must end well and leave nothing in the log."""
    text = textwrap.dedent(inspect.getsource(body).split(":\n", 1)[1])
    head = "import ctypes, errno, fcntl, mmap, os, select, signal, socket, struct, sys, threading, time\nfrom client import *\n"
    done = run(python, "-c", head + text, options=options,
               env=dict(os.environ, PYTHONPATH=os.path.join(ROOT, "userdev"), **(env or {})), **more)
    need(done.returncode == 0 and not done.stderr, done.returncode, done.stdout, done.stderr)
    return done.stdout


def program(body):
    """A case whose body is a program."""
    def case():
        inside(body)
    case.__name__, case.__doc__ = body.__name__, body.__doc__
    return case


def the_doctor_tells():
    done = subprocess.run([DMABUF, "doctor"], stdout=subprocess.PIPE, text=True)
    need(done.returncode in (0, 1) and "yes  seccomp user notification" in done.stdout, done)
    need(subprocess.run([DMABUF, "doctor", "x"], stderr=subprocess.DEVNULL).returncode == 2)
    within = run(DMABUF, "doctor", options=["--no-preload"])
    need(within.returncode == 2 and "no   seccomp user notification" in within.stdout, within)


def left_behind():
    """Folders of runs whose supervisor is no more; others may be running."""
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    return [n for n in names if n.startswith("dmabuf-run.") and not os.path.exists("/proc/" + n.split(".")[1])]


def leaves_nothing():
    for _ in range(50):                                     # another test has killed one, and takes its folder away
        if not left_behind():
            return
        time.sleep(0.1)
    need(False, left_behind())


def the_machine_has_none_of_them():
    """Else what follows would tell nothing of ours."""
    for path in ("/dev/dma_heap", "/dev/udmabuf", "/dev/sw_sync"):
        if os.path.exists(path):
            raise Skip(f"this machine has {path} itself")


def status_and_signals_pass_through():
    need(run("true").returncode == 0)
    need(run("sh", "-c", "exit 7").returncode == 7)
    need(run("sh", "-c", "kill -KILL $$").returncode == -signal.SIGKILL)
    none, no_program = run("no-such-program"), run("/dev/null")
    need(none.returncode == 127 and none.stderr.count("\n") == 1, none)
    need(no_program.returncode == 126 and no_program.stderr.count("\n") == 1, no_program)
    with subprocess.Popen([DMABUF, "run", "sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"],
                          stdout=subprocess.PIPE, text=True) as p:
        p.stdout.readline()
        p.send_signal(signal.SIGTERM)
        need(p.wait(20) == 3, p.returncode)
    leaves_nothing()


def a_run_in_a_run_says_so():
    done = run(DMABUF, "run", "true", options=["--no-preload"])
    need(done.returncode == 2 and done.stderr.count("\n") == 1 and "already" in done.stderr, done)


def a_32_bit_call_is_answered_in_a_line():
    """By instruction, and by x32's numbers; the program runs on, without devices."""
    if os.uname().machine != "x86_64":
        raise Skip("only x86-64 has such programs")
    narrow = ("import ctypes, mmap\nplace = mmap.mmap(-1, 4096, prot=7)\n"
              "place.write(bytes.fromhex('53b836000000bbffffffff31c931d2cd805bc3'))\n"     # ioctl(-1, 0, 0) by int 0x80
              "address = ctypes.addressof(ctypes.c_char.from_buffer(place))\n"
              "for _ in range(3):\n    print(ctypes.CFUNCTYPE(ctypes.c_int)(address)())\n")
    x32 = ("import ctypes\nlibc = ctypes.CDLL(None)\n"
           "for _ in range(3):\n    print(libc.syscall(0x40000000 | 514, -1, 0, 0))\n")
    tried = 0
    for code in narrow, x32:
        alone = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        if alone.returncode:
            continue                                        # Linux here runs none
        done = run(sys.executable, "-c", code)
        need(done.returncode == 0 and done.stdout == alone.stdout, done)
        need(done.stderr.count("\n") == 1 and "32-bit or x32 program: it runs, without devices" in done.stderr, done.stderr)
        tried += 1
    need(tried, "neither could be tried")


NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}


def as_nobody(*words):
    """What @words print without privileges, outside of a run."""
    if os.geteuid():
        raise Skip("only root can be somebody else")
    try:
        return subprocess.run(words, stdout=subprocess.PIPE, text=True, **NOBODY).stdout.strip()
    except PermissionError as e:
        raise Skip(f"others cannot execute {e.filename}") from None


def who_has_no_privileges_has_devices():
    def body():
        assert os.geteuid() == 65534 and open("/proc/self/status").read().split("CapEff:\t")[1][:16] == "0" * 16
        fd, line = alloc(3 * PAGE), timeline()
        memory = mmap.mmap(fd, 3 * PAGE)
        epoll = select.epoll()
        epoll.register(fd, select.EPOLLIN)
        import_fence(fd, WRITE, fence(line, 1))
        assert epoll.poll(0) == [] and info(export(fd, READ))[0] == 0
        inc(line)
        sync(fd, READ | WRITE)
        piece = memfd(2)
        other = mmap.mmap(udmabuf([(piece, PAGE, PAGE), (piece, 0, PAGE)]), 2 * PAGE)
        mmap.mmap(piece, 2 * PAGE)[PAGE + 1] = 7
        assert other[1] == 7 and fdinfo(fd)["exp_name"] == "system"
        again = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
        os.close(fd)
        sync(again, READ)
    as_nobody(DMABUF, "--version")
    as_nobody("/usr/bin/python3", "--version")
    inside(body, cwd="/", python="/usr/bin/python3", **NOBODY)


def set_user_id_programs_gain_nothing():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copy = os.path.join(folder, "id")
        shutil.copy(shutil.which("id"), copy)
        os.chmod(copy, 0o4755)
        if as_nobody(copy, "-u") != "0":
            raise Skip(f"the bit means nothing in {folder}")
        as_nobody(DMABUF, "--version")
        done = run(copy, "-u", cwd="/", **NOBODY)
        need(done.returncode == 0 and done.stdout == "65534\n", done)


def usage_is_told_in_a_line():
    for words in (["--heap", "a/b"], ["--heap", "x:0"], ["--limit", "many"], ["--no-such"], []):
        done = subprocess.run([DMABUF, "run", *words], stderr=subprocess.PIPE, text=True)
        need(done.returncode == 2 and "dmabuf run --help" in done.stderr, words, done)


@program
def a_buffer_is_shared_memory():
    fd = alloc(3 * PAGE - 5)
    assert os.fstat(fd).st_size == os.lseek(fd, 0, os.SEEK_END) == 3 * PAGE
    assert os.lseek(fd, 0, os.SEEK_SET) == 0
    sync(fd, READ | WRITE)
    one, other = mmap.mmap(fd, 3 * PAGE), mmap.mmap(fd, PAGE, offset=2 * PAGE)
    assert one[:] == bytes(3 * PAGE)
    one[2 * PAGE + 7] = 42
    assert other[7] == 42
    sync(fd, READ | WRITE | END)
    assert error(sync, fd, 0) == error(sync, fd, 8 | READ) == errno.EINVAL
    copy = os.dup(fd)
    os.close(fd)
    sync(copy, READ)
    read_only = alloc(PAGE, flags=os.O_RDONLY)
    mmap.mmap(read_only, PAGE, prot=mmap.PROT_READ)
    assert error(lambda: mmap.mmap(read_only, PAGE)) == errno.EACCES
    assert not os.get_inheritable(copy) and os.get_inheritable(read_only)


@program
def heaps_refuse_what_linux_refuses():
    assert error(alloc, 0) == errno.EINVAL
    assert error(alloc, 1 << 60) == errno.ENOMEM
    assert error(alloc, PAGE, "system", 0x40000000) == errno.EINVAL
    assert error(alloc, PAGE, "no-such-heap") == errno.ENOENT
    device = os.open("/dev/dma_heap/system", os.O_RDONLY)
    assert error(fcntl.ioctl, device, 0xC0184801, bytearray(24)) == errno.EINVAL
    assert error(fcntl.ioctl, device, ALLOC, bytearray(struct.pack("=QIIQ", PAGE, 1, 0, 0))) == errno.EINVAL


@program
def names_can_be_listed_and_looked_at():
    import stat
    assert sorted(os.listdir("/dev/dma_heap")) == ["reserved", "system"]
    assert sorted(e.name for e in os.scandir("/dev/../dev//dma_heap/.")) == ["reserved", "system"]
    for path in ("/dev/dma_heap/system", "/dev/udmabuf"):
        assert stat.S_ISCHR(os.stat(path).st_mode) and os.access(path, os.R_OK | os.W_OK), path
    assert stat.S_ISDIR(os.lstat("/dev/dma_heap").st_mode)
    assert os.path.exists("/sys/kernel/debug/sync/sw_sync") and os.path.exists("/dev/sw_sync")
    assert not os.path.exists("/dev/dma_heap/other") and not os.access("/dev/udmabuf", os.X_OK)
    os.chdir("/dev")
    os.close(os.open("dma_heap/system", os.O_RDWR))
    folder = os.open("/dev/dma_heap", os.O_RDONLY | os.O_DIRECTORY)
    os.close(os.open("system", os.O_RDWR, dir_fd=folder))
    assert error(os.open, "/dev/udmabuf", os.O_RDWR | os.O_CREAT | os.O_EXCL) == errno.EEXIST
    assert error(os.open, "/dev/udmabuf", os.O_RDONLY | os.O_DIRECTORY) == errno.ENOTDIR


@program
def a_name_shows_in_fdinfo():
    fd = alloc(2 * PAGE)
    set_name(fd, "frame 7")
    lines = fdinfo(fd)
    assert lines["size"] == str(2 * PAGE) and lines["name"] == "frame 7" and lines["exp_name"] == "system", lines
    assert "ino" in fdinfo(0) or "pos" in fdinfo(0)
    assert error(set_name, fd, "x" * 32) == errno.EINVAL
    assert fdinfo(fd)["name"] == "frame 7"


@program
def descriptors_go_where_descriptors_go():
    fd = alloc()
    ours, theirs = socket.socketpair()
    if not os.fork():
        got = socket.recv_fds(theirs, 1, 1)[1][0]
        sync(got, WRITE)
        mmap.mmap(got, PAGE)[0] = 9
        sync(got, WRITE | END)
        os._exit(0)
    socket.send_fds(ours, [b"x"], [fd])
    assert os.wait()[1] == 0
    assert mmap.mmap(fd, PAGE)[0] == 9
    os.set_inheritable(fd, True)
    code = "import sys; from client import *; sync(int(sys.argv[1]), READ); assert mmap.mmap(int(sys.argv[1]), PAGE)[0] == 9"
    assert os.spawnvp(os.P_WAIT, sys.executable, [sys.executable, "-c", code, str(fd)]) == 0
    thread = threading.Thread(target=sync, args=(fd, READ))
    thread.start()
    thread.join()


def memory_goes_with_the_last_descriptor():
    def body():
        for _ in range(20):
            fd = alloc(4 << 20)
            memory = mmap.mmap(fd, 4 << 20)
            os.close(fd)
            assert error(alloc, 1 << 20) == errno.ENOMEM
            memory.close()
        if not os.fork():
            kept = [alloc(2 << 20), alloc(2 << 20)]
            os.kill(os.getpid(), signal.SIGKILL)
        os.wait()
        alloc(4 << 20)
    inside(body, options=["--limit", "4M"])


def a_heap_has_its_own_limit():
    def body():
        assert sorted(os.listdir("/dev/dma_heap")) == ["camera", "reserved", "system"]
        fd = alloc(8 * PAGE, "camera")
        assert error(alloc, PAGE, "camera") == errno.ENOMEM
        alloc(8 * PAGE)
        os.close(fd)
        alloc(PAGE, "camera")
    inside(body, options=["--heap", f"camera:{8 * os.sysconf('SC_PAGE_SIZE') // 1024}K"])


@program
def fences_signal_in_order():
    line = timeline()
    one, two = fence(line, 1), fence(line, 2)
    both = merge("both", one, two)
    assert [info(f)[0] for f in (one, two, both)] == [0, 0, 0]
    assert info(one)[1] == [(0, "sw_sync", open("/proc/self/comm").read().strip())]
    inc(line)
    assert [info(f)[0] for f in (one, two, both)] == [1, 0, 0]
    inc(line, 5)
    assert [info(f)[0] for f in (one, two, both)] == [1, 1, 1]
    late = fence(line, 100)
    os.close(line)
    assert info(late)[0] == -errno.ENOENT
    assert error(merge, "x", one, 0) == errno.ENOENT


@program
def a_sync_file_is_ready_when_its_fence_is():
    line = timeline()
    one = fence(line, 1)
    assert select.select([one], [], [], 0)[0] == []
    epoll = select.epoll()
    epoll.register(one, select.EPOLLIN)
    assert epoll.poll(0) == []
    threading.Timer(0.05, inc, (line,)).start()
    assert epoll.poll(20) == [(one, select.EPOLLIN)]
    poll = select.poll()
    poll.register(one, select.POLLIN)
    assert poll.poll(0) == [(one, select.POLLIN)]


@program
def a_timeline_s_last_close_has_signaled_its_fences():
    """Without a wait, as Linux's has: IGT's sw_sync relies on it."""
    for _ in range(100):
        line = timeline()
        copy, one, ended = os.dup(line), fence(line, 1), fence(line, 2)
        os.close(line)
        poll = select.poll()
        poll.register(one, select.POLLIN)
        assert poll.poll(0) == []
        inc(copy)
        os.close(copy)
        assert select.select([ended], [], [], 0)[0] == [ended] and info(ended)[0] == -errno.ENOENT
        assert info(one)[0] == 1
        os.close(one)
        os.close(ended)
    assert error(os.close, line) == errno.EBADF


@program
def threads_and_processes_take_turns_by_fences():
    """As IGT's sw_sync has them: who waits for a point goes on when the one before him has advanced the timeline."""
    line, turns, threads = timeline(), [], 8
    def consume(number):
        for i in range(60):
            mine = fence(line, i * threads + number)
            assert select.select([mine], [], [], 20)[0] == [mine]
            turns.append(i * threads + number)
            os.close(mine)
            inc(line)
    started = [threading.Thread(target=consume, args=(n,)) for n in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert turns == list(range(60 * threads))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    line = timeline()
    one = fence(line, 1)
    if not os.fork():
        inc(socket.recv_fds(theirs, 1, 1)[1][0])
        os._exit(0)
    assert select.select([one], [], [], 0)[0] == []
    socket.send_fds(ours, [b"x"], [line])
    assert select.select([one], [], [], 20)[0] == [one]
    assert os.wait()[1] == 0


@program
def a_merge_of_many_is_ready_with_the_last():
    lines = [timeline() for _ in range(32)]
    last, merged = {0: 1}, fence(lines[0], 1)
    for i in range(200):
        n, value = i * 7 % 32, i * 37 % 1000 + 1
        last[n] = max(last.get(n, 0), value)
        one = fence(lines[n], value)
        both = merge("many", one, merged)
        os.close(one)
        os.close(merged)
        merged = both
    assert len(info(merged)[1]) == 32
    for n, value in last.items():
        assert select.select([merged], [], [], 0)[0] == []
        inc(lines[n], value)
    assert select.select([merged], [], [], 0)[0] == [merged] and info(merged)[0] == 1
    expired = merge("again", merged, merged)
    assert select.select([expired], [], [], 0)[0] == [expired]


@program
def spare_arguments_of_an_ioctl_say_nothing():
    """What lies where a sixth argument would be may be what the last call had there."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.argtypes = [ctypes.c_long] * 7
    device = os.open("/dev/dma_heap/system", os.O_RDWR)
    for _ in range(20):
        data = bytearray(struct.pack("=QIIQ", PAGE, 0, os.O_RDWR, 0))
        place = ctypes.addressof(ctypes.c_char.from_buffer(data))
        os.close(libc.open(b"/etc/passwd", os.O_RDONLY))
        assert not libc.syscall(16, device, ALLOC, place, 0, 0, 0x646D6162), ctypes.get_errno()
        os.close(struct.unpack("=QIIQ", data)[1])
        data[8:12] = bytes(4)
        os.close(libc.open(b"/etc/passwd", os.O_RDONLY))
        assert not libc.ioctl(device, ctypes.c_ulong(ALLOC), ctypes.c_void_p(place)), ctypes.get_errno()
        os.close(struct.unpack("=QIIQ", data)[1])


@program
def deadlines_are_kept():
    line = timeline()
    one = fence(line, 1)
    def deadline(fd):
        data = bytearray(struct.pack("=QIi", 0, 0, fd))
        fcntl.ioctl(line, GET_DEADLINE, data)
        return struct.unpack("=QIi", data)[0]
    assert error(deadline, one) == errno.ENOENT
    for when, earliest in (500, 500), (300, 300), (400, 300):
        fcntl.ioctl(one, SET_DEADLINE, struct.pack("=QQ", when, 0))
        assert deadline(one) == earliest
    assert error(deadline, 0) == errno.EINVAL


@program
def a_sync_waits_for_the_fences_of_a_buffer():
    fd, line = alloc(), timeline()
    import_fence(fd, WRITE, fence(line, 1))
    sync(fd, READ | END)
    done = []
    def wait():
        sync(fd, READ)
        done.append(time.monotonic())
    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    assert not done
    assert info(export(fd, READ))[0] == 0
    inc(line)
    thread.join(20)
    assert done and info(export(fd, READ))[0] == 1
    assert error(import_fence, fd, WRITE, 0) == errno.EINVAL
    # A signal ends the wait, and so does the timeline's end.
    import_fence(fd, WRITE, fence(line, 5))
    def stop(*_):
        raise TimeoutError
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        sync(fd, READ)
        raise AssertionError("did not wait")
    except TimeoutError:
        pass
    os.close(line)
    sync(fd, READ)


@program
def a_udmabuf_is_the_same_pages_in_any_order():
    one, two = memfd(4), memfd(3)
    fd = udmabuf([(one, 3 * PAGE, PAGE), (two, PAGE, 2 * PAGE), (one, 0, 2 * PAGE), (one, 3 * PAGE, PAGE)])
    assert os.fstat(fd).st_size == os.lseek(fd, 0, os.SEEK_END) == 6 * PAGE
    assert fdinfo(fd)["exp_name"] == "udmabuf"
    ours, whole, part = mmap.mmap(one, 4 * PAGE), mmap.mmap(fd, 6 * PAGE), mmap.mmap(fd, 2 * PAGE, offset=2 * PAGE)
    theirs = mmap.mmap(two, 3 * PAGE)
    ours[3 * PAGE], theirs[2 * PAGE + 1], ours[5] = 1, 2, 3
    assert (whole[0], whole[5 * PAGE], whole[2 * PAGE + 1], whole[3 * PAGE + 5]) == (1, 1, 2, 3)
    assert (part[1], part[PAGE + 5]) == (2, 3)
    whole[5 * PAGE + 9] = 4
    assert ours[3 * PAGE + 9] == whole[9] == 4
    read_only = mmap.mmap(fd, PAGE, prot=mmap.PROT_READ)
    assert read_only[9] == 4
    for length, offset in ((7 * PAGE, 0), (PAGE, 6 * PAGE), (2 * PAGE, 5 * PAGE)):
        assert mmap_error(fd, length, offset) == errno.EINVAL
        assert mmap_error(alloc(6 * PAGE), length, offset) == errno.EINVAL
    before = len(os.listdir("/proc/self/fd"))
    mmap.mmap(fd, 6 * PAGE).close()
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(one)
    sync(fd, READ)
    assert whole[0] == 1


@program
def udmabuf_refuses_what_linux_refuses():
    def of(fd, offset=0, size=PAGE):
        return error(udmabuf, [(fd, offset, size)])
    good = memfd(2)
    assert of(good, 0, 3 * PAGE) == of(good, 1) == of(good, 0, 1) == of(good, 0, 0) == errno.EINVAL
    assert of(memfd(1, 0)) == of(memfd(1, SEAL_SHRINK | SEAL_WRITE)) == errno.EINVAL
    assert of(0) == of(alloc(PAGE)) == of(1 << 30) == errno.EBADFD
    assert error(udmabuf, []) == error(udmabuf, [(good, 0, PAGE)] * 1025) == errno.EINVAL
    assert error(udmabuf, [(memfd(20 << 10), 0, 65 << 20)]) == errno.EINVAL
    assert of(good) == 0
    device = os.open("/dev/udmabuf", os.O_RDWR)
    assert error(fcntl.ioctl, device, 0x40187544, bytes(24)) == errno.ENOTTY


@program
def epoll_follows_the_fences_of_a_buffer():
    fd, line = alloc(), timeline()
    epoll = select.epoll()
    epoll.register(fd, select.EPOLLIN)
    assert error(epoll.register, fd, select.EPOLLIN) == errno.EEXIST
    assert epoll.poll(0) == [(fd, select.EPOLLIN)]
    import_fence(fd, WRITE, fence(line, 1))
    assert epoll.poll(0) == []
    threading.Timer(0.05, inc, (line,)).start()
    assert epoll.poll(20) == [(fd, select.EPOLLIN)]
    epoll.modify(fd, select.EPOLLOUT)
    assert epoll.poll(0) == [(fd, select.EPOLLOUT)]
    import_fence(fd, READ, fence(line, 2))
    assert epoll.poll(0) == []
    epoll.modify(fd, select.EPOLLIN)
    assert epoll.poll(0) == [(fd, select.EPOLLIN)]
    epoll.unregister(fd)
    assert error(epoll.unregister, fd) == error(epoll.modify, fd, select.EPOLLIN) == errno.ENOENT
    assert epoll.poll(0) == []
    epoll.register(fd, select.EPOLLIN)
    os.close(fd)
    for _ in range(100):
        if not epoll.poll(0):
            break
        time.sleep(0.01)
        alloc()
    assert epoll.poll(0) == []
    pipe = os.pipe()
    epoll.register(pipe[1], select.EPOLLOUT)
    assert epoll.poll(0) == [(pipe[1], select.EPOLLOUT)]


@program
def poll_and_select_follow_the_fences_of_a_buffer():
    fd, line = alloc(), timeline()
    pipe = os.pipe()
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLOUT)
    poll.register(pipe[0], select.POLLIN)
    assert poll.poll(0) == [(fd, select.POLLIN | select.POLLOUT)]
    import_fence(fd, READ, fence(line, 1))
    assert poll.poll(0) == [(fd, select.POLLIN)]
    import_fence(fd, WRITE, fence(line, 2))
    assert poll.poll(0) == [] and select.select([fd], [fd], [], 0) == ([], [], [])
    assert select.select([fd], [pipe[1]], [], 5) == ([], [pipe[1]], [])
    threading.Timer(0.05, inc, (line, 2)).start()
    before = len(os.listdir("/proc/self/fd"))
    assert select.select([fd, pipe[0]], [], [], 20) == ([fd], [], [])
    assert poll.poll(0) == [(fd, select.POLLIN | select.POLLOUT)]
    assert len(os.listdir("/proc/self/fd")) == before


def stats_name_leaks_and_broken_rules():
    def body():
        fd, other, good, lent = alloc(2 * PAGE), alloc(), alloc(), alloc()
        set_name(fd, "frame 7")
        memory, right = mmap.mmap(fd, 2 * PAGE), mmap.mmap(good, PAGE)
        sync(other, READ)
        os.close(other)
        sync(good, WRITE)
        sync(good, WRITE | END)
        right.close()
        os.close(good)
        if not os.fork():
            sync(lent, WRITE)
            os._exit(0)
        os.wait()
        os.close(lent)
    def clean():
        fd = alloc()
        os.close(fd)
    text = "from client import *\n" + textwrap.dedent(inspect.getsource(body).split(":\n", 1)[1])
    env = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "userdev"))
    for option, status in ("--stats", 0), ("--strict", 1):
        done = run(sys.executable, "-c", text, options=[option], env=env)
        lines = done.stderr.splitlines()
        need(done.returncode == status, done)
        need(sum("leaked: buffer " in x and '"frame 7"' in x for x in lines) == 1, lines)
        need(sum("mapped writable and never SYNCed: " in x and '"frame 7"' in x for x in lines) == 1, lines)
        need(sum("closed between SYNC START and END: " in x for x in lines) == 1, lines)
        need(sum("SYNC START without END: " in x for x in lines) == 1, lines)
        need(len(lines) == 4 + (option == "--stats"), lines)
    inside(clean, options=["--strict"])
    need(run("sh", "-c", "exit 5", options=["--strict"]).returncode == 5)


def a_trace_has_a_line_for_each_call():
    def body():
        sync(alloc(), READ)
        error(alloc, 0)
        error(os.open, "/dev/dma_heap/../a b\n\\\x1b[2J", os.O_RDONLY)
    trace = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"run-trace-{os.getpid()}")
    try:
        inside(body, options=["--trace", trace])
        lines = [x.split(" ", 2)[2] for x in open(trace, encoding="ascii").read().splitlines()]
    finally:
        os.unlink(trace)
    need(any(re.fullmatch(r"#\d+ SYNC = 0", x) for x in lines), lines)
    need(any(re.fullmatch(r"#\d+ ALLOC = EINVAL", x) for x in lines), lines)
    need(r"/dev/a\x20b\x0a\x5c\x1b[2J = ENOENT" in lines, lines)
    bad = run("true", options=["--trace", "/nowhere/at/all"])
    need(bad.returncode == 2 and bad.stderr.count("\n") == 1, bad)


def a_static_program_s_calls_are_served_too():
    """All cases again, with nothing preloaded: every call comes to the supervisor, as a static program's do."""
    global BARE
    failed = []
    BARE = True
    for case in CASES:
        if case.__name__ in ("a_static_program_s_calls_are_served_too", "poll_and_select_follow_the_fences_of_a_buffer",
                             "a_timeline_s_last_close_has_signaled_its_fences"):
            continue
        try:
            case()
        except Skip:
            pass
        except Exception as e:
            failed.append(f"{case.__name__}: {e}")
    BARE = False
    need(not failed, *failed)


CASES = [value for value in list(globals().values()) if inspect.isfunction(value) and value.__code__.co_filename == __file__
         and value.__name__ not in ("run", "inside", "program", "leaves_nothing", "left_behind", "as_nobody")]

if __name__ == "__main__":
    failed = tap.run(CASES)
    leaves_nothing()
    sys.exit(failed)
