#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dmabuf run` under load and misuse: a fuzzer, and what it would need luck to find, by name.

    hostile-test.py DMABUF PRELOAD HOSTILE [--long] [CASE...]     TAP on standard output
    hostile-test.py DMABUF PRELOAD HOSTILE --table                all of them, as docs/generated/run-load.md

A case's first line says what is done, its name what holds, and what it returns is what was seen.
"""
import importlib.util
import os
import re
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("run_test", os.path.join(HERE, "run-test.py"))
run_test = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_test)
DMABUF, LONG, Skip, inside, need, program, tap = (
    getattr(run_test, name) for name in ("DMABUF", "LONG", "Skip", "inside", "need", "program", "tap"))

HOSTILE = os.path.abspath(sys.argv[3])
SECONDS = 300 if LONG and "--table" not in sys.argv else 60


def most_at_once(told):
    return int(told.split("at most ")[1].split()[0])


def a_fuzzer_neither_ends_nor_hangs_the_supervisor():
    """random requests, bad pointers, arguments that another thread changes, recycled and foreign descriptors; SIGKILL at any point"""
    seed = int.from_bytes(os.urandom(4), "little")
    done = subprocess.run([DMABUF, "run", "--limit", "1M", "--stats", "--", HOSTILE, str(SECONDS), str(seed), "4"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=SECONDS + 60)
    told = [x for x in done.stderr.splitlines() if x.startswith("dmabuf run: ")]
    need(done.returncode == 0, f"seed {seed}", done.stdout, done.stderr[-3000:])
    need(len(told) == len(done.stderr.splitlines()), f"seed {seed}", done.stderr[-3000:])
    stats = next((x for x in told if "at most " in x), "")
    need(stats and 0 < most_at_once(stats) <= 1 << 20, f"seed {seed}", *told[:3])
    return (f"{SECONDS} s, {done.stdout.split()[0]} processes, {re.search('([0-9]+) calls answered', stats)[1]} calls answered, "
            f"{most_at_once(stats)} bytes at most of {1 << 20}")


@program
def bad_pointers_are_efault():
    """a bad pointer in each request"""
    libc = ctypes.CDLL(None, use_errno=True)
    def fault(fd, request):
        assert libc.syscall(16, fd, ctypes.c_ulong(request), ctypes.c_void_p(8)) == -1
        return ctypes.get_errno()
    import ctypes
    heap, buffer, line = os.open("/dev/dma_heap/system", os.O_RDWR), alloc(), timeline()
    one, device = fence(line, 1), os.open("/dev/udmabuf", os.O_RDWR)
    for fd, requests in ((heap, [ALLOC]), (buffer, [SYNC, SET_NAME, EXPORT, IMPORT]), (line, [CREATE_FENCE, INC, GET_DEADLINE]),
                         (one, [MERGE, FILE_INFO, SET_DEADLINE]), (device, [UDMABUF_CREATE, UDMABUF_CREATE_LIST])):
        for request in requests:
            assert fault(fd, request) == errno.EFAULT, hex(request)


@program
def a_number_that_is_used_anew_means_what_it_means():
    """a recycled number, a memfd of the program's own, an object of another kind: ENOTTY"""
    fd = alloc()
    os.dup2(0, fd)
    assert error(sync, fd, READ) == errno.ENOTTY
    own = os.memfd_create("dmabuf")
    assert error(sync, own, READ) == error(fcntl.ioctl, own, ALLOC, bytearray(24)) == errno.ENOTTY
    assert error(sync, timeline(), READ) == errno.ENOTTY
    assert error(fcntl.ioctl, alloc(), ALLOC, bytearray(24)) == errno.ENOTTY


def a_buffer_opened_anew_through_proc_is_counted_until_its_last_close():
    """a buffer opened once more through /proc (Linux refuses the open)"""
    def body():
        for flags in (os.O_RDWR, os.O_RDONLY, os.O_WRONLY):
            fd = alloc(3 * PAGE)
            again = os.open(f"/proc/self/fd/{fd}", flags)
            os.close(fd)
            assert error(alloc, 2 * PAGE) == errno.ENOMEM
            sync(again, READ)
            mapped = mmap.mmap(again, PAGE, prot=mmap.PROT_READ) if flags != os.O_WRONLY else None
            os.close(again)
            if mapped:
                assert error(alloc, 2 * PAGE) == errno.ENOMEM
                mapped.close()
            for _ in range(500):
                if error(lambda: os.close(alloc(4 * PAGE))) == 0:
                    break
                time.sleep(0.01)
            else:
                raise AssertionError(flags)
    inside(body, options=["--limit", str(4 * resource.getpagesize())])


def a_flood_of_descriptors_ends_with_emfile_and_leaves_nothing():
    """a flood of descriptors"""
    def body():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        device, got = os.open("/dev/dma_heap/system", os.O_RDWR), []
        for _ in range(3):
            while True:
                data = bytearray(struct.pack("=QIIQ", PAGE, 0, os.O_RDWR, 0))
                failed = error(fcntl.ioctl, device, ALLOC, data)
                if failed:
                    break
                got.append(struct.unpack("=QIIQ", data)[1])
            assert failed == errno.EMFILE and 20 < len(got) < 40, failed
            for _ in range(200):
                assert error(fcntl.ioctl, device, ALLOC, bytearray(struct.pack("=QIIQ", PAGE, 0, os.O_RDWR, 0))) == errno.EMFILE
            while got:
                os.close(got.pop())
    inside(body, options=["--limit", str(40 * resource.getpagesize())])


@program
def many_waiters_are_killed_and_forgotten():
    """thirty waiters for one fence, killed"""
    fd, line = alloc(), timeline()
    import_fence(fd, WRITE, fence(line, 1))
    pids = []
    for _ in range(30):
        pid = os.fork()
        if not pid:
            sync(fd, READ)
            os._exit(1)
        pids.append(pid)
    time.sleep(0.3)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for _ in pids:
        assert os.WTERMSIG(os.wait()[1]) == signal.SIGKILL
    inc(line)
    sync(fd, READ)


@program
def values_wrap_as_linux_s_do():
    """a timeline beyond its largest value"""
    line = timeline()
    far, near = fence(line, 0x7FFFFFFF), fence(line, 1)
    past = fence(line, 0x80000001)
    assert info(past)[0] == 1 and info(far)[0] == info(near)[0] == 0
    inc(line, 0xFFFFFFFF)
    assert info(far)[0] == info(near)[0] == 1
    one = fence(line, 0)
    assert info(one)[0] == 0
    inc(line)
    assert info(one)[0] == 1


def the_supervisor_s_death_ends_calls_with_errors():
    """SIGKILL of the supervisor; mapped memory stays, its folder in /dev/shm is left behind"""
    code = ("import os, signal, sys, time, threading\nfrom client import *\n"
            "fd, line = alloc(), timeline()\nmemory = mmap.mmap(fd, PAGE)\nimport_fence(fd, WRITE, fence(line, 1))\n"
            "def kill():\n    time.sleep(0.3)\n    os.kill(os.getppid(), signal.SIGKILL)\n"
            "threading.Thread(target=kill).start()\n"
            "one = error(sync, fd, READ)\nother = error(alloc)\nmemory[5] = 6\n"
            "print(bool(one), bool(other), memory[5], flush=True)\n")
    with subprocess.Popen([DMABUF, "run", "--no-preload", sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, PYTHONPATH=HERE)) as p:
        told = p.stdout.read()
        p.wait(30)
    need(p.returncode == -signal.SIGKILL, p.returncode)
    for name in run_test.left_behind():                     # what one that is killed cannot take away
        subprocess.run(["rm", "-r", os.path.join("/dev/shm", name)], check=True)
    need(told == "True True 6\n", told)


def many_buffers_are_alive_at_once():
    """10^4 buffers, or as many as the descriptors of one process allow"""
    def body():
        import resource
        count = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        device, got = os.open("/dev/dma_heap/system", os.O_RDWR), []
        for i in range(count):
            data = bytearray(struct.pack("=QIIQ", PAGE, 0, os.O_RDWR | os.O_CLOEXEC, 0))
            fcntl.ioctl(device, ALLOC, data)
            got.append(struct.unpack("=QIIQ", data)[1])
            os.pwrite(got[-1], struct.pack("=Q", i), 0)
        assert all(struct.unpack("=Q", os.pread(fd, 8, 0))[0] == i for i, fd in enumerate(got))
        for fd in got[::97]:
            sync(fd, READ)
        print(count)
    count = int(inside(body))
    need(count >= 900, count)
    return f"{count} buffers"


def rounds_leave_nothing_behind():
    """alloc, map, close by one process, then by 8 at once: the supervisor's memory and descriptors"""
    rounds = 1000000 if LONG else 4000
    def body():
        rounds = int(os.environ["ROUNDS"])
        supervisor = os.getppid()
        def size():
            with open(f"/proc/{supervisor}/statm", encoding="ascii") as f:
                pages = int(f.read().split()[1])
            try:
                return pages, len(os.listdir(f"/proc/{supervisor}/fd"))
            except PermissionError:                         # only root may count them
                return pages, 0
        def work(count):
            device = os.open("/dev/dma_heap/system", os.O_RDWR)
            for _ in range(count):
                data = bytearray(struct.pack("=QIIQ", PAGE, 0, os.O_RDWR | os.O_CLOEXEC, 0))
                fcntl.ioctl(device, ALLOC, data)
                fd = struct.unpack("=QIIQ", data)[1]
                mmap.mmap(fd, PAGE).close()
                os.close(fd)
            os.close(device)
        work(rounds // 8)
        before = size()
        for _ in range(8):
            if not os.fork():
                work(rounds // 8)
                os._exit(0)
        for _ in range(8):
            assert os.wait()[1] == 0
        alloc()
        after = size()
        # It keeps two descriptors for each of the last 16 callers.
        assert after[0] <= before[0] * 1.1 + 300 and after[1] <= before[1] + 32, (before, after)
        print(f"{rounds} rounds; {before[0] * PAGE >> 10} KiB after the first eighth, then {after[0] * PAGE >> 10} KiB")
    # A sanitizer keeps what was freed, for a while.
    return inside(body, env={"ROUNDS": str(rounds), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}).strip()


@program
def sizes_that_no_machine_has_are_refused():
    """giant sizes, offsets and counts; requests whose size is the largest there is"""
    libc = ctypes.CDLL(None, use_errno=True)
    def failed(fd, request, argument):
        assert libc.syscall(16, fd, ctypes.c_ulong(request), argument) == -1, hex(request)
        return ctypes.get_errno()
    for size in (1 << 45, 1 << 62, 1 << 63, (1 << 64) - PAGE, (1 << 64) - 1):
        assert error(alloc, size) in (errno.ENOMEM, errno.EINVAL), size
    one, device = memfd(2), os.open("/dev/udmabuf", os.O_RDWR)
    for offset, size in ((0, 1 << 63), ((1 << 64) - PAGE, PAGE), ((1 << 64) - PAGE, 2 * PAGE), (PAGE, (1 << 64) - PAGE)):
        assert error(udmabuf, [(one, offset, size)]) == errno.EINVAL, (offset, size)
        assert error(udmabuf, [(one, 0, PAGE), (one, offset, size)]) == errno.EINVAL, (offset, size)
    assert failed(device, UDMABUF_CREATE_LIST, struct.pack("=II", 0, (1 << 32) - 1)) == errno.EINVAL
    line = timeline()
    merged = merge("two", fence(line, 1), fence(timeline(), 1))
    many = struct.pack("=32siIIIQ", b"", 0, 0, (1 << 32) - 1, 0, 8)
    assert failed(merged, FILE_INFO, many) == errno.EFAULT
    heap = os.open("/dev/dma_heap/system", os.O_RDWR)
    assert failed(heap, 0xFFFF4800, ctypes.create_string_buffer(1 << 14)) == errno.EINVAL
    sync(alloc(), READ)


def an_argument_that_changes_meanwhile_is_one_or_the_other():
    """another thread writes the size that ALLOC is asked for, while it is asked"""
    def body():
        libc, data, ended = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint64 * 3)(), []
        def change():
            while not ended:
                data[0] = PAGE
                data[0] = 1 << 62
                data[0] = 4 * PAGE
        thread = threading.Thread(target=change)
        thread.start()
        device, sizes = os.open("/dev/dma_heap/system", os.O_RDWR), []
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(400):
            data[1], data[2] = os.O_RDWR << 32, 0
            libc.syscall(16, device, ctypes.c_ulong(ALLOC), data)
        ended.append(True)
        thread.join()
        for name in set(os.listdir("/proc/self/fd")) - before:
            try:
                sizes.append(os.fstat(int(name)).st_size)
            except OSError:                                 # the one that looked
                pass
        assert sizes and set(sizes) <= {PAGE, 4 * PAGE}, sizes
        assert sum(sizes) <= 64 * PAGE, sum(sizes)
    inside(body, options=["--limit", str(64 * resource.getpagesize())])


@program
def what_was_not_given_cannot_be_had():
    """memory of buffers that are gone, numbers of another process, more rights than a descriptor has"""
    for _ in range(20):
        fd = alloc(8 * PAGE)
        memory = mmap.mmap(fd, 8 * PAGE)
        assert memory[:] == bytes(8 * PAGE)
        memory[:] = b"s" * 8 * PAGE
        memory.close()
        os.close(fd)
    ours, theirs = os.pipe()
    holder = os.fork()
    if not holder:
        os.dup2(alloc(), 200)
        os.write(theirs, b"x")
        signal.pause()
    os.read(ours, 1)
    assert error(sync, 200, READ) == error(export, 200, READ) == mmap_error(200, PAGE, 0) == errno.EBADF
    assert error(udmabuf, [(200, 0, PAGE)]) == errno.EBADFD
    assert error(import_fence, alloc(), WRITE, 200) != 0 and error(merge, "x", fence(timeline(), 1), 200) == errno.ENOENT
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    where = libc.mmap(None, ctypes.c_size_t(PAGE), mmap.PROT_READ, mmap.MAP_SHARED, alloc(flags=os.O_RDONLY), ctypes.c_long(0))
    assert where != ctypes.c_void_p(-1).value
    assert libc.mprotect(ctypes.c_void_p(where), ctypes.c_size_t(PAGE), 3) == -1 and ctypes.get_errno() == errno.EACCES
    os.kill(holder, signal.SIGKILL)
    os.wait()


def a_kill_at_any_point_frees_what_only_it_held():
    """SIGKILL of a process that makes, maps, shares, waits and closes, each a little later than the one before"""
    times = 600 if LONG else 60
    def body():
        times = int(os.environ["TIMES"])
        kept = alloc(4 * PAGE)
        memory = mmap.mmap(kept, 4 * PAGE)
        memory[:] = b"k" * 4 * PAGE
        def busy():
            piece = memfd(2)
            while True:
                fd, line, epoll = alloc(12 * PAGE), timeline(), select.epoll()
                mapped, copy = mmap.mmap(fd, 12 * PAGE), os.dup(fd)
                epoll.register(kept, select.EPOLLIN)
                first = fence(line, 1)
                import_fence(fd, WRITE, first)
                shared, later, other = export(fd, READ), fence(line, 2), udmabuf([(piece, PAGE, PAGE), (piece, 0, PAGE)])
                both, pages = merge("both", shared, later), mmap.mmap(other, 2 * PAGE)
                threading.Thread(target=error, args=(sync, fd, READ)).start()
                inc(line, 2)
                for each in (epoll, mapped, pages):
                    each.close()
                for each in (fd, line, copy, first, shared, later, other, both):
                    os.close(each)
        for i in range(times):
            pid = os.fork()
            if not pid:
                try:
                    busy()
                except OSError as e:
                    os._exit(e.errno)
            time.sleep(0.05 * i / times)
            os.kill(pid, signal.SIGKILL)
            how = os.wait()[1]
            assert os.WIFSIGNALED(how), errno.errorcode[os.WEXITSTATUS(how)]
        for _ in range(1000):
            if not error(lambda: os.close(alloc(60 * PAGE))):
                break
            time.sleep(0.01)
        else:
            raise AssertionError("memory of the dead is not given back")
        sync(kept, READ)
        assert memory[:] == b"k" * 4 * PAGE
        print(times)
    return inside(body, options=["--limit", str(64 * resource.getpagesize())], env={"TIMES": str(times)}).strip() + " processes"


def table():
    """The table of what was done and seen; whether a case failed."""
    print("\n| what is done | what holds | seen |\n|---|---|---|")
    failed = False
    for case in CASES:
        try:
            seen = case() or "yes"
        except Skip as e:
            seen = f"skipped: {e}"
        except Exception as e:                              # whatever it is, it is this case's
            failed, seen = True, f"**no**: {' '.join(str(e).split())[:200]}"
        print(f"| {case.__doc__.splitlines()[0]} | {case.__name__.replace('_s_', chr(39) + 's ').replace('_', ' ')} | {seen} |", flush=True)
    return failed


ONLY = [x for x in sys.argv[4:] if not x.startswith("-")]
CASES = (
    a_fuzzer_neither_ends_nor_hangs_the_supervisor,
    bad_pointers_are_efault,
    a_number_that_is_used_anew_means_what_it_means,
    a_buffer_opened_anew_through_proc_is_counted_until_its_last_close,
    a_flood_of_descriptors_ends_with_emfile_and_leaves_nothing,
    many_waiters_are_killed_and_forgotten,
    values_wrap_as_linux_s_do,
    the_supervisor_s_death_ends_calls_with_errors,
    sizes_that_no_machine_has_are_refused,
    an_argument_that_changes_meanwhile_is_one_or_the_other,
    what_was_not_given_cannot_be_had,
    a_kill_at_any_point_frees_what_only_it_held,
    many_buffers_are_alive_at_once,
    rounds_leave_nothing_behind,
)

if __name__ == "__main__":
    if "--table" in sys.argv:
        sys.exit(table())
    sys.exit(tap.run([c for c in CASES if not ONLY or c.__name__ in ONLY]))
