#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does anything on the way to a fence's signal allocate or block?  Clang's function effects say it of every path.

    signalling.py       TAP

Whoever signals a fence may be the one that memory is waited for.  Each call on a fence's lock that core/locking.def
says is ATOMIC, each such callback and each function that the core gives for one is declared `nonblocking`, in copies
of headers and sources; Clang follows what they call.  What it meets of the host is allowed below, with the reason.
Not followed: programs' fences and callbacks, of whom lockdep finds it when they run (host/lockdep.h).
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import locking

NONBLOCKING = " __attribute__((nonblocking))"
FLAGS = ("-fsyntax-only", "-std=gnu11", "-DLIBDMABUF", "-D_GNU_SOURCE", "-Wno-everything", "-Wfunction-effects")

ALLOWED = {
    "host_warn": "says that a rule is broken",
    "host_rcu_unbalanced": "says that a rule is broken",
    "host_current": "looks up the thread's own task",
    "spin_lock": "held for a few instructions, by nobody who sleeps",
    "spin_unlock": "lets go of it",
    "__spin_lock_init": "stores",
    "call_rcu": "puts what is to be freed in a list",
    "kfree": "gives back",
    "wake_up_state": "lets another thread go on",
    "irq_work_queue": "puts into a list",
    "ktime_get": "reads the clock",
    "dma_cost_add": "adds to a counter",
    "local_irq_restore": "does what interrupts would have done meanwhile",
    "__wake_up": "lets other threads go on",
    "fput": "puts a reference",
    "sized_strscpy": "writes into what the caller has",
}
# The C library's, which Clang knows better: it writes into what the caller has.
PRELUDE = f"#include <stdio.h>\nint writes_text(char *, size_t, const char *, ...){NONBLOCKING};\n#define snprintf writes_text\n"
# ATOMIC, and nobody signals in them.
APART = ("dma_fence_describe", "dma_resv_describe")
# A constant name of a lock's class, a once: static, and no reason to wait.
HARMLESS = "must not have static local variables"

# What is found where a copy does it: (file, before which text, what, what Clang then calls by its name)
BREAKS = (
    ("core/dma-fence.c", "list_for_each_entry_safe(", "kfree(kmalloc(1, GFP_KERNEL));", "kmalloc"),
    ("core/dma-fence-array.c", "note_failure(array, member)", "kfree(kmalloc(1, GFP_KERNEL));", "kmalloc"),
    ("core/dma-fence-chain.c", "irq_work_queue(", "synchronize_rcu();", "synchronize_rcu"),
    ("core/dma-buf-file.c", "wake_up_poll(&buffer->poll, slot->event)", "msleep(1);", "msleep"),
    ("drivers/job-queue.c", "kfree(timeline->name)", "synchronize_rcu();", "timeline_free"),
)


def declare(text, name):
    """@text with what declares @name, or its definition as an inline function, nonblocking."""
    found = locking.declaration(text, name)
    return text[:found.end()] + NONBLOCKING + text[found.end():] if found else text


def headers(folder, table):
    """Copies of the headers with the rows' words."""
    names = {r["function"] for r in table["LOCK_CALL"] if r["sleep"] == "ATOMIC"} - set(APART) | set(ALLOWED)
    members = {r["op"] for r in table["LOCK_BACK"] if r["of"] == "dma_fence_ops" and r["sleep"] == "ATOMIC"}
    shutil.copytree(locking.ROOT / "include", folder / "include")
    (folder / "host").mkdir()
    for path in (locking.ROOT / "host").glob("*.h"):
        shutil.copy(path, folder / "host")
    for path in folder.rglob("*.h"):
        text = path.read_text()
        for name in names:
            if name in text:
                text = declare(text, name)
        if path.name == "dma-fence.h":
            text = re.sub(rf"(\(\*(?:{'|'.join(members)})\)\([^;]*?\))(?=;)", rf"\1{NONBLOCKING}", text)
            text = re.sub(r"(typedef void \(\*dma_fence_func_t\)\([^;]*?\))(?=;)", rf"\1{NONBLOCKING}", text)
        path.write_text(text)
    # Who listens is a checker or a recorder, where there is one at all.
    (folder / "core").mkdir()
    text = (locking.ROOT / "core" / "event.h").read_text()
    (folder / "core" / "event.h").write_text(text.replace("event_listener(&event);", ";"))
    return members


def given(text, members):
    """Functions of a source that are given for a callback."""
    found = set(re.findall(rf"\.(?:{'|'.join(members)}) = (\w+)", text))
    return found | set(re.findall(r"(?:dma_fence_add_callback|init_irq_work)\([^;]*?,\s*(\w+)\)", text))


def analyse(folder, name, text, members):
    """What Clang says of a source's copy, in which whoever puts a reference puts the last one."""
    text = re.sub(r"\bkref_put\(([^;]*), (\w+)\)", r"({ \2(\1); 1; })", text)
    for function in sorted(given(text, members)):
        found = re.search(rf"^(static [^;{{}}#/]*?\b{function}\([^;{{}}]*?\))\n\{{", text, re.M)
        if found:
            text = f"{text[:found.start()]}{found[1]}{NONBLOCKING};\n{text[found.start():]}"
    run = subprocess.run([locking.CLANG, *FLAGS, "-iquote", folder, "-iquote", folder / "core", "-iquote", (locking.ROOT / name).parent,
                          "-iquote", locking.ROOT, "-isystem", folder / "include", "-x", "c", "-"], input=PRELUDE + text, capture_output=True, text=True)
    said = [l for l in run.stderr.splitlines() if re.search("warning:|error:", l) and HARMLESS not in l]
    return [f"{name}: {l.split(': ', 1)[1]}" for l in said]


def deaf_for(folder, members, name, before, what, called):
    """Is @called not blamed where a copy does @what?"""
    head, found, tail = (locking.ROOT / name).read_text().partition(before)
    said = analyse(folder, name, f"#include <linux/delay.h>\n{head}{what} {found}{tail}", members)
    return not found or not any(f"function '{called}'" in line for line in said)


def main():
    if not shutil.which(locking.CLANG):
        print(f"TAP version 13\n1..1\nok 1 - fence signalling # SKIP no {locking.CLANG}, whose function effects know C (apt-get install {locking.CLANG})")
        return 0
    table = locking.rows(locking.TABLE.read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        members = headers(folder, table)
        sources = [p for room in ("core", "drivers") for p in sorted((locking.ROOT / room).rglob("*.c"))]
        sources = [p for p in sources if not re.search(r"-test\.c$|/test-", str(p)) and re.search("dma_fence_(ops|add_callback|signal)", p.read_text())]
        said, functions = [], 0
        for path in sources:
            text = path.read_text()
            functions += len(given(text, members))
            said += analyse(folder, str(path.relative_to(locking.ROOT)), text, members)
        deaf = [f"{row[0]}: {row[2]}" for row in BREAKS if deaf_for(folder, members, *row)]
    return locking.tap((
        (f"{len(sources)} files neither allocate nor block on the way to a signal", said, ""),
        (f"in {functions} functions that they give for callbacks neither", [] if functions else ["none was found"], ""),
        (f"{len(BREAKS)} copies that do are found", deaf, ""),
    ))


if __name__ == "__main__":
    sys.exit(main())
