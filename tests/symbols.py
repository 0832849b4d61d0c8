#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which names leave the shared library, and under which label.

    symbols.py --write LIBDMABUF.A...   writes host/labels.h, libdmabuf.map and exports.h anew

A name leaves when an installed header declares it. dma_*, sync_file_* and libdmabuf_* keep theirs; all other kernel names
get ldb_ in front, so that a program may have its own kfree() or mutex_lock().
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEPT = re.compile(r"(dma|sync_file|libdmabuf)_")
LABEL = re.compile(r"#pragma redefine_extname (\w+) ldb_(\w+)$", re.M)
HEADERS = ("include/libdmabuf.h", "include/linux/**/*.h", "include/asm/*.h", "host/port.h", "host/warn.h", "dma/engine.h",
           "drivers/exporters/vram.h")


def declared():
    """Every word of the installed headers outside comments; more than they declare, but never less."""
    text = "\n".join(open(f).read() for g in HEADERS for f in glob.glob(os.path.join(ROOT, g), recursive=True))
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r"/\*.*?\*/", "", text, flags=re.S)))


def defined(libraries):
    out = subprocess.run(["nm", "-g", "--defined-only", *libraries], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {re.sub("^ldb_", "", w[2]) for w in map(str.split, out.splitlines()) if len(w) == 3 and not w[2].startswith("__odr_asan")}


def wanted(libraries):
    """(names that keep theirs, names that get a label)"""
    names = declared() & defined(libraries)
    kept = {n for n in names if KEPT.match(n)}
    return kept, names - kept


def written():
    labels = open(os.path.join(ROOT, "host/labels.h")).read()
    script = open(os.path.join(ROOT, "libdmabuf.map")).read()
    return {n for n in re.findall(r"^\t(\w+);", script, re.M)}, {a for a, b in LABEL.findall(labels) if a == b}


def exports():
    """The text of exports.h."""
    headers = sorted(os.path.relpath(f, os.path.join(ROOT, "include")) for g in ("linux/**/*.h", "asm/*.h", "uapi/**/*.h")
                     for f in glob.glob(os.path.join(ROOT, "include", g), recursive=True))
    return ("/* SPDX-License-Identifier: MIT */\n/*\n"
            " * exports.h - every installed header, so that what they declare is visible outside the library\n *\n"
            " * The shared library is compiled with hidden visibility and with this in front of each source: the\n"
            " * headers decide what leaves, and no source says it again.\n *\n"
            " * Written by tests/symbols.py --write; a test says when it is out of date.\n */\n"
            "#pragma GCC visibility push(default)\n/* clang-format off */\n"
            + "".join(f"#include <{h}>\n" for h in headers)
            + "".join(f'#include "{h}"\n' for h in ("host/port.h", "host/warn.h", "dma/engine.h", "drivers/exporters/vram.h",
                                                       "include/libdmabuf.h"))
            + "/* clang-format on */\n#pragma GCC visibility pop\n")


def write(libraries):
    with open(os.path.join(ROOT, "exports.h"), "w") as f:
        f.write(exports())
    kept, labelled = wanted(libraries)
    with open(os.path.join(ROOT, "host/labels.h"), "w") as f:
        f.write("/* SPDX-License-Identifier: MIT */\n/*\n"
                " * labels.h - the label under which each kernel name leaves the library, so that a program may have\n"
                " * its own kfree()\n *\n"
                " * Invariants\n"
                " *   LA1  It is included before the first declaration of any of these names, by every header that\n"
                " *        declares one: caller and library then agree, with any compiler and with LTO.\n"
                " *   LA2  Names with the prefixes dma_, sync_file_ and libdmabuf_ are not here: they are the ABI\n"
                " *        as they stand.\n *\n"
                " * Written by tests/symbols.py --write; a test says when it is out of date.\n */\n"
                "#ifndef HOST_LABELS_H\n#define HOST_LABELS_H\n\n/* clang-format off */\n")
        f.writelines(f"#pragma redefine_extname {n} ldb_{n}\n" for n in sorted(labelled))
        f.write("/* clang-format on */\n\n#endif\n")
    with open(os.path.join(ROOT, "libdmabuf.map"), "w") as f:
        f.write("# SPDX-License-Identifier: MIT\n# What the shared library exports. Written by tests/symbols.py --write.\n"
                "LIBDMABUF_0 {\nglobal:\n")
        f.writelines(f"\t{n};\n" for n in sorted(kept))
        f.write("\tldb_*;\nlocal:\n\t*;\n};\n")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] != "--write":
        sys.exit(__doc__)
    write(sys.argv[2:])
