#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs below `dmabuf run`, each first seen to find nothing without it.

    programs-test.py DMABUF PRELOAD SCREEN      TAP on standard output

SCREEN is screen.c, compiled: the only program of a virtual machine.
"""
import argparse
import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "kmod/qemu")]
import boot                                                 # noqa: E402
import tap                                                  # noqa: E402
from tap import Skip, need                                  # noqa: E402

DMABUF, SCREEN = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[3])
PYTHON = "/usr/bin/python3"                                 # the one that the system's packages are for
FRAMES, SIZE = 5, 64 * 64 * 4


def call(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)


def gstreamer_hands_on_what_it_took_from_a_heap():
    have = "import gi; gi.require_version('GstAllocators', '1.0'); gi.require_version('GstApp', '1.0'); from gi.repository import GstAllocators, GstApp"
    if not os.path.exists(PYTHON) or call(PYTHON, "-c", have).returncode:
        raise Skip("no python3-gi or no gir1.2-gst-plugins-base-1.0")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "frames")
        os.environ["GST_REGISTRY"] = os.path.join(folder, "registry")   # else it leaves one in the user's home
        program = (PYTHON, os.path.join(HERE, "gstreamer.py"), str(FRAMES), out)
        if not os.path.exists("/dev/dma_heap/system"):
            alone = call(*program)
            need(alone.returncode == 77 and not os.path.exists(out), alone)
        done = call(DMABUF, "run", "--stats", "--", *program)
        need(done.returncode == 0, done)
        need(f"{FRAMES} buffers of heaps, {FRAMES * SIZE} bytes" in done.stderr, done.stderr)
        with open(out, "rb") as f:
            need(f.read() == b"".join(bytes([value]) * SIZE for value in range(FRAMES)), "other bytes came out")


WIDTH, HEIGHT = 320, 200


def screen_command(folder):
    """QEMU with a virtio-gpu whose pictures lie in the guest's memory: a udmabuf of pieces of that is what it shows."""
    told = subprocess.run([os.path.join(ROOT, "kmod/qemu/kernel"), "amd64"], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    if platform.machine() != "x86_64" or not shutil.which("qemu-system-x86_64") or not told:
        raise Skip("no qemu-system-x86_64, or no stock Linux 6.12 to run in it")
    arguments = argparse.Namespace(guest=SCREEN, modules=told[1], files="", work=folder, strip="strip")
    return ["qemu-system-x86_64", "-M", "q35,memory-backend=memory", "-cpu", "max,-erms,-fsrm", "-m", "256", "-smp", "1",
            "-object", "memory-backend-memfd,id=memory,size=256M,share=on", "-accel", "tcg", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-serial", "stdio", "-device", f"virtio-gpu-pci,blob=true,xres={WIDTH},yres={HEIGHT}",
            "-qmp", f"unix:{folder}/monitor,server=on,wait=off", "-kernel", boot.plain_kernel(told[0], folder),
            "-initrd", boot.initramfs(arguments, ["virtio-gpu"]), "-append", "console=ttyS0 panic=-1 quiet loglevel=1 vt.global_cursor_default=0"]


def ask(monitor, command, **arguments):
    monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    monitor.flush()
    while not (answer := json.loads(monitor.readline())).keys() & {"return", "error"}:
        pass
    need("return" in answer, answer)


def picture(number):
    """What screen.c draws, as red, green and blue."""
    return bytes((number * 31 + 7 * y + 4 * x + colour) & 255 for y in range(HEIGHT) for x in range(WIDTH) for colour in (2, 1, 0))


def qemu_shows_what_its_guest_draws():
    """The guest's pages, where they lie: nothing copies them, and the screen's picture is mapped from the udmabuf."""
    with tempfile.TemporaryDirectory() as folder:
        command = screen_command(folder)
        if not os.path.exists("/dev/udmabuf"):
            alone = call(*command)
            need(alone.returncode == 1 and "without udmabuf" in alone.stderr, alone)
        with subprocess.Popen([DMABUF, "run", "--stats", "--", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as machine, contextlib.ExitStack() as after:
            limit = threading.Timer(150, machine.terminate)
            limit.start()
            after.callback(limit.cancel)
            after.callback(machine.terminate)
            for number in range(3):
                said = ""
                while f"picture {number} of {WIDTH}x{HEIGHT}" not in said:
                    said = machine.stdout.readline()
                    need(said, "it ended before picture", number, machine.poll())
                if not number:
                    connection = after.enter_context(socket.socket(socket.AF_UNIX))
                    connection.connect(os.path.join(folder, "monitor"))
                    monitor = after.enter_context(connection.makefile("rw"))
                    monitor.readline()
                    ask(monitor, "qmp_capabilities")
                shot, want = b"", picture(number)
                for _ in range(100):                        # the guest may not have told yet where its picture lies
                    ask(monitor, "screendump", filename=os.path.join(folder, "shot"))
                    with open(os.path.join(folder, "shot"), "rb") as f:
                        shot = f.read()[-len(want):]
                    if shot == want:
                        break
                    time.sleep(0.1)
                need(shot == want, "picture", number, sum(a != b for a, b in zip(shot, want)), "other bytes")
                machine.stdin.write("next\n" if number < 2 else "end\n")
                machine.stdin.flush()
            told = machine.communicate()[1]
    need(machine.returncode == 0, machine.returncode, told)
    need("; 1 udmabufs; " in told and " 1 maps, " in told, told)


if __name__ == "__main__":
    sys.exit(tap.run((gstreamer_hands_on_what_it_took_from_a_heap, qemu_shows_what_its_guest_draws)))
