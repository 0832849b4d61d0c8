#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dmabuf run` under load and misuse: a fuzzer, and what it would need luck to find, by name.

    hostile-test.py DMABUF PRELOAD HOSTILE [--long] [CASE...]     TAP on standard output
"""
import importlib.util
import os
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("run_test", os.path.join(HERE, "run-test.py"))
run_test = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_test)
DMABUF, LONG, inside, need, program, tap = (getattr(run_test, name) for name in ("DMABUF", "LONG", "inside", "need", "program", "tap"))

HOSTILE = os.path.abspath(sys.argv[3])
SECONDS = 300 if LONG else 60


def most_at_once(told):
    return int(told.split("at most ")[1].split()[0])


def a_fuzzer_neither_ends_nor_hangs_the_supervisor():
    seed = int.from_bytes(os.urandom(4), "little")
    done = subprocess.run([DMABUF, "run", "--limit", "1M", "--stats", "--", HOSTILE, str(SECONDS), str(seed), "4"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=SECONDS + 60)
    told = [x for x in done.stderr.splitlines() if x.startswith("dmabuf run: ")]
    need(done.returncode == 0, f"seed {seed}", done.stdout, done.stderr[-3000:])
    need(len(told) == len(done.stderr.splitlines()), f"seed {seed}", done.stderr[-3000:])
    need(0 < most_at_once(told[0]) <= 1 << 20, told[0])


@program
def bad_pointers_are_efault():
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
    fd = alloc()
    os.dup2(0, fd)
    assert error(sync, fd, READ) == errno.ENOTTY
    own = os.memfd_create("dmabuf")
    assert error(sync, own, READ) == error(fcntl.ioctl, own, ALLOC, bytearray(24)) == errno.ENOTTY
    assert error(sync, timeline(), READ) == errno.ENOTTY
    assert error(fcntl.ioctl, alloc(), ALLOC, bytearray(24)) == errno.ENOTTY


def a_buffer_opened_anew_through_proc_is_counted_until_its_last_close():
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
    need(int(inside(body)) >= 900)


def rounds_leave_nothing_behind():
    """Memory and descriptors of the supervisor stay as they are; a tenth of the rounds by each of 8 processes."""
    rounds = 1000000 if LONG else 4000
    def body():
        rounds = int(os.environ["ROUNDS"])
        supervisor = os.getppid()
        def size():
            with open(f"/proc/{supervisor}/statm", encoding="ascii") as f:
                return int(f.read().split()[1]), len(os.listdir(f"/proc/{supervisor}/fd"))
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
    # A sanitizer keeps what was freed, for a while.
    inside(body, env={"ROUNDS": str(rounds), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"})


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
    many_buffers_are_alive_at_once,
    rounds_leave_nothing_behind,
)

if __name__ == "__main__":
    sys.exit(tap.run([c for c in CASES if not ONLY or c.__name__ in ONLY]))
