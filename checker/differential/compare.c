/* SPDX-License-Identifier: MIT */
/*
 * compare.c - two traces of one program, and what of their differences is deliberate
 *
 * Traces are compared step by step.  A step that differs is explained by the first rows that make it
 * equal: each takes some events of both out of sight and, if it says what was answered, allows
 * exactly these two answers.
 */
#include <stdio.h>
#include <string.h>

#include <linux/dma-cost.h>
#include <linux/kernel.h>
#include <linux/errno.h>

#include "differential.h"

#define OURS (CORE_REMAP | CORE_CACHED)
#define LINUX (CORE_LINUX | CORE_LINUX_NOTIFY)
#define OP(op) (1ull << OP_##op)
#define ANY_ANSWER S64_MIN

#define EXPORTERS_PART (EVENT_BIT(EVENT_OP_ATTACH) | EVENT_BIT(EVENT_OP_DETACH) | MAPPINGS_PART)
#define MAPPINGS_PART                                                                    \
	(EVENT_BIT(EVENT_OP_MAP) | EVENT_BIT(EVENT_OP_UNMAP) | EVENT_BIT(EVENT_OP_PIN) | \
	 EVENT_BIT(EVENT_OP_UNPIN))
#define WARNS EVENT_BIT(EVENT_WARN)
#define COSTS EVENT_BIT(EVENT_COST)
#define BYTES EVENT_BIT(EVENT_BYTES)

const struct difference differences[] = {
	{
		.name = "kept at attach",
		.where = "static importer of a dynamic exporter",
		.ours = OURS,
		.theirs = LINUX,
		.ignored = MAPPINGS_PART,
		.flags = EVENT_KEPT,
	},
	{
		.name = "bytes and costs of what is kept",
		.where = "static importer of a dynamic exporter",
		.ours = OURS,
		.theirs = LINUX,
		.ignored = BYTES | COSTS,
		.flags = EVENT_BUFFER_KEPT,
	},
	{
		.name = "policy cached",
		.where = "`map_dma_buf`, `unmap_dma_buf`",
		.ours = CORE_CACHED,
		.theirs = CORE_REMAP,
		.ignored = EXPORTERS_PART | COSTS,
	},
	{
		.name = "policy cached, bytes beside the rules",
		.where = "`map_dma_buf`, `unmap_dma_buf`",
		.ours = CORE_CACHED,
		.theirs = CORE_REMAP,
		.ignored = BYTES,
		.flags = EVENT_IMPROPER,
	},
	{
		.name = "pin while mapped",
		.where = "static importer of a dynamic exporter",
		.ours = OURS,
		.theirs = CORE_LINUX,
		.ignored = EVENT_BIT(EVENT_OP_PIN) | EVENT_BIT(EVENT_OP_UNPIN),
	},
	{
		.name = "reservation held",
		.where = "a call that takes the reservation, by who holds it",
		.ops = OP(BEGIN) | OP(END) | OP(SYNC) | OP(EXPORT_SYNC_FILE) | OP(VMA),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_OP_BEGIN) | EVENT_BIT(EVENT_OP_END) |
			   EVENT_BIT(EVENT_OP_MMAP) | WARNS | COSTS,
		.answers = true,
		.our_answer = -EDEADLK,
		.their_answer = ANY_ANSWER,
	},
	{
		.name = "export with the reservation held",
		.where = "`dma_buf_export()` with its `resv` held",
		.ops = OP(EXPORT),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_OP_RELEASE) | WARNS,
		.answers = true,
		.our_answer = -EDEADLK,
		.their_answer = ANY_ANSWER,
	},
	{
		.name = "export with cache_sgt_mapping and pin",
		.where = "`cache_sgt_mapping`",
		.ops = OP(EXPORT),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_OP_RELEASE) | WARNS,
		.answers = true,
		.their_answer = -EINVAL,
	},
	{
		.name = "a descriptor of no buffer",
		.where = "`dma_buf_fd()` of no buffer",
		.ops = OP(FD),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = WARNS,
		.answers = true,
		.our_answer = -EINVAL,
		.their_answer = -EINVAL,
	},
	{
		.name = "pin by a static importer",
		.where = "`dma_buf_pin()`, `_unpin()` by a static importer",
		.ops = OP(PIN),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_OP_PIN) | EVENT_BIT(EVENT_OP_UNPIN),
		.answers = true,
		.our_answer = -EINVAL,
		.their_answer = ANY_ANSWER,
	},
	{
		.name = "a direction that is none",
		.where = "a direction that is none",
		.ops = OP(BEGIN) | OP(END),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_OP_BEGIN) | EVENT_BIT(EVENT_OP_END) | WARNS | COSTS,
		.answers = true,
		.our_answer = -EINVAL,
		.their_answer = ANY_ANSWER,
	},
	{
		.name = "begin whose wait is interrupted",
		.where = "`begin_cpu_access` whose wait is interrupted",
		.ops = OP(BEGIN) | OP(SYNC),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_OP_END) | COSTS,
		.answers = true,
		.our_answer = -ERESTARTSYS,
		.their_answer = -ERESTARTSYS,
	},
	{
		.name = "an exporter's vmap that fails",
		.where = "an exporter's vmap that fails",
		.ops = OP(VMAP),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = WARNS,
	},
	{
		.name = "move_notify by an exporter without pin",
		.where = "`dma_buf_move_notify()` by an exporter without pin",
		.ops = OP(MOVE),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_MOVE_NOTIFY) | WARNS,
	},
	{
		.name = "released while the CPU accesses it",
		.where = "a buffer released while the CPU's access is open",
		/* SIGNAL, and FENCE_PUT of who has not: of the fence that a poll of it waited for */
		.ops = OP(PUT) | OP(CLOSE) | OP(MUNMAP) | OP(SIGNAL) | OP(FENCE_PUT),
		.ours = CORE_CACHED,
		.theirs = CORE_REMAP,
		.ignored = WARNS,
	},
	{
		.name = "a poll after a fence was replaced",
		.where = "`poll()` for a fence that has been replaced since",
		.ops = OP(POLL),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = EVENT_BIT(EVENT_RETURNED),
		.flags = EVENT_REPLACED,
	},
	{
		.name = "another direction than the kept one",
		.where = "two mappings of one attachment with different directions",
		.ops = OP(MAP),
		.ours = OURS,
		.theirs = LINUX,
		.ignored = MAPPINGS_PART | EVENT_BIT(EVENT_SAW) | COSTS,
		.answers = true,
		.their_answer = -EBUSY,
	},
};

const unsigned int differences_nr = ARRAY_SIZE(differences);

const char *const unsent_reasons[UNSENT_NR] = {
	[UNSENT_WAITS_FOR_ITSELF] = "takes the reservation that its thread holds: waits for ever",
	[UNSENT_WAITS_FOR_ANOTHER] =
		"takes the reservation that another thread holds: waits for it",
	[UNSENT_WAITS_FOR_FENCE] = "waits for a fence that nobody signals",
	[UNSENT_LAST_REFERENCE] =
		"the last reference while attached or vmapped: use after free, or BUG",
	[UNSENT_PUT_UNDER_LOCK] = "the last reference with the reservation held: it goes with it",
	[UNSENT_EXPORT_LOCKED] =
		"export with a reservation that another thread holds: only we wait",
	[UNSENT_DETACH_MAPPED] = "detach while mapped: use after free at the unmap",
	[UNSENT_UNMAP_TWICE] = "unmap twice: use after free in the exporter",
	[UNSENT_UNMAP_DIRECTION] = "unmap with another direction: the exporter undoes another map",
	[UNSENT_MAP_NONE] = "map without a direction: BUG in the exporter's dma_map_sgtable()",
	[UNSENT_END_NULL] = "end_cpu_access of no buffer: crash",
	[UNSENT_PIN_NULL] = "pin or unpin of no attachment: crash",
	[UNSENT_VMAP_NULL] = "vmap without a map: crash",
	[UNSENT_VUNMAP_TWICE] = "vunmap of what is not mapped: BUG",
	[UNSENT_VUNMAP_OTHER] = "vunmap of another map: BUG",
	[UNSENT_UNLOCK_OTHER] = "unlock of a reservation that the thread does not hold: undefined",
	[UNSENT_NO_SLOT] = "a fence added without a slot: BUG",
	[UNSENT_KEPT_WAITS] = "a mapping that 6.12 keeps and a KERNEL fence: only one of us waits",
	[UNSENT_KEPT_ACCESS] = "an access that a mapping kept BIDIRECTIONAL allows by mistake",
};

/* --- events as text --------------------------------------------------------------------------- */

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_RETURNED] = "returned",
	[EVENT_NOTHING] = "nothing to do it with",
	[EVENT_UNSENT] = "not sent",
	[EVENT_OP_ATTACH] = "exporter: attach",
	[EVENT_OP_DETACH] = "exporter: detach",
	[EVENT_OP_PIN] = "exporter: pin",
	[EVENT_OP_UNPIN] = "exporter: unpin",
	[EVENT_OP_MAP] = "exporter: map",
	[EVENT_OP_UNMAP] = "exporter: unmap",
	[EVENT_OP_BEGIN] = "exporter: begin",
	[EVENT_OP_END] = "exporter: end",
	[EVENT_OP_VMAP] = "exporter: vmap",
	[EVENT_OP_VUNMAP] = "exporter: vunmap",
	[EVENT_OP_MMAP] = "exporter: mmap",
	[EVENT_OP_RELEASE] = "exporter: release",
	[EVENT_MOVE_NOTIFY] = "importer: move_notify",
	[EVENT_ENABLED] = "fence: enable_signaling",
	[EVENT_SIGNALED] = "fence: callback",
	[EVENT_SAW] = "gave",
	[EVENT_BYTES] = "bytes read",
	[EVENT_COST] = "cost",
	[EVENT_WARN] = "WARNs",
	[EVENT_LEAK] = "LEAK",
};

void event_print(const struct event *event, char *text, size_t size)
{
	int len = snprintf(text, size, "%s", kind_names[event->kind]);

	if (event->kind == EVENT_UNSENT)
		len += snprintf(text + len, size - len, ": %s", unsent_reasons[event->value]);
	else if (event->kind == EVENT_COST)
		len += snprintf(text + len, size - len, " %s", dma_cost_name(event->which));
	if (event->buffer >= 0)
		len += snprintf(text + len, size - len, " buffer %d", event->buffer);
	if (event->which != -1 && event->kind != EVENT_COST)
		len += snprintf(text + len, size - len, " [%d]", event->which);
	snprintf(text + len, size - len, " %lld%s%s", (long long)event->value,
		 event->flags & EVENT_HELD ? ", held" : "",
		 event->flags & EVENT_KEPT ? ", kept by 6.12" : "");
}

/* --- steps ------------------------------------------------------------------------------------ */

struct step {
	const struct event *events;
	unsigned int nr;
};

/* The events of operation @number; *@at is where they begin and then where they end. */
static struct step step_at(const struct trace *trace, unsigned int *at, unsigned int number)
{
	struct step step = { trace->events + *at, 0 };

	while (*at < trace->nr && trace->events[*at].step == number) {
		step.nr++;
		++*at;
	}
	return step;
}

static s64 answer(const struct step *step)
{
	for (unsigned int i = 0; i < step->nr; i++)
		if (step->events[i].kind == EVENT_RETURNED)
			return step->events[i].value;
	return ANY_ANSWER;
}

static bool answered(s64 row, const struct step *step)
{
	return row == ANY_ANSWER || row == answer(step);
}

static bool applies(const struct difference *row, const struct step *ours, enum core_kind our_kind,
		    const struct step *theirs, enum core_kind their_kind)
{
	const struct event *first = ours->nr ? ours->events : theirs->events;

	return row->ours & our_kind && row->theirs & their_kind &&
	       (!row->ops || row->ops & 1ull << first->op) &&
	       (!row->answers ||
		(answered(row->our_answer, ours) && answered(row->their_answer, theirs)));
}

/* The next event from *@at on that no row of @rows takes out of sight. */
static const struct event *next_seen(const struct step *step, unsigned int *at, u64 rows)
{
	for (; *at < step->nr; ++*at) {
		const struct event *event = &step->events[*at];
		bool seen = true;

		for (unsigned int r = 0; r < differences_nr; r++) {
			const struct difference *row = &differences[r];

			if (!(rows & 1ull << r))
				continue;
			if (row->answers && event->kind == EVENT_RETURNED)
				seen = false;
			if (row->ignored & EVENT_BIT(event->kind) &&
			    (!row->flags || row->flags & event->flags))
				seen = false;
		}
		if (seen)
			return &step->events[(*at)++];
	}
	return NULL;
}

static bool same_event(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && a->flags == b->flags && a->buffer == b->buffer &&
	       a->which == b->which && a->value == b->value;
}

static bool same_steps(const struct step *ours, const struct step *theirs, u64 rows)
{
	unsigned int a = 0, b = 0;
	const struct event *one, *other;

	do {
		one = next_seen(ours, &a, rows);
		other = next_seen(theirs, &b, rows);
		if (!one != !other || (one && !same_event(one, other)))
			return false;
	} while (one);
	return true;
}

/* The rows that explain a step, each of which is needed; 0 if it needs none or none do. */
static u64 explain(const struct step *ours, enum core_kind our_kind, const struct step *theirs,
		   enum core_kind their_kind, int without)
{
	u64 rows = 0;

	if (same_steps(ours, theirs, 0))
		return 0;
	for (unsigned int r = 0; r < differences_nr; r++)
		if ((int)r != without &&
		    applies(&differences[r], ours, our_kind, theirs, their_kind))
			rows |= 1ull << r;
	if (!same_steps(ours, theirs, rows))
		return 0;
	for (unsigned int r = 0; r < differences_nr; r++)
		if (same_steps(ours, theirs, rows & ~(1ull << r)))
			rows &= ~(1ull << r);
	return rows;
}

/* --- verdicts --------------------------------------------------------------------------------- */

static const char *core_name(enum core_kind kind)
{
	return kind == CORE_REMAP    ? "ours, policy remap"
	       : kind == CORE_CACHED ? "ours, policy cached"
	       : kind == CORE_LINUX  ? "Linux 6.12"
				     : "Linux 6.12, MOVE_NOTIFY";
}

static __printf(2, 3) void say(struct verdict *verdict, const char *fmt, ...)
{
	size_t len = strlen(verdict->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(verdict->text + len, sizeof(verdict->text) - len, fmt, args);
	va_end(args);
}

static void say_step(struct verdict *verdict, const struct step *step, enum core_kind kind)
{
	char text[256];

	say(verdict, "%s:\n", core_name(kind));
	for (unsigned int i = 0; i < step->nr; i++) {
		event_print(&step->events[i], text, sizeof(text));
		say(verdict, "\t%s\n", text);
	}
}

void trace_check(const struct trace *trace, enum core_kind kind, struct verdict *verdict)
{
	char text[256];

	verdict->same = true;
	verdict->text[0] = '\0';
	if (trace->overflow) {
		verdict->same = false;
		say(verdict, "%s: too many events\n", core_name(kind));
	}
	for (unsigned int i = 0; i < trace->nr && verdict->same; i++) {
		const struct event *event = &trace->events[i];

		/* Linux does not sync what it keeps. */
		if (event->kind != EVENT_LEAK &&
		    (event->kind != EVENT_BYTES || event->which ||
		     (kind & LINUX && event->flags & EVENT_BUFFER_KEPT)))
			continue;
		verdict->same = false;
		event_print(event, text, sizeof(text));
		say(verdict, "step %u, %s: %s: %s\n", event->step, op_name(event->op),
		    core_name(kind), text);
	}
}

void traces_compare(const struct trace *ours, enum core_kind our_kind, const struct trace *theirs,
		    enum core_kind their_kind, int without, struct verdict *verdict)
{
	unsigned int a = 0, b = 0;

	verdict->same = true;
	verdict->text[0] = '\0';
	for (unsigned int number = 0; verdict->same && (a < ours->nr || b < theirs->nr); number++) {
		struct step one = step_at(ours, &a, number), other = step_at(theirs, &b, number);
		u64 rows = explain(&one, our_kind, &other, their_kind, without);

		verdict->used |= rows;
		if (same_steps(&one, &other, rows))
			continue;
		verdict->same = false;
		say(verdict, "step %u, %s:\n", number,
		    op_name((one.nr ? one.events : other.events)->op));
		say_step(verdict, &one, our_kind);
		say_step(verdict, &other, their_kind);
	}
}

static bool fails_a_map(const struct program *program)
{
	for (unsigned int i = 0; i < program->nr; i++) {
		unsigned int kind = EVENT_OP_ATTACH + program->ops[i].arg[0];

		if (program->ops[i].code == OP_FAIL &&
		    (kind == EVENT_OP_ATTACH || kind == EVENT_OP_MAP))
			return true;
	}
	return false;
}

void cores_compare(const struct program *program, differential_run_t ours,
		   differential_run_t notify, differential_run_t plain, int without,
		   struct verdict *verdict, u64 *unsent)
{
	static struct trace remap, cached, linux_notify, linux_plain;
	const struct {
		differential_run_t run;
		bool remap;
		enum core_kind kind;
		struct trace *trace;
	} cores[] = {
		{ ours, true, CORE_REMAP, &remap },
		{ ours, false, CORE_CACHED, &cached },
		{ notify, true, CORE_LINUX_NOTIFY, &linux_notify },
		{ plain, true, CORE_LINUX, &linux_plain },
	};

	verdict->used = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(cores); i++) {
		if (!cores[i].run)
			continue;
		cores[i].run(program, cores[i].remap, cores[i].trace);
		trace_check(cores[i].trace, cores[i].kind, verdict);
		if (!verdict->same)
			return;
	}
	*unsent |= remap.unsent;
	/* The cheapest first; what both of ours do is compared with Linux's once. */
	for (unsigned int i = 0; i < ARRAY_SIZE(cores); i++) {
		const struct trace *one = cores[i].kind == CORE_CACHED ? &cached : &remap;
		const struct trace *other = cores[i].kind == CORE_CACHED ? &remap : cores[i].trace;

		if (cores[i].kind == CORE_REMAP || !cores[i].run ||
		    (cores[i].kind == CORE_CACHED && fails_a_map(program)))
			continue;
		traces_compare(one, cores[i].kind == CORE_CACHED ? CORE_CACHED : CORE_REMAP, other,
			       cores[i].kind == CORE_CACHED ? CORE_REMAP : cores[i].kind, without,
			       verdict);
		if (!verdict->same)
			return;
	}
}
