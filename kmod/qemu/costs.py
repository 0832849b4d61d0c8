#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the machines that count instructions have said, as a page.

    costs.py FILE       FILE has their lines "# COST machine exporter bytes plain|wrapped map attach"
"""
import sys

MACHINES = {
    "cost-none": "amd64, no IOMMU",
    "cost-strict": "amd64, intel-iommu, strict",
    "cost-lazy": "amd64, intel-iommu, lazy",
    "cost-arm64": "arm64, a device that does not snoop, no IOMMU",
}
EXPORTERS = {
    "own": "4 KiB entries, mapped each time",
    "system": "system heap",
    "udmabuf": "udmabuf, kept by the core while attached",
}
SIZES = {4096: "4 KiB", 1 << 20: "1 MiB", 16 << 20: "16 MiB"}


def times(plain, wrapped):
    return f"{plain / wrapped:.1f}" if plain < 100 * wrapped else f"{plain // wrapped}"


def main():
    found = {}
    with open(sys.argv[1], encoding="ascii") as f:
        for line in f:
            _, _, machine, exporter, size, kind, kept, attached = line.split()
            found[machine, exporter, int(size), kind] = int(kept), int(attached)
    if not found:
        print("costs.py: no machine has counted anything", file=sys.stderr)
        return 1
    print("# What a mapping costs in a stock Linux, in instructions\n")
    print("Written by `./check-linux --cost`: stock kernels under QEMU's `-icount`, where one nanosecond of the guest's clock is one instruction, on one CPU")
    print("(`-cpu max,-erms,-fsrm`; `cortex-a72`); the least of five runs of eight. *plain* is the exporter's dma-buf, *kept* the wrap of it.")
    for machine, what in MACHINES.items():
        if (machine, "empty", 4096, "plain") not in found:
            continue
        empty = found[machine, "empty", 4096, "plain"]
        print(f"\n## {what}\n\nAn exporter whose map and unmap do nothing: {empty[0]} for map and unmap, {empty[1]} from attach to detach.\n")
        print("| exporter | size | map+unmap: plain | kept | times | attach, map, unmap, detach: plain | kept | times |")
        print("|---|---|---|---|---|---|---|---|")
        for exporter, name in EXPORTERS.items():
            for size, words in SIZES.items():
                plain, kept = (found[machine, exporter, size, kind] for kind in ("plain", "wrapped"))
                print(f"| {name} | {words} | {plain[0]} | {kept[0]} | {times(plain[0], kept[0])} | {plain[1]} | {kept[1]} | {times(plain[1], kept[1])} |")
        if machine == "cost-arm64":
            print("\nThe first exporter's rows cost more than without: Linux cannot say whether its own device touches the bytes, so for a device that\n"
                  "does not snoop nothing is kept, and what is added is the directory's.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
