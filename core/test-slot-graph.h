/* SPDX-License-Identifier: MIT */
/*
 * test-slot-graph.h - the state graph that mapping-slot-spec.py writes down, and ways through it
 *
 * Read from a pipe, line by line, in the format described in the script.  Anything else that comes
 * out of it is an error: graph_read() says so or the program aborts.
 *
 * Ownership: graph_free() frees what graph_read() allocated, also when that failed.
 */
#ifndef CORE_TEST_SLOT_GRAPH_H
#define CORE_TEST_SLOT_GRAPH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>
#include <linux/types.h>

#include "core/mapping-slot-spec-path.h"

#define MAX_AGENTS 3

enum pc {
	OUT,
	ADD,
	UNDO,
	HANDOFF,
	WAIT,
	CHECK,
	ASLEEP,
	LOCK,
	LOCKED,
	BUILD,
	BUILDING,
	WIDEN,
	PUBLISH,
	UNLOCK,
	USE,
	END,
	HELD_OUT,
	FREEZE,
	BACK,
	ARM,
	NEXT,
	RE,
	LEAVE,
	TEAR,
	TORN,
	THAW,
	QUIT,
	MARK,
	IDLE,
	WORKER,
	WORK,
	OVER,
	NR_PCS
};

static const char *const pc_names[NR_PCS] = {
	"out",      "add",    "undo",     "handoff", "wait",    "check",  "asleep", "lock",
	"locked",   "build",  "building", "widen",   "publish", "unlock", "use",    "end",
	"held-out", "freeze", "back",     "arm",     "next",    "re",     "leave",  "tear",
	"torn",     "thaw",   "quit",     "mark",    "idle?",   "worker", "work",   "over",
};

/* What is compared. */
struct view {
	unsigned int permission, frozen, want, dead, n, held, hardware, queue, work;
	char table; /* as in the specification: - b L t */
	int owner;  /* of the reservation, or -1 */
	enum pc pc[MAX_AGENTS];
};

struct state {
	struct view view;
	bool arms; /* the mover found a slot in use and will wait for it */
	unsigned int first_edge, nr_edges, undone;
	unsigned int came_by, visited; /* of the search for what is left to do */
};

struct edge {
	unsigned int from, to;
	u8 agent, label;
	bool done;
};

struct graph {
	struct state *states;
	struct edge *edges;
	unsigned int nr_states, nr_edges, undone;
	char labels[64][48];
	unsigned int nr_labels;
};

static inline unsigned int label_number(struct graph *g, const char *label)
{
	unsigned int i;

	for (i = 0; i < g->nr_labels; i++)
		if (!strcmp(g->labels[i], label))
			return i;
	if (i == ARRAY_SIZE(g->labels) || strlen(label) >= sizeof(g->labels[0]))
		abort();
	strcpy(g->labels[g->nr_labels++], label);
	return i;
}

static inline bool parse_state(struct state *s, char *line)
{
	char *field[19], *pc;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&line, "\t");
		if (!field[i])
			return false;
	}
	s->view.permission = atoi(field[0]);
	s->view.frozen = atoi(field[1]);
	s->view.want = atoi(field[2]);
	s->view.dead = atoi(field[3]);
	s->view.n = atoi(field[4]);
	s->view.held = atoi(field[5]);
	s->view.table = field[6][0];
	s->view.hardware = atoi(field[7]);
	for (char *q = field[8]; *q; q++)
		s->view.queue |= 1u << (*q - '0');
	s->view.work = atoi(field[9]);
	s->view.owner = field[10][0] ? field[10][0] - '0' : -1;
	for (i = 0; i < MAX_AGENTS && (pc = strsep(&field[14], "/")); i++) {
		if (!strcmp(pc, "unlock-err"))
			pc = "unlock";
		while (s->view.pc[i] < NR_PCS && strcmp(pc, pc_names[s->view.pc[i]]))
			s->view.pc[i]++;
		if (s->view.pc[i] == NR_PCS)
			return false;
	}
	s->arms = strstr(field[17], "arm");
	return true;
}

static inline bool graph_read(struct graph *g, const char *agents)
{
	size_t room = 0, states = 0, edges = 0;
	char command[512], *line = NULL;
	bool good = true;
	FILE *dump;

	memset(g, 0, sizeof(*g));
	snprintf(command, sizeof(command), "python3 '%s' %s --dump - 2>/dev/null",
		 MAPPING_SLOT_SPEC, agents);
	dump = popen(command, "r");
	if (!dump)
		return false;
	while (good && getline(&line, &room, dump) > 0) {
		char *rest = line, *kind;

		line[strcspn(line, "\n")] = 0;
		kind = strsep(&rest, "\t");
		if (!strcmp(kind, "s")) {
			if (g->nr_states == states) {
				states = states ? 2 * states : 1024;
				g->states = realloc(g->states, states * sizeof(*g->states));
			}
			memset(&g->states[g->nr_states], 0, sizeof(*g->states));
			g->states[g->nr_states].first_edge = g->nr_edges;
			good = parse_state(&g->states[g->nr_states++], rest);
		} else {
			const char *agent = strsep(&rest, "\t"), *label = strsep(&rest, "\t");
			struct edge *e;

			if (!rest) {
				good = false;
				break;
			}
			if (g->nr_edges == edges) {
				edges = edges ? 2 * edges : 4096;
				g->edges = realloc(g->edges, edges * sizeof(*g->edges));
			}
			e = &g->edges[g->nr_edges++];
			*e = (struct edge){ .from = g->nr_states - 1,
					    .to = atoi(rest),
					    .agent = atoi(agent),
					    .label = label_number(g, label) };
			g->states[e->from].nr_edges++;
			g->states[e->from].undone++;
		}
	}
	free(line);
	g->undone = g->nr_edges;
	return !pclose(dump) && good && g->nr_states > 1;
}

static inline void graph_free(struct graph *g)
{
	free(g->states);
	free(g->edges);
}

/*
 * The edges to the nearest state with one that has not been walked, last first, into @path.
 * Returns their number, or -1: there is no such state.
 */
static inline int plan(struct graph *g, unsigned int from, unsigned int *path, unsigned int *todo)
{
	static unsigned int round;
	unsigned int head = 0, tail = 0;

	round++;
	todo[tail++] = from;
	g->states[from].visited = round;
	while (head < tail) {
		struct state *s = &g->states[todo[head]];
		unsigned int at = todo[head++];
		int n = 0;

		if (s->undone) {
			while (at != from) {
				path[n++] = g->states[at].came_by;
				at = g->edges[g->states[at].came_by].from;
			}
			return n;
		}
		for (unsigned int i = s->first_edge; i < s->first_edge + s->nr_edges; i++) {
			struct state *to = &g->states[g->edges[i].to];

			if (to->visited == round)
				continue;
			to->visited = round;
			to->came_by = i;
			todo[tail++] = g->edges[i].to;
		}
	}
	return -1;
}

#endif
