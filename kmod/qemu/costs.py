#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the machines that count instructions have said, as a table.

    costs.py FILE       FILE has their lines "# COST machine exporter bytes plain|wrapped map attach"
"""
import sys

MACHINES = {
    "cost-none": "amd64, no IOMMU",
    "cost-strict": "amd64, intel-iommu strict",
    "cost-lazy": "amd64, intel-iommu lazy",
    "cost-arm64": "arm64, a device that does not snoop",
}
EXPORTERS = {"own": "4 KiB entries", "udmabuf": "udmabuf", "system": "system heap"}
SIZES = {4096: "4 KiB", 1 << 20: "1 MiB", 16 << 20: "16 MiB"}
NOTES = """
Stock kernels under QEMU's -icount: a nanosecond of the guest's clock is one instruction, on one CPU (-cpu max,-erms,-fsrm; cortex-a72);
the least of five runs of eight. plain: the exporter's dma-buf; kept: the wrap of it. What does nothing is an exporter whose map and unmap do
nothing. "4 KiB entries" maps each time; udmabuf has 4 KiB entries, too, and the core keeps its mapping while somebody is attached.
On arm64 nothing is kept of "4 KiB entries": Linux cannot say whether that exporter's own device touches the bytes, and the device does
not snoop. What is added there is the directory's.
"""


def times(plain, kept):
    return f"{plain / kept:.1f}" if plain < 100 * kept else str(plain // kept)


def main():
    found = {}
    with open(sys.argv[1], encoding="ascii") as f:
        for line in f:
            _, _, machine, exporter, size, kind, mapped, attached = line.split()
            found[machine, exporter, int(size), kind] = int(mapped), int(attached)
    if not found:
        print("costs.py: no machine has counted anything", file=sys.stderr)
        return 1
    print(f"{'instructions':38}{'map, unmap':>25}{'attach, map, unmap, detach':>37}")
    print(f"{'':15}{'exporter':14}{'size':>8} {'plain':>10}{'kept':>8}{'times':>8}{'plain':>14}{'kept':>8}{'times':>8}")
    for machine, what in MACHINES.items():
        if (machine, "empty", 4096, "plain") not in found:
            continue
        empty = found[machine, "empty", 4096, "plain"]
        print(what)
        print(f"{'':15}{'does nothing':14}{'':8} {empty[0]:10}{'':16}{empty[1]:14}")
        for exporter, name in EXPORTERS.items():
            for size, words in SIZES.items():
                plain, kept = (found[machine, exporter, size, kind] for kind in ("plain", "wrapped"))
                print(f"{'':15}{name:14}{words:>8} {plain[0]:10}{kept[0]:8}{times(plain[0], kept[0]):>8}"
                      f"{plain[1]:14}{kept[1]:8}{times(plain[1], kept[1]):>8}")
    print(NOTES, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
