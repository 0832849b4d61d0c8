#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The adapters of examples/check are short, drive their drivers, find nothing wrong, and would.

    examples-test.py DMABUF WORKER      TAP on standard output; WORKER only has to be built
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import tap                                                  # noqa: E402
from tap import need                                        # noqa: E402

DMABUF = os.path.abspath(sys.argv[1])
FOLDER = os.path.join(ROOT, "examples", "check")
# A line of each driver, without which it breaks a rule.
NEEDED = {
    "capture": ("\tdma_buf_put(capture->dmabuf);\n\tkfree(capture);\n", "BAL-11"),
    "frame": ("\t\tdma_sync_sgtable_for_device(table->dev, &table->sgt, table->dir);\n", "COH-03"),
    "overlay": ("\tret = dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE);\n", "COH-05"),
    "scanner": ("\tdma_buf_unmap_attachment_unlocked(scanner->attach, scanner->sgt, scanner->dir);\n", "BAL-02"),
}


def check(adapter, machine):
    p = subprocess.run([DMABUF, "check", "--machine", machine, "--format", "json", adapter], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    need(p.returncode in (0, 1), p.returncode, p.stderr[:2000])
    driver, = json.loads(p.stdout)["drivers"]
    return driver["ways"], {f["rule"] for f in driver["findings"]}


def every_adapter_is_short_and_known():
    adapters = {f[:-len("-check.c")] for f in os.listdir(FOLDER) if f.endswith("-check.c")}
    need(adapters == set(NEEDED), "an adapter without a test, or a test without one", adapters)
    for name in adapters:
        with open(os.path.join(FOLDER, name + "-check.c"), encoding="ascii") as f:
            lines = [x for x in f.read().splitlines() if x and not x.startswith(("/*", "#include"))]
        need(len(lines) <= 20, name, f"has {len(lines)} lines")


def keeps(name):
    def case():
        ways, found = check(os.path.join(FOLDER, name + "-check.c"), "all")
        need(ways == 1 and not found, ways, found)
    case.__name__ = f"{name} is driven and keeps every rule"
    return case


def needs(name):
    def case():
        line, rule = NEEDED[name]
        with tempfile.TemporaryDirectory() as folder:
            for file in (name + ".c", name + "-check.c"):
                shutil.copy(os.path.join(FOLDER, file), folder)
            with open(os.path.join(folder, name + ".c"), "r+", encoding="ascii") as f:
                text = f.read()
                need(text.count(line) == 1, line, "is not there, or more than once")
                f.seek(0)
                f.write(text.replace(line, "\t;\n"))
                f.truncate()
            ways, found = check(os.path.join(folder, name + "-check.c"), "arm")
        need(rule in found, f"without {line.strip()} {rule} is not found, but", ways, found)
    case.__name__ = f"{name} without a line that it needs is told so"
    return case


sys.exit(tap.run([every_adapter_is_short_and_known, *map(keeps, sorted(NEEDED)), *map(needs, sorted(NEEDED))]))
