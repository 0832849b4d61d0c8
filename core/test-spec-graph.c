/* SPDX-License-Identifier: MIT */
/*
 * test-spec-graph.c - the state graph that coherence-spec.py writes down
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/coherence-spec-path.h"
#include "core/test-spec-graph.h"

static void *grown(void *array, unsigned int n, size_t size)
{
	if (n & (n - 1))
		return array;
	array = realloc(array, (n ? 2 * n : 1) * size);
	if (!array)
		abort();
	return array;
}

static void read_digits(u8 *bytes, const char *digits)
{
	for (; *digits >= '0' && *digits <= '9'; digits++)
		*bytes++ = *digits - '0';
}

/* "d01" for one line of two bytes, "d0/-" for two of one. */
static void read_lines(struct spec_hardware *hw, unsigned int lines, char *text)
{
	unsigned int line;

	for (line = 0; line < lines; line++) {
		const char *one = strsep(&text, "/");

		hw->line[line] = one[0];
		read_digits(&hw->cached[line], one + 1);
	}
}

static void read_sets(unsigned int *sets, unsigned int lines, char *text)
{
	for (unsigned int line = 0; line < lines; line++)
		for (const char *name = strsep(&text, "/"); *name; name++)
			sets[line] |= *name == 'C' || *name == 'V' ? 1
				      : *name == 'M'               ? 2
				      : *name >= '1'               ? 4u << (*name - '1')
								   : 0;
}

enum { MEM = 1, LINES, SLOTS, TWINS, WHOLE, OPEN, SYNCED, JOINED, TODO, VRAM, PART, PLACE, FIELDS };

static bool read_state(const struct spec_graph *g, struct spec_state *s, char *fields)
{
	char *field[FIELDS];

	for (unsigned int n = 0; n < FIELDS; n++)
		field[n] = strsep(&fields, "\t\n");
	if (!field[PLACE] || strlen(field[TODO]) >= SPEC_STEPS ||
	    strlen(field[OPEN]) != g->nr_agents || strlen(field[PART]) != g->nr_agents)
		return false;
	memset(s, 0, sizeof(*s));
	read_digits(s->hw.memory, field[MEM]);
	read_lines(&s->hw, g->lines, field[LINES]);
	read_digits(s->hw.slot[0], field[SLOTS]);
	read_digits(s->twin[0], field[TWINS]);
	read_sets(s->whole, g->lines, field[WHOLE]);
	strcpy(s->open, field[OPEN]);
	strcpy(s->joined, field[JOINED]);
	strcpy(s->todo, field[TODO]);
	read_digits(s->hw.vram, field[VRAM]);
	strcpy(s->part, field[PART]);
	s->place = field[PLACE][0];
	return true;
}

static bool starts(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static const struct spec_agent agents[] = {
	{ "cpu", A_CPU, IN_CACHES, .domain = 1 },
	{ "u", A_CPU, IN_CACHES, .domain = 1 },
	{ "co", A_SLOT, IN_CACHES, .domain = 1 },
	{ "nc", A_SLOT, IN_MEMORY, .domain = 2 },
	{ "nr", A_SLOT, IN_MEMORY, .domain = 2, .table = 'R' },
	{ "nw", A_SLOT, IN_MEMORY, .domain = 2, .table = 'W' },
	{ "nx", A_SLOT, IN_MEMORY, .domain = 2 },
	{ "b", A_SLOT, IN_SLOT, .domain = 4 },
	{ "xc", A_TOLD, IN_CACHES, .domain = 1 },
	{ "xn", A_TOLD, IN_MEMORY, .domain = 1, .outsider = true },
	{ "yc", NOBODY_KNOWS, IN_CACHES, .domain = 1 },
	{ "yn", NOBODY_KNOWS, IN_MEMORY, .domain = 1, .outsider = true },
	{ "fm", A_FRESH, IN_MEMORY, .domain = 1, .outsider = true },
	{ "fb", A_FRESH, IN_SLOT, .domain = 1, .outsider = true },
	{ "gc", AN_ENGINE, IN_CACHES, .domain = 1 },
	{ "gn", AN_ENGINE, IN_MEMORY, .domain = 1 },
};

/* A kind and, of some, a number. */
static bool read_agent(struct spec_graph *g, struct spec_agent *agent, const char *name, size_t len)
{
	size_t letters = len - (len > 1 && name[len - 1] <= '9');
	unsigned int i;

	for (i = 0; i < sizeof(agents) / sizeof(*agents); i++)
		if (strlen(agents[i].name) == letters && !strncmp(agents[i].name, name, letters))
			break;
	if (i == sizeof(agents) / sizeof(*agents))
		return false;
	*agent = agents[i];
	memcpy(agent->name, name, len);
	if (agent->domain == 4)
		agent->domain <<= name[letters] - '1';
	if (agent->place == IN_SLOT)
		agent->slot = g->nr_slots++;
	if (g->arm && agent->table == 'W')
		agent->table = 'X';
	g->untold |= agent->kind == NOBODY_KNOWS;
	return true;
}

static bool read_graph(struct spec_graph *g, FILE *dump, unsigned int most)
{
	char *line = NULL;
	bool good = true;
	size_t room = 0;

	while (good && getline(&line, &room, dump) > 0) {
		char *rest = line;

		if (line[0] == 's' && g->nr_states == most)
			break;
		if (line[0] == 's') {
			g->states = grown(g->states, g->nr_states, sizeof(*g->states));
			good = read_state(g, &g->states[g->nr_states], line);
			g->states[g->nr_states++].first_edge = g->nr_edges;
		} else if (line[0] == 'e' && g->nr_states) {
			struct spec_edge *e;

			g->edges = grown(g->edges, g->nr_edges, sizeof(*g->edges));
			e = &g->edges[g->nr_edges++];
			strsep(&rest, "\t");
			snprintf(e->label, sizeof(e->label), "%s", strsep(&rest, "\t"));
			e->to = strtoul(rest, NULL, 10);
			g->states[g->nr_states - 1].nr_edges++;
		} else {
			good = false;
		}
	}
	free(line);
	return good;
}

bool spec_graph_read(struct spec_graph *g, const char *arguments, unsigned int most)
{
	const char *end = arguments + strcspn(arguments, " ");
	char command[1024];
	FILE *dump;
	bool good = true;

	memset(g, 0, sizeof(*g));
	g->lines = strstr(arguments, "--shape ranges") ? 2 : 1;
	g->arm = strstr(arguments, "--shape arm");
	g->linux_shape = g->arm || strstr(arguments, "--shape linux");
	for (const char *a = arguments; good && a < end; g->nr_agents++) {
		size_t len = strcspn(a, ", ");

		good = g->nr_agents < SPEC_AGENTS &&
		       read_agent(g, &g->agents[g->nr_agents], a, len);
		a += len + (a[len] == ',');
	}
	snprintf(command, sizeof(command), "python3 '%s' %s --dump - 2>/dev/null", COHERENCE_SPEC,
		 arguments);
	dump = good ? popen(command, "r") : NULL;
	if (!dump)
		return false;
	good = read_graph(g, dump, most);
	good = (!pclose(dump) || g->nr_states == most) && good;
	return good && g->nr_states > 1;
}

void spec_graph_free(struct spec_graph *g)
{
	free(g->states);
	free(g->edges);
}

const struct spec_edge *spec_edge_of(const struct spec_graph *g, const struct spec_state *s,
				     const char *label)
{
	for (unsigned int i = 0; i < s->nr_edges; i++)
		if (starts(g->edges[s->first_edge + i].label, label))
			return &g->edges[s->first_edge + i];
	return NULL;
}

unsigned int spec_agent_of(const struct spec_graph *g, const char *label)
{
	const char *name = strchr(label, '(') + 1;
	size_t len = strcspn(name, ",)");
	unsigned int i = 0;

	while (strlen(g->agents[i].name) != len || strncmp(g->agents[i].name, name, len))
		i++;
	return i;
}
