#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds every flavour, runs its tests with `meson test`, and counts the single cases they report.

    tests/check.py [--long] [--only=PATTERN]        called by ./check, which installs what is needed

A test program counts once for each of its TAP lines; one that crashes, runs past its time, breaks off
before its plan or does not build counts as one failed case more. The last line is the sum.
"""
import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import time

# name, folder, meson's options, the suites (tests/meson.build) whose tests run in it
FLAVOURS = (
    ("asan", "build/asan", ["-Db_sanitize=address,undefined", "-Doptimization=1", "-Dport_points=true"],
     {"plain", "threads", "sweep", "commands"}),
    ("tsan", "build/tsan", ["-Db_sanitize=thread", "-Doptimization=1"], {"threads"}),
    ("plain", "build", [], {"tree"}),
    ("liburcu", "build/liburcu", ["-Drcu=liburcu", "-Db_sanitize=address", "-Doptimization=0"], {"rcu"}),
)
LONG = (                                                    # and with --long
    ("liburcu-tsan", "build/liburcu-tsan", ["-Drcu=liburcu", "-Db_sanitize=thread", "-Doptimization=1"], {"rcu"}),
    ("tables", "build/tables", ["-Ddebug_tables=true", "-Db_sanitize=address,undefined", "-Doptimization=1"],
     {"plain", "threads", "sweep"}),
    ("lto", "build/lto", ["-Db_lto=true"], {"plain", "threads"}),
    ("arm64", "build/arm64", ["--cross-file=tests/arm64.ini", "-Dcommand=false"], {"plain", "threads"}),
)
NEEDS = {"liburcu": "liburcu-bp", "liburcu-tsan": "liburcu-bp"}     # what pkg-config must find for a flavour
PROGRAMS = {"arm64": {"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "qemu-aarch64-static": "qemu-user-static"}}
WHOLE = {"lto"}                                             # flavours that build everything, not only what their tests need
SLOW = {"arm64"}                                            # an emulator's: no larger numbers there
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
    "PYTHONUNBUFFERED": "1",                                # meson's lines as they come
    "PYTHONDONTWRITEBYTECODE": "1",
}
START = time.monotonic()
CLEAR = "\033[K" if sys.stdout.isatty() else ""             # the rest of a line of progress


def say(text):
    print(f"[{time.monotonic() - START:4.0f} s] {text}{CLEAR}", flush=True)


def run(title, command, env=None):
    """Runs a step of the build; its output is shown when it fails. Says how far it is: on a terminal always, else now and then."""
    begin = spoke = time.monotonic()
    lines = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", env=env) as p:
        for line in p.stdout:
            lines.append(line)
            if sys.stdout.isatty():
                print(f"{title}: {line.strip()[:70]}\033[K\r", end="", flush=True)
            elif time.monotonic() - spoke > 10:
                spoke = time.monotonic()
                say(f"{title}: {line.strip()[:70]}")
    if p.returncode:
        sys.stdout.writelines(lines[-60:])
    if p.returncode or time.monotonic() - begin > 1:
        say(f"{title}: {'FAILED' if p.returncode else 'done'} in {time.monotonic() - begin:.1f} s")
    return p.returncode == 0


def count(entry):
    """(passed, failed, skipped, why) of one line of meson's log: its TAP lines, and one failed if the program went wrong."""
    passed = failed = skipped = 0
    plan = None
    for line in entry.get("stdout", "").splitlines():
        if m := re.match(r"1\.\.(\d+)(.*)", line):
            plan = int(m[1])
            if plan == 0 and "skip" in m[2].lower():
                skipped += 1
        elif m := re.match(r"(not )?ok\b(.*)", line):
            if m[1]:
                failed += 1
            elif re.search(r"# *skip", m[2], re.I):
                skipped += 1
            else:
                passed += 1
    why = ""
    if entry["result"] == "TIMEOUT":
        why = "ran past its time"
    elif plan is None:
        why = f"ended without a plan, status {entry['returncode']}"
    elif plan and plan != passed + failed + skipped:
        why = f"planned {plan} cases and reported {passed + failed + skipped}"
    elif entry["returncode"] and not failed:
        why = f"exit status {entry['returncode']} though no case failed (a sanitizer's report is above)"
    return passed, failed + bool(why), skipped, why


def skips(entry):
    """What the cases that were skipped say of themselves."""
    lines = entry.get("stdout", "").splitlines()
    return [m[1] for line in lines if (m := re.match(r"(?:ok \d+ - |1\.\.(?=0))(.*# *skip.*)", line, re.I))]


class Run:
    """What the whole run found so far."""

    def __init__(self, args):
        self.args = args
        self.env = dict(os.environ, **ENVIRONMENT)
        self.sum = [0, 0, 0]
        self.slow = []                                      # (seconds, declared, flavour/name)
        self.bad = []
        self.skipped = []
        self.matched = False                                # did --only hold of anything?

    def fail(self, what):
        self.sum[1] += 1
        self.bad.append(what)

    def configure(self, name, folder, options, env):
        new = ["meson", "setup", folder, "-Db_lundef=false", *options]
        if os.path.exists(f"{folder}/build.ninja"):
            with open(f"{folder}/meson-private/cmd_line.txt") as f:
                now = set(f.read().splitlines())
            same = {" = ".join(o[2:].split("=")) for o in options if o.startswith("-D")} <= now
            new = ["ninja", "-C", folder, "build.ninja"] if same else ["meson", "setup", "--reconfigure", *new[2:]]
        return run(f"{name}: configuring", new, env)

    def clang(self):
        """The other compiler accepts everything; counted as one case."""
        if not fnmatch.fnmatch("clang", f"*{self.args.only}*"):
            return
        self.matched = True
        compiler = next(filter(shutil.which, ("clang-14", "clang")), None)
        if not compiler:
            self.sum[2] += 1
            self.skipped.append("clang: building: no clang")
            return
        env = dict(self.env, CC=compiler)
        if self.configure("clang", "build/clang", ["-Doptimization=0"], env) and run("clang: building", ["ninja", "-C", "build/clang"], env):
            self.sum[0] += 1
        else:
            self.fail("clang: building")

    def coverage(self):
        """Branches taken, in builds of its own and so only with --long; counted as one case."""
        if not self.args.long or not fnmatch.fnmatch("coverage", f"*{self.args.only}*"):
            return
        self.matched = True
        if run("coverage: building and running", ["tests/coverage"], self.env):
            self.sum[0] += 1
        else:
            self.fail("coverage: a branch without a reason, a reason without a branch, or too few taken: tests/coverage")

    def flavour(self, name, folder, options, suites):
        library = NEEDS.get(name)
        if library and subprocess.run(["pkg-config", "--exists", library], stderr=subprocess.DEVNULL).returncode:
            self.sum[2] += 1
            self.skipped.append(f"{name}: building: no {library}")
            return None
        absent = [package for program, package in PROGRAMS.get(name, {}).items() if not shutil.which(program)]
        if absent:
            self.sum[2] += 1
            self.skipped.append(f"{name}: building: not installed: {' '.join(absent)}")
            return None
        if not self.configure(name, folder, options, self.env):
            return self.fail(f"{name}: configuring")
        tests = json.loads(subprocess.run(["meson", "introspect", "--tests", folder], check=True, stdout=subprocess.PIPE).stdout)
        tests = [t for t in tests if suites & {s.split(":")[-1] for s in t["suite"]}
                 and fnmatch.fnmatch(t["name"], f"*{self.args.only}*")]
        if not tests:
            return None
        self.matched = True
        # Only what these tests need: a program of their own lies in the folder, and some are given others.
        words = {os.path.abspath(os.path.join(folder, w)) for t in tests for w in t["cmd"]}
        made = json.loads(subprocess.run(["meson", "introspect", "--targets", folder], check=True, stdout=subprocess.PIPE).stdout)
        targets = {os.path.relpath(f, folder) for t in made for f in t["filename"] if f in words}
        if targets and not run(f"{name}: building", ["ninja", "-C", folder, *([] if name in WHOLE else sorted(targets))], self.env):
            return self.fail(f"{name}: building")
        return self.tests(name, folder, tests)

    def tests(self, name, folder, tests):
        log = f"{folder}/meson-logs/testlog.json"
        if os.path.exists(log):
            os.remove(log)
        command = ["meson", "test", "-C", folder, "--no-rebuild", *[t["name"] for t in tests]]
        if self.args.long:
            command += ["--timeout-multiplier=20", *([] if name in SLOW else ["--test-args=--long"])]
        say(f"{name}: running {len(tests)} test programs")
        begin = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", env=self.env) as p:
            for line in p.stdout:                           # ` 3/17 suite / host/port   OK   0.52s   9 subtests passed`
                if m := re.match(r"\s*(\d+/\d+)\s+.* / (\S+\s.*)", line):
                    say(f"{name} {m[1]:>6} {m[2].rstrip()}")
        say(f"{name}: ran in {time.monotonic() - begin:.1f} s")
        ran = set()
        for entry in map(json.loads, open(log) if os.path.exists(log) else ()):
            test = entry["name"].split(" / ")[-1]
            ran.add(test)
            *counts, why = count(entry)
            self.sum = [a + b for a, b in zip(self.sum, counts)]
            self.skipped += [f"{name} {test}: {why_not}" for why_not in skips(entry)]
            self.slow.append((entry["duration"], float(entry["env"].get("TEST_SECONDS", 0)), f"{name} {test}"))
            if counts[1]:
                self.report(f"{name} {test}", entry, why)
        for test in sorted({t["name"] for t in tests} - ran):
            self.fail(f"{name} {test}: not run")

    def report(self, title, entry, why):
        self.bad.append(title + (f": {why}" if why else ""))
        print(f"\n---- {title} {why}\n$ {' '.join(entry['command'])}")
        for stream in ("stdout", "stderr"):
            lines = entry.get(stream, "").splitlines()
            if stream == "stdout":                          # what passed tells nothing here
                lines = [x for x in lines if not re.match(r"ok\b", x)]
            print("\n".join(lines[-60:]))
        print("----\n", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="")
    r = Run(parser.parse_args())
    for f in FLAVOURS + (LONG if r.args.long else ()):
        r.flavour(*f)
    r.clang()
    r.coverage()
    if not r.matched and not r.bad:
        print(f"./check: --only {r.args.only}: no test program has such a name; `meson test -C build/asan --list` has them all", file=sys.stderr)
    print("\nthe ten slowest   seconds  declared")
    for seconds, declared, name in sorted(r.slow, reverse=True)[:10]:
        print(f"  {name:34} {seconds:6.1f} {declared:6.0f}")
    for what in r.skipped:
        print(f"skipped: {what}")
    for what in r.bad:
        print(f"failed: {what}")
    say("whole run")
    passed, failed, skipped = r.sum
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
