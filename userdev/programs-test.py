#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs below `dmabuf run`, each first seen to find nothing without it.

    programs-test.py DMABUF PRELOAD     TAP on standard output
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))
import tap                                                  # noqa: E402
from tap import Skip, need                                  # noqa: E402

DMABUF = os.path.abspath(sys.argv[1])
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
        program = (PYTHON, os.path.join(HERE, "gstreamer.py"), str(FRAMES), out)
        if not os.path.exists("/dev/dma_heap/system"):
            alone = call(*program)
            need(alone.returncode == 77 and not os.path.exists(out), alone)
        done = call(DMABUF, "run", "--stats", "--", *program)
        need(done.returncode == 0, done)
        need(f"{FRAMES} buffers of heaps, {FRAMES * SIZE} bytes" in done.stderr, done.stderr)
        with open(out, "rb") as f:
            need(f.read() == b"".join(bytes([value]) * SIZE for value in range(FRAMES)), "other bytes came out")


if __name__ == "__main__":
    sys.exit(tap.run((gstreamer_hands_on_what_it_took_from_a_heap,)))
