#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dmabuf check` makes descriptors and copies from and to a program fail in turn: who forgets something then is found.

    fail-test.py DMABUF CC... WORKER [--long]     TAP on standard output; WORKER only has to be built

The driver is fail.c. --long has it forget on every machine.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import tap                                                  # noqa: E402
from tap import need                                        # noqa: E402

LONG = "--long" in sys.argv
DMABUF, *CC, _ = [w for w in sys.argv[1:] if w != "--long"]
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-DLIBDMABUF", "-DLIBDMABUF_CHECKS", "-DMODULE", "-fPIC", "-shared", "-fsanitize=address", "-g", "-O1",
         "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-fno-strict-aliasing", f"-I{ROOT}/include", f"-I{ROOT}", '-DKBUILD_MODNAME="fail"']
FOLDER = tempfile.TemporaryDirectory()
DRIVER = os.path.join(FOLDER.name, "fail.so")
# What is forgotten: the rule that breaks, while what fails, and the function that the report names.
FORGETS = {
    "the buffer without a descriptor": ("BAL-11", "descriptor 2 failing", "fail_ioctl"),
    "the buffer that cannot be told": ("BAL-11", "copy from or to the program 2 failing", "fail_ioctl"),
    "the descriptor that cannot be told": ("BAL-12", "", "give_told"),
    "the request that cannot be read": ("LIFE-04", "", "fail_ioctl"),
}


def check(forgets, machine):
    env = dict(os.environ, DMABUF_CHECK_FORGETS=forgets)
    p = subprocess.run([DMABUF, "check", "--machine", machine, "--format", "json", DRIVER], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    need(p.returncode in (0, 1) and not p.stderr, p.returncode, p.stderr[:2000])
    driver, = json.loads(p.stdout)["drivers"]
    need(driver["ways"] == 2, driver)
    return driver["findings"]


def who_forgets_nothing_is_clean_on_every_machine():
    found = check("", "all")
    need(not found, json.dumps(found, indent=1)[:3000])


def forgets(what, done):
    def case():
        rule, while_, function = FORGETS[what]
        found, text = done.result(), ""
        for f in found:
            text += f["text"] + f["at"]
        need([f["rule"] for f in found] == [rule], f"{rule} is not found, alone, but", json.dumps(found, indent=1)[:3000])
        need(while_ in text, while_, "is not in", text)
        need(function in [frame["function"] for frame in found[0]["call"]], function, "is not in", found[0]["call"])
    case.__name__ = f"who forgets {what} is told so"
    return case


def main():
    with FOLDER, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        p = subprocess.run([*CC, *FLAGS, os.path.join(HERE, "fail.c"), "-o", DRIVER], stderr=subprocess.PIPE, text=True)
        need(p.returncode == 0, p.stderr[:2000])
        told = {what: pool.submit(check, what, "all" if LONG else "arm") for what in FORGETS}
        return tap.run([who_forgets_nothing_is_clean_on_every_machine, *(forgets(what, done) for what, done in told.items())])


sys.exit(main())
