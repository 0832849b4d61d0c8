#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The memory orders of a map's hot path and of who meets it, each with the schedule that needs it.

    orderings.py table      Markdown
    orderings.py complete   TAP: every ordered access of SOURCES has a planted mistake that drops it, or a reason below

An ordered access is any atomic one but a relaxed load, store or RMW, and any barrier.  That each planted mistake is
found is `dmabuf schedules --planted`'s to say, in ./check.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests"))
import locking                                              # noqa: E402

SOURCES = ("core/mapping-slot.h", "core/mapping-slot.c", "core/coherence.c")
PLANTED = ROOT / "checker" / "schedules" / "planted.txt"
ORDERED = re.compile(r"\b(?:smp_\w+|__atomic_\w+|atomic_(?:fetch_(?:add|sub|or|andnot)|try_cmpxchg|read|set)(?:_acquire|_release)?)\(")
RELAXED = re.compile(r"atomic_(?:read|set)\(")

# (file, function, how the access begins): why no schedule needs its order.
REASONS = {
    ("core/mapping-slot.h", "slot_look", "__atomic_load_n(&slot->dir"):
        "which directory: it changes once, while the slot joins; who still looked at none is found by his count",
    ("core/mapping-slot.c", "slot_update_kernel", "atomic_fetch_andnot_release(SLOT_KERNEL"):
        "the work behind a KERNEL fence, which no scenario has; that a fence seen signaled is seen with its work is `order-signal`",
    ("core/mapping-slot.c", "slot_add_held", "smp_store_mb("): "the slow half of `order-held-in`; who has just built the table took the directory's lock for it, and no schedule needs this one",
    ("core/mapping-slot.c", "mapping_slot_map_locked_slow", "atomic_fetch_or(missing"): "behind the barrier of `slot_add_held()`, which publishes, too",
    ("core/mapping-slot.c", "mapping_slot_count_out_slow", "atomic_fetch_add(one"): "undoes an unmap too many, behind a WARN",
    ("core/mapping-slot.c", "mapping_slot_count_out_slow", "atomic_try_cmpxchg("): "one word, and RMWs continue what the count out released",
    ("core/mapping-slot.c", "mapping_slot_held_out_slow", "smp_store_release("): "under the reservation, which whoever tears down takes",
    ("core/mapping-slot.c", "mapping_slot_end_slow", "atomic_fetch_sub_release("): "under the directory's lock, which a scan and a teardown take",
    ("core/mapping-slot.c", "mapping_slot_unmap_held_unlocked", "atomic_fetch_add(SLOT_READER"): "only counts: he has it mapped",
    ("core/mapping-slot.c", "mapping_slot_active", "atomic_read_acquire("): "only asked: whoever tears down freezes first",
    ("core/mapping-slot.c", "mapping_slot_active", "smp_load_acquire("): "only asked: whoever tears down freezes first",
    ("core/mapping-slot.c", "slot_wait_idle", "atomic_fetch_or(SLOT_WANT"): "one word: nobody is missed; `slot_freeze()` acquires",
    ("core/mapping-slot.c", "slot_wait_idle", "atomic_fetch_andnot(SLOT_WANT"): "one word; what is torn down then was counted out of by an RMW",
    ("core/mapping-slot.c", "mapping_slot_kill", "atomic_fetch_add(slot->held"): "one word: who counts out next finds it",
    ("core/coherence.c", "announce", "atomic_fetch_or("): "the barrier of `scan()` stands behind it",
    ("core/coherence.c", "share", "smp_mb("): "the barrier of `scan()` stands behind it, too",
}


def blanks(text):
    return " ".join(text.split())


def end_of(text, start):
    """Behind the bracket that closes the first one from @start on."""
    depth, at = 0, text.index("(", start)
    while True:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
        if not depth:
            return at


def accesses():
    """[(file, function, text)] in the order of the sources."""
    found = []
    for name in SOURCES:
        text = locking.misuse.without_comments((ROOT / name).read_text())
        heads = [(m.start(), m[1]) for m in re.finditer(r"^\w[^;{}#=]*?\b(\w+)\([^;{}]*\)\n\{", text, re.M)]
        for match in ORDERED.finditer(text):
            inside = [function for at, function in heads if at < match.start()]
            if not RELAXED.match(match[0]) and inside:
                found.append((name, inside[-1], blanks(text[match.start():end_of(text, match.start())])))
    return found


def planted():
    """[(name, scenario, sentence, file, function, text)] of the orders, a row for each place."""
    rows, name = [], None
    for line in PLANTED.read_text().splitlines():
        if not line.startswith("\t"):
            name, scenario = line, None
        elif name.startswith("order-") and not scenario:
            scenario, sentence = line.strip().split(": ", 1)
        elif name.startswith("order-"):
            file, function, what = re.match(r"\t(\S+) (\w+): (?:drop )?(.*)", line).groups()
            rows.append((name, scenario, sentence, file, function, blanks(what.split(" => ")[0])))
    return rows


def of(access, rows):
    """The planted mistakes that drop an access's order."""
    return [r for r in rows if r[3:5] == access[:2] and access[2] in r[5]]


def reason(access):
    return next((why for (*where, begin), why in REASONS.items() if tuple(where) == access[:2] and access[2].startswith(begin)), None)


def table():
    rows = planted()
    print("""
# The hot path's memory orders

A hit of a map is one RMW, a look and, on the way out, one more: what orders them, and those who meet them, is here, each with the
sentence that it keeps and the scenario of `dmabuf schedules` in which a schedule fails without it (`--plant NAME`).

| where | access | keeps | scenario | planted |
|---|---|---|---|---|""")
    for access in accesses():
        for name, scenario, sentence, *_ in of(access, rows):
            print(f"| `{access[1]}` | `{access[2].replace('|', chr(92) + '|')}` | {sentence} | `{scenario}` | `{name}` |")
    print("\n## Of fences and reservations\n\n| where | keeps | scenario | planted |\n|---|---|---|---|")
    for name, scenario, sentence, file, function, _ in rows:
        if file not in SOURCES:
            print(f"| `{function}` | {sentence} | `{scenario}` | `{name}` |")
    print("\n## Stronger than any schedule needs, or of no scenario\n\n| where | access | why |\n|---|---|---|")
    for access in accesses():
        if not of(access, rows):
            print(f"| `{access[1]}` | `{access[2].replace('|', chr(92) + '|')}` | {reason(access)} |")


def complete():
    rows, found = planted(), accesses()
    strange = [a for a in found if not of(a, rows) and not reason(a)]
    stale = [" ".join(k) for k in REASONS if not any(a[:2] == k[:2] and a[2].startswith(k[2]) and not of(a, rows) for a in found)]
    gone = [r[0] for r in rows if r[3] in SOURCES and not any(of(a, [r]) for a in found)]
    without = [r for r in rows if r[0] != "order-scan"]
    return locking.tap((
        (f"each of {len(found)} ordered accesses has a schedule that needs it, or a reason", [f"{f} {n}: {t}" for f, n, t in strange], ""),
        ("every reason is still one of such an access", stale, ""),
        ("every planted order is one of such an access", gone, ""),
        ("an access that nothing plants is found", [] if [a for a in found if not of(a, without) and not reason(a)] else ["it is not"], ""),
    ))


COMMANDS = {"table": table, "complete": complete}
if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
    sys.exit(__doc__)
sys.exit(COMMANDS[sys.argv[1]]())
