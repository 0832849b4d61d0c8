// SPDX-License-Identifier: MIT
// draw.js - where everything is drawn: arrange() gives each bar a row, draw() shows those in view
//
// What is narrower than a pixel or two is drawn with its neighbours in one path, so that a picture has few elements however
// many events there are.

const GUTTER = 132, RIGHT = 14, TOP = 22, ROW = 19, BAR = 14, FENCE = 11, NOTE = 19, PAD = 7, STRIP = 17, OVERVIEW = 34;
let all = null, axis = [], view = [0, 1], width = 1000, height = 600, follow = null, chosen = -1, hovered = null, shown = [];
const chart = document.getElementById("chart"), told = document.getElementById("told");

// An access takes room up to its end; events that nothing is drawn for take hardly any.
const STEP = { unmap: 6, "access end": 6, "cpu end": 6, "exporter end": 6, map: 1.5, access: 1.5, "cpu begin": 1.5, "exporter begin": 0.5,
	note: 3, build: 0.5, teardown: 0.5, clean: 0.5, invalidate: 0.5, move: 1, finding: 1 };

function make_axis(true_time) {
	let at = 0, before = 0;
	axis = all.events.map(e => {
		const us = (e.t - before) / 1000;
		at += true_time ? us : (STEP[e.kind] || 0.1) + (data.timed ? 0.25 * Math.min(9, Math.log2(1 + us / 4)) : 0);
		before = e.t;
		return at;
	});
	const first = axis[0] || 0, least = Math.min(true_time ? 20 : 2, ((axis[axis.length - 1] || 1) - first) * 0.004);
	axis = axis.map(x => x - first + least);
	axis.end = (axis[axis.length - 1] || 1) + least;
}

function arrange() {
	let y = TOP + OVERVIEW;
	for (const agent of all.agents) {
		const rows = [];
		agent.lane = y;
		for (const s of all.spans.filter(s => s.agent === agent.number).sort((p, q) => p.i0 - q.i0)) {
			if (s.within) {
				s.row = s.within.row;
				continue;
			}
			s.row = rows.findIndex(end => end <= s.i0);
			if (s.row < 0)
				s.row = rows.length;
			rows[s.row] = s.i1;
		}
		agent.rows = Math.max(1, rows.length);
		agent.noted = all.marks.some(m => m.type === "note" && m.agent === agent.number);
		agent.fenced = all.fences.some(f => f.agent === agent.number);
		agent.used = agent.number === CPU || rows.length > 0 || agent.fenced || agent.noted;
		agent.height = agent.used ? 2 * PAD + agent.rows * ROW + (agent.fenced ? FENCE : 0) + (agent.noted ? NOTE : 0) : 0;
		agent.first = agent.lane + PAD + (agent.noted ? NOTE : 0);
		y += agent.height;
	}
	y += 30;
	all.strips = y;
	for (const b of all.buffers) {
		b.y = y;
		y += STRIP + 4;
	}
	height = y + 6;
	for (const s of all.spans)
		s.y = all.agents[s.agent].first + s.row * ROW + (ROW - BAR) / 2;
	for (const f of all.fences)
		f.y = all.agents[f.agent].lane + all.agents[f.agent].height - PAD - FENCE / 2 + 2;
	for (const m of all.marks)
		m.y = m.type === "note" ? all.agents[m.agent].lane + PAD + NOTE / 2 - 1 : m.type === "move" || m.agent < 0 ? all.buffers[m.buffer].y + STRIP / 2 : m.span ? m.span.y + BAR : row_of(m).y + BAR / 2;
}

// The bar of the same agent and buffer that is nearest before a mark.
function row_of(m) {
	const lane = all.agents[m.agent < 0 ? CPU : m.agent];
	return before(all.by_pair, lane.number, m.buffer, m.i0 + 1) || { y: lane.first + (ROW - BAR) / 2 };
}

function X(position) {
	return GUTTER + (position - view[0]) / (view[1] - view[0]) * (width - GUTTER - RIGHT);
}

const at = i => X(axis[i]);

// --- drawing -------------------------------------------------------------------------------------

function element(name, attributes, parent, text) {
	const e = document.createElementNS(SVG, name);
	for (const a in attributes)
		e.setAttribute(a, attributes[a]);
	if (text !== undefined)
		e.textContent = text;
	if (parent)
		parent.appendChild(e);
	return e;
}

function patterns(parent) {
	const defs = element("defs", {}, parent);
	for (const [id, stripes] of [["cm", "cm"], ["cb", "cb"], ["mb", "mb"], ["cmb", "cmb"]]) {
		const p = element("pattern", { id, width: 4 * stripes.length, height: 8, patternUnits: "userSpaceOnUse",
			patternTransform: "rotate(45)" }, defs);
		[...stripes].forEach((s, i) => element("rect", { class: s, x: 4 * i, width: 4.2, height: 8 }, p));
	}
	const hatch = document.createElementNS(SVG, "svg"); // for the legend's keys, whatever the chart shows
	hatch.setAttribute("width", 0);
	hatch.setAttribute("height", 0);
	hatch.style.position = "absolute";
	hatch.appendChild(defs);
	document.body.prepend(hatch);
}

function is_dim(item) {
	if (!follow)
		return false;
	if (follow.content !== undefined)
		return item.content !== follow.content;
	return item.buffer !== follow.buffer;
}

function group(dim) {
	return element("g", dim ? { class: "dim" } : {});
}

// Pieces of a bar, {x, w, y, h, c}: it changes its colour where the newest bytes change their place.
function pieces(b, i0, i1, from, to, y, h) {
	const out = [], times = [i0];
	for (const change of b.history)
		if (change.i > i0 && change.i < i1)
			times.push(change.i);
	for (const change of b.homes)
		if (change.i > i0 && change.i < i1)
			times.push(change.i);
	times.sort((p, q) => p - q);
	for (let n = 0; n < times.length; n++) {
		const x = at(times[n]), end = n + 1 < times.length ? at(times[n + 1]) : at(i1);
		if (end < GUTTER || x > width)
			continue;
		const parts = holders(b, times[n], from, to), least = Math.min(3, h / parts.length);
		const room = h - least * parts.length;
		let top = y;
		for (const r of parts) {
			const part = least + room * (r.to - r.from) / (to - from || 1);
			out.push({ x, w: end - x, y: top, h: part, c: colour(b, r, times[n]) });
			top += part;
		}
	}
	return out;
}

function paint(list, parent) {
	for (const p of list) {
		const x = Math.max(p.x, GUTTER), w = Math.min(p.x + p.w, width) - x;
		if (w > 0)
			element("rect", { class: p.c, x: x.toFixed(1), y: p.y.toFixed(1), width: w.toFixed(1), height: p.h.toFixed(1) }, parent);
	}
}

// Bars too narrow for themselves: one path for each colour and whether it is dim.
function Crowd() {
	const paths = new Map(), last = new Map();
	this.add = function (row, x, w, y, h, c, dim) {
		const k = c + (dim ? " dim" : ""), mark = row + k;
		if (last.get(mark) >= x + 0.5)
			return;
		last.set(mark, x + Math.max(w, 1));
		if (!paths.has(k))
			paths.set(k, []);
		paths.get(k).push("M" + x.toFixed(1) + " " + y.toFixed(1) + "h" + Math.max(w, 1).toFixed(1) + "v" + h + "h-" + Math.max(w, 1).toFixed(1) + "z");
	};
	this.draw = function (parent) {
		for (const [c, d] of paths)
			element("path", { class: c, d: d.join("") }, parent);
	};
}

function draw_lanes(svg) {
	all.agents.filter(a => a.used).forEach((a, n) => {
		const g = element("g", { "data-lane": a.name }, svg);
		if (n % 2 === 0)
			element("rect", { class: "band", x: 0, y: a.lane, width, height: a.height }, g);
		const middle = a.lane + a.height / 2;
		element("text", { class: "lane-name", x: 8, y: middle - 1 }, g, a.name);
		const sees = a.number === CPU ? "sees its caches" : SEES[a.domain];
		if (sees)
			element("text", { class: "quiet", x: 8, y: middle + 12 }, g, sees);
	});
	element("text", { class: "lane-name", x: 8, y: all.strips - 9 }, svg, "Buffers");
	element("text", { class: "quiet", x: GUTTER, y: all.strips - 9 }, svg, "where the newest bytes of each are, its first byte above, its last below");
	for (const b of all.buffers) {
		const g = element("g", { "data-buffer": b.number }, svg);
		element("text", { x: 8, y: b.y + 12.5 }, g, b.name.length > 14 ? b.name.slice(0, 13) + "\u2026" : b.name);
		element("text", { class: "quiet", x: GUTTER - 8, y: b.y + 12.5, "text-anchor": "end" }, g, sized(b.bytes));
	}
}

function nice_time(ns, step) {
	return step >= 1e6 ? (ns / 1e6).toFixed(0) + " ms" : step >= 1e5 ? (ns / 1e6).toFixed(1) + " ms" : (ns / 1e6).toFixed(2) + " ms";
}

function draw_ruler(svg) {
	if (!data.timed || !all.events.length)
		return;
	let last = -1000, i = 0;
	const from = all.events[0].t;
	for (let x = GUTTER; x < width - 60; x += 110) {
		while (i < axis.length && at(i) < x)
			i++;
		if (i >= axis.length)
			break;
		const px = at(i);
		if (px - last < 90 || px > width - 50)
			continue;
		last = px;
		element("path", { class: "rule", d: "M" + px.toFixed(1) + " " + (TOP + OVERVIEW - 5) + "V" + (height - 4) }, svg);
		element("text", { class: "quiet", x: px + 3, y: TOP + OVERVIEW - 6 }, svg, nice_time(all.events[i].t - from, 1e4));
	}
}

function draw_overview(svg) {
	const g = element("g", { "data-overview": "" }, svg), inner = width - GUTTER - RIGHT;
	const bins = {}, scale = inner / axis.end;
	for (const a of all.arrows) {
		const x = Math.round(axis[a.i0] * scale / 2) * 2;
		bins[x] = bins[x] || { clean: 0, invalidate: 0, bounce: 0 };
		bins[x][a.kind] += a.bytes;
	}
	const most = Math.max(1, ...Object.values(bins).map(b => b.clean + b.invalidate + b.bounce));
	element("text", { class: "quiet", x: 8, y: 14 }, g, "bytes moved, all");
	element("text", { class: "quiet", x: 8, y: 27 }, g, "at most " + sized(most));
	element("path", { class: "rule", d: "M" + GUTTER + " " + OVERVIEW + "H" + (width - RIGHT) }, g);
	const tall = bytes => bytes ? Math.max(2, Math.sqrt(bytes / most) * (OVERVIEW - 4)) : 0;
	const d = { clean: "", invalidate: "", bounce: "" };
	for (const x in bins) {
		const sum = bins[x].clean + bins[x].invalidate + bins[x].bounce;
		let y = OVERVIEW;
		for (const kind in d) {
			const h = tall(sum) * bins[x][kind] / sum;
			if (h)
				d[kind] += "M" + (GUTTER + Number(x)) + " " + y.toFixed(1) + "v-" + h.toFixed(1);
			y -= h;
		}
	}
	for (const kind in d)
		if (d[kind])
			element("path", { class: "moved " + kind, d: d[kind], style: "stroke-width:2" }, g);
	const x0 = GUTTER + Math.max(0, view[0]) * scale, x1 = GUTTER + Math.min(axis.end, view[1]) * scale;
	if (x1 - x0 < inner - 1)
		element("rect", { class: "window", x: x0, y: 2, width: Math.max(3, x1 - x0), height: OVERVIEW - 2 }, g);
}

function draw_strips(svg) {
	const crowd = new Crowd();
	for (const b of all.buffers) {
		const end = b.gone === undefined ? all.events.length - 1 : b.gone, g = element("g", {}, svg);
		if (!b.history.length)
			continue;
		const dim = follow && b.number !== follow.buffer && follow.content === undefined;
		for (const p of pieces(b, b.history[0].i, end, 0, b.bytes, b.y, STRIP)) {
			if (p.w < 1.2)
				crowd.add("s" + b.number + "/" + p.y.toFixed(0), Math.max(p.x, GUTTER), p.w, p.y, p.h.toFixed(1), p.c, dim);
			else
				paint([p], g);
		}
		let last = -99;
		for (const c of b.contents) {
			const x = at(c.i);
			if (x < GUTTER || x > width - 20 || x - last < 60)
				continue;
			last = x;
			element("path", { class: "rule", d: "M" + x.toFixed(1) + " " + b.y + "v" + STRIP }, g);
			element("text", { class: "on", x: (x + 4).toFixed(1), y: b.y + 12.5 }, g, "frame " + c.content);
		}
		if (dim)
			g.setAttribute("class", "dim");
		b.veils = follow && follow.content !== undefined ? others(b, end) : [];
	}
	crowd.draw(svg);
	for (const b of all.buffers)
		for (const [i0, i1] of b.veils || []) {
			const x = Math.max(GUTTER, at(i0)), w = Math.min(width, at(i1)) - x;
			if (w > 0)
				element("rect", { class: "veil", x: x.toFixed(1), y: b.y - 1, width: w.toFixed(1), height: STRIP + 2 }, svg);
		}
}

// When @b does not hold what is followed.
function others(b, end) {
	const out = [];
	let from = b.history[0].i;
	for (let n = 0; n < b.contents.length; n++)
		if (b.contents[n].content === follow.content) {
			out.push([from, b.contents[n].i]);
			from = n + 1 < b.contents.length ? b.contents[n + 1].i : end;
		}
	out.push([from, end]);
	return out;
}

function draw_spans(svg) {
	const crowd = new Crowd(), thin = group(false), bars = group(false);
	for (const s of all.spans) {
		const x0 = at(s.i0), x1 = at(s.i1), dim = is_dim(s);
		if (x1 < GUTTER || x0 > width)
			continue;
		if (s.kept) {
			element("rect", { class: "kept" + (dim && s.content !== undefined ? " dim" : ""), x: Math.max(GUTTER, x0).toFixed(1), y: s.y + BAR / 2 - 2,
				width: Math.max(1, Math.min(x1, width) - Math.max(GUTTER, x0)).toFixed(1), height: 4, rx: 2, "data-span": s.n }, thin);
			shown.push(s);
			continue;
		}
		shown.push(s);
		if (x1 - x0 < 2.5) {
			const r = holders(all.buffers[s.buffer], s.i0, s.from, s.to)[0];
			crowd.add(s.agent + "/" + s.row, x0, x1 - x0, s.y, BAR, r ? colour(all.buffers[s.buffer], r, s.i0) : "n", dim);
			continue;
		}
		const g = element("g", dim ? { class: "dim" } : {}, bars);
		paint(pieces(all.buffers[s.buffer], s.i0, s.i1, s.from, s.to, s.y, BAR), g);
		const x = Math.max(GUTTER, x0), w = Math.min(x1, width) - x;
		element("rect", { class: "edge", x: x.toFixed(1), y: s.y, width: w.toFixed(1), height: BAR, rx: 1.5, "data-span": s.n }, g);
		const does = (s.reads ? "r" : "") + (s.writes ? "w" : "");
		const text = (s.content === undefined ? "" : s.content) + (w > 30 ? " " + does : "");
		if (w > 2 + 6.2 * text.length)
			element("text", { class: "on", x: (x + w / 2).toFixed(1), y: s.y + 11, "text-anchor": "middle" }, g, text);
	}
	svg.append(thin, bars);
	crowd.draw(svg);
}

function draw_fences(svg) {
	const d = { waits: "", works: "", signal: "" };
	let last = {};
	for (const f of all.fences) {
		const x0 = at(f.i0), x1 = at(f.i1), job = f.job === undefined ? null : at(f.job);
		if (x1 < GUTTER || x0 > width)
			continue;
		shown.push(f);
		if (follow && is_dim(f) || last[f.agent] > x1 - 7)
			continue;
		last[f.agent] = x1;
		const y = f.y.toFixed(1), begun = job === null ? x1 : Math.max(GUTTER, job);
		if (x1 - x0 > 3) {
			d.waits += "M" + Math.max(GUTTER, x0).toFixed(1) + " " + y + "H" + Math.min(begun, width).toFixed(1);
			d.works += "M" + Math.min(begun, width).toFixed(1) + " " + y + "H" + Math.min(x1, width).toFixed(1);
		}
		if (f.signal !== undefined && x1 < width - 2)
			if (f.error)
				element("path", { class: "signal error", d: diamond(x1, f.y) }, svg);
			else
				d.signal += diamond(x1, f.y);
	}
	for (const c in d)
		if (d[c])
			element("path", { class: c, d: d[c], "data-fences": "" }, svg);
}

function diamond(x, y) {
	return "M" + x.toFixed(1) + " " + (y - 3.5).toFixed(1) + "l3.5 3.5l-3.5 3.5l-3.5 -3.5z";
}

const REACH = 190; // arrows from farther away begin above or below their end, unless one frame is followed

// From where the source last touched the buffer to the access that needed it.
function draw_arrows(svg) {
	const many = all.arrows.filter(a => at(a.i0) >= GUTTER && at(a.i0) <= width).length > 400;
	const ticks = { clean: "", invalidate: "", bounce: "" };
	const labels = [];
	let last = {};
	for (const a of all.arrows) {
		const x = at(a.span && a.begins ? a.span.i0 : a.i0);
		if (x < GUTTER || at(a.i0) > width)
			continue;
		shown.push(a);
		const dim = is_dim(a);
		a.x = x;
		a.y1 = (a.span && a.agent === a.span.agent ? a.span.y : all.agents[a.agent].first) + BAR / 2;
		const source = before(all.accesses, a.source, a.buffer, a.i0);
		const left = source ? Math.min(Math.max(GUTTER, at(Math.min(source.i1, a.i0))), x) : x, near = x - left < REACH || follow && !dim;
		a.x0 = near ? left : x;
		a.y0 = source && near ? source.y + BAR / 2 : a.source === a.span.agent && !a.begins ? a.span.y + BAR / 2
			: all.agents[a.source].lane + all.agents[a.source].height / 2;
		if (many || last[a.agent] > x - 1 && !dim) {
			if (!dim)
				ticks[a.kind] += "M" + x.toFixed(1) + " " + (a.y1 - BAR / 2 - 2).toFixed(1) + "v" + (BAR + 4);
			continue;
		}
		last[a.agent] = x;
		const g = element("g", { "data-arrow": a.n, ...(dim ? { class: "dim" } : {}) }, svg);
		const down = a.y1 > a.y0, tip = a.y1 - (down ? BAR / 2 + 1 : -BAR / 2 - 1), base = tip + (down ? -7 : 7);
		if (a.source === a.agent) {
			element("path", { class: "arrow " + a.kind, d: "M" + x.toFixed(1) + " " + (a.y1 - BAR - 6).toFixed(1) + "V" + (a.y1 - BAR / 2 - 6) }, g);
			element("path", { class: "head " + a.kind, d: "M" + x.toFixed(1) + " " + (a.y1 - BAR / 2) + "l-3.5 -7h7z" }, g);
		} else {
			const bend = Math.min(26, Math.abs(base - a.y0) / 2), s = down ? 1 : -1;
			element("path", { class: "arrow " + a.kind, d: "M" + a.x0.toFixed(1) + " " + (a.y0 + s * BAR / 2).toFixed(1) +
				"C" + a.x0.toFixed(1) + " " + (a.y0 + s * (BAR / 2 + bend)).toFixed(1) + " " + x.toFixed(1) + " " + (base - s * bend).toFixed(1) +
				" " + x.toFixed(1) + " " + base.toFixed(1) }, g);
			element("path", { class: "head " + a.kind, d: "M" + x.toFixed(1) + " " + tip.toFixed(1) + "l-3.5 " + -7 * s + "h7z" }, g);
		}
		if (!dim)
			labels.push({ a, x, y: a.source === a.agent ? a.y1 - BAR / 2 - 8 : base - s_of(down) * 3 + (down ? 0 : 7) });
	}
	for (const kind in ticks)
		if (ticks[kind])
			element("path", { class: "moved " + kind, d: ticks[kind], "data-arrows": "" }, svg);
	const taken = [];
	for (const l of labels) {
		const text = sized(l.a.bytes), w = 6 * text.length + 8;
		if (l.x + w > width || taken.some(t => Math.abs(t.y - l.y) < 11 && l.x + 4 < t.end && l.x + w > t.x))
			continue;
		taken.push({ x: l.x, y: l.y, end: l.x + w });
		element("text", { class: "bytes " + l.a.kind, x: (l.x + 6).toFixed(1), y: l.y.toFixed(1) }, svg, text);
	}
}

function s_of(down) {
	return down ? 1 : -1;
}

// The newest of @pairs' bars of @agent and @buffer that began before event @i.
function before(pairs, agent, buffer, i) {
	const list = pairs.get(agent + "/" + buffer) || [];
	let low = 0, high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (list[middle].i0 < i)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? list[low - 1] : null;
}

function draw_marks(svg) {
	let last = {};
	for (const m of all.marks) {
		const x = at(m.span ? m.span.i0 : m.i0), k = m.type + m.agent;
		if (x < GUTTER || x > width)
			continue;
		shown.push(m);
		m.x = x;
		if (m.type !== "finding" && last[k] > x - (m.type === "note" ? 12 : 1))
			continue;
		last[k] = x;
		const g = element("g", { "data-mark": m.type, ...(is_dim(m) && m.type !== "finding" ? { class: "dim" } : {}) }, svg);
		if (m.type === "build" || m.type === "widen")
			element("path", { class: "build", d: "M" + x.toFixed(1) + " " + (m.y - 1).toFixed(1) + "l4 6.5h-8z" }, g);
		else if (m.type === "teardown")
			element("path", { class: "teardown", d: "M" + x.toFixed(1) + " " + (m.y + 4).toFixed(1) + "l4 -6.5h-8z" }, g);
		else if (m.type === "note") {
			element("circle", { class: m.number ? "note" : "note other", cx: x.toFixed(1), cy: m.y, r: m.number ? 7.5 : 4 }, g);
			if (m.number)
				element("text", { class: "number", x: x.toFixed(1), y: m.y + 3.5, "text-anchor": "middle" }, g, m.number);
		} else if (m.type === "move")
			element("path", { class: "move", d: "M" + x.toFixed(1) + " " + (m.y - STRIP / 2) + "v" + STRIP + "m-4 -12h8m-8 6h8" }, g);
		else {
			element("circle", { class: "finding", cx: x.toFixed(1), cy: m.y, r: 7 }, g);
			element("text", { class: "bang", x: x.toFixed(1), y: m.y + 4, "text-anchor": "middle" }, g, "!");
		}
	}
}

function summary() {
	const inside = x => x.i0 !== undefined && axis[x.i0] >= view[0] && axis[x.i0] <= view[1];
	const maps = all.spans.filter(s => s.what === "map" && inside(s)), accesses = all.spans.filter(s => !s.kept && inside(s));
	const moved = kind => all.arrows.filter(a => a.kind === kind && inside(a)).reduce((sum, a) => sum + a.bytes, 0);
	const text = [plural(accesses.length, "access").replace("accesss", "accesses"),
		plural(maps.length, "map") + ", " + maps.filter(s => s.builds.length).length + " of them had to be made"];
	for (const kind of ["clean", "invalidate", "bounce"])
		if (moved(kind))
			text.push(sized(moved(kind)) + " " + VERBS[kind]);
	document.getElementById("view").textContent = "in view: " + text.join(" \u00b7 ");
}

function draw() {
	width = Math.max(600, chart.clientWidth);
	chart.setAttribute("height", height);
	chart.setAttribute("viewBox", "0 0 " + width + " " + height);
	chart.replaceChildren();
	shown = [];
	draw_lanes(chart);
	draw_ruler(chart);
	draw_overview(chart);
	draw_strips(chart);
	draw_fences(chart);
	draw_spans(chart);
	draw_arrows(chart);
	draw_marks(chart);
	summary();
	if (chosen >= 0)
		point_at(order[chosen]);
}

let due = false;
function redraw() {
	if (due || !all)
		return;
	due = true;
	requestAnimationFrame(() => {
		due = false;
		draw();
	});
}
