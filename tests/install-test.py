#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An installed copy, used as others use it: with pkg-config and nothing of this tree.

    install-test.py BUILD-FOLDER LIBDMABUF.A LIBDRIVERS.A LIBDMABUF.SO ...      TAP on standard output
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

import symbols
import tap
from tap import need

ROOT = symbols.ROOT
BUILD, ARCHIVES, SHARED = sys.argv[1], sys.argv[2:4], sys.argv[4]
COMPILERS = [c for c in ("gcc", next(filter(shutil.which, ("clang-14", "clang")), None)) if c]
WARN = ["-Wall", "-Wextra", "-Werror"]
SUBSYSTEMS = "subsystems/"
DRIVER = {"Kbuild": "obj-m := both.o\nboth-y := a.o b.o\nccflags-y := -I$(src)/inc\n", "inc/both.h": "struct vb2_queue;\nint b(struct vb2_queue *queue);\n",
          "a.c": "#include <linux/module.h>\n#include <both.h>\nint a(void);\nint a(void) { return b(NULL); }\n",
          "b.c": "#include <media/videobuf2-dma-sg.h>\n#include <both.h>\nint b(struct vb2_queue *queue) { return queue ? queue->dma_dir : -EINVAL; }\n"}
HOME = {}                                                   # of the installed copy; see install()

OWN_NAMES = r"""
#include <libdmabuf.h>
#include <stdio.h>
static int frees, locks;
void kfree(const void *p) { frees++; }
void mutex_lock(void *lock) { locks++; }
int main(void)
{
	struct libdmabuf_buffer *buffer;

	kfree(0);
	mutex_lock(0);
	if (libdmabuf_buffer_create(1, &buffer) || libdmabuf_fini())
		return 1;
	return frees != 1 || locks != 1;
}
"""
ONLY_LINKS = r"""
#include <libdmabuf.h>
#include <dirent.h>
#include <signal.h>
static int entries(const char *folder)
{
	DIR *dir = opendir(folder);
	int count = -2;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}
int main(void)
{
	struct sigaction action;

	for (int s = 1; s < 32; s++)
		if (!sigaction(s, 0, &action) && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
			return 3;
	/* the folder that is being read is the fourth */
	return !libdmabuf_version() ? 4 : entries("/proc/self/task") != 1 ? 1 : entries("/proc/self/fd") != 4 ? 2 : 0;
}
"""



def call(*command, text=None, env=None):
    p = subprocess.run([str(c) for c in command], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       env=dict(os.environ, **(env or {})))
    need(p.returncode == 0, " ".join(map(str, command)), f"status {p.returncode}\n", p.stdout[-3000:])
    return p.stdout


def pkg(module, *what):
    return call("pkg-config", *what, module, env={"PKG_CONFIG_PATH": HOME["pc"], "PKG_CONFIG_SYSROOT_DIR": HOME["dest"]}).split()


def build_and_run(name, module, source=None, compiler="gcc"):
    program = os.path.join(HOME["dest"], name)
    call(compiler, *WARN, *pkg(module, "--cflags"), "-Wno-unused-parameter", "-Wno-sign-compare", "-x", "c", source or "-", "-o", program,
         *pkg(module, "--libs"), text=None if source else {"own": OWN_NAMES, "links": ONLY_LINKS}[name])
    return call(program, env={"LD_LIBRARY_PATH": HOME["lib"]})


def installed():
    return sorted(os.path.relpath(os.path.join(d, f), HOME["dest"]) for d, _, files in os.walk(HOME["dest"]) for f in files)


def install():
    call("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", HOME["dest"])
    for d, _, files in os.walk(HOME["dest"]):
        if "libdmabuf.pc" in files:
            HOME["pc"], HOME["lib"] = d, os.path.dirname(d)
        if "libdmabuf.h" in files and "linux" not in d:
            HOME["include"] = d
    names = installed()
    for end in ("/bin/dmabuf", "/libdmabuf.so.0", "/libdmabuf.so", "/pkgconfig/libdmabuf.pc", "/pkgconfig/libdmabuf-driver.pc",
                "/include/libdmabuf.h", "/include/libdmabuf-driver/linux/dma-buf.h", "/man1/dmabuf.1"):
        need(any(n.endswith(end) for n in names), "not installed:", end, names)
    need(not os.path.exists(os.path.join(HOME["include"], "linux")), "drivers' headers lie where programs look")


def compiles(job):
    compiler, language, flags, header = job
    p = subprocess.run([compiler, *WARN, *flags, "-fsyntax-only", "-x", language, "-"], input=f"#include <{header}>\n", text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"{compiler} {header}: {p.stdout[:500]}" if p.returncode else ""


def drivers_headers_compile_alone():
    folder = os.path.join(HOME["include"], "libdmabuf-driver")
    headers = sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files)
    need(len(headers) > 80, headers)
    flags = [*pkg("libdmabuf-driver", "--cflags"), "-Wno-unused-parameter", "-Wno-sign-compare"]
    # Those of a subsystem are found by `dmabuf check`, which looks for them first.
    first = f"-I{folder}/{SUBSYSTEMS}"
    jobs = [(c, "c", [first, *flags], h[len(SUBSYSTEMS):]) if h.startswith(SUBSYSTEMS) else (c, "c", flags, h) for c in COMPILERS for h in headers]
    need(any(first in job[2] for job in jobs), "no header of a subsystem is installed")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = [x for x in pool.map(compiles, jobs) if x]
    need(not bad, "\n".join(bad))
    need(compiles(("gcc", "c", flags, "linux/there-is-none.h")), "this can not fail")


def a_driver_is_checked_by_the_installed_copy():
    program, = (f for f in installed() if f.endswith("/bin/dmabuf"))
    folder = os.path.join(HOME["dest"], "driver")
    os.makedirs(os.path.join(folder, "inc"))
    for name, text in DRIVER.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    check = [os.path.join(HOME["dest"], program), "check", "--missing"]
    # Nothing of this tree is found by chance: the installed headers are the only ones.
    call(*check, folder, env={"LD_LIBRARY_PATH": HOME["lib"]})
    with open(os.path.join(folder, "b.c"), "a") as f:
        f.write("#include <linux/there_is_none.h>\n")
    p = subprocess.run([*check, folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ, LD_LIBRARY_PATH=HOME["lib"]))
    need(p.returncode == 1 and "b.c:4; stub: dmabuf-stubs/linux/there_is_none.h" in p.stdout, p.returncode, p.stdout)
    shutil.rmtree(folder)


def programs_header_compiles_alone():
    flags = [*pkg("libdmabuf", "--cflags"), "-pedantic"]
    jobs = [(c, "c", [*flags, "-std=c11"], "libdmabuf.h") for c in COMPILERS]
    jobs += [(c, "c++", [*flags, "-std=c++17"], "libdmabuf.h") for c in COMPILERS if c != "gcc" or shutil.which("g++")]
    bad = [x for x in map(compiles, jobs) if x]
    need(not bad, "\n".join(bad))


def examples_build_and_run():
    for name, module, line in (("share", "libdmabuf", "the encoder read: frame 2"), ("cpu", "libdmabuf", 'inside the bracket: "new"'),
                               ("heap", "libdmabuf", "the CPU reads: picture, and 1048576 bytes in one piece"),
                               ("exporter", "libdmabuf-driver", "the device read: driver"),
                               ("device", "libdmabuf-driver", "the CPU reads: gpu")):
        source = os.path.join(ROOT, "examples", name + ".c")
        need(len(open(source).readlines()) <= 60, name, "is longer than 60 lines")
        for compiler in COMPILERS:
            text = build_and_run(name, module, source, compiler)
            need(line in text, name, text)
    need('without the bracket: "new"' not in build_and_run("cpu", "libdmabuf", os.path.join(ROOT, "examples/cpu.c")), "the bracket was not needed")
    need({f[:-2] for f in os.listdir(os.path.join(ROOT, "examples")) if f.endswith(".c")} == {"share", "cpu", "heap", "exporter", "device"}, "an example without a test")


def a_program_may_have_its_own_kfree():
    build_and_run("own", "libdmabuf")


def linking_alone_does_nothing():
    build_and_run("links", "libdmabuf")


def only_our_names_leave():
    out = call("nm", "-D", "--defined-only", os.path.join(HOME["lib"], "libdmabuf.so"))
    names = {w[2].split("@")[0] for w in map(str.split, out.splitlines()) if w[1] != "A"}
    bad = [n for n in names if not re.match(r"(dma|sync_file|libdmabuf|ldb)_", n)]
    need(not bad, bad)
    need({"dma_buf_attach", "libdmabuf_fini", "ldb_kfree", "ldb_mutex_lock"} <= names, names)
    dynamic = call("readelf", "-d", os.path.join(HOME["lib"], "libdmabuf.so"))
    need("SONAME" in dynamic, "no soname")
    need(set(re.findall(r"NEEDED.*\[(.*?)\.so", dynamic)) <= {"libc", "ld-linux-x86-64", "ld-linux-aarch64"}, dynamic)


def labels_are_up_to_date():
    for want, got, what in zip(symbols.wanted(ARCHIVES), symbols.written(), ("libdmabuf.map", "host/labels.h")):
        need(want == got, what, "lacks", sorted(want - got), "has too many", sorted(got - want),
             "\nwrite all anew: tests/symbols.py --write", *ARCHIVES)
    need(open(os.path.join(ROOT, "exports.h")).read() == symbols.exports(), "exports.h lacks a header, or has too many")


def no_object_shows_more_than_leaves():
    folder = os.path.realpath(SHARED) + ".p"
    objects = [os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".o")]
    need(len(objects) > 50, folder, objects)
    table = [w for line in call("readelf", "-sW", *objects).splitlines() if len(w := line.split()) == 8]
    seen = {name: visibility for _, _, _, _, bind, visibility, index, name in table if bind == "GLOBAL" and index != "UND"}
    shown = {n for n, v in seen.items() if v == "DEFAULT"}
    leave = {w[2].split("@")[0] for w in map(str.split, call("nm", "-D", "--defined-only", SHARED).splitlines()) if w[1] != "A"}
    need(shown == leave, "shown by an object and kept back:", sorted(shown - leave), "the other way round:", sorted(leave - shown))
    need(len(seen) > len(shown), "nothing is hidden")


def uninstalling_leaves_nothing():
    for name in ("own", "links", "share", "cpu", "heap", "exporter", "device"):
        path = os.path.join(HOME["dest"], name)
        if os.path.exists(path):
            os.remove(path)
    call("ninja", "-C", BUILD, "uninstall", env={"DESTDIR": HOME["dest"]})
    need(not installed(), installed())


CASES = (install, drivers_headers_compile_alone, a_driver_is_checked_by_the_installed_copy, programs_header_compiles_alone, examples_build_and_run, a_program_may_have_its_own_kfree,
         linking_alone_does_nothing, only_our_names_leave, labels_are_up_to_date,
         no_object_shows_more_than_leaves, uninstalling_leaves_nothing)
with tempfile.TemporaryDirectory() as HOME["dest"]:
    STATUS = tap.run(CASES)
sys.exit(STATUS)
