#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots Linux with the module in virtual machines of several kinds, a stock one or one that looks for mistakes, and passes
on what its cases report.

    boot.py --arch ARCH --image vmlinuz --modules DIR[:DIR]... --guest PROGRAM --test-modules KO,... [--machine NAME]... [--case TEXT] [--long]
            [--kernel-modules NAME,...] [--files FILE,...] [--work DIR] [--strip PROGRAM]

TAP on standard output, a line for each case of each machine. A machine that does not come to its end counts as a
failed case more. Needs qemu-system for ARCH, strip for it, and no right but to read the files; of ARCH um the image is a
program that is run itself.
"""
import argparse
import itertools
import lzma
import os
import re
import shutil
import subprocess
import sys
import time

PC = "-M q35 -cpu max,-erms,-fsrm -m 3072 -serial stdio"
ARM = "-M virt,iommu=smmuv3 -cpu cortex-a72 -m 1024 -serial stdio"
EDU = "-device edu,dma_mask=0xffffffffffffffff"
ONE = "-smp 1 -accel tcg"
TWO = "-smp 2 -accel tcg,thread=multi"
# -icount makes a nanosecond of the guest's one instruction, on one CPU, the same each time.
COUNTED = "-smp 1 -accel tcg -icount shift=0,align=off,sleep=off"
# All that is reported is read back from the log.
UML = "mem=768M con=null con0=null,fd:1 log_buf_len=16M kasan_multi_shot"

# name: (architecture, QEMU's arguments, the kernel's, modules of the kernel's own, in how many seconds at most)
MACHINES = {
    "none": ("x86_64", f"{PC} {TWO} {EDU} {EDU}", "", (), 400),
    # All of its memory can be reached with the 32 bits of vivid's device.
    "drivers": ("x86_64", f"{PC} {TWO}".replace("-m 3072", "-m 1024"), "",
                ("vgem", "vkms enable_cursor=0", "vivid n_devs=2 node_types=0x1,0x1 allocators=0,1", "vim2m"), 400),
    "intel-strict": ("x86_64", f"{PC} {ONE} -device intel-iommu {EDU}", "intel_iommu=on iommu.strict=1", (), 400),
    "intel-lazy": ("x86_64", f"{PC} {ONE} -device intel-iommu {EDU}", "intel_iommu=on iommu.strict=0", (), 400),
    "virtio-iommu": ("x86_64", f"{PC} {ONE} -device virtio-iommu-pci {EDU}", "", ("virtio-iommu",), 400),
    "arm64": ("aarch64", f"{ARM} {TWO} {EDU}", "", (), 400),
    "swiotlb": ("x86_64", f"{PC} {ONE} {EDU}", "swiotlb=force", (), 400),
    "cost-none": ("x86_64", f"{PC} {COUNTED}", "", (), 400),
    "cost-strict": ("x86_64", f"{PC} {COUNTED} -device intel-iommu {EDU}", "intel_iommu=on iommu.strict=1", (), 400),
    "cost-lazy": ("x86_64", f"{PC} {COUNTED} -device intel-iommu {EDU}", "intel_iommu=on iommu.strict=0", (), 400),
    "cost-arm64": ("aarch64", f"{ARM} {COUNTED}", "", (), 400),
    "uml": ("um", UML, "", (), 600),
    # An allocation that fails within it would end the watch of mappings.
    "uml-faults": ("um", UML, "dma_debug=off", (), 600),
    "uml-planted": ("um", UML, "", (), 600),
}
# Run only when they are named.
LONGER = ("cost-strict", "cost-lazy")
CONSOLE = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
MACHINE_OPTIONS = "-nodefaults -no-user-config -no-reboot -nographic -monitor none"


def archive(files):
    """A cpio archive ("newc") of {name: bytes}, folders made as needed; programs may all be run."""
    out = bytearray()
    number = 0

    def entry(name, mode, data):
        nonlocal number
        number += 1
        head = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out.extend(b"070701" + b"".join(b"%08x" % x for x in head) + name.encode() + b"\0")
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    for folder in sorted({os.path.dirname(n) for n in files} - {""} | {"dev"}):
        entry(folder, 0o040755, b"")
    for name, data in files.items():
        entry(name, 0o100755, data)
    entry("TRAILER!!!", 0, b"")
    return bytes(out)


def kernel_module(folders, name):
    """The path of the kernel's own module of that name, and those it needs before it, each once."""
    wanted = re.compile(rf"{name.replace('-', '_')}\.ko(\.xz)?$".replace("_", "[-_]"))
    for place, _, files in itertools.chain(*map(os.walk, folders.split(":"))):
        for file in files:
            if wanted.match(file):
                path = os.path.join(place, file)
                needs = re.search(rb"(?:^|\0)depends=([^\0]*)\0", unpacked(path))[1].decode()
                return [p for n in needs.split(",") if n for p in kernel_module(folders, n)] + [path]
    raise FileNotFoundError(f"{folders} has no module {name}")


def unpacked(path):
    with open(path, "rb") as f:
        data = f.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def initramfs(arguments, modules):
    """What the machine runs: the guest as /init, its modules and in which order it loads them."""
    files = {"init": unpacked(arguments.guest)}
    for file in filter(None, arguments.files.split(",")):
        files[os.path.basename(file)] = unpacked(file)
    order = []
    paths = []
    for module in modules:
        module, _, options = module.partition(" ")
        for path in kernel_module(arguments.modules, module) if not module.endswith(".ko") else [module]:
            name = os.path.basename(path).removesuffix(".xz").removesuffix(".ko")
            if path not in paths:
                paths.append(path)
                order.append((name, options if name.replace("_", "-") == module.replace("_", "-") else ""))
    for path, (name, _) in zip(paths, order):
        kept = os.path.join(arguments.work, name + ".ko")
        with open(kept, "wb") as f:
            f.write(unpacked(path))
        subprocess.run([arguments.strip, "--strip-debug", kept], check=True)
        files[f"modules/{name}.ko"] = unpacked(kept)
    files["modules/order"] = "".join(f"{n} {o}".strip() + "\n" for n, o in order).encode()
    path = os.path.join(arguments.work, "initramfs")
    with open(path, "wb") as f:
        f.write(archive(files))
    return path


def plain_kernel(image, work):
    """The kernel without its decompressor, a second less to boot; the image itself where it cannot be taken out."""
    path = os.path.join(work, "vmlinux")
    zstd = shutil.which("zstd")
    if os.path.exists(path):
        return path
    with open(image, "rb") as f:
        data = f.read()
    start = data.find(b"\x28\xb5\x2f\xfd")
    if not zstd or start < 0:
        return image
    p = subprocess.run([zstd, "-dcq"], input=data[start:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if not p.stdout.startswith(b"\x7fELF"):
        return image
    with open(path, "wb") as f:
        f.write(p.stdout)
    return path


def boot(name, arguments, kernel, ramdisk):
    """(lines the cases wrote, why it did not come to its end or None)"""
    arch, qemu, options, _, limit = MACHINES[name]
    line = f"panic=-1 quiet loglevel=1 machine={name} {options} {'case=' + arguments.case if arguments.case else ''}" \
           f"{' long' if arguments.long else ''}"
    if arch == "um":
        command = [kernel, *qemu.split(), f"initrd={ramdisk}", f"uml_dir={os.path.abspath(arguments.work)}/", *line.split()]
    else:
        command = [f"qemu-system-{arch}", *qemu.split(), *MACHINE_OPTIONS.split(), "-kernel", kernel, "-initrd", ramdisk,
                   "-append", f"console={CONSOLE[arch]} {line}"]
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=limit * (10 if arguments.long else 1), check=False)
        output, why = p.stdout, None if p.returncode == 0 else f"{os.path.basename(command[0])} exits with {p.returncode}"
    except subprocess.TimeoutExpired as e:
        output, why = e.stdout or b"", f"not done after {limit} s"
    lines = output.decode(errors="replace").replace("\r", "").splitlines()
    with open(os.path.join(arguments.work, name + ".log"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    start = next((i for i, x in enumerate(lines) if x == "KTAP version 1"), None)
    if start is None:
        return lines[-20:], why or "it did not start"
    lines = lines[start:]
    if not why and not any(re.match(r"1\.\.\d+$", x) for x in lines):
        why = "it broke off"
    # Where it dies QEMU prints all registers.
    lines = [x for x in lines if not re.match(r"[ #]*(Q|X|R)[0-9]{2}=| ?X[0-9]{2}=", x)]
    return lines, why


def main():
    parser = argparse.ArgumentParser()
    for name in ("arch", "image", "modules", "guest", "test-modules"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--kernel-modules", default="")
    parser.add_argument("--files", default="", help="what else lies in the machine's root")
    parser.add_argument("--machine", action="append", default=[])
    parser.add_argument("--case", help="only cases whose name has this in it")
    parser.add_argument("--long", action="store_true", help="larger numbers")
    parser.add_argument("--work", default="build/linux/boot")
    parser.add_argument("--strip", default="strip")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)

    number = failed = 0
    for name, (arch, _, _, own, _) in MACHINES.items():
        if arch != arguments.arch or name not in (arguments.machine or [m for m in MACHINES if m not in LONGER]):
            continue
        begin = time.monotonic()
        modules = [*own, *filter(None, arguments.kernel_modules.split(",")), *arguments.test_modules.split(",")]
        kernel = plain_kernel(arguments.image, arguments.work) if arch == "x86_64" else arguments.image
        ramdisk = initramfs(arguments, modules)
        lines, why = boot(name, arguments, kernel, ramdisk)
        if why and not any("KTAP" in x for x in lines):
            # The emulator's own: with several CPUs its kernel dies in some of a hundred boots before it runs a program.
            print(f"# {name}: {why}; once more", flush=True)
            lines, why = boot(name, arguments, kernel, ramdisk)
        for line in lines:
            if m := re.match(r"(ok|not ok) \d+ (.*)", line):
                number += 1
                failed += m[1] != "ok"
                print(f"{m[1]} {number} - {name}: {m[2]}", flush=True)
            elif not re.search(r"^1\.\.|^KTAP|reboot: Power down$", line):
                print("# " + line.removeprefix("# "), flush=True)
        if why:
            number += 1
            failed += 1
            print(f"not ok {number} - {name}: comes to its end # {why}")
        print(f"# {name}: {time.monotonic() - begin:.1f} s", flush=True)
    print(f"1..{number}")
    return 1 if failed or not number else 0


if __name__ == "__main__":
    sys.exit(main())
