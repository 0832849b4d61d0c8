/* SPDX-License-Identifier: MIT */
/*
 * coherence-spec-test.c - every edge of coherence-spec.py's state graph, done by coherence.c
 *
 * The specification writes its graph down, state by state.  Each state is restored into real
 * structures over a model of its hardware, a line of two bytes with memory and slots beside it;
 * each begin, end and leave of the graph is performed by the real functions; then whole, open and
 * all bytes must be the successor's.  In the graphs where transitions are single steps, the
 * operations performed must also be the specification's, in its order.  Every transition is done
 * twice, the second time with c_clean known where that is true: operations may be skipped then, but
 * not their effect.
 *
 * A replay that compares nothing passes too.  So graphs of mistaken protocols and mistaken hardware
 * are replayed as well, and there must be differences.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/list.h>

#include "core/coherence-spec-path.h"
#include "core/coherence.h"
#include "core/mapping-slot.h"
#include "host/warn.h"
#include "tests/ktap.h"

#define BYTES 2
#define MAX_AGENTS 5
#define MAX_BOUNCED 2
#define MAX_STEPS 64
#define READ_WRITE (COHERENCE_READ | COHERENCE_WRITE)

/* --- the graph -------------------------------------------------------------------------------- */

struct hardware {
	unsigned char memory[BYTES];
	char line; /* '-' absent, 'c' clean, 'd' dirty */
	unsigned char cached[BYTES];
	unsigned char slot[MAX_BOUNCED][BYTES];
};

struct state {
	struct hardware hw;
	unsigned char twin[MAX_BOUNCED][BYTES];
	unsigned int whole; /* bit 0 C, 1 M, 2 B1, 3 B2 */
	char open[MAX_AGENTS + 1], joined[MAX_AGENTS + 1];
	char todo[MAX_STEPS];
	unsigned int first_edge, nr_edges;
};

struct edge {
	char label[32];
	unsigned int to;
};

struct graph {
	char agents[MAX_AGENTS][8];
	unsigned int nr_agents;
	struct state *states;
	struct edge *edges;
	unsigned int nr_states, nr_edges;
};

static void *grown(void *array, unsigned int n, size_t size)
{
	if (n & (n - 1))
		return array;
	array = realloc(array, (n ? 2 * n : 1) * size);
	if (!array)
		abort();
	return array;
}

static void read_digits(unsigned char *bytes, const char *digits)
{
	for (; *digits >= '0' && *digits <= '9'; digits++)
		*bytes++ = *digits - '0';
}

static unsigned int read_set(const char *names)
{
	unsigned int set = 0;

	for (; *names; names++)
		set |= *names == 'C'   ? 1
		       : *names == 'M' ? 2
		       : *names >= '1' ? 4u << (*names - '1')
				       : 0;
	return set;
}

static bool read_state(struct state *s, char *fields)
{
	char *field[10];
	unsigned int n;

	for (n = 0; n < 10; n++)
		field[n] = strsep(&fields, "\t\n");
	if (!field[9] || strlen(field[9]) >= MAX_STEPS || strlen(field[6]) > MAX_AGENTS)
		return false;
	memset(s, 0, sizeof(*s));
	read_digits(s->hw.memory, field[1]);
	s->hw.line = field[2][0];
	read_digits(s->hw.cached, field[2] + 1);
	read_digits(s->hw.slot[0], field[3]);
	read_digits(s->twin[0], field[4]);
	s->whole = read_set(field[5]);
	strcpy(s->open, field[6]);
	strcpy(s->joined, field[8]);
	strcpy(s->todo, field[9]);
	return true;
}

/* The first @most states; edges that lead further are passed over. */
static bool read_graph(struct graph *g, const char *arguments, unsigned int most)
{
	char command[1024], *line = NULL;
	size_t room = 0;
	FILE *dump;
	const char *end = strchr(arguments, ' ');
	bool good = true;

	memset(g, 0, sizeof(*g));
	for (const char *a = arguments; *a && (!end || a < end); g->nr_agents++) {
		size_t len = strcspn(a, ", ");

		memcpy(g->agents[g->nr_agents], a, len);
		a += len + (a[len] == ',');
	}
	snprintf(command, sizeof(command), "python3 '%s' %s --dump - 2>/dev/null", COHERENCE_SPEC,
		 arguments);
	dump = popen(command, "r");
	if (!dump)
		return false;
	while (good && getline(&line, &room, dump) > 0) {
		char *rest = line;

		if (line[0] == 's' && g->nr_states == most)
			break;
		if (line[0] == 's') {
			g->states = grown(g->states, g->nr_states, sizeof(*g->states));
			good = read_state(&g->states[g->nr_states], line);
			g->states[g->nr_states++].first_edge = g->nr_edges;
		} else if (line[0] == 'e' && g->nr_states) {
			struct edge *e;

			g->edges = grown(g->edges, g->nr_edges, sizeof(*g->edges));
			e = &g->edges[g->nr_edges++];
			strsep(&rest, "\t");
			snprintf(e->label, sizeof(e->label), "%s", strsep(&rest, "\t"));
			e->to = strtoul(rest, NULL, 10);
			g->states[g->nr_states - 1].nr_edges++;
		}
	}
	free(line);
	good = (!pclose(dump) || g->nr_states == most) && good;
	return good && g->nr_states > 1;
}

static void free_graph(struct graph *g)
{
	free(g->states);
	free(g->edges);
}

/* --- the hardware, as the specification has it ------------------------------------------------ */

/* What the hardware may get wrong; each of these must be noticed. */
static enum defect {
	SOUND,
	NEVER_CLEANS,
	NEVER_INVALIDATES,
	DROPS_DIRTY_LINES,
	INVALIDATES_BEFORE_CLEAN,
	WRONG_SLOT_BYTE,
	NR_DEFECTS
} defect;

static struct world {
	struct hardware hw;
	struct coherence c;
	struct mapping_slot slots[MAX_AGENTS];
	char log[MAX_STEPS];
	unsigned char before[BYTES]; /* what the CPU saw when its memory was handed out */
	bool handed_out;
} * world;

static void note(const char *step)
{
	strncat(world->log, step, MAX_STEPS - 1 - strlen(world->log));
}

static unsigned char *cached(struct hardware *hw)
{
	if (hw->line == '-') {
		memcpy(hw->cached, hw->memory, BYTES);
		hw->line = 'c';
	}
	return hw->cached;
}

/* Stores through the pointer that memory() gave out become visible to the model here. */
static void settle(void)
{
	if (world->handed_out && memcmp(world->before, world->hw.cached, BYTES))
		world->hw.line = 'd';
	world->handed_out = false;
}

static void clean(struct hardware *hw)
{
	if (hw->line == 'd' && defect != NEVER_CLEANS) {
		memcpy(hw->memory, hw->cached, BYTES);
		hw->line = 'c';
	}
}

static void invalidate(struct hardware *hw)
{
	if (defect != NEVER_INVALIDATES)
		hw->line = '-';
}

static void sync_for_device(struct mapping_slot *slot, size_t offset, size_t len,
			    enum dma_data_direction dir)
{
	settle();
	note("c");
	clean(&world->hw);
}

static void sync_for_cpu(struct mapping_slot *slot, size_t offset, size_t len,
			 enum dma_data_direction dir)
{
	settle();
	note("i");
	invalidate(&world->hw);
}

static void clean_invalidate(struct mapping_slot *slot, size_t offset, size_t len)
{
	settle();
	note("x");
	if (defect == INVALIDATES_BEFORE_CLEAN)
		invalidate(&world->hw);
	if (defect != DROPS_DIRTY_LINES)
		clean(&world->hw);
	invalidate(&world->hw);
}

static unsigned int slot_index(const struct mapping_slot *slot)
{
	return (unsigned long)slot->owner;
}

static void *bounce(struct mapping_slot *slot, size_t offset, size_t *len)
{
	char step[] = { 'b', '0' + slot_index(slot), 0 };

	settle();
	note(step);
	if (defect == WRONG_SLOT_BYTE) {
		*len = 1;
		offset = BYTES - 1 - offset;
	}
	return &world->hw.slot[slot_index(slot)][offset];
}

static void *memory(struct mapping_slot *slot, size_t offset, size_t *len)
{
	settle();
	memcpy(world->before, cached(&world->hw), BYTES);
	world->handed_out = true;
	return world->hw.cached + offset;
}

static const struct mapping_slot_ops ops = {
	.sync_for_device = sync_for_device,
	.sync_for_cpu = sync_for_cpu,
	.clean_invalidate = clean_invalidate,
	.bounce = bounce,
	.memory = memory,
};

/* --- one edge --------------------------------------------------------------------------------- */

static bool is_cpu(const char *agent)
{
	return agent[0] == 'u' || !strncmp(agent, "cpu", 3);
}

static unsigned int mode_of(char m)
{
	return m == 'R' ? COHERENCE_READ : m == 'W' ? COHERENCE_WRITE : m == 'X' ? READ_WRITE : 0;
}

static u32 count_of(char m)
{
	return m == 'R' ? SLOT_READER : m == '-' ? 0 : SLOT_WRITER;
}

/* The specification's name of the domain agent @i is in; what C calls it is in slots[i].member.bit.
 */
static unsigned int domain_of(const struct graph *g, unsigned int i)
{
	const char *agent = g->agents[i];

	return agent[0] == 'n' ? 2 : agent[0] == 'b' ? 4u << (agent[1] - '1') : 1;
}

static void join(const struct graph *g, unsigned int i)
{
	struct mapping_slot *slot = &world->slots[i];

	slot->table_dir = DMA_BIDIRECTIONAL;
	if (coherence_join(&world->c, slot))
		abort();
	atomic_set(&slot->word, SLOT_READ | SLOT_WRITE);
}

static coherence_set to_c(const struct graph *g, unsigned int set)
{
	coherence_set bits = set & 3;
	unsigned int i;

	for (i = 0; i < g->nr_agents; i++) {
		if (domain_of(g, i) > 2 && set & domain_of(g, i))
			bits |= world->slots[i].member.bit;
	}
	return bits;
}

static void restore(const struct graph *g, const struct state *s, bool c_clean)
{
	unsigned int i;

	memset(world, 0, sizeof(*world));
	world->hw = s->hw;
	coherence_init(&world->c, BYTES);
	for (i = 0; i < g->nr_agents; i++) {
		const char *agent = g->agents[i];
		struct mapping_slot *slot = &world->slots[i];

		if (is_cpu(agent)) {
			if (s->open[i] != '-' &&
			    coherence_cpu_begin(&world->c, 0, BYTES, mode_of(s->open[i])))
				abort();
			continue;
		}
		mapping_slot_init(slot, &ops, NULL, &world->c,
				  agent[0] == 'n'   ? COHERENCE_MEMORY
				  : agent[0] == 'b' ? COHERENCE_BOUNCE
						    : COHERENCE_CACHES,
				  false, (void *)(agent[0] == 'b' ? agent[1] - '1' : 0l));
		if (s->joined[i] != 'j')
			continue;
		join(g, i);
		atomic_add(count_of(s->open[i]), &slot->word);
		if (slot->member.twin)
			memcpy(slot->member.twin, s->twin[slot_index(slot)], BYTES);
	}
	world->c.ranges[0].whole = to_c(g, s->whole);
	world->c.ranges[0].c_clean = c_clean;
	coherence_lock(&world->c);
	coherence_unlock(&world->c);
	world->log[0] = 0;
	settle();
}

static void clear(void)
{
	struct coherence_member *member, *next;

	/* The state is what it is; nothing more is to be moved. */
	list_for_each_entry_safe(member, next, &world->c.members, node) {
		list_del_init(&member->node);
		kvfree(member->twin);
	}
	world->c.ranges[0].whole = COHERENCE_SET_C;
	while (!list_empty(&world->c.brackets))
		coherence_cpu_end(&world->c, 0, BYTES, READ_WRITE);
	coherence_fini(&world->c);
}

/* Whether the lock-free look would have let agent @i pass without coming here. */
static bool look_passes(unsigned int i, char open)
{
	const struct mapping_slot *slot = &world->slots[i];
	bool writes = open == 'W' || open == 'X';

	if (open == '-')
		return (slot_look(slot) & slot->begin_mask) == slot->begin_want;
	return (slot_look(slot) & slot->end_mask[writes]) == slot->end_want[writes];
}

/* Does what the edge says; returns whether a look would have passed it by. */
static bool perform(const struct graph *g, const struct state *s, const char *what, unsigned int i,
		    char mode)
{
	struct mapping_slot *slot = &world->slots[i];
	bool passes = false;

	if (what[0] == 'l') {
		coherence_leave(&world->c, slot);
	} else if (is_cpu(g->agents[i])) {
		if (what[0] == 'e')
			coherence_cpu_end(&world->c, 0, BYTES, mode_of(s->open[i]));
		else if (coherence_cpu_begin(&world->c, 0, BYTES, mode_of(mode)))
			abort();
	} else if (what[0] == 'b') {
		if (s->joined[i] != 'j') {
			join(g, i);
			world->log[0] = 0;
		}
		atomic_add(count_of(mode), &slot->word);
		passes = look_passes(i, '-');
		coherence_lock(&world->c);
		coherence_begin(&world->c, slot, mode_of(mode));
		coherence_unlock(&world->c);
	} else {
		passes = look_passes(i, s->open[i]);
		coherence_lock(&world->c);
		coherence_end(&world->c, slot, mode_of(s->open[i]));
		atomic_sub(count_of(s->open[i]), &slot->word);
		coherence_unlock(&world->c);
	}
	settle();
	return passes;
}

/* Whether the two differ in anything that somebody could ever notice. */
static bool hardware_differs(const struct hardware *a, const struct hardware *b)
{
	struct hardware x = *a, y = *b;
	struct hardware *hw[] = { &x, &y };

	for (int i = 0; i < 2; i++) {
		cached(hw[i]); /* a prefetch away */
		if (hw[i]->line == 'd' && !memcmp(hw[i]->cached, hw[i]->memory, BYTES))
			hw[i]->line = 'c'; /* a write back of nothing away */
	}
	return memcmp(&x, &y, sizeof(x));
}

/* What the specification still has to do, in the letters of the log: "s00s01" and "t00t01" are one
 * "b0". */
static void expected_log(char *log, const char *todo)
{
	char *end = log;

	for (; *todo && *todo != '!'; todo++) {
		if ((*todo == 's' || *todo == 't') && todo[2] == '0') {
			*end++ = 'b';
			*end++ = todo[1];
			todo += 5;
		} else {
			*end++ = *todo;
		}
	}
	*end = 0;
}

/* The state after all steps of a transition that nobody interrupts; NULL if it was not read. */
static const struct state *finished(const struct graph *g, const struct state *s)
{
	unsigned int i = 0;

	while (s->todo[0] != '-' && i < s->nr_edges) {
		const struct edge *e = &g->edges[s->first_edge + i++];

		if (e->label[0] == '.') {
			if (e->to >= g->nr_states)
				return NULL;
			s = &g->states[e->to];
			i = 0;
		}
	}
	return s;
}

static const char *compare(const struct graph *g, const struct state *to)
{
	unsigned int any = 0, writing = 0, i;
	struct coherence *c = &world->c;
	const char *differs = NULL;

	for (i = 0; i < g->nr_agents; i++) {
		any |= to->open[i] != '-' ? domain_of(g, i) : 0;
		writing |= to->open[i] == 'W' || to->open[i] == 'X' ? domain_of(g, i) : 0;
	}
	coherence_lock(c);
	if (coherence_whole_at(c, 1) != to_c(g, to->whole))
		differs = "whole";
	if (coherence_open_at(c, 0, READ_WRITE) != to_c(g, any) ||
	    coherence_open_at(c, 0, COHERENCE_WRITE) != to_c(g, writing))
		differs = "open";
	if (c->nr_ranges != 1)
		differs = "ranges";
	coherence_unlock(c);
	for (i = 0; i < g->nr_agents; i++) {
		const struct mapping_slot *slot = &world->slots[i];

		if (g->agents[i][0] == 'b' && to->joined[i] == 'j' &&
		    (!slot->member.twin ||
		     memcmp(slot->member.twin, to->twin[slot_index(slot)], BYTES)))
			differs = "twin";
	}
	return hardware_differs(&world->hw, &to->hw) ? "bytes" : differs;
}

static unsigned int agent_of(const struct graph *g, const char *label)
{
	const char *name = strchr(label, '(') + 1;
	size_t len = strcspn(name, ",)");
	unsigned int i = 0;

	while (strlen(g->agents[i]) != len || strncmp(g->agents[i], name, len))
		i++;
	return i;
}

static const char *replay_transition(const struct graph *g, const struct state *s,
				     const struct edge *e, bool c_clean)
{
	const struct state *to = &g->states[e->to], *then = finished(g, to);
	unsigned int i = agent_of(g, e->label);
	const char *mode = strchr(e->label, ','), *differs;
	char expected[2 * MAX_STEPS];
	bool passed;

	if (!then)
		return NULL;
	restore(g, s, c_clean);
	passed = perform(g, s, e->label, i, mode ? mode[1] : '-');
	differs = compare(g, then);
	if (!differs && passed && (world->log[0] || s->whole != then->whole))
		differs = "look";
	if (!differs && to != then && !c_clean) {
		expected_log(expected, to->todo);
		if (strcmp(expected, world->log))
			differs = "steps";
	}
	clear();
	return differs;
}

/* That the model's hardware is the specification's. */
static const char *replay_hardware(const struct graph *g, const struct state *s,
				   const struct edge *e)
{
	struct hardware hw = s->hw;

	if (!strcmp(e->label, "prefetch")) {
		cached(&hw);
	} else if (!strcmp(e->label, "evict")) {
		hw.line = '-';
	} else if (!strcmp(e->label, "write back")) {
		clean(&hw);
	} else if (!strcmp(e->label, "write back and evict")) {
		clean(&hw);
		hw.line = '-';
	} else {
		unsigned int d = domain_of(g, agent_of(g, e->label));
		const char *byte = strchr(e->label, ',');
		unsigned char *bytes = d == 1   ? cached(&hw)
				       : d == 2 ? hw.memory
						: hw.slot[d == 4 ? 0 : 1];

		if (byte) {
			const struct hardware *after = &g->states[e->to].hw;
			unsigned int b = byte[1] - '0';

			/* Which value is written is the specification's choice. */
			bytes[b] = d == 1   ? after->cached[b]
				   : d == 2 ? after->memory[b]
					    : after->slot[d == 4 ? 0 : 1][b];
			if (d == 1)
				hw.line = 'd';
		}
	}
	return hardware_differs(&hw, &g->states[e->to].hw) ? "hardware" : NULL;
}

/* c_clean may be claimed: nothing is dirty and nobody of C is writing. */
static bool known_clean(const struct graph *g, const struct state *s)
{
	for (unsigned int i = 0; i < g->nr_agents; i++) {
		if (domain_of(g, i) == 1 && (s->open[i] == 'W' || s->open[i] == 'X'))
			return false;
	}
	return s->hw.line != 'd';
}

struct outcome {
	unsigned int transitions, differences;
	char first[160];
};

/* @enough: differences after which to stop. */
static struct outcome replay(const struct graph *g, unsigned int enough)
{
	struct outcome outcome = { 0 };

	world = calloc(1, sizeof(*world));
	for (unsigned int n = 0; n < g->nr_states && outcome.differences < enough; n++) {
		const struct state *s = &g->states[n];

		for (unsigned int k = 0; k < s->nr_edges; k++) {
			const struct edge *e = &g->edges[s->first_edge + k];
			const char *differs;

			if (e->label[0] == '.' || e->to >= g->nr_states)
				continue; /* followed from where the transition starts */
			if (!strncmp(e->label, "begin", 5) || !strncmp(e->label, "end", 3) ||
			    !strncmp(e->label, "leave", 5)) {
				outcome.transitions++;
				differs = replay_transition(g, s, e, false);
				if (!differs && known_clean(g, s))
					differs = replay_transition(g, s, e, true);
			} else {
				differs = replay_hardware(g, s, e);
			}
			if (differs && !outcome.differences++)
				snprintf(outcome.first, sizeof(outcome.first),
					 "%s after %s from state %u (whole %x, open %s)", differs,
					 e->label, n, s->whole, s->open);
		}
	}
	free(world);
	return outcome;
}

/* --- cases ------------------------------------------------------------------------------------ */

static bool have_python(void)
{
	return !system("python3 -c pass 2>/dev/null");
}

static void replays(struct ktap *t, const char *arguments)
{
	struct outcome outcome;
	struct graph g;

	if (!have_python()) {
		ktap_skip(t, "no python3");
		return;
	}
	if (KT_CHECK(t, read_graph(&g, arguments, UINT_MAX))) {
		outcome = replay(&g, UINT_MAX);
		KT_CHECK(t, outcome.transitions > 100);
		ktap_check(t, !outcome.differences, __FILE__, __LINE__,
			   "%s: %u of %u transitions differ; first: %s", arguments,
			   outcome.differences, outcome.transitions, outcome.first);
	}
	free_graph(&g);
}

static void cpu_and_memory_step_by_step(struct ktap *t)
{
	replays(t, "cpu,nc1 leave");
}

static void cpu_and_bounced_step_by_step(struct ktap *t)
{
	replays(t, ktap_long ? "cpu,b1 leave" : "cpu,b1");
}

static void cpu_and_bounced_leaving(struct ktap *t)
{
	replays(t, "cpu,b1 atomic leave");
}

static void coherent_and_memory(struct ktap *t)
{
	replays(t, ktap_long ? "cpu,co,nc1" : "cpu,co,nc1 atomic");
}

static void two_in_memory_leaving(struct ktap *t)
{
	replays(t, ktap_long ? "cpu,nc1,nc2 atomic leave" : "nc1,nc2 atomic leave");
}

static void unbracketed_mapping(struct ktap *t)
{
	replays(t, ktap_long ? "u,nc1,b1 atomic leave" : "u,nc1 leave");
}

static void memory_and_bounced(struct ktap *t)
{
	replays(t, ktap_long ? "cpu,nc1,b1" : "cpu,nc1,b1 atomic");
}

static void two_bounced(struct ktap *t)
{
	replays(t, ktap_long ? "cpu,b1,b2 atomic" : "b1,b2 atomic");
}

static void everybody(struct ktap *t)
{
	if (ktap_long)
		replays(t, "cpu,co,nc1,b1 atomic");
	else
		ktap_skip(t, "a million edges: --long");
}

/* In states that no right protocol reaches the code may warn as well. */
static void ignore_warn(const char *file, int line, const char *text)
{
}

/* The graph of each mistaken protocol must differ from what the code does. */
static void mistaken_protocols_differ(struct ktap *t)
{
	static const char *const graphs[] = {
		"cpu,nc1 forget-open-writers atomic",
		"cpu,b1 forget-open-writers atomic",
		"cpu,nc1 no-pull atomic",
		"cpu,nc1 no-deliver atomic",
		"cpu,b1 no-deliver atomic",
		"cpu,nc1 no-push atomic",
		"cpu,b1 no-push atomic",
		"cpu,nc1 never-stale atomic",
		"cpu,nc1 drop-dirty atomic",
		"cpu,nc1 clean-then-invalidate",
		"cpu,b1 reread-twin",
		"cpu,b1 whole-slot atomic",
		"cpu,nc1 unmap-syncs atomic leave",
		"cpu,b1 unmap-syncs atomic leave",
	};
	host_warn_hook_t hook;
	struct outcome outcome;
	struct graph g;

	if (!have_python()) {
		ktap_skip(t, "no python3");
		return;
	}
	hook = host_set_warn_hook(ignore_warn);
	for (unsigned int i = 0; i < sizeof(graphs) / sizeof(*graphs); i++) {
		if (KT_CHECK(t, read_graph(&g, graphs[i], 4000))) {
			outcome = replay(&g, 1);
			ktap_check(t, outcome.differences, __FILE__, __LINE__,
				   "%s: %u transitions and no difference", graphs[i],
				   outcome.transitions);
		}
		free_graph(&g);
	}
	host_set_warn_hook(hook);
}

/* As must every mistake of the hardware under a right one. */
static void mistaken_hardware_differs(struct ktap *t)
{
	static const char *const graphs[] = { "cpu,nc1 atomic", "cpu,b1 atomic" };
	unsigned int differences[NR_DEFECTS] = { 0 };
	struct graph g;

	if (!have_python()) {
		ktap_skip(t, "no python3");
		return;
	}
	for (unsigned int i = 0; i < sizeof(graphs) / sizeof(*graphs); i++) {
		if (KT_CHECK(t, read_graph(&g, graphs[i], 1500))) {
			for (defect = SOUND + 1; defect < NR_DEFECTS; defect++)
				differences[defect] += replay(&g, 1).differences;
			defect = SOUND;
		}
		free_graph(&g);
	}
	for (unsigned int d = SOUND + 1; d < NR_DEFECTS; d++)
		ktap_check(t, differences[d], __FILE__, __LINE__, "defect %u goes unnoticed", d);
}

KTAP_MAIN(KTAP_CASE(cpu_and_memory_step_by_step), KTAP_CASE(cpu_and_bounced_step_by_step),
	  KTAP_CASE(cpu_and_bounced_leaving), KTAP_CASE(coherent_and_memory),
	  KTAP_CASE(two_in_memory_leaving), KTAP_CASE(unbracketed_mapping),
	  KTAP_CASE(memory_and_bounced), KTAP_CASE(two_bounced), KTAP_CASE(everybody),
	  KTAP_CASE(mistaken_protocols_differ), KTAP_CASE(mistaken_hardware_differs))
