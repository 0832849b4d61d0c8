#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rows of all misuse tests (tests/misuse.h): as a table, and whether a call is without one.

    misuse.py table PROGRAM...      Markdown; PROGRAM may be a build folder, for all of its programs
    misuse.py complete PROGRAM...   TAP: every function and every ioctl of the headers below has a row or a reason

A header's functions are the names that it declares or defines in its first column, macros with arguments among them.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = (
    "include/linux/dma-buf.h",
    "include/linux/dma-buf-mapping.h",
    "include/linux/dma-fence.h",
    "include/linux/dma-fence-array.h",
    "include/linux/dma-fence-chain.h",
    "include/linux/dma-fence-unwrap.h",
    "include/linux/dma-heap.h",
    "include/linux/dma-mapping.h",
    "include/linux/dma-resv.h",
    "include/linux/scatterlist.h",
    "include/linux/sync_file.h",
    "include/libdmabuf.h",
)
IOCTLS = ("include/uapi/linux/dma-buf.h", "include/uapi/linux/dma-heap.h", "include/uapi/linux/sync_file.h")
FAMILIES = ("dma_buf", "file", "heap", "resv", "fence", "dma", "program")

ANY = "takes no argument that can be wrong"
READS = "reads or writes one field of what it is given: anything but a pointer to one crashes, as in Linux"
LOOP = "a loop over calls that have rows"
IS = "is another call with an argument filled in; that one has the rows"

NO_ROW = {
    "DEFINE_DMA_BUF_EXPORT_INFO": "defines a variable",
    "dma_buf_set_policy": "what is no policy counts as cached; for programs libdmabuf_policy_set() refuses it",
    "dma_buf_get_policy": ANY,
    "dma_buf_cache_set_budget": "every number is a budget",
    "dma_buf_cache_set_idle": "every number is a time",
    "dma_buf_count_pinned": ANY,
    "dma_buf_move_blocked": READS,
    "dma_fence_get_stub": ANY,
    "dma_fence_allocate_private_stub": "every time is one",
    "dma_fence_begin_signalling": ANY,
    "dma_fence_end_signalling": ANY,
    "dma_fence_chain_alloc": ANY,
    "dma_fence_array_for_each": LOOP,
    "dma_fence_chain_for_each": LOOP,
    "dma_fence_unwrap_for_each": LOOP,
    "dma_fence_unwrap_merge": IS,
    "dma_resv_held": READS,
    "dma_resv_usage_rw": ANY,
    "dma_resv_iter_begin": READS,
    "dma_resv_iter_end": READS,
    "dma_resv_iter_usage": READS,
    "dma_resv_iter_is_restarted": READS,
    "dma_resv_for_each_fence": LOOP,
    "dma_resv_for_each_fence_unlocked": LOOP,
    "DMA_BIT_MASK": "a constant; compilers refuse what is not 1 to 64",
    "dma_map_sg": IS,
    "dma_unmap_sg": IS,
    "dma_map_page": IS,
    "dma_unmap_page": IS,
    "dma_map_single": IS,
    "dma_unmap_single": IS,
    "dma_unmap_single_attrs": IS,
    "dma_get_cache_alignment": ANY,
    "dma_max_mapping_size": ANY,
    "sg_dma_address": READS,
    "sg_dma_len": READS,
    "sg_is_chain": READS,
    "sg_is_last": READS,
    "sg_chain_ptr": READS,
    "sg_page": READS,
    "sg_assign_page": READS,
    "sg_set_page": READS,
    "sg_set_folio": READS,
    "sg_set_buf": READS,
    "sg_mark_end": READS,
    "sg_unmark_end": READS,
    "sg_phys": READS,
    "sg_virt": READS,
    "for_each_sg": LOOP,
    "for_each_sgtable_sg": LOOP,
    "for_each_sgtable_dma_sg": LOOP,
    "for_each_sg_page": LOOP,
    "for_each_sg_dma_page": LOOP,
    "for_each_sgtable_page": LOOP,
    "for_each_sgtable_dma_page": LOOP,
    "sg_page_iter_page": READS,
    "sg_page_iter_dma_address": READS,
    "libdmabuf_version": ANY,
    "libdmabuf_policy_get": ANY,
}


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def functions(text):
    """Names that a header's text declares, defines or is a macro with arguments for."""
    text = without_comments(text).replace("\\\n", " ")
    names = set(re.findall(r"^#define (\w+)\(", text, re.M))
    for start in re.findall(r"^[A-Za-z_][^;{=#]*?\(", text, re.M):
        if not start.startswith(("typedef", "_Static_assert", "DEFINE_", "DECLARE_", "extern \"C\"")):
            names.add(re.search(r"(\w+)\s*\($", start)[1])
    return names


def ioctls(text):
    return set(re.findall(r"^#define (\w+)[ \t]+_IOW?R?\(", without_comments(text), re.M))


def programs(arguments):
    for argument in map(pathlib.Path, arguments):
        if not argument.is_dir():
            yield argument
            continue
        found = {re.sub(".*misuse_?", "", p.name) or "dma": p for p in argument.glob("tests/*_misuse*") if p.is_file()}
        for family in (*FAMILIES, *sorted(set(found) - set(FAMILIES))):
            if family in found:
                yield found[family]


def rows(arguments):
    """The lines of every program's table, or None and why not."""
    lines = []
    for program in programs(arguments):
        run = subprocess.run([program, "--table"], capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"{program} --table: exit status {run.returncode}\n{run.stderr}")
        lines += [line for line in run.stdout.splitlines() if line.startswith("| ")]
    if not lines:
        sys.exit(f"no rows in {' '.join(map(str, arguments))}: ninja -C BUILD makes the programs")
    return lines


def missing(names, called):
    return sorted(name for name in names if name not in called and name not in NO_ROW)


def complete(arguments):
    called = {re.match(r"\| `([^`]+)`", line)[1] for line in rows(arguments)}
    texts = {h: (ROOT / h).read_text() for h in HEADERS + IOCTLS}
    names = set().union(*(functions(texts[h]) for h in HEADERS), *(ioctls(texts[h]) for h in IOCTLS))
    names = {n for n in names if not n.startswith("_LINUX") and n != "LIBDMABUF_H"}
    new = texts[HEADERS[0]] + "int dma_buf_new_call(struct dma_buf *dmabuf,\n\t\t     int how);\n"
    found = [n for n in missing(functions(new), called) if n not in names]
    checks = (
        ("every call has a row or a reason", missing(names, called)),
        ("every reason is of a call without rows", sorted(n for n in NO_ROW if n not in names or n in called)),
        ("a new call without a row is found", [] if found == ["dma_buf_new_call"] else ["it is not"]),
        ("the headers are read", [] if len(names) > 200 else [f"only {len(names)} names"]),
    )
    print(f"TAP version 13\n1..{len(checks)}")
    for number, (what, wrong) in enumerate(checks, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
        for name in wrong:
            print(f"# {name}")
    return any(wrong for _, wrong in checks)


def table(arguments):
    lines = rows(arguments)
    cells = [line.split(" | ") for line in lines]
    ours = sum(c[4] == "no such call" for c in cells)
    differ = sum(c[4] not in ("same", "no such call") for c in cells)
    print(
        f"""
# Wrong calls and what they answer

{len(lines)} ways to be wrong, of {len({c[0] for c in cells})} calls. {differ} end differently than in Linux 6.12, and say
why; {ours} are of calls that Linux has not.  Every row was just run, but those that say otherwise: nothing survives them, or only a
build with sanitizers asserts the rule.  WARN is what `WARN()` says, `nothing` a call that returns nothing and says nothing.

| call | what is wrong | kind | here | Linux 6.12 | why it differs |
|---|---|---|---|---|---|"""
    )
    print("\n".join(lines))


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("table", "complete"):
        sys.exit(__doc__)
    # ./check --long says so to every test; here there is nothing larger.
    sys.exit({"table": table, "complete": complete}[sys.argv[1]]([x for x in sys.argv[2:] if x != "--long"]))


if __name__ == "__main__":
    main()
