#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What can be said of the text of every file: layout, licence line, length, and which room may include which.

    style.py            TAP on standard output
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# A room includes only itself and those before it; <linux/...> is everybody's. Tests include what they like.
ROOMS = ["host", "dma", "core", "drivers", "pipeline", "cli"]
SIDE = {"bench": "pipeline", "checker": "pipeline", "userdev": "pipeline"} # as high as this one
TEST = re.compile(r"-test\.[ch]$|/test-")
LINES = 850
# Written so that this line does not name what it forbids.
HOSTS = re.compile(r"\b(?:debian|pypi|pythonhosted|npmjs|crates|golang)[.](?:org|com|io)\b")
PLACES = re.compile(r"(?<![\w.$}])/(?:work|root|home/\w+)/")
LICENCE = re.compile(r"SPDX-License-Identifier: MIT$|SPDX-License-Identifier: MIT \*/$")


def files():
    """The repository's files; where git cannot say, all that lies here but what was built."""
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) if shutil.which("git") else None
    if git and git.returncode == 0:
        names = git.stdout.decode().split("\0")[:-1]
    else:
        names = [os.path.relpath(os.path.join(d, f), ROOT) for d, subdirs, fs in os.walk(ROOT) for f in fs
                 if not os.path.relpath(d, ROOT).split("/")[0] in ("build", "build-linux-6.12", ".git") and "__pycache__" not in d]
    return sorted(n for n in names if os.path.isfile(os.path.join(ROOT, n)))


def may_include(name, included):
    room, other = name.split("/")[0], included.split("/")[0]
    if room not in ROOMS and room not in SIDE or TEST.search(name) or other not in ROOMS + list(SIDE):
        return True
    return room == other or ROOMS.index(SIDE.get(room, room)) >= ROOMS.index(SIDE.get(other, other))


def problems(text):
    """rule -> what breaks it, over {file name: text}."""
    found = {r: [] for r in ("no blanks at a line's end, each file ends its last line", "no host or folder of one machine's own",
                             "every source names its licence", f"no source past {LINES} lines", "includes point down only",
                             "core includes only linux/ and its own", "docs/differences.md names every source that says it differs")}
    blanks, places, licence, length, arrows, core, differs = found.values()
    page = text.get("docs/differences.md", "")
    for name, t in text.items():
        source = name.endswith((".c", ".h"))
        for i, line in enumerate(t.splitlines(), 1):
            if line != line.rstrip():
                blanks.append(f"{name}:{i}")
            if HOSTS.search(line) or PLACES.search(line):
                places.append(f"{name}:{i}: {line.strip()}")
            m = re.match(r'\s*#\s*include\s+["<]([^">]+)', line) if source else None
            if m and not may_include(name, m[1]):
                arrows.append(f"{name}:{i}: {m[1]}")
            if m and name.startswith("core/") and not TEST.search(name) and not m[1].startswith(("linux/", "uapi/linux/")) and "/" in m[1]:
                core.append(f"{name}:{i}: {m[1]}")
        if source and "DIFFERS:" in t and not name.startswith("core/") and name.split("/")[-1] not in page:
            differs.append(name)
        if t and not t.endswith("\n"):
            blanks.append(f"{name}: last line")
        if source and not any(LICENCE.search(x) for x in t.splitlines()[:2]):
            licence.append(name)
        if source and t.count("\n") > LINES:
            length.append(f"{name}: {t.count(chr(10))}")
    return found


def main():
    text = {}
    for n in files():
        if n.startswith("tests/fuzz/seeds/"):               # not text, though some of it could be
            continue
        with open(os.path.join(ROOT, n), "rb") as f:
            raw = f.read()
        try:
            text[n] = raw.decode()
        except UnicodeDecodeError:                          # a clip, a picture
            pass
    sources = [n for n in text if n.endswith((".c", ".h"))]
    results = [(rule, bad, "") for rule, bad in problems(text).items()]

    # The rules can fail: each finds what is wrong in a tree made for it.
    wrong = problems({"host/a.c": '#include "dma/map.h"\nx \nhttp://deb.' + "debian" + ".org /work" + "/x\n" * 900, "core/b.h": '#include "host/port.h"',
                      "dma/c.h": "/* DIFFERS: */\n"})
    results.append(("each of these rules can be broken", [rule for rule, bad in wrong.items() if not bad], ""))

    formatter = shutil.which("clang-format-14")
    if formatter and sources:
        out = subprocess.run([formatter, "--dry-run", *sources], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        bad = [x for x in out.splitlines() if "warning:" in x or "error:" in x]
        results.append(("clang-format changes nothing", bad, ""))
    else:
        results.append(("clang-format changes nothing", [], " # SKIP no clang-format 14"))

    print(f"1..{len(results)}")
    for i, (rule, bad, skip) in enumerate(results, 1):
        print("".join(f"# {b}\n" for b in bad[:40]) + f"{'not ok' if bad else 'ok'} {i} - {rule}{skip}")
    return any(bad for _, bad, _ in results)


sys.exit(main())
