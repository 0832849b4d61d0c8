#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/security.md says what is kept by which test: every file, program and case of its tables exists.

    security.py         TAP on standard output

A test's cell is `PROGRAM` CASE, PROGRAM as in a meson.build and CASE one of its KTAP_CASE()s.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "security.md"
LIBRARY = ("host", "dma", "core", "drivers")
ROWS = 40                                                   # no fewer: else the table was not read


def programs():
    """The first source of each test program, by the program's name."""
    found = {}
    for build in ROOT.glob("*/meson.build"):
        text = build.read_text()
        for name, source in re.findall(r"\['([\w/-]+)', files\('([\w/-]+-test\.c)'", text):
            found[name] = build.parent / source
        for source in re.findall(r"executable\('\w+', '\.\./([\w/-]+)-test\.c'", text):
            found[source] = ROOT / f"{source}-test.c"
    return found


def rows(text):
    """(files, program, case) of each line of the tables that have a column "test"; None for what is not as it must be."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[-1] == "test":
            inside = True
        elif inside and not re.fullmatch(r"[|-]+", line):
            test = re.fullmatch(r"`([\w/-]+)` (\w+)", cells[-1])
            yield re.findall(r"`([^`]+)`", cells[-2]), test and test[1], test and test[2], line


def wrong(text):
    """What is said in the tables of @text and is not so."""
    tests = programs()
    for files, program, case, line in rows(text):
        if not files or not program:
            yield f"no file, program or case: {line}"
            continue
        yield from (f"there is no {name}: {line}" for name in files if not (ROOT / name).is_file())
        if program not in tests:
            yield f"there is no program {program}: {line}"
        elif not re.search(rf"KTAP_CASE\({case}\)", tests[program].read_text()):
            yield f"{program} has no case {case}"


def pointers():
    """Messages of the library in which an address of the process would stand."""
    for room in LIBRARY:
        for source in (ROOT / room).rglob("*.[ch]"):
            if not re.search(r"-test\.c$|/test-", str(source)):
                for number, line in enumerate(source.read_text().splitlines(), 1):
                    if re.search(r'"[^"]*%p', line):
                        yield f"{source.relative_to(ROOT)}:{number}"


def main():
    text = PAGE.read_text()
    last = "| a device | x | `dma/bounce.c` | `dma/apart` slots_forget |"
    planted = {
        "without a test": last.replace("`dma/apart` slots_forget", ""),
        "of a case that is not": last.replace("slots_forget", "slots_remember"),
        "of a program that is not": last.replace("dma/apart", "dma/together"),
        "of a file that is not": last.replace("bounce.c", "jump.c"),
    }
    header = "| who | must not be able to | kept by | test |\n|---|---|---|---|\n"
    checks = [
        ("the tables are read", [] if len(list(rows(text))) >= ROWS else [f"only {len(list(rows(text)))} rows"]),
        ("every line has a file and a test that exist", list(wrong(text))),
        ("a line as it must be is found right", list(wrong(header + last))),
        *((f"a line {what} is found", [] if len(list(wrong(header + row))) == 1 else ["it is not"]) for what, row in planted.items()),
        ("no message prints an address of the process", list(pointers())),
    ]
    print(f"TAP version 13\n1..{len(checks)}")
    for number, (what, bad) in enumerate(checks, 1):
        print(f"{'not ok' if bad else 'ok'} {number} - {what}")
        for line in bad:
            print(f"# {line}")
    return any(bad for _, bad in checks)


sys.exit(main())
