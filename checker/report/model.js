// SPDX-License-Identifier: MIT
// model.js - what happened: turns a record's events (html.c says what they hold) into bars, arrows, marks and fences
//
// model.js, draw.js and page.js are one script, in this order.  All text of the record's goes into the page as text.

const told_of = JSON.parse(document.getElementById("data").textContent), pictures = told_of.pictures || [told_of];
for (const picture of pictures.filter(Boolean))
	picture.events.pop();
let data = null; // the picture that is looked at
const SVG = "http://www.w3.org/2000/svg";
const BIDIRECTIONAL = 0, TO_DEVICE = 1, FROM_DEVICE = 2;
const DIRECTIONS = ["DMA_BIDIRECTIONAL", "DMA_TO_DEVICE", "DMA_FROM_DEVICE"];
const USAGES = ["kernel", "write", "read", "bookkeep"];
const SEES = ["sees the caches", "sees memory only", "sees a copy of its own"];
const CPU = 0, C = 1, M = 2;
const COST = Object.fromEntries((pictures.find(Boolean) || { costs: [] }).costs.map((name, i) => [name, i]));
const COST_NAMES = [["sg_entries", "list entries"], ["iommu_writes", "IOMMU writes"], ["tlb_invalidations", "TLB invalidations"],
	["bytes_cleaned", "bytes cleaned"], ["bytes_invalidated", "bytes invalidated"], ["bytes_bounced", "bytes bounced"],
	["bytes_compared", "bytes compared"]];
const MOVED = { bytes_cleaned: "clean", bytes_invalidated: "invalidate", bytes_bounced: "bounce" };
const VERBS = { clean: "cleaned", invalidate: "invalidated", bounce: "bounced" };

function plural(n, what) {
	return n.toLocaleString("en") + " " + what + (n === 1 ? "" : "s");
}

function sized(bytes) {
	return bytes < 1000 ? bytes + " B" : bytes < 1e6 ? (bytes / 1024).toFixed(bytes < 10240 ? 1 : 0) + " KB"
		: (bytes / 1048576).toFixed(1) + " MB";
}

// Ranges [{from, to, set, slots}] of a buffer, after @set became true of [from, to).
function overlay(ranges, from, to, set, slots) {
	const out = [];
	for (const r of ranges) {
		if (r.from < from)
			out.push({ ...r, to: Math.min(r.to, from) });
		if (r.to > to)
			out.push({ ...r, from: Math.max(r.from, to) });
	}
	out.push({ from, to, set, slots });
	out.sort((a, b) => a.from - b.from);
	const merged = [];
	for (const r of out.filter(r => r.from < r.to)) {
		const last = merged[merged.length - 1];
		if (last && last.set === r.set && String(last.slots) === String(r.slots))
			last.to = r.to;
		else
			merged.push({ ...r });
	}
	return merged;
}

function understand() {
	const agents = data.agents.map((a, i) => ({ ...a, number: i }));
	const buffers = data.buffers.map((b, i) => ({ ...b, number: i, name: b.exporter + " " + i, ranges: [], history: [],
		writers: [], homes: [], contents: [] }));
	const fences = data.fences.map((name, i) => ({ number: i, name, buffers: [] }));
	const spans = [], arrows = [], marks = [], open = new Map(), pending = new Map(), last_of = new Map();
	const events = [];
	let now = 0;

	// Without a directory (policy remap) nobody tells where the newest bytes are: what is done to them does.
	const directories = new Set(data.events.filter(e => data.kinds[e[1]] === "join").map(e => e[4]));
	function infer(b, i, from, to, set, slots) {
		if (directories.has(b.number))
			return;
		b.ranges = overlay(b.ranges, from, Math.min(to, b.bytes), set, slots || []);
		b.history.push({ i, ranges: b.ranges });
	}

	function infer_written(b, span, i) {
		const domain = agents[span.agent].domain;
		if (span.writes)
			infer(b, i, span.from, span.to, domain === 0 ? C : domain === 1 ? M : 0, domain === 2 ? [span.agent] : []);
	}

	const of_thread = e => pending.get(e.thread) || pending.set(e.thread, { moves: [], builds: [] }).get(e.thread);
	const key = e => e.agent + "/" + e.buffer + "/" + e.what;

	function begin(e, what, dir, from, to) {
		const b = buffers[e.buffer];
		if (!b)
			return;
		const cpu = e.agent === CPU;
		const span = { type: "span", what, agent: e.agent, buffer: e.buffer, dir, i0: e.i, i1: null, from, to, content: b.content,
			reads: dir !== (cpu ? TO_DEVICE : FROM_DEVICE), writes: dir !== (cpu ? FROM_DEVICE : TO_DEVICE), moves: [], builds: [] };
		const k = what + "/" + e.agent + "/" + e.buffer;
		if (what === "access") {
			const mapping = (open.get("map/" + e.agent + "/" + e.buffer) || []).find(s => s.dir === dir);
			if (mapping)
				mapping.kept = true;
			span.within = mapping;
		}
		spans.push(span);
		(open.get(k) || open.set(k, []).get(k)).push(span);
		settle(e, span, true);
		if (span.writes)
			wrote(span);
		infer_written(b, span, e.i);
		last_of.set(e.thread, span);
	}

	function end(e, what, dir) {
		const list = open.get(what + "/" + e.agent + "/" + e.buffer) || [];
		let at = list.findIndex(s => s.dir === dir && (what !== "cpu" || s.from === e.a && s.to === e.a + e.b));
		if (at < 0)
			at = list.length - 1;
		if (at < 0)
			return;
		const span = list.splice(at, 1)[0];
		span.i1 = e.i;
		if (span.writes)
			wrote(span);
		if (what !== "map")
			settle(e, span, false);
		last_of.set(e.thread, span);
	}

	function wrote(span) {
		const b = buffers[span.buffer];
		b.writers = b.writers.filter(w => w.agent !== span.agent && (w.from < span.from || w.to > span.to));
		b.writers.push({ from: span.from, to: span.to, agent: span.agent, i: span.i0 });
	}

	// What the thread moved and built on the way to the event that ends the call.
	function settle(e, span, begins) {
		const p = of_thread(e), b = buffers[span.buffer];
		for (const m of p.moves) {
			if (m.buffer >= 0 && m.buffer !== span.buffer)
				continue;
			let from = CPU, to = CPU;
			if (m.kind === "bounce") {
				if (m.in)
					to = m.slot;
				else
					from = m.slot;
			} else {
				const writers = b.writers.filter(w => w.agent !== span.agent && w.from < m.to && w.to > m.from &&
					(agents[w.agent].domain === 0) === (m.kind === "clean"));
				const writer = writers.length ? writers[writers.length - 1].agent : m.kind === "clean" ? CPU : m.slot;
				const others = begins ? [] : [...open.values()].flat().filter(s => s.buffer === span.buffer && s.agent !== span.agent);
				from = begins ? writer : span.agent;
				to = begins ? span.agent : others.length ? others[0].agent : m.kind === "clean" ? m.slot : CPU;
			}
			const same = span.moves.find(x => x.i0 > e.i - 20 && x.kind === m.kind && x.agent === to && x.source === from && x.begins === begins);
			if (same) {
				same.bytes += m.bytes;
				same.ranges.push([m.from, m.to]);
			} else {
				const arrow = { type: "arrow", kind: m.kind, bytes: m.bytes, agent: to, source: from, buffer: span.buffer,
					content: span.content, i0: m.i, i1: m.i, ranges: [[m.from, m.to]], span, begins };
				arrows.push(arrow);
				span.moves.push(arrow);
			}
			if (m.kind === "bounce")
				infer(b, m.i, m.from, m.to, C, [m.slot]);
			else
				infer(b, m.i, m.from, m.to, m.kind === "clean" ? C | M : M);
		}
		for (const mark of p.builds.filter(x => x.buffer === span.buffer)) {
			mark.span = span;
			mark.content = span.content;
			span.builds.push(mark);
		}
		p.moves = [];
		p.builds = [];
	}

	for (let i = 0; i < data.events.length; i++) {
		const [ns, kind, thread, agent, buffer, a, b, c, extra] = data.events[i];
		now += ns;
		const e = { i, t: now, kind: data.kinds[kind], thread, agent, buffer, a, b, c, ...extra };
		events.push(e);
		const buf = buffers[buffer], cost = e.cost || {};

		for (const [name, what] of Object.entries(MOVED))
			if (cost[COST[name]]) {
				const slot = agent >= 0 ? agent : CPU, ranged = e.kind === "clean" || e.kind === "invalidate";
				of_thread(e).moves.push({ kind: what, bytes: cost[COST[name]], i, buffer, slot, in: e.kind === "bounced" ? c : 1,
					from: ranged ? a : 0, to: ranged ? a + b : buf ? buf.bytes : Infinity });
			}
		if ((e.kind === "clean" && !cost[COST.bytes_cleaned] || e.kind === "invalidate" && !cost[COST.bytes_invalidated]) && b)
			marks.push({ type: "finding", agent, buffer, i0: i, i1: i, content: buf && buf.content,
				text: "The core asked to " + e.kind + " " + plural(b, "byte") + ", and nothing was done." });

		switch (e.kind) {
		case "export":
			buf.ranges = [{ from: 0, to: a, set: b, slots: [] }];
			buf.history.push({ i, ranges: buf.ranges });
			break;
		case "release":
			if (buf)
				buf.gone = i;
			break;
		case "name":
			if (buf && e.text)
				buf.name = e.text;
			break;
		case "content":
			if (buf) {
				buf.content = a;
				buf.contents.push({ i, content: a });
			}
			break;
		case "whole":
			if (!buf)
				break;
			buf.ranges = overlay(buf.ranges, a, a + b, c, e.bounced || []);
			buf.history.push({ i, ranges: buf.ranges });
			break;
		case "map":
			begin(e, "map", a, 0, buf ? buf.bytes : 0);
			break;
		case "unmap":
			end(e, "map", a);
			break;
		case "unmapped":
			if (last_of.get(thread) && last_of.get(thread).buffer === buffer)
				settle(e, last_of.get(thread), false);
			break;
		case "access":
			begin(e, "access", a, 0, buf ? buf.bytes : 0);
			break;
		case "access end":
			end(e, "access", a);
			break;
		case "cpu begin":
			begin(e, "cpu", c, a, a + b);
			break;
		case "cpu end":
			end(e, "cpu", c);
			break;
		case "exporter begin":
			if (buf && (!buf.homes.length || buf.homes[buf.homes.length - 1].device !== b))
				buf.homes.push({ i: buf.homes.length ? i : -1, device: b, agent });
			begin(e, "exporter", a, 0, buf ? buf.bytes : 0);
			break;
		case "exporter end":
			end(e, "exporter", a);
			break;
		case "build":
		case "teardown":
		case "widen": {
			const mark = { type: e.kind, agent, buffer, i0: i, i1: i, dir: e.kind === "widen" ? b : a, content: buf && buf.content };
			if (e.kind !== "teardown")
				of_thread(e).builds.push(mark);
			marks.push(mark);
			break;
		}
		case "move":
			marks.push({ type: "move", agent: -1, buffer, i0: i, i1: i, content: buf && buf.content });
			break;
		case "fence add": {
			const f = fences[b];
			f.i0 = f.i0 === undefined ? i : f.i0;
			f.usage = f.usage || USAGES[a & 255];
			f.seqno = c;
			f.content = buf ? buf.content : undefined;
			f.buffers.push({ buffer, usage: USAGES[a & 255] });
			if (a > 255)
				f.signal = i; // while it was being added
			break;
		}
		case "job":
			if (fences[b])
				fences[b].job = i;
			break;
		case "fence signal":
			if (fences[b]) {
				fences[b].signal = i;
				fences[b].error = a;
			}
			break;
		case "note":
			marks.push({ type: "note", agent: agent < 0 ? CPU : agent, buffer, i0: i, i1: i, number: a, text: e.text });
			break;
		case "finding": {
			const about = agent >= 0 || buffer >= 0 ? agent : (last_of.get(thread) || { agent: CPU }).agent;
			const at = [...spans].reverse().find(s => s.agent === about && (buffer < 0 || s.buffer === buffer));
			marks.push({ type: "finding", agent: about, buffer, i0: at && agent >= 0 ? at.i1 === null ? i : at.i1 : i, i1: i,
				content: at ? at.content : undefined, text: e.text });
			break;
		}
		}
	}
	for (const s of spans)
		if (s.i1 === null) {
			s.i1 = Math.max(events.length - 1, s.i0);
			s.open = true;
		}
	for (const m of marks)
		m.i1 = m.i0;
	for (const f of fences.filter(f => f.i0 !== undefined)) {
		f.type = "fence";
		const found = agents.find(x => x.name === f.name);
		f.agent = found ? found.number : agents.push({ name: f.name, domain: -1, number: agents.length }) - 1;
		f.i1 = f.signal === undefined ? f.i0 : f.signal;
		f.buffer = f.buffers[0].buffer;
	}
	return { agents, buffers, spans, arrows, marks, fences: fences.filter(f => f.type), events };
}

// Where the newest bytes of @buffer were at event @i: ranges, of [from, to) only.
function holders(buffer, i, from, to) {
	const h = buffer.history;
	let low = 0, high = h.length;
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (h[middle].i <= i)
			low = middle;
		else
			high = middle;
	}
	return h.length ? clip(h[low].ranges, from, to) : [];
}

function clip(ranges, from, to) {
	return ranges.filter(r => r.to > from && r.from < to)
		.map(r => ({ ...r, from: Math.max(r.from, from), to: Math.min(r.to, to) }));
}

function home(buffer, i) {
	let now = null;
	for (const h of buffer.homes)
		if (h.i <= i)
			now = h;
	return now && now.device ? now : null;
}

function colour(buffer, r, i) {
	if (home(buffer, i))
		return "d";
	return ((r.set & C ? "c" : "") + (r.set & M ? "m" : "") + (r.slots.length ? "b" : "")) || "n";
}

function places(buffer, r, i) {
	const names = [], h = home(buffer, i);
	if (h)
		return "the " + all.agents[h.agent].name + "'s own memory";
	if (r.set & C)
		names.push("caches");
	if (r.set & M)
		names.push("memory");
	for (const slot of r.slots)
		names.push("the bounce slot of " + (slot >= 0 ? all.agents[slot].name : "a device"));
	return names.join(" and ") || "unknown";
}
