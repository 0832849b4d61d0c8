#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What holds of the library's files: hardened, made for these machines only, binary compatible with the last release.

    library-test.py LIBDMABUF.SO DMABUF COMPILER [--long]      TAP on standard output
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap
from tap import Skip, need

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED, DMABUF, COMPILER = (os.path.abspath(x) if "/" in x else x for x in sys.argv[1:4])
LONG = "--long" in sys.argv
ABI_CHANGE = 4 | 8                                          # of abidiff's status; the lower bits are its own trouble


def call(*command, **more):
    p = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    need(p.returncode == 0, " ".join(map(str, command)), f"status {p.returncode}\n", p.stdout[-3000:])
    return p.stdout


# --- hardening --------------------------------------------------------------------------------------

def lacks(file, objects=(), program=False):
    """What @file, linked from @objects, has not."""
    head, dynamic, segments, symbols = (call("readelf", "-W", o, file) for o in ("-h", "-d", "-l", "-s"))
    notes = call("readelf", "-nW", *objects) if objects else ""
    found = {
        "relro": "GNU_RELRO" in segments,
        "bind now": re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b", dynamic),
        "a stack that is not executed": re.search(r"GNU_STACK.* RW ", segments),
        "no text relocations": "TEXTREL" not in dynamic,
        "stack protector": "__stack_chk_fail" in symbols,
        "fortify": re.search(r"\b__\w+_chk@", symbols.replace("__stack_chk", "")),
        "PIE": not program or "DYN (" in head and "PIE" in dynamic,
        "branch protection": len(re.findall(r"feature: IBT, SHSTK|feature: BTI, PAC", notes)) == len(objects),
    }
    return {what for what, there in found.items() if not there}


def objects_of(file):
    folder = os.path.realpath(file) + ".p"
    return [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if f.endswith(".o")]


def files_are_hardened():
    objects = objects_of(SHARED)
    need(len(objects) > 50, objects)
    need(not lacks(SHARED, objects), SHARED, "lacks", lacks(SHARED, objects))
    if DMABUF != "none":
        need(not lacks(DMABUF, objects_of(DMABUF), True), DMABUF, "lacks", lacks(DMABUF, objects_of(DMABUF), True))


def what_is_not_hardened_is_seen():
    off = {"relro": "-Wl,-z,norelro", "bind now": "-Wl,-z,lazy", "a stack that is not executed": "-Wl,-z,execstack",
           "stack protector": "-fno-stack-protector", "fortify": "-D_FORTIFY_SOURCE=0", "PIE": "-no-pie",
           "branch protection": "-fcf-protection=none" if os.uname().machine == "x86_64" else "-mbranch-protection=none"}
    on = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-fPIE", "-pie", "-Wl,-z,relro,-z,now",
          "-fcf-protection" if os.uname().machine == "x86_64" else "-mbranch-protection=standard"]
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "a.c")
        with open(source, "w") as f:
            f.write('#include <stdio.h>\nint main(int n, char **v)\n{\n\tchar a[9];\n\tsprintf(a, "%s", *v);\n\treturn *a + n;\n}\n')

        def build(what):
            flags = [*on, *([re.sub("^-D", "-U_FORTIFY_SOURCE -D", off[what])] if what else [])]
            flags = " ".join(flags).split()
            base = os.path.join(folder, re.sub(r"\W", "-", what) or "all")
            call("cc", *[x for x in flags if not x.startswith("-Wl")], "-c", source, "-o", base + ".o")
            call("cc", *flags, base + ".o", "-o", base)
            return what, lacks(base, [base + ".o"], True)
        if call("cc", "-dumpmachine").split("-")[0] != os.uname().machine:
            raise Skip("cc is a cross compiler")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for what, missing in pool.map(build, ["", *off]):
                need(missing == ({what} if what else set()), "without", what, "found to be missing:", missing)


# --- machines ---------------------------------------------------------------------------------------

MACHINE = """[binaries]
c = {compiler}
[host_machine]
system = '{system}'
cpu_family = '{cpu}'
cpu = '{cpu}'
endian = '{endian}'
"""


def configure_stops_in_one_line():
    here = "aarch64" if os.uname().machine == "aarch64" else "x86_64"
    wrong = {                                               # name: (machine, what the line says)
        "riscv": ({"cpu": "riscv64"}, "needs x86-64 or arm64; this is riscv64"),
        "i386": ({"cpu": "x86"}, "needs x86-64 or arm64; this is x86"),
        "big": ({"endian": "big"}, "needs 64 bits, little-endian"),
        "freebsd": ({"system": "freebsd"}, "needs Linux"),
        "no-glibc": ({"flags": ["-I{folder}/no-glibc.include"]}, "needs glibc"),
    }
    if here == "x86_64":
        wrong["x32"] = ({"flags": ["-mx32"]}, "needs 64 bits, little-endian")
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/no-glibc.include")
        open(f"{folder}/no-glibc.include/features.h", "w").close()

        def refused(name):
            machine, line = wrong[name]
            with open(f"{folder}/{name}.ini", "w") as f:
                f.write(MACHINE.format(**{"system": "linux", "cpu": here, "endian": "little",
                                          "compiler": json.dumps([COMPILER]).replace('"', "'"), **machine}))
                if "flags" in machine:
                    flags = [x.format(folder=folder) for x in machine["flags"]]
                    f.write("[built-in options]\nc_args = " + json.dumps(flags).replace('"', "'") + "\n")
            p = subprocess.run(["meson", "setup", f"{folder}/{name}", ROOT, "--cross-file", f"{folder}/{name}.ini"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "CFLAGS": "", "LDFLAGS": ""})
            errors = [x for x in p.stdout.splitlines() if "ERROR" in x]
            ok = p.returncode and len(errors) == 1 and line in errors[0]
            return "" if ok else f"{name}: status {p.returncode}, not the one line `{line}`:\n{p.stdout[-1500:]}"
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            bad = [x for x in pool.map(refused, wrong) if x]
    need(not bad, "\n".join(bad))


# --- the ABI ----------------------------------------------------------------------------------------

# Programs' ABI is what libdmabuf.h declares; drivers are compiled again for each minor version (docs/stability.md).
OF_DRIVERS = "\n".join(f"[suppress_{kind}]\nsymbol_name_regexp = ^(ldb|dma|sync_file)_\n" for kind in ("function", "variable"))


def abi_broken(old, new, sources, whole, folder):
    """How @new breaks what was linked with @old: abidiff's report; "" where it does not. More symbols break nothing.

    What no header in @sources, of both, shows is not looked at; without @whole only what programs use is.
    """
    with open(f"{folder}/suppressions", "w") as f:
        f.write("" if whole else OF_DRIVERS)
    headers = []
    for i, source in enumerate(sources, 1):                 # it knows headers by their folder
        public = tempfile.mkdtemp(dir=folder)
        shown = ["include", "host/port.h", "host/warn.h"] if whole else ["include/libdmabuf.h"]
        call("cp", "-r", *[x for name in shown if os.path.exists(x := os.path.join(source, name))], public)
        headers += [f"--headers-dir{i}", public]
    p = subprocess.run(["abidiff", "--no-added-syms", "--drop-private-types", *headers,
                        "--suppressions", f"{folder}/suppressions", old, new],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    need(p.returncode & ~ABI_CHANGE == 0, "abidiff:", p.stdout)
    return p.stdout if p.returncode & ABI_CHANGE else ""


PROGRAMS_HEADER = "struct opaque;\nstruct plain { int a; };\nint libdmabuf_get(struct plain *, struct opaque *);\nint libdmabuf_end(void);\n"
DRIVERS_HEADER = "struct list { int a; };\nint ldb_get(struct list *);\n"
SOURCE = """#include <libdmabuf.h>
#include <linux/list.h>
struct opaque { int a; };
int libdmabuf_get(struct plain *x, struct opaque *y) { return x->a + y->a; }
int libdmabuf_end(void) { return 0; }
int ldb_get(struct list *x) { return x->a; }
"""
# name: ((programs' header, drivers', source), programs' ABI broken, drivers' ABI broken)
CHANGES = {
    "same": ((PROGRAMS_HEADER, DRIVERS_HEADER, SOURCE), False, False),
    "more": ((PROGRAMS_HEADER, DRIVERS_HEADER + "int ldb_more(void);\n", SOURCE + "int ldb_more(void) { return 0; }\n"), False, False),
    "opaque": ((PROGRAMS_HEADER, DRIVERS_HEADER, SOURCE.replace("opaque { int", "opaque { long b; int")), False, False),
    "struct": ((PROGRAMS_HEADER.replace("{ int", "{ long b; int"), DRIVERS_HEADER, SOURCE), True, True),
    "gone": ((PROGRAMS_HEADER.replace("int libdmabuf_end(void);", ""), DRIVERS_HEADER, SOURCE.replace("int libdmabuf_end", "static inline int end")),
             True, True),
    "argument": ((PROGRAMS_HEADER.replace("(void)", "(long)"), DRIVERS_HEADER, SOURCE.replace("(void)", "(long x)")), True, True),
    "drivers": ((PROGRAMS_HEADER, DRIVERS_HEADER.replace("{ int", "{ long b; int"), SOURCE), False, True),
}


def abi_changes_are_seen():
    if not shutil.which("abidiff"):
        raise Skip("no abidiff (package abigail-tools)")
    with tempfile.TemporaryDirectory() as folder:
        for name, (texts, _, _) in CHANGES.items():
            os.makedirs(f"{folder}/{name}/include/linux")
            for file, text in zip(("include/libdmabuf.h", "include/linux/list.h", "all.c"), texts):
                with open(f"{folder}/{name}/{file}", "w") as f:
                    f.write(text)
            call("cc", "-g", "-shared", "-fPIC", f"-I{folder}/{name}/include", f"{folder}/{name}/all.c", "-Wl,-soname,libx.so.0",
                 "-o", f"{folder}/{name}/lib.so")
        for name, (_, programs, drivers) in CHANGES.items():
            for whole, broken in (False, programs), (True, drivers):
                old, new = f"{folder}/same", f"{folder}/{name}"
                got = abi_broken(f"{old}/lib.so", f"{new}/lib.so", (old, new), whole, folder)
                need(bool(got) == broken, name, "for", "drivers" if whole else "programs", "is", "broken:\n" + got if got else "not broken")


def git(*command):
    return subprocess.run(["git", "-C", ROOT, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()


def version(meson_build):
    return re.search(r"version: '(\d+)\.(\d+)\.(\d+)", meson_build).groups()


def last_release_still_links():
    if not shutil.which("abidiff"):
        raise Skip("no abidiff (package abigail-tools)")
    if not shutil.which("git"):
        raise Skip("no git: which release was the last?")
    tag = os.environ.get("DMABUF_ABI_TAG") or git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")
    if not tag:
        raise Skip("there is no tag v... yet to compare with")
    if not LONG:
        raise Skip("only with --long: it builds " + tag)
    then, now = version(git("show", f"{tag}:meson.build")), version(open(os.path.join(ROOT, "meson.build")).read())
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/source")
        call("sh", "-c", f"git -C '{ROOT}' archive '{tag}' | tar -x -C '{folder}/source'")
        call("meson", "setup", f"{folder}/build", f"{folder}/source")
        target = next(t["filename"][0] for t in json.loads(call("meson", "introspect", "--targets", f"{folder}/build"))
                      if t["name"] == "dmabuf" and t["type"] == "shared library")
        call("ninja", "-C", f"{folder}/build", os.path.relpath(target, os.path.realpath(f"{folder}/build")))
        soname = [re.search(r"SONAME.*\[(.*)\]", call("readelf", "-d", so))[1] for so in (target, SHARED)]
        if soname[0] != soname[1]:
            need(then[:2] != now[:2], "a patch version changed the soname")
            return
        report = abi_broken(target, SHARED, (f"{folder}/source", ROOT), then[:2] == now[:2], folder)
        need(not report, "what was linked with", tag, "breaks:\n", report[:5000])


CASES = (files_are_hardened, what_is_not_hardened_is_seen, configure_stops_in_one_line, abi_changes_are_seen, last_release_still_links)
sys.exit(tap.run(CASES))
