#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lock rules of core/locking.def: as a table, and whether a call or a callback is without one.

    locking.py table        Markdown
    locking.py clang        TAP: Clang's thread-safety analysis of core and drivers, with the rows as its annotations
    locking.py complete     TAP: every call and callback of the headers below has its row, and none is of another; the
                            rows are those of Linux's own "DOC: locking convention", where its sources can be unpacked
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import misuse

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "core" / "locking.def"
HEADERS = tuple(f"include/linux/{name}.h" for name in (
    "dma-buf", "dma-buf-mapping", "dma-resv", "dma-fence", "dma-fence-array", "dma-fence-chain", "dma-fence-unwrap", "sync_file",
    "dma-heap")) + ("core/dma-buf-sync-file.h",)
CALLBACKS = ("dma_buf_ops", "dma_buf_attach_ops", "dma_fence_ops", "dma_resv_watcher", "dma_heap_ops")

# Macros, and what they are: neither takes a lock of its own.
NO_ROW = {
    "DEFINE_DMA_BUF_EXPORT_INFO": "defines a variable",
    "dma_resv_held": "asks",
    "dma_resv_assert_held": "asks",
    "dma_resv_assert_not_held": "asks",
    "dma_resv_for_each_fence": "a loop over calls that have rows",
    "dma_resv_for_each_fence_unlocked": "a loop over calls that have rows",
    "dma_fence_array_for_each": "a loop over calls that have rows",
    "dma_fence_chain_for_each": "a loop over calls that have rows",
    "dma_fence_unwrap_for_each": "a loop over calls that have rows",
    "dma_fence_unwrap_merge": "is another call with an argument filled in",
}

COLUMNS = {
    "LOCK_CALL": ("rule", "whose", "function", "kind", "lock", "need", "sleep"),
    "LOCK_BACK": ("whose", "of", "op", "kind", "lock", "need", "sleep"),
    "LOCK_CLASS": ("class", "name", "what"),
    "LOCK_ORDER": ("outer", "inner", "why"),
}
WORDS = {
    "kind": ("RESV", "FENCE", "RCU", "NONE"),
    "need": ("HELD", "NOT_HELD", "AVOID", "EITHER", "TAKES", "TRIES", "DROPS"),
    "sleep": ("SLEEPS", "ATOMIC"),
    "whose": ("IMPORTER", "EXPORTER", "DRIVER", "FENCE", "HEAP", "WAITER"),
}
SAYS = {
    "HELD": "held",
    "NOT_HELD": "**not** held",
    "AVOID": "not held, by convention only",
    "EITHER": "held or not",
    "TAKES": "taken",
    "TRIES": "taken, if it says so",
    "DROPS": "dropped",
}


def rows(text):
    """{macro: [{column: word}]} of a table's text; SystemExit where a row is not one."""
    found = {macro: [] for macro in COLUMNS}
    body = misuse.without_comments(text)
    for line in re.findall(r"^(LOCK_\w+\(.*)$", body, re.M):
        macro, arguments = re.fullmatch(r"(LOCK_\w+)\((.*)\)", line).groups()
        words = [w.strip().strip('"') for w in re.findall(r'\s*("[^"]*"|[^,]+)', arguments)]
        row = dict(zip(COLUMNS[macro], words))
        wrong = [c for c, allowed in WORDS.items() if c in row and row[c] not in allowed]
        if len(words) != len(COLUMNS[macro]) or wrong:
            sys.exit(f"core/locking.def: no row: {line}")
        found[macro].append(row)
    return found


def callbacks(text):
    """{(struct, member)} of the pointers to functions in the structures whose rules the table has."""
    found = set()
    for struct in CALLBACKS:
        body = re.search(rf"^struct {struct} \{{(.*?)^\}};", misuse.without_comments(text), re.M | re.S)
        if body:
            found |= {(struct, op) for op in re.findall(r"\(\*(\w+)\)\(", body[1])}
    return found


def cyclic(orders):
    """Classes that are, over whatever others, inside themselves."""
    inner = {}
    for row in orders:
        inner.setdefault(row["outer"], set()).add(row["inner"])
    reached = {c: set(i) for c, i in inner.items()}
    for _ in inner:
        for c in reached:
            reached[c] |= set().union(*(reached.get(i, set()) for i in reached[c]))
    return sorted(c for c in reached if c in reached[c])


def convention():
    """({function: need}, {callback: need}) of Linux's text, or why there is none."""
    run = subprocess.run([ROOT / "upstream" / "unpack"], capture_output=True, text=True)
    if run.returncode:
        return None, (run.stdout + run.stderr).strip().splitlines()[-1]
    text = (ROOT / run.stdout.split()[-1] / "drivers/dma-buf/dma-buf.c").read_text()
    doc = re.search(r"DOC: locking convention(.*?)\*/", text, re.S)[1]
    calls, backs = {}, {}
    for paragraph in re.split(r"\n \* \d\. ", doc)[1:]:
        said = " ".join(paragraph.replace("*", " ").split())
        need = "NOT_HELD" if "must not hold" in said or "with unlocked" in said else "HELD"
        backs |= {name: need for name in re.findall(r"&dma_buf_ops\.(\w+)\(\)", said)}
        calls |= {name: need for name in re.findall(r"- (\w+)\(\)", said)}
    return (calls, backs), None


def against_convention(table, calls, backs):
    """What Linux's convention says and the table does not."""
    own = {r["function"]: r["need"] for r in table["LOCK_CALL"]}
    own_backs = {r["op"]: r["need"] for r in table["LOCK_BACK"] if r["of"] == "dma_buf_ops"}
    same = {("NOT_HELD", "AVOID")}
    wrong = [f"{n}(): Linux {w}, here {own.get(n)}" for n, w in calls.items() if own.get(n) != w and (w, own.get(n)) not in same]
    return wrong + [f"->{n}(): Linux {w}, here {own_backs.get(n)}" for n, w in backs.items() if own_backs.get(n) != w]


def complete():
    table = rows(TABLE.read_text())
    texts = {h: (ROOT / h).read_text() for h in HEADERS}
    declared = set().union(*(misuse.functions(t) for t in texts.values()))
    declared = {n for n in declared if not n.startswith("_LINUX")} - set(NO_ROW)
    members = set().union(*(callbacks(t) for t in texts.values())) | {("dma_fence_cb", "func")}
    calls = [r["function"] for r in table["LOCK_CALL"]]
    backs = [(r["of"], r["op"]) for r in table["LOCK_BACK"]]
    numbers = [r["rule"] for r in table["LOCK_CALL"] if r["rule"] != "00"]
    classes = [r["class"] for r in table["LOCK_CLASS"]]
    linux, why_not = convention()
    twisted = rows(TABLE.read_text().replace("dma_buf_pin, RESV, attach->dmabuf->resv, HELD", "dma_buf_pin, RESV, attach->dmabuf->resv, NOT_HELD"))

    checks = [
        ("every call has a row", sorted(declared - set(calls)), ""),
        ("every row is of a call", sorted(set(calls) - declared), ""),
        ("every callback has a row", sorted(map(".".join, members - set(backs))), ""),
        ("every row is of a callback", sorted(map(".".join, set(backs) - members)), ""),
        ("no call, callback or number has two rows", sorted({str(x) for x in calls + backs + numbers if (calls + backs + numbers).count(x) > 1}), ""),
        ("the order is between classes that have a row", sorted({c for r in table["LOCK_ORDER"] for c in (r["outer"], r["inner"]) if c not in classes}), ""),
        ("the order has no cycle", cyclic(table["LOCK_ORDER"]), ""),
        ("a cycle is found", [] if cyclic([{"outer": "a", "inner": "b"}, {"outer": "b", "inner": "c"}, {"outer": "c", "inner": "a"}]) == ["a", "b", "c"]
         else ["it is not"], ""),
        ("Linux's locking convention says the same", against_convention(table, *linux) if linux else [], f" # SKIP {why_not}" if why_not else ""),
        ("a row that Linux contradicts is found", [] if not linux or against_convention(twisted, *linux) else ["it is not"],
         f" # SKIP {why_not}" if why_not else ""),
    ]
    if linux and (len(linux[0]), len(linux[1])) != (21, 12):
        checks.append(("Linux's convention is read", [f"{len(linux[0])} calls, {len(linux[1])} callbacks"], ""))
    return tap(checks)


# --- Clang -------------------------------------------------------------------------------------------------------------

CLANG = "clang-22" # the first whose analysis follows one name of a lock to another in C
FLAGS = ("-fsyntax-only", "-std=gnu11", "-DLIBDMABUF", "-D_GNU_SOURCE", "-Wno-everything", "-Wthread-safety", "-I.")
ATTRIBUTES = {"HELD": "requires_capability", "NOT_HELD": "locks_excluded", "TAKES": "acquire_capability", "DROPS": "release_capability"}
ASSERTED = """
static inline void thread_safety_asserted(struct dma_resv *obj) __attribute__((assert_capability(obj)));
static inline void thread_safety_asserted(struct dma_resv *obj) {}
#undef dma_resv_assert_held
#define dma_resv_assert_held(obj) thread_safety_asserted(obj)
"""
# What the analysis cannot follow, and why that is right.
UNFOLLOWED = {
    ("core/attachment.c", "unmap_real"): "takes the reservation if an argument says that it is not held",
    ("core/slot-reclaim.c", "lru_take"): "returns with the reservation of what it returns held",
    ("core/slot-reclaim.c", "reclaim_one"): "drops what lru_take() took",
    ("core/slot-reclaim.c", "lock_patiently"): "says by its result whether it took it",
    ("core/slot-reclaim.c", "slot_reclaim_everywhere"): "drops what lock_patiently() took",
    ("core/slot-reclaim.c", "pinning_take"): "returns with the reservation of what it returns held",
    ("core/slot-reclaim.c", "look_for_idle_pins"): "drops what pinning_take() took",
    ("drivers/exporters/vram-move.c", "take_victim"): "returns with the reservation of what it returns held",
    ("drivers/exporters/vram-move.c", "evict_one"): "drops what take_victim() took",
    ("drivers/resv-set.c", "lock_others"): "takes a number of them, in a loop that backs off",
    ("drivers/resv-set.c", "resv_set_lock"): "takes a number of them, in a loop that backs off",
    ("drivers/resv-set.c", "resv_set_unlock"): "drops them, in a loop",
    ("drivers/job-queue.c", "reserve_slots"): "runs between the two, in a loop",
    ("drivers/job-queue.c", "add_fence"): "runs between the two, in a loop",
}


def attribute(row):
    """Clang's word for a row, or None: of fences' locks nobody knows which one a fence has; a cursor hides what it walks."""
    if row["kind"] != "RESV" or row["lock"] == "none" or row["lock"].startswith("cursor"):
        return None
    if row["need"] == "TRIES":
        return f"try_acquire_capability({'true' if row['function'] == 'dma_resv_trylock' else 'false'}, {row['lock']})"
    return f"{ATTRIBUTES[row['need']]}({row['lock']})" if row["need"] in ATTRIBUTES else None


def declaration(text, function):
    return re.search(rf"^\w[^;{{}}#/]*?\b{function}\(([^;{{}}]*?)\)(?=;|\n\{{)", text, re.M)


def annotate(text, table):
    """A header's text with the attributes of its calls' rows."""
    for row in table["LOCK_CALL"]:
        words, found = attribute(row), declaration(text, row["function"])
        if words and found:
            text = f"{text[:found.end()]} __attribute__(({words})){text[found.end():]}"
    if "struct dma_resv {" in text:
        text = text.replace("struct dma_resv {", 'struct __attribute__((capability("reservation"))) dma_resv {')
        head, end, tail = text.rpartition("#endif")
        text = head + ASSERTED + end + tail
    return text


def analyse(headers, source, name=None):
    """[(file, function, what)] that Clang says of a file, or of a text."""
    arguments = [CLANG, *FLAGS, "-isystem", headers, "-isystem", "include", "-x", "c", name or "-"]
    run = subprocess.run(arguments, input=source, cwd=ROOT, capture_output=True, text=True)
    if "error:" in run.stderr:
        return [(name or "-", "", line) for line in run.stderr.splitlines() if "error:" in line]
    lines = (source or (ROOT / name).read_text()).splitlines()
    found = []
    for file, line, what in re.findall(r"^([^\s:]+):(\d+):\d+: warning: (.*?) \[-Wthread", run.stderr, re.M):
        here = lines[:int(line)] if file in (name, "<stdin>") else []
        inside = [m[1] for m in map(re.compile(r"^\w.*?\b(\w+)\(").match, here) if m]
        found.append((file, inside[-1] if inside else "", what))
    return found


def breakers(table, texts, broken):
    """C with a function for each row that Clang can look at: one that breaks it, or keeps it."""
    code = ["#include <linux/dma-buf-mapping.h>", "#include <linux/dma-buf.h>", "#include <dma-buf-sync-file.h>"]
    names = []
    for row in table["LOCK_CALL"]:
        found = next((d for d in (declaration(t, row["function"]) for t in texts) if d), None)
        if not found or not attribute(row) or row["need"] not in ("HELD", "NOT_HELD"):
            continue
        names.append(row["function"])
        arguments = ", ".join(re.search(r"(\w+)$", p.strip())[1] for p in found[1].split(","))
        locked = (row["need"] == "HELD") != broken
        lock, unlock = (f"dma_resv_lock({row['lock']}, NULL);", f"dma_resv_unlock({row['lock']});") if locked else ("", "")
        code.append(f"void breaks_{row['function']}({' '.join(found[1].split())})\n{{\n\t{lock}\n\t(void)0, {row['function']}({arguments});\n\t{unlock}\n}}")
    return "\n".join(code) + "\n", names


def clang():
    if not shutil.which(CLANG):
        print(f"TAP version 13\n1..1\nok 1 - thread-safety analysis # SKIP no {CLANG}, whose analysis knows C (apt-get install {CLANG})")
        return 0
    table = rows(TABLE.read_text())
    texts = [(ROOT / h).read_text() for h in HEADERS]
    sources = sorted(str(p.relative_to(ROOT)) for d in ("core", "drivers") for p in (ROOT / d).rglob("*.c"))
    sources = [s for s in sources if not re.search(r"-test\.c$|/test-|debug-table\.c$|program-(?:api|version)\.c$", s)]
    with tempfile.TemporaryDirectory() as folder:
        for header, text in zip(HEADERS, texts):
            path = pathlib.Path(folder) / re.sub("^(include|core)/", "", header)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(annotate(text, table))
        said = [w for s in sources for w in analyse(folder, None, s)]
        wrong, names = breakers(table, texts, True)
        heard = {function.removeprefix("breaks_") for _, function, _ in analyse(folder, wrong)}
        right = analyse(folder, breakers(table, texts, False)[0])
    checks = (
        (f"{len(sources)} files keep the rules", [": ".join(w) for w in said if w[:2] not in UNFOLLOWED]),
        ("what it cannot follow is still there", [f"{f}: {n}" for f, n in UNFOLLOWED if (f, n) not in {w[:2] for w in said}]),
        (f"each of {len(names)} rules is found broken", sorted(set(names) - heard)),
        ("and kept", [": ".join(w) for w in right]),
    )
    return tap([(what, wrong, "") for what, wrong in checks])


def tap(checks):
    print(f"TAP version 13\n1..{len(checks)}")
    for number, (what, wrong, skip) in enumerate(checks, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}{skip}")
        for name in wrong:
            print(f"# {name}")
    return any(wrong for _, wrong, _ in checks)


# --- the page ----------------------------------------------------------------------------------------------------------

def lock_cell(row):
    if row["kind"] == "NONE":
        return "any"
    if row["kind"] == "RCU":
        return "inside an RCU reader section"
    what = "" if row["lock"] == "none" else f"`{row['lock']}` "
    return what + SAYS[row["need"]]


def table_page():
    table = rows(TABLE.read_text())
    of_header = {name: h for h in HEADERS for name in misuse.functions((ROOT / h).read_text())}
    numbered = sum(r["rule"] != "00" for r in table["LOCK_CALL"])
    print(f"""
# Lock rules

{len(table["LOCK_CALL"])} calls and {len(table["LOCK_BACK"])} callbacks, {numbered} of them rules that `dmabuf check` names (LOCK-nn).  "Held" means by the calling
thread.  What the words mean is at the head of `core/locking.def`, the rows of which these are.""")
    for header in HEADERS:
        print(f"\n## {header.removeprefix('include/')}\n\n| call | whose | lock | sleeps | rule |\n|---|---|---|---|---|")
        for r in table["LOCK_CALL"]:
            if of_header.get(r["function"]) == header:
                rule = f"LOCK-{r['rule']}" if r["rule"] != "00" else ""
                print(f"| `{r['function']}` | {r['whose'].lower()} | {lock_cell(r)} | {'may' if r['sleep'] == 'SLEEPS' else 'no'} | {rule} |")
    print("\n## Callbacks\n\n| callback | whose | what it finds | may it sleep |\n|---|---|---|---|")
    for r in table["LOCK_BACK"]:
        print(f"| `{r['of']}.{r['op']}` | {r['whose'].lower()} | {lock_cell(r)} | {'yes' if r['sleep'] == 'SLEEPS' else 'no'} |")
    print("\n## Order\n\nWhoever has the left one may take the right one, and never the other way round.\n")
    print("| outer | inner | because |\n|---|---|---|")
    name = {r["class"]: r["name"] for r in table["LOCK_CLASS"]}
    for r in table["LOCK_ORDER"]:
        print(f"| `{name[r['outer']]}` | `{name[r['inner']]}` | {r['why']} |")
    print("\n| lock | what it is |\n|---|---|")
    for r in table["LOCK_CLASS"]:
        print(f"| `{r['name']}` | {r['what']} |")


def main():
    arguments = [x for x in sys.argv[1:] if x != "--long"]
    commands = {"table": table_page, "complete": complete, "clang": clang}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[arguments[0]]())


if __name__ == "__main__":
    main()
