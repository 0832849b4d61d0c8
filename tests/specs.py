#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one specification of checker/ over sets of agents: it must hold, and fail under each of its mutations.

    specs.py coherence|slot|bytes|orders [--long]       TAP on standard output
    specs.py table [--long]                             coherence's as a page
"""
import os
import re
import subprocess
import sys

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checker")

RANGES, EXPORTER, PLACE, LINUX = (f"--shape {s}" for s in ("ranges", "exporter", "place", "linux"))
# arguments that must print OK; those only --long runs; (mutation, arguments before it, after it) that must print FAIL
COHERENCE = (
    ["cpu,nc1", "co,nc1", "u,nc1", "nc1,nc2", "nc1,b1", "cpu,b1", "cpu,nc1 leave", "cpu,cpu2,nc1", "cpu,nc1,b1 atomic", "cpu,co,nc1 leave",
     "cpu,nc1 atomic --shape ranges",
     "nc1,xn --shape exporter", "cpu,xn leave --shape exporter", "b1,xn --shape exporter", "cpu,xc,nc1 --shape exporter",
     "cpu,yc,nc1 --shape exporter", "cpu,nc1,yn --shape exporter", "b1,yn leave --shape exporter",
     "cpu,nc1,gc --shape place", "cpu,nc1,gn --shape place", "b1,gn --shape place", "nc1,fm1,gc --shape place", "cpu,fm1,gn --shape place", "cpu,xn,gn --shape place",
     "cpu,nr1,nw1 leave --shape linux", "co,nr1,nx1 leave --shape linux", "nr1,fb1,nw1 --shape linux", "cpu,fm1,nr1,nw1 atomic leave --shape linux",
     "cpu,nr1,nw1 leave --shape arm", "nr1,fm1,nw1 --shape arm",
     "cpu,nc1 cost", "co,nc1 cost", "u,nc1 cost", "nc1,nc2 cost", "cpu,nc1,nc2 cost", "cpu,co,nc1 cost", "cpu,b1 cost", "co,b1 cost",
     "nc1,b1 cost", "b1,b2 cost"],
    ["cpu,cpu2,nc1 cost", "cpu,co,nc1,nc2 cost", "cpu,nc1,b1", "cpu,co,nc1,b1 atomic", "cpu,b1 leave", "nc1,nc2,b1 atomic leave",
     "cpu,nc1 --shape ranges", "cpu,b1 atomic --shape ranges", "cpu,cpu2,nc1 atomic --shape ranges", "nc1,b1 atomic --shape ranges",
     "cpu,nc1,xn --shape exporter", "cpu,b1,xn atomic leave --shape exporter", "co,nc1,b1,xn atomic --shape exporter",
     "cpu,b1,yn --shape exporter", "cpu,nc1,b1,yc atomic --shape exporter",
     "cpu,b1,gn --shape place", "cpu,b1,gc --shape place", "cpu,b1,nc1,gn atomic --shape place",
     "cpu,b1,fm1,gn atomic --shape place", "cpu,nc1,xn,gn atomic --shape place",
     "cpu,fb1,nx1 --shape linux", "co,fb1,nw1 leave --shape linux", "cpu,nr1,nw1,nx1 leave --shape linux", "cpu,fb1,nr1,nw1 atomic leave --shape arm"],
    [("drop-dirty", "cpu,nc1"), ("clean-then-invalidate", "cpu,nc1"), ("reread-twin", "cpu,b1"), ("whole-slot", "cpu,b1"),
     ("end-always-cleans", "cpu,nc1", "cost"), ("forget-open-writers", "cpu,nc1"), ("no-pull", "cpu,nc1"), ("no-deliver", "cpu,nc1"), ("no-push", "cpu,nc1"),
     ("never-stale", "cpu,nc1"), ("unmap-syncs", "cpu,nc1", "leave"), ("leave-nothing", "cpu,nc1", "leave"),
     ("pull-marks-all", "cpu,nc1", "atomic", RANGES), ("end-marks-all", "cpu,nc1", "atomic", RANGES),
     ("open-everywhere", "cpu,nc1", "atomic", RANGES), ("pull-first-only", "cpu,nc1", RANGES),
     ("bracket-untold", "b1,xn", EXPORTER), ("own-begin-does-nothing", "cpu,xn", EXPORTER), ("own-end-does-nothing", "cpu,xn", EXPORTER),
     ("own-begin-does-nothing", "cpu,yn", EXPORTER), ("own-end-does-nothing", "cpu,yn", EXPORTER),
     ("trust-untold", "yc,nc1", EXPORTER), ("trust-untold", "b1,yn", EXPORTER),
     ("leave-nothing", "cpu,b1,gc", PLACE), ("move-reads-raw", "cpu,nc1,gn", PLACE), ("move-writes-raw", "cpu,nc1,gn", PLACE),
     ("move-fetches-nothing", "cpu,nc1,gn", PLACE), ("move-keeps-whole", "cpu,nc1,gc", PLACE),
     ("move-unended-write", "fm1,gc", PLACE), ("unmap-new-place", "cpu,fm1,gn", PLACE),
     ("store-between", "cpu,nx1", LINUX), ("store-between", "nx1,fb1", LINUX), ("any-table", "cpu,nr1,nw1", LINUX),
     ("leave-beside-writer", "cpu,nx1", "leave", LINUX), ("leave-stale", "cpu,nx1", "leave", LINUX),
     ("bracket-untold", "nr1,fb1", LINUX), ("from-copies-nothing-in", "cpu,fb1", LINUX), ("own-begin-does-nothing", "cpu,fm1", LINUX),
     ("own-end-does-nothing", "cpu,fm1", LINUX), ("narrow-on-arm", "cpu,nw1", "--shape arm")])
SLOT = (
    ["mapR,move", "mapW,reclaim", "heldR,move", "l1,move", "nest,move", "mapR,detach", "mapR,death", "mapR,move,scan",
     "mapR,mapW,reclaim", "mapR,heldW,detach,scan", "live:mapR,move"],
    ["mapR,mapW,move", "l1,nest,move", "live:mapR,mapW,move"],
    [("build-unlocked", "mapR,move"), ("callback-frozen", "l1,move"), ("detach-active", "mapR,detach"), ("drop-handed", "mapR,move"),
     ("forget-held", "heldR,move"), ("freeze-active", "mapR,move"), ("ignore-frozen", "mapR,move"), ("look-then-join", "mapR,move"),
     ("no-fallback", "live:mapR,move"), ("no-handoff", "live:mapR,move"), ("no-leave", "mapR,move,scan"), ("no-reap", "mapR,detach"),
     ("no-wake", "mapR,move"), ("publish-first", "mapR,move"), ("publish-stores", "mapR,mapW,move"),
     ("reclaim-unlocked", "mapR,reclaim,move"), ("sleep-frozen", "nest,move"), ("thaw-silent", "mapR,move"),
     ("thaw-stores", "mapR,move"), ("thaw-valid", "mapR,move"), ("undo-is-silent", "mapR,move"),
     ("wait-event", "live:mapR,move"), ("widen-by-remap", "mapR,mapW,move")])
BYTES = (
    ["nc1,nc2", "cpu,nc1"],
    ["nc1,b1", "cpu,b1", "cpu,nc1,leaver"],
    [("bit-late", "cpu,nc1"), ("counted-is-open", "nc1,b1"), ("end-does-not-scan", "cpu,nc1"), ("end-needs-only-whole", "cpu,nc1"),
     ("leave-unannounced", "cpu,nc1,leaver"), ("look-first", "cpu,nc1"), ("look-for-whole-only", "cpu,nc1"), ("out-first", "cpu,nc1")])
# Weakened orders that stay right, by test: a thread's operation that another of its operations already orders.
NOT_NEEDED = {"count out": 2, "count out (held)": 2}


def python(script, *args):
    r = subprocess.run([sys.executable, os.path.join(CHECKER, script), *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return r.stdout, r.returncode


def programs(script, table, long):
    """Each line of the table as a case: (name, did it come out as the table says, output)."""
    holds, longer, mutations = table
    # A mutation that was added there and forgotten here would never be tried.
    known = set(re.findall(r'MUT(?: [!=]=|) "([a-z-]+)"', open(os.path.join(CHECKER, script)).read()))
    yield "every mutation is listed", known <= {m[0] for m in mutations} | {"none", "strong"}, str(known)
    for args in holds + (longer if long else []):
        out, rc = python(script, *args.split())
        yield f"{args}: holds", rc == 0 and out.startswith("OK "), out
    for mutation, agents, *after in mutations:
        out, rc = python(script, agents, mutation, *" ".join(after).split())
        yield f"{' '.join([agents, *after])}: fails with {mutation}", rc == 1 and out.startswith("FAIL "), out


def orders():
    out, rc = python("mapping-slot-orders.py")
    yield "every order as specified holds", rc == 0, out
    for block in re.findall(r"^(?:OK|FAIL)  *[^\n]*(?:\n  +T[^\n]*)*", out, re.M):
        name = re.match(r"\S+ +([^:]+):", block)[1]
        spare = block.count(": not needed")
        yield f"{name}: each weaker order fails but {NOT_NEEDED.get(name, 0)}", spare == NOT_NEEDED.get(name, 0), block


def rows(runs, numbers):
    """A row for each run that prints them."""
    for args, out in runs:
        if found := re.search(numbers, out):
            yield "| `{}` | {} | {} |".format(args, *found.groups())


def table(long):
    """What was visited, and the shortest program that each mutation breaks."""
    holds, longer, mutations = COHERENCE
    yield "\n# The coherence protocol: what was visited\n"
    yield "Of each set of agents every state that any program can reach; what the names mean says `checker/coherence-spec.py`.\n"
    yield "| agents, what else | states | farthest, in steps |"
    yield "|---|--:|--:|"
    runs = [(args, python("coherence-spec.py", *args.split())[0]) for args in holds + (longer if long else [])]
    yield from rows(runs, r"(\d+) states, .*farthest (\d+)")
    yield "\nThe second promise, by the states that a program's begins and ends can be in while fresh mapping is right:\n"
    yield "| agents | states | begins and ends between them |"
    yield "|---|--:|--:|"
    yield from rows(runs, r"(\d+) states of programs, (\d+)")
    yield "\n# The sentences of the protocol, dropped one by one\n"
    yield "`begin(cpu,W) ...` starts a transition, `.clean` is its next step, and `.set` ends it.\n"
    yield "| mutation | agents | the first program that it breaks |"
    yield "|---|---|---|"
    for mutation, agents, *after in mutations:
        out = python("coherence-spec.py", agents, mutation, *" ".join(after).split())[0]
        yield f"| {mutation} | `{' '.join([agents, *after])}` | {out.split(': ', 1)[1].strip()} |"


def main():
    if sys.argv[1] == "table":
        print("\n".join(table("--long" in sys.argv)))
        return 0
    cases = {"coherence": lambda long: programs("coherence-spec.py", COHERENCE, long),
             "slot": lambda long: programs("mapping-slot-spec.py", SLOT, long),
             "bytes": lambda long: programs("mapping-slot-bytes.py", BYTES, long),
             "orders": lambda long: orders()}[sys.argv[1]]
    number = bad = 0
    for number, (name, good, out) in enumerate(cases("--long" in sys.argv), 1):
        if not good:
            bad += 1
            print("\n".join("# " + x for x in out.splitlines()))
        print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    print(f"1..{number}")
    return bool(bad)


sys.exit(main())
