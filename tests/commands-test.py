#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole commands as a user types them: what they answer to good and to bad input, and with which status.

    commands-test.py pipeline DMABUF [--long]   `dmabuf pipeline`, the command DMABUF
    commands-test.py schedules DMABUF [--long]  `dmabuf schedules`, of a plain build
    commands-test.py run                        ./run, ./check and what ./check counts

Bad input: exactly one line on standard error that says what and where, status 2, earlier frames whole.
TAP on standard output; each function below is a case.
"""
import contextlib
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
CLIP = os.path.join(ROOT, "tests", "clip", "clip.y4m")
CHROMA = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "mono": None}
MACHINES, POLICIES = ("pc", "pc-iommu", "arm", "arm-direct", "bounce"), ("cached", "remap")
LONG = "--long" in sys.argv
DMABUF = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else ""


def frame_size(w, h, chroma):
    sub = CHROMA[chroma]
    return w * h + (2 * -(-w // sub[0]) * -(-h // sub[1]) if sub else 0)


def y4m(w=32, h=16, chroma="420", frames=3, header=None, cut=0):
    """A stream of noise, so that a byte that comes from the wrong place shows; @cut bytes short at its end."""
    out = (header or f"YUV4MPEG2 W{w} H{h} F25:1 Ip A1:1 C{chroma}").encode() + b"\n"
    seed = 12345
    for _ in range(frames):
        pixels = bytearray()
        for _ in range(frame_size(w, h, chroma)):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            pixels.append(seed >> 16 & 255)
        out += b"FRAME\n" + bytes(pixels)
    return out[:len(out) - cut]


def parse(data, chroma):
    """(width, height, frames) of a stream that must be whole."""
    header, rest = data.split(b"\n", 1)
    words = header.decode().split()
    need(words[0] == "YUV4MPEG2", header)
    w, h = (next(int(x[1:]) for x in words if x[0] == letter) for letter in "WH")
    each = len(b"FRAME\n") + frame_size(w, h, chroma)
    need(len(rest) % each == 0, f"{len(rest)} bytes are no whole number of frames of {each}")
    need(all(rest[i:i + 6] == b"FRAME\n" for i in range(0, len(rest), each)), "a frame does not begin with FRAME")
    return w, h, len(rest) // each


def put(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def get(name):
    with open(name, "rb") as f:
        return f.read()


def call(*args, stdin=b"", timeout=120, cwd=None):
    return subprocess.run(args, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd=cwd)


def pipeline(*args, **kw):
    return call(DMABUF, "pipeline", *args, **kw)


def good(r, status=0):
    need(r.returncode == status, f"status {r.returncode}, not {status}", r.stderr.decode(errors="replace")[-2000:])
    return r.stdout.decode(errors="replace")


def bad(r, *words):
    """Status 2 and one line that has each of @words in it."""
    text = r.stderr.decode(errors="replace")
    need(r.returncode == 2, f"status {r.returncode}, not 2", text[-2000:])
    need(len(text.splitlines()) == 1, "not one line", text[-2000:])
    for w in words:
        need(re.search(w, text, re.I), f"does not say {w}", text)


# --- dmabuf pipeline ---------------------------------------------------------------------------------------------------

def every_size_and_colour():
    sizes = [(16, 16), (33, 17), (1, 1), (2, 3), (130, 5)] + ([(641, 481), (1920, 1080)] if LONG else [])
    for w, h in sizes:
        for chroma in CHROMA:
            put("in.y4m", y4m(w, h, chroma, frames=2))
            good(pipeline("--machine", "arm", "--out", "out.y4m", "in.y4m"))
            ow, oh, n = parse(get("out.y4m"), chroma)
            need(abs(2 * ow - w) <= 1 and abs(2 * oh - h) <= 1 and n == 2, f"{w}x{h} {chroma} gave {n} frames of {ow}x{oh}")


def every_machine_and_policy():
    put("in.y4m", y4m(64, 48, frames=5))
    outputs = set()
    for machine in MACHINES:
        for policy in POLICIES:
            good(pipeline("--machine", machine, "--policy", policy, "--out", "out.y4m", "in.y4m"))
            outputs.add(get("out.y4m"))
            text = good(pipeline("--machine", machine, "--policy", policy, "--half", "system", "--out", "out.y4m", "in.y4m"))
            need("half in system" in text, text)
            outputs.add(get("out.y4m"))
    need(len(outputs) == 1, "machines, policies or places disagree about the bytes")
    need("half in vram" in good(pipeline("in.y4m")), "not in the gpu's memory")
    need("half in system" in good(pipeline("--machine", "bounce", "in.y4m")), "a 32-bit device reached the gpu's memory")


def buffers_that_move():
    """A quarter of what the frames need, in the gpu's memory: whoever needs them where, the bytes are the same."""
    put("in.y4m", y4m(64, 48, frames=9))
    good(pipeline("--machine", "pc", "--out", "out.y4m", "in.y4m"))
    want = get("out.y4m")
    for i, machine in enumerate(MACHINES):
        for j, policy in enumerate(POLICIES):
            camera = ["job", "keep", "reimport"][(i + j) % 3]
            text = good(pipeline("--machine", machine, "--policy", policy, "--vram", "12K", "--move-every", "2", "--camera", camera,
                                 "--half", ["vram", "system"][j], "--json", "run.json", "--out", "out.y4m", "in.y4m"))
            need(get("out.y4m") == want, "wrong bytes", text)
            run = json.loads(get("run.json"))
            need(run["exact"] and run["vram"] == 12 << 10 and run["moves"] >= 9, run)


def compare_the_bundled_clip():
    text = good(pipeline("--compare", "--json", "runs.json", CLIP))
    need("exact" in text and "stale" not in text, text)
    page = open(os.path.join(ROOT, "docs", "generated", "compare.txt")).read().split("\n", 1)[1]
    counted = [[x for x in t.splitlines() if "pinned us" not in x] for t in (text, page)]
    need(counted[0] == counted[1], "other counts than the page's; what makes it anew: docs/generate compare.txt",
         [pair for pair in zip(*counted) if pair[0] != pair[1]])
    runs = json.loads(get("runs.json"))
    need({(r["machine"], r["policy"]) for r in runs} >= {(m, p) for m in MACHINES for p in POLICIES}, runs)
    for r in runs:
        need(r["exact"] is True and r["frames"] == 24, r)
        need(set(r["per_frame"]) >= {"sg_entries", "iommu_writes", "tlb_invalidations", "bytes_cleaned", "bytes_invalidated",
                                     "bytes_bounced", "bytes_compared", "resv_locks", "pinned_us"}, r)


def standard_input_and_output():
    r = pipeline("--machine", "arm", "--out", "-", "-", stdin=y4m(frames=4))
    need(r.returncode == 0, r.returncode, r.stderr)
    need(parse(r.stdout, "420")[2] == 4, "not four frames")


def a_page_is_written():
    put("in.y4m", y4m(frames=3))
    good(pipeline("--machine", "arm", "--report", "page.html", "in.y4m"))
    text = get("page.html").decode()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    need("<title>arm, policy cached: 3 frames of in.y4m</title>" in text and "implementation: exact." in text, text[:2000])
    need([a["name"] for a in data["agents"]] == ["CPU", "camera", "isp", "gpu", "encoder"], data["agents"])
    need(data["dropped"] == 0 and len(data["buffers"]) == 8 and len(data["fences"]) == 3 * 4, data["dropped"], data["fences"])
    count = {k: sum(e != 0 and data["kinds"][e[1]] == k for e in data["events"]) for k in data["kinds"]}
    need(count["map"] == count["unmap"] == count["unmapped"] == 3 * 3 + 3 and count["access"] == count["cpu begin"] == 3, count)
    need(count["fence signal"] == count["job"] == 3 * 4 and count["finding"] == 0, count)


def frames_and_buffers():
    put("in.y4m", y4m(frames=9))
    for buffers in ("1", "2", "7"):
        good(pipeline("--machine", "arm", "--frames", "6", "--buffers", buffers, "--out", "out.y4m", "in.y4m"))
        need(parse(get("out.y4m"), "420")[2] == 6, f"--buffers {buffers}")


def names_of_420_and_parameters():
    for header in ("YUV4MPEG2 W32 H16 F30000:1001", "YUV4MPEG2 W32 H16 C420jpeg F25:1", "YUV4MPEG2 H16 W32 C420mpeg2 XYSCSS=420MPEG2",
                   "YUV4MPEG2 W32 H16 C420paldv It A0:0 XCOLORRANGE=LIMITED"):
        put("in.y4m", y4m(header=header).replace(b"FRAME\n", b"FRAME Xthis\n", 1))
        good(pipeline("--out", "out.y4m", "in.y4m"))
        need(parse(get("out.y4m"), "420")[2] == 3, header)


def skipped_sync_is_seen_on_arm_only():
    r = pipeline("--machine", "arm", "--fault", "skip-sync", "--json", "run.json", "--png", "frame.png", CLIP)
    need(r.returncode == 1, f"status {r.returncode}, not 1", r.stderr.decode(errors="replace"))
    need(re.search(rb"frame \d+", r.stdout + r.stderr), "no frame is named", r.stdout, r.stderr)
    run = json.loads(get("run.json"))
    run = run[0] if isinstance(run, list) else run
    need(run["exact"] is False and set(run["first_wrong"]) >= {"frame", "stage", "byte"}, run)
    need(get("frame.png").startswith(b"\x89PNG\r\n"), "no picture")
    good(pipeline("--machine", "pc", "--fault", "skip-sync", CLIP))


def a_video_decoded_by_ffmpeg():
    if not shutil.which("ffmpeg"):
        raise Skip("no ffmpeg")
    put("in.mp4", b"")
    good(call("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=178x98:rate=25", "-frames:v", "20" if not LONG else "200",
              "-c:v", "libx264", "-pix_fmt", "yuv420p", "in.mp4"))
    decoded = call("ffmpeg", "-v", "error", "-nostdin", "-i", "in.mp4", "-f", "yuv4mpegpipe", "-")
    text = good(pipeline("--compare", "-", stdin=decoded.stdout))
    need("exact" in text and "stale" not in text, text)


def help_teaches():
    text = good(pipeline("--help"))
    for command in ("pipeline", "bench", "conformance", "explore", "run", "check", "schedules"):
        told = good(call(DMABUF, command, "--help"))
        need("\nExamples:\n" in told, f"{command}: no examples")
        need(good(call(DMABUF, command, "-h")) == told, f"{command} -h")
    for word in ("--machine", "--policy", "--compare", "--out", "--json", "--fault", "INPUT"):
        need(word in text, word)


def manual_names_every_option():
    manual = open(os.path.join(ROOT, "docs", "man", "dmabuf.1")).read()
    for command in ("pipeline", "bench", "conformance", "explore", "run", "check", "schedules"):
        told = good(call(DMABUF, command, "--help"))
        for option in set(re.findall(r"--([a-z]+)", told)) - {"help"}:
            need(f"Fl -{option}" in manual, f"{command} --{option} is not in docs/man/dmabuf.1")


def bench_writes_its_rows():
    good(call(DMABUF, "bench", "--rounds", "1", "--pairs", "100", "--only", "reimport", "--json", "rows.json"))
    rows = json.loads(get("rows.json"))
    need([r["bytes"] for r in rows] == [4096, 16 << 20, 1 << 30], rows)
    need(all(set(r) == {"name", "machine", "n", "threads", "bytes", "ns", "counts"} and r["ns"] > 0 for r in rows), rows)
    need(all(r["counts"]["resv_locks"] > 0 for r in rows), rows)
    for args in (("--only", "nothing"), ("--rounds", "0"), ("--pairs", "x"), ("more",), ("--json", "/dev/full")):
        bad(call(DMABUF, "bench", "--only", "fence", "--rounds", "1", "--pairs", "1", *args), "dmabuf bench")
    nowhere = call(DMABUF, "bench", "--only", "fence", "--json", "missing/x.json")
    bad(nowhere, "missing/x.json", "no such file")
    need(not nowhere.stdout, "it was measured for nothing")
    bad(call(DMABUF, "bench", "--core", "ours"), "--core ours", "--peers")
    bad(call(DMABUF, "bench", "--only", "fence", "--n", "77"), "--only fence --n 77", "--list")


def bench_runs_every_row():
    """All but those of 100000 buffers, whose loops others share."""
    names = set(good(call(DMABUF, "bench", "--list")).split())
    need(good(call(DMABUF, "bench", "--list", "--only", "fence_chain")).split() == ["fence_chain"], "--list heeds no --only")
    good(call(DMABUF, "bench", "--rounds", "1", "--pairs", "3", "--only", "[!c]*", "--json", "rows.json"))
    rows = json.loads(get("rows.json"))
    need({r["name"] for r in rows} == {n for n in names if n[0] != "c"}, names)
    need({r["machine"] for r in rows} == {"", *MACHINES}, "a machine without a row")
    keys = [(r["name"], r["machine"], r["n"], r["threads"], r["bytes"]) for r in rows]
    need(len({*keys}) == len(keys), "two rows of one name, machine, n, threads and bytes", keys)
    page = open(os.path.join(ROOT, "docs", "bench.md")).read()
    need(all(f"`{n}`" in page for n in names), "docs/bench.md says nothing of", [n for n in names if f"`{n}`" not in page])


def bench_moves_buffers_all_the_time():
    """A line for each machine and policy, and one for Linux's core if that is there."""
    page = good(call(DMABUF, "bench", "--moves", "--pairs", "4"))
    head, *rows = [line.split() for line in page.splitlines()]
    need({(r[0], r[1]) for r in rows} >= {(m, p) for m in MACHINES for p in POLICIES}, page)
    need(all(0 <= float(r[-1].rstrip("%")) <= 100 for r in rows), page)
    need(all(r[2] == "4" and int(r[3]) > 0 and float(r[5]) <= float(r[6]) <= float(r[7]) for r in rows if r[1] in POLICIES), page)
    bad(call(DMABUF, "bench", "--moves", "--pairs", "0"), "--pairs 0")


API = ("dma-buf", "dma-resv", "dma-fence", "dma-fence-array", "dma-fence-chain", "dma-fence-unwrap", "sync_file", "dma-mapping")


def code(path):
    return re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)


def api_calls():
    """(every function the API's headers declare, what each inline function and macro of theirs calls)"""
    calls, bodies = set(), {}
    for name in API:
        text = code(os.path.join(ROOT, "include", "linux", f"{name}.h"))
        bodies.update(re.findall(r"^#define (\w+)\([^)]*\)((?:.*\\\n)*.*)", text, re.M))
        text = re.sub(r"^#.*(?:\\\n.*)*", "", text, flags=re.M)
        bodies.update(re.findall(r"^static (?:__always_)?inline [^;{]*?(\w+)\([^;{]*\)\s*\{(.*?)^\}", text, re.M | re.S))
        text = re.sub(r"^(?:struct|enum|union) \w+ \{.*?^\}.*?;", "", text, flags=re.M | re.S)
        text = re.sub(r"^\{.*?^\}", "", text, flags=re.M | re.S)
        calls |= set(re.findall(r"^(?!typedef)[a-z].*?\b(\w+)\(", text, re.M))
    return calls, bodies


def bench_has_a_row_for_every_call():
    """A call of the API is in a loop of the bench, or docs/bench.md says why it is not; never both."""
    calls, bodies = api_calls()
    need(len(calls) > 150 and {"dma_buf_attach", "dma_fence_put", "dma_map_sgtable", "sync_file_create"} <= calls, calls)
    folder = os.path.join(ROOT, "bench")
    loops = [m for f in os.listdir(folder) if f.endswith(".c")
             for m in re.findall(r"^static noinline void loop_\w+\(.*?^\}", code(os.path.join(folder, f)), re.M | re.S)]
    need(len(loops) > 80, "loops are not found any more")
    measured, new = set(), set(re.findall(r"\w+", "\n".join(loops)))
    while new:
        measured |= new
        new = {w for n in new for w in re.findall(r"\w+", bodies.get(n, ""))} - measured
    page = open(os.path.join(ROOT, "docs", "bench.md")).read()
    page = page[page.index("## Calls without a row"):]
    excused = {c for row in re.findall(r"^\| (`.*?) \|", page, re.M) for c in re.findall(r"`(\w+)`", row)}
    need(calls <= measured | excused, "no loop in bench/ and no line in docs/bench.md:", sorted(calls - measured - excused))
    need(not excused - calls, "excused, but no call of the API:", sorted(excused - calls))
    need(not excused & measured, "excused, but measured:", sorted(excused & measured))


def conformance(*args):
    return call(DMABUF, "conformance", *args)


def conformance_passes():
    for policy in POLICIES:
        lines = good(conformance("--policy", policy)).splitlines()
        count = int(lines[1].removeprefix("1.."))
        need(lines[0] == "KTAP version 1" and count >= 200, lines[:2])
        need([x.split(" ")[:2] for x in lines[2:-1]] == [["ok", str(i + 1)] for i in range(count)], "not all passed", policy)
        need(lines[-1] == f"# {count} passed, 0 failed, 0 skipped", lines[-1])


def conformance_says_who_differs():
    """What a core answers otherwise than the rule is a line of docs/differences.md."""
    lines = open(os.path.join(ROOT, "docs", "differences.md")).read().splitlines()
    cells = [[cell.strip() for cell in x.split("|")] for x in lines if x.startswith("|")]
    cases = json.loads(good(conformance("--list", "--json", "-")))
    need(all(c["rule"] and c["source"] for c in cases), "no rule or source")
    for c in cases:
        for other in c["otherwise"]:
            told = {row[1 if other["runs"] else 2] for row in cells}
            need(other["why"] in told, c["name"], other["why"], "is not in docs/differences.md")
            need(other["runs"] or not set(other["cores"]) & set(POLICIES), c["name"], "our core must survive it")
    remap = {o["why"] for c in cases for o in c["otherwise"] if "remap" in o["cores"]}
    need(remap and not any("cached" in why for why in remap), "what policy remap has to itself", remap)


def conformance_takes_names():
    names = [c["name"] for c in json.loads(good(conformance("--json", "-", "map.refused_e*", "cpu.vmap_held")))]
    need(len(names) == 6 and all(n.startswith("map.refused_e") for n in names[:5]) and names[5] == "cpu.vmap_held", names)
    good(conformance("--json", "out.json", "move.tells"))
    need([c["verdict"] for c in json.loads(get("out.json"))] == ["pass"], get("out.json"))
    need("move.tells" in good(conformance("--list")), "--list")


def conformance_compares():
    text = good(conformance("--compare", "attach.asks_exporter", "map.held"))
    need(text.startswith("\nattach.asks_exporter: ") and "\n  why cached: exporter's `attach`, `detach`\n" in text, text)
    need(text.endswith("\n2 cases: 1 answered alike by all, 1 not, 0 of them without a reason\n"), text)
    for args in (("--policy", "remap"), ("--json", "-"), ("--list",)):
        bad(conformance("--compare", *args), "--compare")
    for args in (("--core", "nowhere"), ("--core", "/dev/null"), ("--compare", "--core", "nowhere")):
        bad(conformance(*args), "--core", "nowhere|/dev/null")


def conformance_refuses():
    bad(conformance("nothing"), "nothing", "no case")
    bad(conformance("--policy", "pinned"), "pinned", "cached or remap")
    bad(conformance("--json", "/dev/full", "move.tells"), "/dev/full")


def explore(*args):
    return call(DMABUF, "explore", *args)


def explore_is_clean():
    rows = [r.split() for r in good(explore("--ops", "3")).splitlines()[1:]]
    need(len(rows) >= 50 and all(r[2] == "3" and r[-1] == "clean" for r in rows), rows)
    need({("widens", "cpu,nc,b"), ("narrow", "cpu,b,b"), ("pins", "cpu,dco,db"), ("blind", "own,nc,b")} <= {tuple(r[:2]) for r in rows}, rows)


def explore_reaches():
    """The CPU with every pair of devices, on two processors."""
    ops = "8" if LONG else "5"
    rows = [r.split() for r in good(call(DMABUF, "explore", "--ops", ops, "--jobs", "2", timeout=1500)).splitlines()[1:]]
    need(all(r[2] in (ops, "all") and r[-1] == "clean" for r in rows), rows)
    leaves = {tuple(r[:2]): int(r[5]) for r in rows}
    need(leaves["pins", "cpu,nc,b"] and (not LONG or leaves["widens", "cpu,nc,b"]), "nothing left beside a writer", leaves)


def explore_shows_the_shortest_program():
    done = explore("--agents", "cpu,nc", "--fault", "unmap-syncs", "--ops", "8", "--json", "out.json", "--report", "page.html")
    world = json.loads(get("out.json"))[0]
    need(done.returncode == 1 and done.stdout.decode().endswith(world["text"]), done)
    need(world["verdict"] == "violated" and world["length"] == 6, world)
    need("  7  idle mappings are reclaimed\n  => cpu reads" in world["text"], world["text"])
    page = get("page.html").decode()
    need("It ends so: cpu reads" in page and '"text":"idle mappings are reclaimed"' in page, page[:2000])


def explore_takes_options():
    worlds = json.loads(good(explore("--agents", "cpu,co,nc", "--exporter", "narrow", "--lines", "1", "--ops", "5", "--jobs", "1", "--json", "-")))
    need([(w["agents"], w["exporter"], w["verdict"], w["length"]) for w in worlds] == [("cpu,co,nc", "narrow", "clean", 5)], worlds)
    need(worlds[0]["states"] > 1000 and worlds[0]["programs"] > worlds[0]["states"], worlds)
    done = explore("--agents", "cpu,nc,b", "--ops", "40", "--seconds", "1")
    need(done.returncode == 0 and b"stopped" in done.stdout, done)


def explore_refuses():
    bad(explore("--agents", "cpu,gpu"), "cpu,gpu", "no such agent")
    bad(explore("--ops", "x"), "x", "--ops")
    bad(explore("--exporter", "pins"), "--agents")
    bad(explore("--agents", "cpu", "--exporter", "system"), "system", "widens")
    bad(explore("--fault", "all"), "all", "--fault")
    bad(explore("--lines", "9"), "9", "--lines")
    bad(explore("more"), "more")
    bad(explore("--agents", "cpu", "--ops", "1", "--json", "/dev/full"), "/dev/full")
    bad(explore("--agents", "cpu", "--ops", "1", "--report", "/dev/full"), "/dev/full", "space")
    bad(explore("--agents", "cpu", "--ops", "1", "--report", "missing/x.html"), "missing/x.html", "no such file")
    bad(explore("--ops", "1", "--report", "x.html"), "--report", "--agents")
    shutil.copy(DMABUF, "elsewhere")
    bad(call("./elsewhere", "explore", "--mutations"), "--mutations", "built")
    open("none.tsv", "w").close()
    judge = os.path.join(ROOT, "checker", "mutants", "judge")
    bad(call(judge, "none.tsv", DMABUF, "--only", "nothing"), "--only nothing", "mutations.txt")
    bad(call(judge, "missing.tsv", DMABUF), "missing.tsv", "not built yet", "ninja")


def broken_headers():
    for data, word in ((b"", "in.y4m"), (b"RIFF....AVI LIST", "in.y4m"), (b"YUV4MPEG2", "in.y4m"), (y4m(header="YUV4MPEG2 H16 F25:1"), "width|W"),
                       (y4m(header="YUV4MPEG2 W32 F25:1"), "height|H"), (y4m(header="YUV4MPEG2 W0 H16"), "width|W"),
                       (y4m(header="YUV4MPEG2 W-4 H16"), "width|W"), (y4m(header="YUV4MPEG2 W99999999999999999999 H16"), "width|W"),
                       (y4m(header="YUV4MPEG2 W2147483647 H2147483647"), "."), (y4m(header="YUV4MPEG2 W12x H16"), "W"),
                       (y4m(header="YUV4MPEG2 W32 H16 C420p10"), "420p10"), (y4m(header="YUV4MPEG2 W32 H16 Cnonsense"), "nonsense"),
                       (b"YUV4MPEG2 W32 H16" + b" X" * 100000, "in.y4m|header"), (b"YUV4MPEG2 W3\x002 H16\n", ".")):
        put("in.y4m", data)
        bad(pipeline("in.y4m"), word)
        bad(pipeline("-", stdin=data))


def truncated_frames():
    for cut in (1, 100, frame_size(32, 16, "420"), frame_size(32, 16, "420") + 3):
        put("in.y4m", y4m(frames=3, cut=cut))
        bad(pipeline("--out", "out.y4m", "in.y4m"), "frame", r"\d")
        need(parse(get("out.y4m"), "420")[2] == 2, f"cut by {cut}: the two frames before it are not there")


def a_frame_that_is_none():
    data = bytearray(y4m(frames=3))
    i = data.index(b"FRAME\n", data.index(b"FRAME\n") + 6 + frame_size(32, 16, "420"))
    data[i:i + 5] = b"FRAMX"
    put("in.y4m", bytes(data))
    bad(pipeline("--out", "out.y4m", "in.y4m"), "frame")
    need(parse(get("out.y4m"), "420")[2] == 1, "the frame before it is not there")


def a_stream_of_no_frames():
    put("in.y4m", y4m(frames=0))
    bad(pipeline("in.y4m"), "in.y4m|frame")


def unknown_options_and_values():
    put("in.y4m", y4m())
    for args, word in ((["--nonsense", "in.y4m"], "nonsense"), (["--machine", "vax", "in.y4m"], "vax.*arm-direct"), (["--policy", "none", "in.y4m"], "none"),
                       (["--frames", "many", "in.y4m"], "many"), (["--frames", "-1", "in.y4m"], "-1"), (["--buffers", "0", "in.y4m"], "buffers"),
                       (["--buffers", "99999999999999999999", "in.y4m"], "buffers"), (["--fault", "luck", "in.y4m"], "luck"),
                       (["--half", "double", "in.y4m"], "double.*vram"), (["--half", "vram", "--fault", "skip-sync", "in.y4m"], "--half vram"),
                       (["--vram", "1X", "in.y4m"], "1X.*64K"), (["--vram", "0", "in.y4m"], "'0'"), (["--move-every", "2", "in.y4m"], "needs --vram"),
                       (["--vram", "1M", "--fault", "skip-sync", "in.y4m"], "--vram"),
                       (["--seed", "3", "in.y4m"], "seed.*--fault"), (["--out"], "out"), ([], "input"), (["in.y4m", "more.y4m"], "more.y4m"), (["--machine="], "machine"),
                       (["--heap", "linux-cma", "in.y4m"], "linux-heaps.so.*upstream/build"), (["--heap", "linux-cma", "--report", "r.html", "in.y4m"], "report.*heaps"), (["--core", "none", "in.y4m"], "none.so"), (["--core", "./in.y4m", "in.y4m"], "core.*in.y4m"),
                       (["--core", "a", "--core", "b", "in.y4m"], "core.*more than one"), (["--core", "a", "--policy", "remap", "in.y4m"], "core.*policy"),
                       (["--compare", "--report", "x.html", "in.y4m"], "compare.*--report"), (["--report"], "report"),
                       (["--report", "in.y4m", "in.y4m"], "in.y4m.*overwritten"),
                       (["--compare"] + ["--core", "a"] * 3 + ["in.y4m"], "core.*2")):
        bad(pipeline(*args), word)
    bad(call(DMABUF, "nonsense"), "nonsense")


def unreadable_input():
    bad(pipeline("missing.y4m"), "missing.y4m", "no such file")
    bad(pipeline("."), r"\.")


def unwritable_outputs():
    put("in.y4m", y4m())
    for option in ("--out", "--json", "--png", "--report"):
        r = pipeline(option, "missing/file", "in.y4m")
        bad(r, "missing/file", "no such file")
        need(not r.stdout, "told after the work, not before", r.stdout)
        bad(pipeline(option, ".", "in.y4m"), r"\.")
    for option in ("--out", "--json", "--png", "--report"):
        bad(pipeline(option, "/dev/full", "in.y4m"), "/dev/full", "space")


def a_reader_that_goes_away():
    """A closed pipe: status 2 and a line, or SIGPIPE's end; no hang, no sanitizer's report."""
    put("in.y4m", y4m(64, 64, frames=40))
    p = subprocess.Popen([DMABUF, "pipeline", "--out", "-", "in.y4m"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(10)
    p.stdout.close()
    text = p.stderr.read().decode(errors="replace")
    need(p.wait(timeout=60) in (2, -13) and "Sanitizer" not in text, p.returncode, text)


# --- dmabuf schedules --------------------------------------------------------------------------------------------------

def schedules(*args):
    return call(DMABUF, "schedules", *args, timeout=1500)


# Every order of these is run: within a second or two each, and within minutes.
EXHAUSTED = ("map-freeze", "map-move", "map-map", "map-held-map", "map-widen", "map-held-move", "map-detach", "hit-bracket", "held-bracket", "out-seen", "held-out-seen",
             "bracket-held", "two-devices",
             "fence-added", "fence-timeout", "fence-any", "fence-poll", "readers-replace", "readers-append", "two-locks")
EXHAUSTED_LONG = ("map-move-reclaim", "map-held-detach")


def schedules_are_clean():
    rows = [r.split() for r in good(schedules("--seconds", "60" if LONG else "1")).splitlines()[1:]]
    need(rows and all(r[-1] == "clean" for r in rows), rows)
    for name in EXHAUSTED + EXHAUSTED_LONG * LONG:
        rows = [r.split() for r in good(schedules("--scenario", name, "--seconds", "900" if LONG else "100")).splitlines()[1:]]
        need(rows[0][:2] == [name, "all"], "not every order was run", rows)


def schedules_find_what_is_planted():
    rows = [r.split() for r in good(schedules("--planted", "--seconds", "20")).splitlines()[1:]]
    need(len(rows) >= 30 and all(r[2].isdigit() for r in rows), rows)
    need(sum(r[0].startswith("order-") for r in rows) >= 10, "few orders", rows)


def schedules_repeat():
    plant = ("--scenario", "map-freeze", "--plant", "thaw-wakes-nobody")
    texts = []
    for _ in range(2):
        done = schedules(*plant, "--runs", "100000")
        texts.append(re.sub(r" +\S+  fails", "", done.stdout.decode()))
        need(done.returncode == 1 and "asleep for ever: map" in texts[-1], done)
    need(texts[0] == texts[1], "two runs differ", *texts)
    words = texts[0].splitlines()[-1].split()
    need(words[:2] == ["dmabuf", "schedules"], words)
    again = call(DMABUF, *words[1:])
    need(again.returncode == 1 and "asleep for ever: map" in again.stdout.decode(), again)
    sound = call(DMABUF, *(w for w in words[1:] if w not in plant[2:]))
    need(sound.returncode == 0, "it fails without what was planted", sound)


def schedules_refuse():
    bad(schedules("--scenario", "map-thaw"), "map-thaw", "no such scenario")
    bad(schedules("--plant", "nothing"), "nothing", "no such mistake")
    bad(schedules("--seconds", "x"), "x", "--seconds")
    bad(schedules("--replay", "1=1"), "--replay", "--scenario")
    bad(schedules("--scenario", "map-freeze", "--replay", "1,2"), "1,2", "--replay")
    bad(schedules("more"), "more")
    shutil.copy(DMABUF, "elsewhere")
    bad(call("./elsewhere", "schedules"), "dmabuf-schedules", "no such file")


# --- ./run and ./check --------------------------------------------------------------------------------------------------

def run_command(*args, **kw):
    return call(os.path.join(ROOT, "run"), *args, **kw)


def run_shows_the_grid():
    text = good(run_command())
    need("exact" in text and "stale" not in text, text)


def run_takes_a_stream():
    put("small.y4m", y4m(frames=2))
    need("exact" in good(run_command("small.y4m")), "a file beside the caller")
    need("exact" in good(run_command("-", stdin=get("small.y4m"))), "standard input")
    need("setup included" in good(run_command("--frames", "1", CLIP)), "--frames")


def run_takes_what_ffmpeg_reads():
    if not shutil.which("ffmpeg"):
        raise Skip("no ffmpeg")
    for codec, pixels in (("libx264", "yuv420p"), ("libx264", "yuv444p"), ("ffv1", "gray")):
        good(call("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", "5", "-c:v", codec,
                  "-pix_fmt", pixels, "a clip.mkv"))
        text = good(run_command("a clip.mkv"))
        need("exact" in text and "stale" not in text, pixels, text)
    put("notes.txt", b"not a video\n")
    bad(run_command("notes.txt"), "notes.txt", "no video")


def run_refuses_what_it_cannot():
    bad(run_command("--nonsense"), "nonsense")
    bad(run_command("--frames", "0"), "frames.*0")
    bad(run_command("--frames"), "frames")
    bad(run_command("missing.y4m"), "missing.y4m", "no such file")
    bad(run_command("."), "folder")
    bad(run_command("one.y4m", "two.y4m"), "two.y4m")
    bad(run_command("my_driver.c"), "my_driver.c", "no such file")
    put("broken.y4m", b"YUV4MPEG2 W0\n")
    r = run_command("broken.y4m")
    need(r.returncode == 2, r.returncode, r.stderr)


def porting_page_is_true():
    """The page's program, built by the page's line, prints what the page says; without CPU access the CPU reads old bytes."""
    page = open(os.path.join(ROOT, "docs", "porting.md")).read()
    source = re.search(r"```c\n(.*?)```", page, re.S)[1]
    command = re.search(r"^\$ (gcc .*)", page, re.M)[1].replace("-Iinclude -I.", f"-I{ROOT}/include -I{ROOT}").replace("build/", f"{ROOT}/build/")
    want = re.search(r"\$ \./grabber\n(.*?)```", page, re.S)[1]
    good(run_command())                                     # builds the libraries
    for text, printed in ((source, want), (re.sub(r".*_cpu_access.*\n", "", source), re.sub(r"reads \d", "reads 0", want))):
        put("grabber.c", text.encode())
        need(call("sh", "-c", command).returncode == 0, command)
        r = call("./grabber")
        need(good(r) == printed and not r.stderr, r.stdout, r.stderr)


def help_of_both():
    need("INPUT" in good(run_command("--help")), "./run --help")
    need("--long" in good(call(os.path.join(ROOT, "check"), "--help")), "./check --help")
    bad(call(os.path.join(ROOT, "check"), "--nonsense"), "nonsense")
    bad(call(os.path.join(ROOT, "check"), "--only"), "pattern")


def check_counts_what_went_wrong():
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(ROOT, "tests"))
    from check import count, skips
    for stdout, returncode, result, want in (
            ("1..3\nok 1 - a\nok 2 - b # SKIP no\nok 3 - c\n", 0, "OK", (2, 0, 1)),
            ("ok 1 - a\nnot ok 2 - b\n1..2\n", 1, "FAIL", (1, 1, 0)),
            ("1..0 # SKIP nothing here\n", 0, "SKIP", (0, 0, 1)),
            ("1..2\nok 1 - a # of 2, skip me not\nok 2 - ok\n", 0, "OK", (2, 0, 0)),
            ("1..1\nnot ok 1 - a # SKIP said the failed one\n", 1, "FAIL", (0, 1, 0)),
            ("", -11, "ERROR", (0, 1, 0)),                                  # crashed at once
            ("1..3\nok 1 - a\n", -6, "ERROR", (1, 1, 0)),                   # crashed in the second
            ("1..3\nok 1 - a\nok 2 - b\n", 0, "ERROR", (2, 1, 0)),          # left early and called it good
            ("1..1\nok 1 - a\n", 66, "ERROR", (1, 1, 0)),                   # a sanitizer spoke at its end
            ("1..2\nok 1 - a\n", -15, "TIMEOUT", (1, 1, 0))):
        got = count({"stdout": stdout, "returncode": returncode, "result": result})
        need(got[:3] == want, stdout, got)
        need(len(skips({"stdout": stdout})) == got[2], "skipped ones are named", stdout)


PIPELINE = (help_teaches, manual_names_every_option, bench_writes_its_rows, bench_runs_every_row, bench_moves_buffers_all_the_time,
            bench_has_a_row_for_every_call, every_size_and_colour,
            every_machine_and_policy, buffers_that_move, compare_the_bundled_clip, standard_input_and_output, a_page_is_written,
            frames_and_buffers, names_of_420_and_parameters, skipped_sync_is_seen_on_arm_only,
            a_video_decoded_by_ffmpeg, broken_headers, truncated_frames, a_frame_that_is_none,
            a_stream_of_no_frames, unknown_options_and_values, unreadable_input, unwritable_outputs,
            a_reader_that_goes_away)
CONFORMANCE = (conformance_passes, conformance_says_who_differs, conformance_takes_names, conformance_compares,
               conformance_refuses)
EXPLORE = (explore_is_clean, explore_shows_the_shortest_program, explore_takes_options, explore_refuses)
REACH = (explore_reaches,)
SCHEDULES = (schedules_are_clean, schedules_find_what_is_planted, schedules_repeat, schedules_refuse)
RUN = (help_of_both, run_shows_the_grid, run_takes_a_stream, run_takes_what_ffmpeg_reads, run_refuses_what_it_cannot,
       porting_page_is_true, check_counts_what_went_wrong)


@contextlib.contextmanager
def folder_of_its_own():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(ROOT)


CASES = {"pipeline": PIPELINE, "conformance": CONFORMANCE, "explore": EXPLORE, "reach": REACH, "schedules": SCHEDULES, "run": RUN}
sys.exit(tap.run(CASES[sys.argv[1]], folder_of_its_own))
