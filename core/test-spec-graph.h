/* SPDX-License-Identifier: MIT */
/*
 * test-spec-graph.h - the state graph that coherence-spec.py writes down
 *
 * Read from a pipe, line by line, in the format described in the script; its end must be a success.
 * A buffer has two bytes, in one line or in one each.
 *
 * Ownership: spec_graph_free() frees what spec_graph_read() allocated, also when that failed.
 */
#ifndef CORE_TEST_SPEC_GRAPH_H
#define CORE_TEST_SPEC_GRAPH_H

#include <linux/types.h>

#define SPEC_BYTES 2
#define SPEC_AGENTS 5
#define SPEC_SLOTS 2
#define SPEC_STEPS 96

/* Where an agent's loads and stores go, while the buffer is in system memory. */
enum spec_place {
	IN_CACHES,
	IN_MEMORY,
	IN_SLOT,
};

/* How the code meets it. */
enum spec_kind {
	A_CPU,        /* cpu, u: brackets */
	A_SLOT,       /* a cached mapping */
	A_TOLD,       /* xc, xn: the exporter's device, which brackets */
	A_FRESH,      /* fm, fb: a mapping that is not kept */
	AN_ENGINE,    /* gc, gn: moves the buffer */
	NOBODY_KNOWS, /* yc, yn: the exporter's device, which tells nobody */
};

struct spec_agent {
	char name[8];
	enum spec_kind kind;
	enum spec_place place;
	unsigned int slot;   /* IN_SLOT */
	unsigned int domain; /* what the directory takes it for: 1 C, 2 M, 4 B1, 8 B2 */
	char table;          /* A_SLOT: what it allows, 'R', 'W' or 'X' */
	bool outsider;       /* its begin and end have a half that is no transition */
};

struct spec_hardware {
	u8 memory[SPEC_BYTES];
	char line[SPEC_BYTES]; /* of each line: '-' absent, 'c' clean, 'd' dirty */
	u8 cached[SPEC_BYTES];
	u8 slot[SPEC_SLOTS][SPEC_BYTES];
	u8 vram[SPEC_BYTES]; /* device memory */
};

struct spec_state {
	struct spec_hardware hw;
	u8 twin[SPEC_SLOTS][SPEC_BYTES];
	unsigned int whole[SPEC_BYTES]; /* of each line; domains as in spec_agent, V is C's */
	char open[SPEC_AGENTS + 1];     /* '-', 'R', 'W', 'X' */
	/* '.'; the one line a bracket covers; an outsider's '(' and '<' opening, '>' closing */
	char part[SPEC_AGENTS + 1];
	char joined[SPEC_AGENTS + 1]; /* 'j' has a table */
	char todo[SPEC_STEPS];        /* steps of the transition under way, "-" for none */
	char place;                   /* 'S' system memory, 'V' device memory */
	unsigned int first_edge, nr_edges;
};

struct spec_edge {
	char label[32];
	unsigned int to;
};

struct spec_graph {
	struct spec_agent agents[SPEC_AGENTS];
	unsigned int nr_agents, nr_slots;
	unsigned int lines;
	bool linux_shape, arm; /* two calls where we have one; a FROM_DEVICE table cannot clean */
	bool untold;           /* somebody NOBODY_KNOWS */
	struct spec_state *states;
	struct spec_edge *edges;
	unsigned int nr_states, nr_edges;
};

/**
 * spec_graph_read - run coherence-spec.py with @arguments
 * @most: states to read; edges that lead further have a `to` past nr_states
 *
 * Returns whether all went well and there is more than one state.
 */
bool spec_graph_read(struct spec_graph *g, const char *arguments, unsigned int most);
void spec_graph_free(struct spec_graph *g);

/** spec_edge_of - the first edge of @s whose label begins with @label, or NULL */
const struct spec_edge *spec_edge_of(const struct spec_graph *g, const struct spec_state *s,
				     const char *label);

/** spec_agent_of - whose edge that is */
unsigned int spec_agent_of(const struct spec_graph *g, const char *label);

#endif
