#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`dmabuf bench --peers`: what is measured beside whom, and what its JSON looks like.  No figure of time is judged.

    peers-test.py CC DMABUF SANITIZERS

Without Debian's linux-source-6.12, or without UCX, the cases about them are skipped.  TAP on standard output.
"""
import json
import os
import subprocess
import sys
import tempfile

import tap
from tap import Skip, need

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CC, DMABUF, SANITIZERS = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3]
LINUX = ("linux-6.12", "linux-6.12-cached")
ENVIRONMENT = dict(os.environ)


def bench(*args, status=0, **environment):
    """(its rows by name, threads, bytes and n, what it printed, what it said on standard error)"""
    with tempfile.NamedTemporaryFile() as out:
        run = subprocess.run([DMABUF, "bench", "--peers", "--rounds", "1", "--pairs", "3", "--json", out.name, *args],
                             cwd=ROOT, env=dict(ENVIRONMENT, **environment), capture_output=True, text=True)
        need(run.returncode == status, run.returncode, run.stdout, run.stderr)
        rows = json.load(open(out.name)) if status == 0 else []
    return {(r["name"], r["threads"], r["bytes"], r["n"]): r for r in rows}, run.stdout, run.stderr


def has_linux():
    if "DMABUF_CORES" not in ENVIRONMENT:
        raise Skip(LOG.strip().splitlines()[-1] if LOG.strip() else "no linux-source-6.12")


def has_ucx():
    _, out, _ = bench("--only", "cached_unlocked", "--n", "10")
    for line in out.splitlines():
        if line.startswith("ucx: not measured: "):
            raise Skip(line)


def shape(rows):
    for r in rows.values():
        timed = not r["name"].split("/")[-1].startswith("memory_")
        beside = {"peers"} if timed and "/" not in r["name"] else set()
        need(set(r) == {"name", "machine", "n", "threads", "bytes", "counts"} | ({"ns"} if timed else set()) | beside, r)
        for peer in r.get("peers", {}):
            need((f"{peer}/{r['name']}", r["threads"], r["bytes"], r["n"]) in rows, "a ratio to a row that is not there", r)
            need(r["peers"][peer]["ratio"] > 0 and set(r["peers"][peer]) <= {"ratio", "target"}, r)


def targets(row):
    return {peer: one.get("target") for peer, one in row["peers"].items()}


def linux_is_beside_every_fence_and_reservation():
    has_linux()
    rows, out, _ = bench("--only", "[efirs]*")
    shape(rows)
    ours = [r for r in rows.values() if "/" not in r["name"]]
    for prefix in ("fence", "sync_file", "resv_", "export_sync_file", "import_sync_file"):
        mine = [r for r in ours if r["name"].startswith(prefix)]
        need(mine and all(targets(r) == {"linux-6.12": 1.1} for r in mine if r["name"] != "reimport"), prefix, mine)
    need(not any(r["name"].startswith("rcu") for r in ours), "RCU is the host's, not the core's")
    met, missed = (int(w) for w in out.splitlines()[-1].split() if w.isdigit())
    need(met + missed == sum(t is not None for r in ours for t in targets(r).values()), out.splitlines()[-1])


def linux_is_beside_maps_on_one_thread_and_two():
    has_linux()
    rows, _, _ = bench("--only", "cached_*", "--n", "1000")
    shape(rows)
    threads = {t for n, t, _, _ in rows if n == "cached_unlocked"}
    for name, target in (("cached_unlocked", 0.6), ("cached_locked", 1.0)):
        for t in threads:
            want = {"linux-6.12": None, "linux-6.12-cached": target}
            got = targets(rows[name, t, 4096, 1000])
            need({k: v for k, v in got.items() if k != "ucx"} == want, got)
    need(threads == {1, 2} or os.cpu_count() == 1, threads)
    rows, _, _ = bench("--only", "cached_unlocked", "--n", "1")
    need({b for n, _, b, _ in rows if n == "linux-6.12/cached_unlocked"} == {4096, 1 << 20, 16 << 20}, sorted(rows))


def ucx_is_beside_maps():
    has_ucx()
    rows, _, _ = bench("--only", "cached_*", "--n", "10")
    shape(rows)
    names = {(n, t) for n, t, _, _ in rows if n.startswith("ucx/")}
    need(names in ({("ucx/cached_unlocked", 1)},
                   {("ucx/cached_unlocked", 1), ("ucx/cached_unlocked", 2), ("ucx/cached_unlocked_shared", 2)}), names)
    need(all(targets(r)["ucx"] == 0.4 for r in rows.values() if "peers" in r), rows)


def what_is_held_is_counted():
    """Of each core the same in every run: it is counted, not measured."""
    has_linux()
    rows, out, _ = bench("--only", "memory")
    again, _, _ = bench("--only", "memory")
    shape(rows)
    need(rows == again, rows, again)
    held = {k: r["counts"].get("held_bytes", 0) for k, r in rows.items()}
    for core in ("", *(f"{peer}/" for peer in LINUX)):
        need(held[f"{core}memory_buffer", 1, 4096, 100] > 100, core, held)
        need(held[f"{core}memory_attachment", 1, 4096, 100] >= 40, core, held)
        need(held[f"{core}memory_mapped", 1, 1 << 20, 100] > 256 * 32, core, held)
    need(held["linux-6.12/memory_unmapped", 1, 1 << 20, 100] < held["linux-6.12-cached/memory_unmapped", 1, 1 << 20, 100], held)
    need(held["memory_detached", 1, 4096, 100] > 100, "ours keeps a mapping for who attaches again", held)
    need("held for one" in out, out)


def one_core_alone():
    has_linux()
    for core in ("ours", "linux-6.12"):
        rows, _, _ = bench("--only", "fence_array", "--n", "16", "--core", core)
        need([k[0] for k in rows] == [{"ours": "fence_array"}.get(core, f"{core}/fence_array")], core, rows)


def who_is_missing_is_named():
    nowhere = {"DMABUF_CORES": "/nonexistent"}
    try:
        has_ucx()
        _, out, err = bench("--only", "cached_unlocked", "--n", "10", **nowhere)
        need(out.count("linux-6.12-cached: not measured: /nonexistent/linux-6.12-cached.so") == 1, out)
    except Skip:
        _, _, err = bench("--only", "cached_unlocked", "--n", "10", status=2, **nowhere)
        need("dmabuf bench: --peers: ucx: " in err, err)
    need("dmabuf bench: --peers: linux-6.12: /nonexistent/linux-6.12.so" in err and "upstream/build" in err, err)


CASES = (linux_is_beside_every_fence_and_reservation, linux_is_beside_maps_on_one_thread_and_two, ucx_is_beside_maps,
         what_is_held_is_counted, one_core_alone, who_is_missing_is_named)
BUILT = subprocess.run([os.path.join(ROOT, "upstream", "build"), CC, SANITIZERS], capture_output=True, text=True)
LOG = BUILT.stdout + BUILT.stderr
if BUILT.returncode == 0:
    ENVIRONMENT["DMABUF_CORES"] = os.path.join(ROOT, BUILT.stdout.split()[-1])
else:
    ENVIRONMENT.pop("DMABUF_CORES", None)
    if BUILT.returncode != 77:
        sys.exit(LOG)
sys.exit(tap.run(CASES))
