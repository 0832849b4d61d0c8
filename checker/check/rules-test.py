#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each rule of `dmabuf check` has a driver that keeps it and one that breaks it.

    rules-test.py DMABUF CC... WORKER EXPLORER [--long]     TAP on standard output
    rules-test.py DMABUF --table                   docs/rules.md, on standard output

The drivers are rules/*.c. Each keeps every rule, on every machine and under both policies, and breaks the one that
DMABUF_CHECK_BREAKS names; --long breaks it on every machine, too.
"""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import tap                                                  # noqa: E402
from tap import need                                        # noqa: E402

LONG, TABLE = "--long" in sys.argv, "--table" in sys.argv
DMABUF, *CC, _, _ = [w for w in sys.argv[1:] if w[:2] != "--"] + ["-", "-"] * TABLE   # the last two only have to be built
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-DLIBDMABUF", "-DLIBDMABUF_CHECKS", "-DMODULE", "-fPIC", "-shared", "-fsanitize=address", "-g", "-O1",
         "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-fno-strict-aliasing", f"-I{ROOT}/include", f"-I{ROOT}", f"-I{ROOT}/upstream/drivers/include"]
SOURCES = {os.path.basename(f)[:-2]: f for f in sorted(glob.glob(f"{HERE}/rules/*.c"))}
FOLDER = tempfile.TemporaryDirectory()
JOBS = os.cpu_count()
SHOWN_ON = {"COH-06": "bounce", "EXP-01": "bounce"}            # where no other machine would do, or the library has most to do with it
TWO_STACKS = {"COH-01", "COH-02", "COH-03", "COH-04", "COH-05", "COH-06", "DIR-03", "EXP-01", "EXP-07", "LIFE-10"}   # the call that made things so is known
EXPLORED = ("races",)                                       # also in every order of two threads; what it breaks shows only there
ALSO = {"LIFE-01": {"COH-02", "COH-06"}, "LIFE-08": {"LIFE-04"}}         # what else comes of breaking it


def build(name, *flags):
    so = os.path.join(FOLDER.name, "".join([name, *flags]) + ".so")
    p = subprocess.run([*CC, *FLAGS, *flags, f'-DKBUILD_MODNAME="{name}"', SOURCES[name], "-o", so], stderr=subprocess.PIPE, text=True)
    need(p.returncode == 0, p.stderr[:2000])
    return so


def check(name, breaks=None, machine="arm", schedules=False):
    """(exit status, {rule: finding}) of a driver that breaks a rule."""
    timeout = "3" if breaks == "RUN-02" else "60"
    machine = ["--schedules", "2000", SOURCES[name]] if schedules else ["--machine", machine, os.path.join(FOLDER.name, name + ".so")]
    env = dict(os.environ, DMABUF_CHECK_BREAKS=breaks or "")
    p = subprocess.run([DMABUF, "check", "--timeout", timeout, "--format", "json", *machine], env=env, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    need(not p.stderr and p.stdout, p.returncode, p.stderr[:2000], p.stdout[:200])
    driver, = json.loads(p.stdout)["drivers"]
    need("cannot" not in driver and (driver["ways"] or driver["findings"]), driver)
    return p.returncode, {f["rule"]: f for f in driver["findings"]}


def rules():
    return json.loads(subprocess.run([DMABUF, "check", "--list", "--format", "json"], check=True, text=True, stdout=subprocess.PIPE).stdout)


def breakers():
    """{rule: name of the driver that breaks it}"""
    return {rule: name for name, file in SOURCES.items() for rule in re.findall(r'"([A-Z]+-\d\d)"', open(file).read())}


def every_rule_is_broken_by_a_driver():
    known, broken = {rule["id"] for rule in rules()}, set(breakers())
    need(known == broken, "without a driver:", sorted(known - broken), "no rule:", sorted(broken - known))


def table():
    """docs/rules.md"""
    page = ["# What a driver that shares buffers keeps to", "",
            "The rules that `dmabuf check` looks at: its name in a report, what holds, where Linux 6.12 says so, and a driver in",
            "[checker/check/rules](../checker/check/rules) that keeps it and, told to, breaks it. Made by",
            "`checker/check/rules-test.py build/dmabuf --table` of `checker/check/rules.def`; a number is never given to another rule.", ""]
    drivers, category = breakers(), None
    for rule in rules():
        if rule["category"] != category:
            category = rule["category"]
            page += ["" if page[-1].startswith("|") else None, f"## {category[0].upper()}{category[1:]}", "", "| rule | meaning | Linux | driver |", "|---|---|---|---|"]
        advice = f"<br>What to do: {rule['advice']}" if "advice" in rule else ""
        page.append(f"| {rule['id']} | {rule['meaning']}{advice} | {rule['source']} | {drivers.get(rule['id'], '')}.c |")
    return "\n".join(line for line in page if line is not None) + "\n"


def the_page_is_what_the_table_says():
    need(open(os.path.join(ROOT, "docs", "rules.md")).read() == table(),
         "docs/rules.md is out of date: checker/check/rules-test.py build/dmabuf --table >docs/rules.md")


def keeps(name):
    def case():
        for schedules in (False, True)[:1 + (name in EXPLORED)]:
            status, found = check(name, None, "all", schedules)
            need(status == 0 and not found, json.dumps(found, indent=1)[:3000])
    case.__name__ = f"{name} keeps every rule everywhere"
    return case


def a_drm_driver_is_driven_both_ways():
    build("drm", "-DIMPORTS")
    for machine, rules_broken in (("pc", set()), ("arm", {"COH-01", "COH-02", "COH-03", "COH-04"})):
        _, found = check("drm-DIMPORTS", "pages", machine)
        need(set(found) == rules_broken, machine, sorted(found))
    _, found = check("drm-DIMPORTS", None, "bounce")
    need(set(found) == {"COH-04", "COH-06"}, sorted(found))   # mapped once, for both directions


def a_report_says_what_to_do_and_how_to_see_it_again():
    env, words = dict(os.environ, DMABUF_CHECK_BREAKS="BAL-14"), [DMABUF, "check", "--machine", "arm", "--seed", "7", "-DUNUSED=1", os.path.join(FOLDER.name, "calls.so")]
    text = subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True).stdout
    advice = {rule["id"]: rule["advice"] for rule in rules() if "advice" in rule}
    need({"BAL-14", "COH-06", "LIFE-10"} <= set(advice), advice)
    need(text.count("  what to do: ") == 1 and advice["BAL-14"] in text, text)
    again = re.search("^  again: (.*)$", text, re.M)[1].split()
    need(again[0] == DMABUF and again[-2:] == words[-2:], "called as", DMABUF, "says", again)
    repeated = subprocess.run(again, env=env, stdout=subprocess.PIPE, text=True)
    need(repeated.returncode == 1 and "BAL-14" in repeated.stdout, repeated)
    env["DMABUF_CHECK_BREAKS"] = "BAL-13"
    text = subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True).stdout
    need("BAL-13" in text and "what to do" not in text, text)


def shipped_drivers():
    """What drivers/ has: the header of what makes a device's driver, or a buffer."""
    made = re.compile(r"^struct (?:\w+ \*\w+_create\(struct device|dma_buf \*\w+_allocate\()", re.M)
    headers = glob.glob(f"{ROOT}/drivers/exporters/*.h") + glob.glob(f"{ROOT}/drivers/importers/*.h")
    return {os.path.relpath(h, ROOT) for h in headers if made.search(open(h).read())}


def every_driver_that_is_shipped_is_driven():
    with open(SOURCES["shipped"]) as f:
        text = f.read()
    driven = {name.replace(".c", ".h") for name in re.findall(r'#include "(drivers/.*)"', text)}
    lacks = shipped_drivers() - driven
    need(not lacks and len(driven) >= 7, "shipped.c drives not", lacks)


def breaks_it(rule, done):
    def case():
        status, found = done.result()
        need(status == 1 and rule in found, f"{rule} is not found, but", sorted(found))
        need(rule not in TWO_STACKS or found[rule].get("state", {}).get("stack"), "nobody is said to have made things so:", json.dumps(found[rule], indent=1)[:3000])
        need(set(found) <= {rule} | ALSO.get(rule, set()), f"beside {rule} also", json.dumps({r: f for r, f in found.items() if r != rule}, indent=1)[:3000])
    case.__name__ = f"{rule} broken is found, alone"
    return case


def main():
    if TABLE:
        sys.stdout.write(table())
        return False
    with FOLDER, concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(build, SOURCES))
        broken = [(rule, pool.submit(check, name, rule, "all" if LONG else SHOWN_ON.get(rule, "arm"), name in EXPLORED)) for rule, name in sorted(breakers().items())]
        return tap.run([every_rule_is_broken_by_a_driver, the_page_is_what_the_table_says, every_driver_that_is_shipped_is_driven, a_report_says_what_to_do_and_how_to_see_it_again, *map(keeps, SOURCES), a_drm_driver_is_driven_both_ways,
                        *[breaks_it(rule, done) for rule, done in broken]])


if __name__ == "__main__":
    sys.exit(main())
