#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The planted mistakes as an array in a C header, from the table that checker/mutants/generate made.

    planted-table.py TABLE.tsv OUTPUT.h
"""
import json
import sys


def main():
    rows = []
    for line in open(sys.argv[1], encoding="utf-8"):
        name, sites, file, function, number, _, text, _ = line.rstrip("\n").split("\t")
        scenario, rule = text.split(": ", 1)
        texts = ", ".join(map(json.dumps, (name, scenario, rule, file, function)))
        rows.append(f"\t{{ {texts}, {number}, {{ {sites.replace(',', ', ')} }} }},\n")
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        f.write("/* made by planted-table.py */\n")
        f.write("const struct planted planted[] = {\n" + "".join(rows) + "\t{ 0 },\n};\n")


main()
