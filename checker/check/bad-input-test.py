#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `dmabuf check` makes of what is no driver, and of drivers that do to their process what they should not.

    bad-input-test.py DMABUF CC... WORKER [--long]     TAP on standard output; WORKER only has to be built

What cannot be tried is a line, or the compiler's words, and exit status 2. A driver that crashes, hangs, leaves threads or eats memory
is a finding, and the other machines still run: two runs of each here, --long on all machines.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import tap                                                  # noqa: E402
from tap import need                                        # noqa: E402

LONG = "--long" in sys.argv
DMABUF, *CC, _ = [w for w in sys.argv[1:] if w != "--long"]
DMABUF = os.path.abspath(DMABUF)
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-DLIBDMABUF", "-DLIBDMABUF_CHECKS", "-DMODULE", "-fPIC", "-shared", "-fsanitize=address", "-g", "-O1",
         "-fno-omit-frame-pointer", f"-I{ROOT}/include", f"-I{ROOT}", '-DKBUILD_MODNAME="bad"']
FOLDER = tempfile.TemporaryDirectory()
BAD = os.path.join(FOLDER.name, "bad.so")
IDLE = "#include <linux/module.h>\nstatic int __init start(void) { return 0; }\nmodule_init(start);\n"
DRIVEN = """#include <libdmabuf-check.h>
static int run(struct device *dev, struct dma_buf *dmabuf) { return 0; }
DMABUF_CHECK({ .name = "heap", .run = run });
"""
FAILS = IDLE.replace("return 0", "return -19")
# More than one of these would be a hang: what does not end by itself is ended here, and fails.
LIMIT = 300


def check(*args, **env):
    return subprocess.run([DMABUF, "check", *args], env=dict(os.environ, **env), cwd=FOLDER.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT)


def write(name, text, mode="w"):
    path = os.path.join(FOLDER.name, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode) as f:
        f.write(text)
    return name


# --- what cannot be tried -------------------------------------------------------------------------


def refused(*args, words):
    """One line that has the words, nothing on standard output, exit status 2."""
    p = check(*args)
    need(p.returncode == 2 and not p.stdout, args, p.returncode, p.stdout[:500], p.stderr[:500])
    need(p.stderr.count("\n") == 1 and all(w in p.stderr for w in words), args, "says", p.stderr[:1000])


def the_compiler_has_the_word():
    p = check(write("wrong.c", "#include <linux/dma-buf.h>\nint f(void)\n{\n\treturn one;\n}\n"))
    need(p.returncode == 2 and not p.stdout, p.returncode, p.stdout)
    need("wrong.c:4:" in p.stderr and "one" in p.stderr and "return one;" in p.stderr, p.stderr)
    p = check(write("header.c", "#include <linux/no_such.h>\n"))
    need(p.returncode == 2 and "header.c:1:" in p.stderr and "linux/no_such.h" in p.stderr, p.returncode, p.stderr)
    need("--missing" in p.stderr.splitlines()[-1], p.stderr)


def what_is_no_driver_is_one_line():
    with open(BAD, "rb") as f:
        whole = f.read()
    refused(write("garbage.so", b"\x7fELF, not at all, but of a length at which a head could stand; and then some more", "wb"), words=["garbage.so"])
    refused(write("text.so", "hello\n"), words=["text.so", "no shared object"])
    refused(write("empty.so", ""), words=["empty.so", "empty"])
    refused(write("half.so", whole[:len(whole) // 2], "wb"), words=["half.so"])
    refused(write("driver.o", "hello"), words=["driver.o", ".c file"])
    refused(os.path.dirname(write("folder/file.txt", "")), words=["folder", "Kbuild"])
    refused("nothing-here.c", words=["nothing-here.c", "No such file"])


def a_symbol_that_is_missing_is_one_line():
    refused(write("lacks.c", "int no_such_call(void);\n" + IDLE.replace("return 0", "return no_such_call()")), words=["lacks", "no_such_call"])


def options_that_do_not_exist_are_one_line():
    for args, words in ((("--rule", "LOCK-99"), ("LOCK-99", "--list")), (("--machine", "vax"), ("vax", "machine")), (("--policy", "none"), ("none", "--policy")),
                        (("--format", "png"), ("png", "--format")), (("--seed", "many"), ("many", "--seed"))):
        refused(*args, BAD, words=words)


def half_an_adapter_is_not_tried():
    head = "#include <libdmabuf-check.h>\nstatic int f(%s);\nDMABUF_CHECK({ .name = \"half\", .%s = f });\nstatic int f(%s)\n{\n\treturn 0;\n}\n"
    for has, lacks, argument in (("open", "close", "struct check_import *import"), ("export", "release", "struct check_export *buffer")):
        p = check("--machine", "pc", write(f"{has}.c", head % (argument, has, argument)))
        need(p.returncode == 2 and f'not tried: its adapter "half" has .{has}, but no .{lacks}' in p.stdout, p.returncode, p.stdout, p.stderr)


def who_has_nothing_to_drive_is_not_tried():
    p = check(write("idle.c", IDLE))
    need(p.returncode == 2 and "not tried" in p.stdout and "DMABUF_CHECK()" in p.stdout, p.returncode, p.stdout, p.stderr)
    need("DMABUF_CHECK_IOCTLS()" in p.stdout, p.stdout)
    p = check(write("none.c", "int nothing;\n"))
    need(p.returncode == 2 and "not tried" in p.stdout, p.returncode, p.stdout, p.stderr)


def a_folder_may_have_modules_that_only_serve_others():
    write("two/Kbuild", "obj-m := idle.o heap.o\n")
    write("two/idle.c", IDLE)
    write("two/heap.c", DRIVEN)
    p = check("--machine", "pc", "two")
    need(p.returncode == 0, p.returncode, p.stdout, p.stderr)


def an_init_that_fails_is_a_finding():
    p = check("--machine", "pc", "--format", "json", write("fails.c", FAILS))
    found = json.loads(p.stdout)["drivers"][0]["findings"]
    need(p.returncode == 1 and [f["rule"] for f in found] == ["RUN-04"] and "-19" in found[0]["text"], p.returncode, found, p.stderr)


# --- what a driver does to its process ------------------------------------------------------------


def finding(does, rule, machine="arm", **env):
    """What is found of a driver that does it: this rule alone, in each run."""
    p = check("--machine", "all" if LONG else machine, "--timeout", "4" if rule == "RUN-02" else "60", "--format", "json", BAD, DMABUF_CHECK_DOES=does, **env)
    need(p.returncode in (0, 1) and not p.stderr, p.returncode, p.stderr[:1000])
    driver, = json.loads(p.stdout)["drivers"]
    need([f["rule"] for f in driver["findings"]] == ([rule] if rule else []) and p.returncode == bool(rule), does, p.returncode, json.dumps(driver["findings"])[:2000])
    need(driver["ways"] == 1, does, driver["ways"])
    for f in driver["findings"]:
        need(len(f["where"]) == driver["runs"] > 1, does, f["where"], driver["runs"])
        return f


def does(pool, what, rule, function, machine="arm"):
    done = pool.submit(finding, what, rule, machine)

    def case():
        f = done.result()
        called = [frame["function"] for frame in (f or {}).get("call") or []]
        need(not function or function in called, what, "was called by", called, f)
    case.__name__ = f"{what}: {rule or 'nothing'}{f', in {function}()' if function else ''}"
    return case


def what_a_driver_started_ends_with_it():
    file = os.path.join(FOLDER.name, "child")
    need(not finding("child", None, DMABUF_CHECK_CHILD=file), "a child is no finding")
    with open(file) as f:
        child = int(f.read())
    for _ in range(LIMIT * 10):                             # it is killed, and dies when it can
        try:
            with open(f"/proc/{child}/stat") as f:
                if f.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.1)
    need(False, child, "runs")


DOES = (("crash", "RUN-01", "run", "all"), ("null", "RUN-01", "run"), ("bug", "RUN-01", "run"), ("hang", "RUN-02", "run"), ("spin", "RUN-02", "run"),
        ("ignore", "RUN-02", None), ("eat", "RUN-05", "eat"), ("exit", "RUN-01", "run"), ("leave", "RUN-01", None), ("kill", "RUN-01", None),
        ("close", "RUN-02", None), ("print", None, None))


def main():
    # Most of them wait for what will not come.
    with FOLDER, concurrent.futures.ThreadPoolExecutor(len(DOES)) as pool:
        p = subprocess.run([*CC, *FLAGS, os.path.join(HERE, "bad-input.c"), "-o", BAD], stderr=subprocess.PIPE, text=True)
        need(p.returncode == 0, p.stderr[:2000])
        done = [does(pool, *row) for row in DOES]
        return tap.run([
            the_compiler_has_the_word, what_is_no_driver_is_one_line, a_symbol_that_is_missing_is_one_line, options_that_do_not_exist_are_one_line,
            half_an_adapter_is_not_tried, who_has_nothing_to_drive_is_not_tried, a_folder_may_have_modules_that_only_serve_others, an_init_that_fails_is_a_finding,
            *done, what_a_driver_started_ends_with_it])


if __name__ == "__main__":
    sys.exit(main())
