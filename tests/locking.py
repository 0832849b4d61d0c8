#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lock rules of core/locking.def: as a table, and whether a call or a callback is without one.

    locking.py table        Markdown
    locking.py complete     TAP: every call and callback of the headers below has its row, and none is of another; the
                            rows are those of Linux's own "DOC: locking convention", where its sources can be unpacked
"""
import pathlib
import re
import subprocess
import sys

import misuse

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "core" / "locking.def"
HEADERS = tuple(f"include/linux/{name}.h" for name in (
    "dma-buf", "dma-buf-mapping", "dma-resv", "dma-fence", "dma-fence-array", "dma-fence-chain", "dma-fence-unwrap", "sync_file",
    "dma-heap"))
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
    print(f"TAP version 13\n1..{len(checks)}")
    for number, (what, wrong, skip) in enumerate(checks, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}{skip}")
        for name in wrong:
            print(f"# {name}")
    return any(wrong for _, wrong, _ in checks)


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
    if arguments not in (["table"], ["complete"]):
        sys.exit(__doc__)
    sys.exit({"table": table_page, "complete": complete}[arguments[0]]())


if __name__ == "__main__":
    main()
