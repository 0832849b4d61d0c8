#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One page of HTML with its style and script inside, as an array in a C header.

    embed.py PAGE.html STYLE.css SCRIPT.js... OUTPUT.h
"""
import sys


def main():
    page, style, *scripts = (open(name, encoding="ascii").read() for name in sys.argv[1:-1])
    for mark, text in (("@@STYLE@@", style), ("@@SCRIPT@@", "\n".join(scripts))):
        if page.count(mark) != 1 or "@@" in text or "</script" in text:
            sys.exit(f"embed.py: {mark} must stand once in the page, and no mark and no end of a script in what is put there")
        page = page.replace(mark, text)
    if page.count("@@") % 2:
        sys.exit("embed.py: a mark without its end")
    with open(sys.argv[-1], "w", encoding="ascii") as f:
        f.write("/* made by embed.py */\nstatic const unsigned char html_page[] = {\n")
        data = page.encode() + b"\0"
        for i in range(0, len(data), 32):
            f.write(",".join(map(str, data[i:i + 32])) + ",\n")
        f.write("};\n")


main()
