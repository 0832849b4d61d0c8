// SPDX-License-Identifier: MIT
// page.js - what the page tells of a place in the picture, and how to go about in it

// --- telling -------------------------------------------------------------------------------------

function call_of(s) {
	const dir = DIRECTIONS[s.dir];
	if (s.what === "map")
		return "dma_buf_map_attachment(attach, " + dir + ")";
	if (s.what === "access")
		return "dma_buf_begin_access(attach, table, " + dir + ")";
	if (s.what === "exporter")
		return "dma_buf_begin_exporter_access(dmabuf, dev, table, " + dir + ")";
	return s.to - s.from === all.buffers[s.buffer].bytes ? "dma_buf_begin_cpu_access(dmabuf, " + dir + ")"
		: "dma_buf_begin_cpu_access_partial(dmabuf, " + dir + ", " + s.from + ", " + (s.to - s.from) + ")";
}

function where(buffer, i, from, to) {
	const parts = holders(buffer, i, from, to), whole = parts.length === 1;
	return parts.map(r => (whole ? "all" : "bytes " + r.from + " to " + (r.to - 1)) + ": " + places(buffer, r, i)).join("; ");
}

function costs_of(first, last, thread) {
	const sums = {};
	for (let i = first; i <= last; i++)
		if (all.events[i].thread === thread)
			for (const k in all.events[i].cost || {})
				sums[k] = (sums[k] || 0) + all.events[i].cost[k];
	return COST_NAMES.filter(([name]) => sums[COST[name]]).map(([name, text]) => sums[COST[name]].toLocaleString("en") + " " + text);
}

function costs_to_begin(s) {
	const thread = all.events[s.i0].thread, marks = [...s.builds, ...s.moves.filter(m => m.begins)].map(m => m.i0);
	return costs_of(Math.min(s.i0, ...marks), s.i0, thread);
}

function moment(i) {
	return data.timed ? ((all.events[i].t - all.events[0].t) / 1e6).toFixed(3) + " ms" : "event " + i;
}

function lasting(s) {
	if (s.open)
		return ", to the end";
	return data.timed ? ", for " + ((all.events[s.i1].t - all.events[s.i0].t) / 1000).toFixed(0) + " \u00b5s" : " to " + s.i1;
}

function frame(item) {
	return item.content === undefined ? "" : ", frame " + item.content;
}

// Lines to tell: [class, text].
function tell(item) {
	const b = all.buffers[item.buffer], who = item.agent >= 0 ? all.agents[item.agent].name : "";
	const name = b ? b.name : "";
	if (item.type === "span") {
		const does = item.reads && item.writes ? "reads and writes" : item.writes ? "writes" : "reads";
		const out = [["b", who + " " + (item.kept ? "keeps " + name + " mapped" : does + " " + name + frame(item))], ["code", call_of(item)],
			["span", moment(item.i0) + lasting(item)]];
		if (!item.kept)
			out.push(["span", "Newest bytes, " + where(b, item.i0, item.from, item.to)]);
		if (item.what === "map" && !item.builds.length)
			out.push(["span", "The mapping was there already."]);
		const cost = costs_to_begin(item);
		out.push(["span", cost.length ? "It took " + cost.join(", ") + "." : "Nothing was moved for it."]);
		for (const m of item.moves.filter(m => !m.begins))
			out.push(["span", "At its end " + m.bytes.toLocaleString("en") + " bytes were " + VERBS[m.kind] + "."]);
		return out;
	}
	if (item.type === "arrow") {
		const from = all.agents[item.source].name, bytes = item.bytes.toLocaleString("en") + " bytes";
		const part = b && item.ranges.every(([from, to]) => to - from < b.bytes);
		const range = part ? ", bytes " + item.ranges.map(([from, to]) => from + " to " + (to - 1)).join(", ") : "";
		const why = {
			clean: "were written back from the caches, where " + from + (item.source === CPU ? " has" : " had") + " put them, so that " + who + " finds them in memory",
			invalidate: "were dropped from the caches, so that " + who + " reads what " + from + " wrote to memory",
			bounce: item.agent === CPU ? "were copied out of the bounce slot of " + from : "were copied into the bounce slot of " + who,
		}[item.kind];
		return [["b", from + " \u2192 " + who + ": " + bytes + " " + VERBS[item.kind]], ["span", name + range + frame(item)], ["span", "They " + why + "."],
			["span", moment(item.i0)]];
	}
	if (item.type === "fence")
		return [["b", item.name + " #" + item.seqno + ": " + (item.signal === undefined ? "a fence that never signaled" : "a fence that signaled at " + moment(item.signal))],
			["span", "Put there at " + moment(item.i0) + (item.job === undefined ? "" : ", its job began at " + moment(item.job))],
			["span", "Others wait for it: " + item.buffers.map(x => (all.buffers[x.buffer] ? all.buffers[x.buffer].name : "a reservation") + " (" + x.usage + ")").join(", ")],
			...(item.error ? [["wrong", "error " + item.error]] : [])];
	if (item.type === "finding")
		return [["wrong", item.text], ["span", [who, name].filter(Boolean).join(", ") + frame(item)], ["span", moment(item.i0)]];
	if (item.type === "note")
		return [["b", (item.number ? item.number + ". " : "") + item.text], ["span", "Newest bytes, " + where(b, item.i0, 0, b.bytes)]];
	if (item.type === "move")
		return [["b", name + " moves"], ["span", "Its importers were told to let go of where it was."], ["span", moment(item.i0)]];
	const made = { build: "The exporter made a mapping", teardown: "The exporter took a mapping apart", widen: "A mapping was widened where it is" }[item.type];
	const cost = costs_of(item.i0, item.i0, all.events[item.i0].thread);
	return [["b", made], ["span", [name, who && "for " + who].filter(Boolean).join(" ") + ", " + (DIRECTIONS[item.dir] || "")],
		["span", moment(item.i0) + (cost.length ? ": " + cost.join(", ") : "")]];
}

function centre(item) {
	if (item.type === "span")
		return [(Math.max(GUTTER, at(item.i0)) + Math.min(width, at(item.i1))) / 2, item.y + BAR / 2];
	if (item.type === "fence")
		return [at(item.i1), item.y];
	if (item.type === "arrow")
		return [item.x === undefined ? at(item.i0) : item.x, item.y1 === undefined ? item.span.y : item.y1 - BAR];
	return [item.x === undefined ? at(item.i0) : item.x, item.y];
}

function show_told(item, x, y) {
	told.replaceChildren(...tell(item).map(([kind, text]) => {
		const e = document.createElement(kind === "wrong" ? "span" : kind);
		if (kind === "wrong")
			e.className = "wrong";
		e.textContent = text;
		return e;
	}));
	told.hidden = false;
	const scale = chart.clientWidth / width, w = told.offsetWidth, h = told.offsetHeight;
	let left = x * scale + 14, top = y * scale + 16;
	if (left + w > chart.clientWidth)
		left = Math.max(0, x * scale - w - 14);
	if (top + h > chart.clientHeight)
		top = Math.max(0, y * scale - h - 12);
	told.style.left = left + "px";
	told.style.top = top + "px";
}

function outline(item) {
	const old = chart.querySelector(".chosen");
	if (old)
		old.remove();
	if (!item)
		return;
	const [x, y] = centre(item);
	if (item.type === "span") {
		const x0 = Math.max(GUTTER, at(item.i0)) - 2;
		element("rect", { class: "chosen", x: x0, y: item.y - 2, width: Math.max(5, Math.min(width, at(item.i1)) + 2 - x0), height: BAR + 4, rx: 3 }, chart);
	} else {
		element("circle", { class: "chosen", cx: x, cy: y, r: 9 }, chart);
	}
}

function point_at(item) {
	outline(item);
	if (item)
		show_told(item, ...centre(item));
	else
		told.hidden = true;
}

// What of all that is shown is nearest to a place.
function hit(x, y) {
	let best = null, least = 7;
	for (const item of shown) {
		let d;
		if (item.type === "span") {
			const x0 = at(item.i0), x1 = at(item.i1);
			d = Math.max(x0 - x, x - x1, 0) + Math.max(item.y - y, y - item.y - BAR, 0) + (item.kept ? 1.5 : 0) + (x1 - x0) / 1e5;
		} else if (item.type === "arrow") {
			const low = Math.min(item.y0, item.y1), high = Math.max(item.y0, item.y1), part = (y - item.y0) / (item.y1 - item.y0 || 1);
			const along = item.x0 + (item.x - item.x0) * (part * part * (3 - 2 * part));
			d = y < low + BAR / 2 || y > high - BAR / 2 ? 99 : Math.abs(x - along) - 0.5;
		} else {
			const [cx, cy] = centre(item);
			d = Math.hypot(cx - x, cy - y) - 4;
		}
		if (d < least || d === least && item.type !== "fence") {
			least = d;
			best = item;
		}
	}
	return best;
}

function hit_strip(x, y) {
	const b = all.buffers.find(b => y >= b.y && y < b.y + STRIP + 4);
	if (!b || x < GUTTER || !b.history.length)
		return null;
	let i = 0;
	while (i + 1 < axis.length && at(i + 1) <= x)
		i++;
	if (i < b.history[0].i || b.gone !== undefined && i > b.gone)
		return null;
	return { b, i };
}

function tell_strip({ b, i }, x, y) {
	told.replaceChildren();
	for (const [kind, text] of [["b", b.name + ", " + sized(b.bytes) + " of " + b.exporter], ["span", "Newest bytes, " + where(b, i, 0, b.bytes)], ["span", moment(i)]]) {
		const e = document.createElement(kind);
		e.textContent = text;
		told.appendChild(e);
	}
	const lines = [...told.childNodes];
	show_told({ type: "finding", text: "", agent: -1, buffer: -1, i0: i }, x, y);
	told.replaceChildren(...lines);
}

// --- going about ---------------------------------------------------------------------------------

function set_view(v0, v1) {
	const least = 4 * axis.end / Math.max(8, axis.length), most = axis.end;
	let span = Math.min(Math.max(v1 - v0, Math.min(least, most)), most);
	let from = Math.min(Math.max(0, (v0 + v1 - span) / 2), most - span);
	view = [from, from + span];
	redraw();
}

function zoom(by, x) {
	const c = x === undefined ? (view[0] + view[1]) / 2 : view[0] + (x - GUTTER) / (width - GUTTER - RIGHT) * (view[1] - view[0]);
	set_view(c - (c - view[0]) * by, c + (view[1] - c) * by);
}

function pan(by) {
	const span = view[1] - view[0];
	set_view(view[0] + by * span, view[1] + by * span);
}

function choose(n) {
	chosen = Math.min(Math.max(n, 0), order.length - 1);
	const item = order[chosen];
	if (!item)
		return;
	const a = axis[item.i0], b = axis[item.i1];
	if (a < view[0] || Math.min(b, a + (view[1] - view[0]) / 4) > view[1]) {
		const span = view[1] - view[0];
		set_view(a - span / 4, a + span * 3 / 4);
	}
	redraw();
}

function set_follow(f) {
	follow = f;
	select.value = f && f.content === undefined ? "b" + f.buffer : f ? "f" + f.content : "";
	redraw();
}

const spot = event => {
	const box = chart.getBoundingClientRect(), scale = width / box.width;
	return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
};

function by_pair(spans) {
	const pairs = new Map();
	for (const s of spans) {
		const k = s.agent + "/" + s.buffer;
		(pairs.get(k) || pairs.set(k, []).get(k)).push(s);
	}
	return pairs;
}
const select = document.getElementById("follow");
let order = [], contents = [];
select.onchange = () => set_follow(!select.value ? null : select.value[0] === "f" ? { content: Number(select.value.slice(1)) }
	: { buffer: Number(select.value.slice(1)) });

document.getElementById("in").onclick = () => zoom(0.6);
document.getElementById("out").onclick = () => zoom(1 / 0.6);
document.getElementById("all").onclick = () => set_view(0, axis.end);
document.getElementById("true-time").onchange = event => {
	const first = axis.findIndex(x => x >= view[0]), last = axis.findLastIndex(x => x <= view[1]);
	make_axis(event.target.checked);
	document.getElementById("stretched").hidden = event.target.checked;
	set_view(first <= 0 ? 0 : axis[first], last >= axis.length - 1 ? axis.end : axis[Math.max(last, 0)]);
};

let drag = null;
chart.onpointerdown = event => {
	const [x, y] = spot(event);
	drag = { x, view: [...view], moved: false, overview: y < OVERVIEW + 2 && x > GUTTER };
	if (drag.overview)
		overview_to(x);
	chart.setPointerCapture(event.pointerId);
};
function overview_to(x) {
	const span = view[1] - view[0], middle = (x - GUTTER) / (width - GUTTER - RIGHT) * axis.end;
	set_view(middle - span / 2, middle + span / 2);
}
chart.onpointermove = event => {
	const [x, y] = spot(event);
	if (drag) {
		if (Math.abs(x - drag.x) > 3)
			drag.moved = true;
		if (drag.overview)
			overview_to(x);
		else if (drag.moved) {
			const by = (drag.x - x) / (width - GUTTER - RIGHT) * (drag.view[1] - drag.view[0]);
			set_view(drag.view[0] + by, drag.view[1] + by);
		}
		return;
	}
	const item = x > GUTTER - 4 ? hit(x, y) : null, strip = item ? null : hit_strip(x, y);
	hovered = item;
	outline(item);
	if (item)
		show_told(item, x, y);
	else if (strip)
		tell_strip(strip, x, y);
	else
		told.hidden = true;
};
chart.onpointerup = () => {
	if (drag && !drag.moved && !drag.overview)
		set_follow(hovered && !(follow && !is_dim(hovered)) ? { content: hovered.content, buffer: hovered.buffer } : null);
	drag = null;
};
chart.onpointerleave = () => {
	if (!drag)
		point_at(chosen >= 0 && document.activeElement === chart ? order[chosen] : null);
};
chart.addEventListener("wheel", event => {
	if (event.ctrlKey || event.metaKey)
		zoom(Math.exp(event.deltaY / 300), spot(event)[0]);
	else if (event.deltaX || event.shiftKey)
		pan((event.deltaX || event.deltaY) / 1000);
	else
		return;
	event.preventDefault();
}, { passive: false });
chart.onkeydown = event => {
	const keys = {
		ArrowRight: () => choose(chosen < 0 ? Math.max(0, order.findIndex(o => axis[o.i0] >= view[0])) : chosen + 1),
		ArrowLeft: () => choose(chosen < 0 ? 0 : chosen - 1),
		Home: () => choose(0),
		End: () => choose(order.length - 1),
		PageDown: () => pan(0.8),
		PageUp: () => pan(-0.8),
		"+": () => zoom(0.6),
		"=": () => zoom(0.6),
		"-": () => zoom(1 / 0.6),
		0: () => set_view(0, axis.end),
		Enter: () => order[chosen] && set_follow({ content: order[chosen].content, buffer: order[chosen].buffer }),
		Escape: () => {
			chosen = -1;
			told.hidden = true;
			set_follow(null);
		},
	};
	if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey)
		return;
	event.preventDefault();
	keys[event.key]();
};
chart.onblur = () => point_at(null);

// What each frame took, to be read in one line after the other.
function tabulate() {
	const rows = [["bytes cleaned", "clean"], ["bytes invalidated", "invalidate"], ["bytes bounced", "bounce"], ["mappings made", "build"]];
	const most = 16, columns = contents.length > most ? [...contents.slice(0, most - 3), null, ...contents.slice(-2)] : contents;
	const notes = all.marks.filter(m => m.type === "note" && m.number);
	if (notes.length) {
		const list = document.createElement("ol");
		for (const m of notes)
			list.appendChild(document.createElement("li")).textContent = m.text;
		document.getElementById("frames").appendChild(list);
	}
	const sums = new Map(contents.map(c => [c, { clean: 0, invalidate: 0, bounce: 0, build: 0 }]));
	if (contents.length < 2)
		return;
	for (const a of all.arrows)
		if (sums.has(a.content))
			sums.get(a.content)[a.kind] += a.bytes;
	for (const m of all.marks)
		if (m.type === "build" && sums.has(m.content))
			sums.get(m.content).build++;
	const table = document.createElement("table"), head = table.createTHead().insertRow(), body = table.createTBody();
	table.createCaption().textContent = "What each frame took";
	const cell = (row, text, tag, scope) => {
		const c = document.createElement(tag || "td");
		if (scope)
			c.scope = scope;
		c.textContent = text;
		row.appendChild(c);
		return c;
	};
	cell(head, "frame", "th", "row");
	columns.forEach(c => cell(head, c === null ? "\u2026" : c, "th", "col"));
	for (const [label, kind] of rows) {
		if (kind === "bounce" && !all.arrows.some(a => a.kind === "bounce"))
			continue;
		const row = body.insertRow();
		cell(row, label, "th", "row");
		for (const c of columns) {
			const n = c === null ? "" : sums.get(c)[kind];
			cell(row, n.toLocaleString("en")).className = n === 0 ? "zero" : "";
		}
	}
	document.getElementById("frames").appendChild(table);
}

// --- the beginning -------------------------------------------------------------------------------

const ROOM = 900; // events that one picture still shows one by one

function first_view() {
	const wrongs = all.marks.filter(m => m.type === "finding"), wrong = told_of.pictures ? wrongs.pop() : wrongs[0];
	if (axis.length <= ROOM)
		set_view(0, axis.end);
	else if (wrong)
		set_view(axis[Math.max(0, wrong.i0 - ROOM / 6)], axis[Math.min(axis.length - 1, wrong.i0 + ROOM / 6)]);
	else
		set_view(0, axis[ROOM * 2 / 3]);
}

function legend() {
	const there = { b: all.agents.some(a => a.domain === 2), m: all.agents.some(a => a.domain === 1), d: all.buffers.some(b => b.homes.some(h => h.device)), kept: all.spans.some(s => s.kept),
		clean: all.arrows.some(a => a.kind === "clean"), invalidate: all.arrows.some(a => a.kind === "invalidate"), bounce: all.arrows.some(a => a.kind === "bounce"),
		fence: all.fences.length > 0, content: contents.length > 0 };
	for (const m of all.marks)
		there[m.type] = true;
	for (const e of document.querySelectorAll("#legend [data-if]"))
		e.hidden = !there[e.dataset.if];
	for (const e of document.querySelectorAll("#legend dl"))
		e.hidden = ![...e.querySelectorAll("dd")].some(d => !d.hidden);
}

function show(picture) {
	data = picture;
	all = understand();
	all.spans.forEach((s, n) => s.n = n);
	all.arrows.forEach((a, n) => a.n = n);
	all.by_pair = by_pair(all.spans);
	all.accesses = by_pair(all.spans.filter(s => !s.kept));
	order = [...all.spans, ...all.arrows, ...all.marks, ...all.fences].sort((p, q) => p.i0 - q.i0);
	contents = [...new Set(all.spans.map(s => s.content).filter(c => c !== undefined))];
	follow = hovered = null;
	chosen = -1;
	select.length = 1;
	for (const c of contents)
		select.add(new Option("frame " + c, "f" + c));
	for (const b of all.buffers)
		select.add(new Option("buffer " + b.name, "b" + b.number));
	legend();
	document.getElementById("dropped").textContent = !data.dropped ? ""
		: plural(data.dropped, "later event") + " found no room and " + (data.dropped === 1 ? "is" : "are") + " not shown.";
	document.getElementById("stretched").hidden = !data.timed;
	document.getElementById("true-time").checked = false;
	document.getElementById("true-time").parentNode.hidden = !data.timed;
	document.getElementById("frames").replaceChildren();
	tabulate();
	make_axis(false);
	arrange();
	width = Math.max(600, chart.clientWidth);
	first_view();
	draw();
}

// The picture lies in the words that are open; at most one of them is.
function open_words(words, n) {
	const place = document.getElementById("picture");
	place.hidden = !pictures[n];
	words[n].appendChild(place);
	words.forEach(w => w.open = w === words[n]);
	if (pictures[n])
		show(pictures[n]);
}

patterns(chart);
if (told_of.pictures) {
	const words = [...document.querySelectorAll("#words > details")];
	document.getElementById("picture").hidden = true;
	words.forEach((w, n) => w.addEventListener("toggle", () => w.open && !w.contains(chart) && open_words(words, n)));
	if (words.length)
		open_words(words, 0);
} else {
	show(pictures[0]);
}
new ResizeObserver(redraw).observe(chart);
