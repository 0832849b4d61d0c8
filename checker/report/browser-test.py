#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pages of `dmabuf pipeline --report` and `dmabuf check --report` in a browser without a screen: what they show, tell and ask for.

    browser-test.py DMABUF FOLDER [WORKER]   the command, where pictures of the pages go, and what `dmabuf check` stands on
TAP on standard output; each function below is a case.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import browser

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import tap                                                  # noqa: E402
from tap import need                                        # noqa: E402

CLIP = os.path.join(ROOT, "tests", "clip", "clip.y4m")
DEVICES = ["CPU", "camera", "isp", "gpu", "encoder"]


def page(dmabuf, name, *options, clip=CLIP, status=0):
    r = subprocess.run([dmabuf, "pipeline", *options, "--report", name, clip], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    need(r.returncode == status, f"status {r.returncode}", r.stderr.decode(errors="replace")[-800:])
    return name


def events(name):
    return json.loads(re.search(r'id="data">(.*?)</script>', open(name, encoding="ascii").read(), re.S)[1])["events"]


def opened(b, name):
    """The page, of which nothing else was loaded and nothing complained."""
    b.requests.clear()
    b.complaints.clear()
    b.open(name)
    need([os.path.basename(r) for r in b.requests] == [os.path.basename(name)], "it asked for", b.requests)
    need(not b.complaints, *b.complaints)


def count(b, selector):
    return b.ask(f"document.querySelectorAll({json.dumps(selector)}).length")


def spot(b, selector, along=0.5):
    """The middle of the first element, or so far along it."""
    box = b.ask(f"(r => [r.x + r.width * {along}, r.y + r.height / 2])(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
    need(box, f"no {selector}")
    return box


def told(b):
    return b.ask("(t => t.hidden ? '' : t.innerText)(document.getElementById('told'))")


# --- cases -------------------------------------------------------------------------------------------------------------

def first_ten_frames(b, dmabuf, folder):
    opened(b, page(dmabuf, "first.html", "--machine", "arm", "--frames", "10"))
    need(b.ask("document.title") == "arm, policy cached: 10 frames of clip.y4m", b.ask("document.title"))
    need(b.ask("[...document.querySelectorAll('[data-lane]')].map(l => l.dataset.lane)") == DEVICES, "not a lane for each")
    need(count(b, "[data-buffer]") == 8, "not eight buffers")
    # Each frame: camera, isp, CPU, gpu twice, encoder; and four mappings that the encoder keeps.
    need(count(b, "[data-span]") == 10 * 6 + 4, f"{count(b, '[data-span]')} bars")
    need(count(b, "[data-arrow]") == 4 + 2 * 10, f"{count(b, '[data-arrow]')} arrows")
    need(count(b, "[data-mark=build]") == 16 and count(b, "[data-mark=finding]") == 0, "marks")
    need(count(b, "[data-fences]") >= 2, "no fences")
    rows = b.ask("[...document.querySelectorAll('#frames tbody tr')].map(r => [...r.cells].map(c => c.textContent))")
    need(rows[0] == ["bytes cleaned"] + 4 * ["42,432"] + 6 * ["1,472"], rows[0])
    need(rows[1] == ["bytes invalidated"] + 10 * ["1,472"], rows[1])
    need(rows[2] == ["mappings made"] + 4 * ["4"] + 6 * ["0"], rows[2])
    need(b.ask("document.documentElement.scrollWidth <= innerWidth"), "wider than the window")


def light_and_dark(b, dmabuf, folder):
    papers = set()
    opened(b, page(dmabuf, "scheme.html", "--machine", "arm", "--frames", "10"))
    for scheme in ("light", "dark"):
        b.scheme(scheme)
        papers.add(b.ask("getComputedStyle(document.body).backgroundColor"))
        b.picture(os.path.join(folder, f"report-{scheme}.png"))
    b.scheme("light")
    need(len(papers) == 2, "the same paper in both", papers)
    need(not b.complaints, *b.complaints)


def pointing_tells_the_call(b, dmabuf, folder):
    opened(b, page(dmabuf, "hover.html", "--machine", "arm", "--frames", "3"))
    need(told(b) == "", "told before it was asked", told(b))
    # A kept mapping; accesses within lie over it, where is a matter of time.
    kept = []
    for eighth in range(1, 8):
        b.mouse(*spot(b, "[data-span]", eighth / 8))
        kept.append(told(b))
    need(any("keeps" in t and "dma_buf_map_attachment(attach, DMA_TO_DEVICE)" in t for t in kept), *kept)
    b.mouse(*spot(b, "[data-lane=CPU] ~ g [data-span].edge"))
    text = told(b)
    need("camera writes full 0, frame 0" in text and "40,960 bytes cleaned" in text and "Newest bytes" in text, text)
    b.mouse(*spot(b, "[data-arrow] .head"))
    need("CPU \u2192 camera: 40,960 bytes cleaned" in told(b) or "camera writes" in told(b), told(b))
    b.mouse(*spot(b, "[data-buffer] text"))
    need(told(b) == "", told(b))


def keys_go_about(b, dmabuf, folder):
    opened(b, page(dmabuf, "keys.html", "--machine", "arm", "--frames", "3"))
    b.key("Tab")
    b.ask("document.getElementById('chart').focus()")
    seen = []
    for _ in range(6):
        b.key("ArrowRight")
        seen.append(told(b))
    need(all(seen) and len(set(seen)) >= 5, "the same again and again", seen)
    need(count(b, ".chosen") == 1, "nothing is marked")
    b.key("ArrowLeft")
    need(told(b) == seen[-2], told(b), seen[-2])
    before = b.ask("document.getElementById('view').textContent")
    for _ in range(4):
        b.key("+")
    need(b.ask("document.getElementById('view').textContent") != before, "plus does not zoom")
    b.key("0")
    need(b.ask("document.getElementById('view').textContent") == before, "0 does not show all")
    b.key("Enter")
    need(count(b, ".dim") > 0, "Enter follows nothing")
    b.key("Escape")
    need(count(b, ".dim") == 0 and told(b) == "", "Escape ends nothing")


def a_frame_is_followed(b, dmabuf, folder):
    opened(b, page(dmabuf, "follow.html", "--machine", "arm", "--frames", "6"))
    b.ask("(s => { s.value = 'f4'; s.onchange(); })(document.getElementById('follow'))")
    b.settle()
    bright = b.ask("[...document.querySelectorAll('g:not(.dim) > [data-span].edge')].length")
    need(bright == 6, f"{bright} bars of frame 4")
    need(count(b, ".dim [data-span].edge") == 5 * 6, "others are not dim")


def ten_thousand_events(b, dmabuf, folder):
    with open(CLIP, "rb") as f:
        header, frames = f.read().split(b"\n", 1)
    with open("long.y4m", "wb") as f:
        f.write(header + b"\n" + frames * 13)
    name = page(dmabuf, "long.html", "--machine", "arm", clip="long.y4m")
    told_of = len(events(name))
    need(told_of > 10000, f"only {told_of} events")
    opened(b, name)
    first = count(b, "[data-span]")
    need(first > 50, f"{first} bars at first")
    b.ask("document.getElementById('all').click()")
    b.settle()
    # What lies closer than can be seen is one element; how much that is depends on how busy the machine was.
    need(count(b, "#chart *") < told_of / 2, f"{count(b, '#chart *')} elements for all {told_of} of them")
    need("1,8" in b.ask("document.getElementById('view').textContent"), b.ask("document.getElementById('view').textContent"))
    b.picture(os.path.join(folder, "report-long.png"))
    x, y = spot(b, "#chart")
    for _ in range(5):
        b.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200, modifiers=2)
    b.settle()
    need(20 < count(b, "[data-span].edge") < 300, f"{count(b, '[data-span].edge')} bars when looked at closely")
    need(not b.complaints, *b.complaints)


def wrong_bytes_are_where_they_are(b, dmabuf, folder):
    opened(b, page(dmabuf, "fault.html", "--machine", "arm", "--fault", "skip-sync", status=1))
    need(count(b, "[data-mark=finding]") == 2, f"{count(b, '[data-mark=finding]')} findings in view")
    told_of = []
    for n in range(2):
        x, y = b.ask(f"(r => [r.x + 7, r.y + 7])(document.querySelectorAll('[data-mark=finding] circle')[{n}].getBoundingClientRect())")
        b.mouse(x, y)
        told_of.append(told(b))
    need("asked to clean" in told_of[0] and "nothing was done" in told_of[0], told_of)
    need("frame 12" in told_of[1] and "wrong as the encoder read them" in told_of[1], told_of)
    b.picture(os.path.join(folder, "report-fault.png"))


def every_machine_and_policy(b, dmabuf, folder):
    for machine in ("pc", "pc-iommu", "arm", "arm-direct", "bounce"):
        for policy in ("cached", "remap"):
            opened(b, page(dmabuf, "any.html", "--machine", machine, "--policy", policy, "--half", "system", "--frames", "5"))
            # The CPU, four devices, and the engine that copies what moves out of the gpu's memory.
            need(count(b, "[data-lane]") == 6 and count(b, "[data-span]") >= 30, machine, policy, count(b, "[data-span]"))
            moved = count(b, "[data-arrow]") > 0
            need(moved == (not machine.startswith("pc")), machine, policy, "arrows", moved)


def findings(dmabuf, name, driver, rules, *options):
    """Such a page of a driver of the corpus that breaks these rules."""
    if not os.path.exists(os.path.join(os.path.dirname(dmabuf), "dmabuf-check-worker")):
        raise tap.Skip("no dmabuf-check-worker beside dmabuf")
    r = subprocess.run([dmabuf, "check", *options, "--report", name, "--format", "json", os.path.join(ROOT, "checker", "corpus", driver)],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    need(r.returncode == (1 if rules else 0), f"status {r.returncode}", r.stderr.decode(errors="replace")[-800:])
    found, = json.loads(r.stdout)["drivers"]
    need([f["rule"] for f in found["findings"]] == rules, found)
    return found["findings"]


def findings_have_words_and_a_picture(b, dmabuf, folder):
    first, second = findings(dmabuf, "check.html", "trims-shared-list.c", ["EXP-03", "LIFE-01"], "--machine", "arm", "--policy", "cached")
    opened(b, "check.html")
    words = b.ask("[...document.querySelectorAll('#words > details')].map(d => d.innerText)")
    need(len(words) == 2, words)
    need(b.ask("[...document.querySelectorAll('#words > details')].map(d => d.open)") == [True, False], "not the first is open")
    need(all(w in words[0] for w in ("EXP-03", first["meaning"], first["text"], first["source"], "arm/cached; seed 1", *first["events"],
                                     "dmabuf check --machine arm --policy cached --rule EXP-03 --seed 1 ",
                                     *[f"{f['function']} {f['file']}:{f['line']}" for f in first["call"] + first["state"]["stack"]])), words[0])
    need(count(b, "[data-lane]") == 2 and count(b, "[data-buffer]") == 1, "not the CPU and the device, and the buffer")
    need(count(b, "[data-mark=finding]") == 1 and count(b, "[data-span]") >= 3, "the picture lacks something")
    b.mouse(*spot(b, "[data-mark=finding] circle"))
    need(first["text"] in told(b), told(b))
    b.ask("document.querySelectorAll('#words > details')[1].firstElementChild.click()")
    b.settle()
    need(b.ask("[...document.querySelectorAll('#words > details')].map(d => d.open)") == [False, True], "not the second is open")
    need(b.ask("document.querySelectorAll('#words > details')[1].contains(document.getElementById('chart'))"), "the picture stayed behind")
    need(count(b, "[data-mark=finding]") == 2, "both are the buffer's")
    need(second["text"] in b.ask("document.querySelectorAll('#words > details')[1].innerText"), second)
    need(b.ask("document.documentElement.scrollWidth <= innerWidth"), "wider than the window")
    papers = set()
    for scheme in ("light", "dark"):
        b.scheme(scheme)
        papers.add(b.ask("getComputedStyle(document.querySelector('#words details')).color"))
        b.picture(os.path.join(folder, f"report-check-{scheme}.png"))
    b.scheme("light")
    need(len(papers) == 2 and not b.complaints, papers, b.complaints)


def no_finding_no_picture(b, dmabuf, folder):
    findings(dmabuf, "clean.html", "trims-shared-list.c", [], "--machine", "pc", "--policy", "cached", "-D", "FIXED")
    opened(b, "clean.html")
    need("0 rules broken" in b.ask("document.getElementById('outcome').textContent"), b.ask("document.body.innerText"))
    need(b.ask("document.getElementById('picture').hidden") and count(b, "[data-lane]") == 0, "a picture of nothing")


def names_are_text(b, dmabuf, folder):
    name = "<img src=x onerror=fail()>&<script>fail()<.y4m"
    os.symlink(CLIP, name)
    opened(b, page(dmabuf, "names.html", "--frames", "2", clip=name))
    need(b.ask("document.querySelector('h1').textContent").endswith("2 frames of " + name), b.ask("document.querySelector('h1').textContent"))
    need(count(b, "img") == 0 and count(b, "script") == 2, "it became an element")


def a_broken_page_would_be_seen(b, dmabuf, folder):
    text = open(page(dmabuf, "good.html", "--frames", "2"), encoding="ascii").read()
    with open("broken.html", "w", encoding="ascii") as f:
        f.write(text.replace('"events":[', '"events":[[', 1))
    with open("loads.html", "w", encoding="ascii") as f:
        f.write(text.replace("</header>", '<img src="https://127.0.0.1:9/x.png"></header>', 1))
    for name in ("broken.html", "loads.html"):
        try:
            opened(b, name)
        except AssertionError:
            continue
        need(False, f"nothing was found in {name}")


def main():
    dmabuf, folder = map(os.path.abspath, sys.argv[1:3])
    program = browser.find()
    cases = [first_ten_frames, light_and_dark, pointing_tells_the_call, keys_go_about, a_frame_is_followed, ten_thousand_events,
             wrong_bytes_are_where_they_are, every_machine_and_policy, findings_have_words_and_a_picture,
             no_finding_no_picture, names_are_text, a_broken_page_would_be_seen]
    print(f"1..{len(cases)}")
    failed = False
    b = None                                                # one for all cases, but a new one after a case that failed
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        for n, case in enumerate(cases, 1):
            name = f"{n} - {case.__name__}"
            if not program:
                print(f"ok {name} # SKIP no Chromium (chromium-headless-shell)", flush=True)
                continue
            try:
                b = b or browser.Browser(program)
                case(b, dmabuf, folder)
                print(f"ok {name}", flush=True)
            except tap.Skip as why:
                print(f"ok {name} # SKIP {why}", flush=True)
            except Exception as e:                          # whatever it was, this case failed and the others are asked
                failed = True
                b = b and b.close()
                print("\n".join(f"# {line}" for line in f"{type(e).__name__}: {e}".splitlines()) + f"\nnot ok {name}", flush=True)
        b = b and b.close()
        os.chdir("/")
    return failed


sys.exit(main())
