/* SPDX-License-Identifier: MIT */
/*
 * test-spec-replay.c - every edge of the specification's graph, done by the real code
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/test-spec-replay.h"
#include "host/warn.h"

/* What the specification still has to do, in the letters of the log. */
static void expected_log(char *log, const char *todo)
{
	for (; *todo && *todo != '!'; todo++) {
		if (*todo == 's' || *todo == 't') { /* slot, byte */
			*log++ = 'b';
			*log++ = todo[1];
			*log++ = todo[2];
			*log++ = '0';
			todo += 2;
		} else if (strchr("cix", *todo)) { /* line */
			*log++ = *todo++;
			*log++ = *todo;
		} else if (*todo == 'w') { /* only a mistake's */
			*log++ = 'w';
		} /* the rest is not the directory's */
	}
	*log = 0;
}

/* The state after all steps of a transition that nobody interrupts; NULL if it was not read. */
static const struct spec_state *finished(const struct spec_graph *g, unsigned int to)
{
	while (to < g->nr_states) {
		const struct spec_state *s = &g->states[to];

		if (s->todo[0] == '-')
			return s;
		to = spec_edge_of(g, s, ".")->to;
	}
	return NULL;
}

/* @then: what is to be afterwards.  @steps: what is to be done on the way, NULL for anything. */
static const char *replay_once(const struct spec_graph *g, const struct spec_state *s,
			       const char *what, const struct spec_state *then, const char *steps,
			       bool whole, bool c_clean)
{
	char expected[2 * SPEC_STEPS];
	const char *differs;
	bool passed;

	spec_world_restore(g, s, c_clean);
	passed = spec_world_perform(s, what, whole);
	differs = spec_world_differs(then);
	if (!differs && passed &&
	    (spec_world_log()[0] || memcmp(s->whole, then->whole, sizeof(s->whole))))
		differs = "look";
	if (!differs && steps && steps[0] != '-' && !c_clean) {
		expected_log(expected, steps);
		if (strcmp(expected, spec_world_log()))
			differs = "steps";
	}
	spec_world_clear(then);
	return differs;
}

static const char *replay_transition(const struct spec_graph *g, const struct spec_state *s,
				     const char *what, const struct spec_state *then,
				     const char *steps, bool whole)
{
	const char *differs = replay_once(g, s, what, then, steps, whole, false);
	bool clean = false;

	for (unsigned int line = 0; line < g->lines; line++)
		clean |= spec_world_known_clean(g, s, line);
	if (!differs && clean)
		differs = replay_once(g, s, what, then, steps, whole, true);
	return differs;
}

/* Begin with its second half, or the first half of an end with the end: as they are called. */
static const char *replay_whole_call(const struct spec_graph *g, const struct spec_state *s,
				     const struct spec_edge *e, const struct spec_state *then)
{
	bool begin = e->label[0] == 'b';
	const struct spec_edge *rest = spec_edge_of(g, then, begin ? "sync(" : "end(");
	unsigned int i = spec_agent_of(g, e->label);

	for (unsigned int k = 0; !begin && k < then->nr_edges; k++) {
		rest = &g->edges[then->first_edge + k];
		if (!strncmp(rest->label, "end(", 4) && spec_agent_of(g, rest->label) == i)
			break;
	}
	then = rest ? finished(g, rest->to) : NULL;
	return then ? replay_transition(g, s, e->label, then, NULL, true) : NULL;
}

static const char *replay_edge(const struct spec_graph *g, const struct spec_state *s,
			       const struct spec_edge *e, unsigned int *transitions)
{
	const struct spec_state *to = &g->states[e->to], *then;
	const char *differs = NULL;
	bool transition, outsider;

	transition = !strncmp(e->label, "begin(", 6) || !strncmp(e->label, "end(", 4);
	outsider = strchr(e->label, '(') && g->agents[spec_agent_of(g, e->label)].outsider;
	if (transition && g->agents[spec_agent_of(g, e->label)].kind == NOBODY_KNOWS)
		transition = false;
	transition |= !strncmp(e->label, "leave(", 6) || !strncmp(e->label, "move(", 5);
	if (!transition)
		differs = spec_world_hardware(g, s, e);
	then = transition || !strncmp(e->label, "fetch(", 6) ? finished(g, e->to) : NULL;
	if (!then)
		return differs;

	++*transitions;
	if (transition)
		differs = replay_transition(g, s, e->label, then, to->todo, false);
	if (!differs && outsider && e->label[0] != 'e' && s->todo[0] == '-')
		differs = replay_whole_call(g, s, e, then);
	return differs;
}

struct spec_outcome spec_replay(const struct spec_graph *g, enum spec_defect with,
				unsigned int enough)
{
	struct spec_outcome outcome = { 0 };

	spec_world_init(with);
	for (unsigned int n = 0; n < g->nr_states && outcome.differences < enough; n++) {
		const struct spec_state *s = &g->states[n];

		for (unsigned int k = 0; k < s->nr_edges; k++) {
			const struct spec_edge *e = &g->edges[s->first_edge + k];
			const char *differs;

			if (e->label[0] == '.' || e->to >= g->nr_states)
				continue; /* followed from where the transition starts */
			differs = replay_edge(g, s, e, &outcome.transitions);
			if (differs && !outcome.differences++)
				snprintf(outcome.first, sizeof(outcome.first),
					 "%s after %s from state %u (whole %x %x, open %s)",
					 differs, e->label, n, s->whole[0], s->whole[1], s->open);
		}
	}
	spec_world_fini();
	return outcome;
}

/* --- cases ------------------------------------------------------------------------------------ */

static bool have_python(struct ktap *t)
{
	if (!system("python3 -c pass 2>/dev/null"))
		return true;
	ktap_skip(t, "no python3");
	return false;
}

void spec_replays(struct ktap *t, const char *arguments)
{
	struct spec_outcome outcome;
	struct spec_graph g;

	if (!have_python(t))
		return;
	if (KT_CHECK(t, spec_graph_read(&g, arguments, UINT_MAX))) {
		outcome = spec_replay(&g, SPEC_SOUND, UINT_MAX);
		KT_CHECK(t, outcome.transitions > 100);
		ktap_check(t, !outcome.differences, __FILE__, __LINE__,
			   "%s: %u of %u transitions differ; first: %s", arguments,
			   outcome.differences, outcome.transitions, outcome.first);
	}
	spec_graph_free(&g);
}

/* In states that no right protocol reaches the code may warn as well. */
static void ignore_warn(const char *file, int line, const char *text)
{
}

void spec_differs(struct ktap *t, const char *const *graphs, unsigned int n)
{
	struct spec_outcome outcome;
	host_warn_hook_t hook;
	struct spec_graph g;

	if (!have_python(t))
		return;
	hook = host_set_warn_hook(ignore_warn);
	for (unsigned int i = 0; i < n; i++) {
		if (KT_CHECK(t, spec_graph_read(&g, graphs[i], 6000))) {
			outcome = spec_replay(&g, SPEC_SOUND, 1);
			ktap_check(t, outcome.differences, __FILE__, __LINE__,
				   "%s: %u transitions and no difference", graphs[i],
				   outcome.transitions);
		}
		spec_graph_free(&g);
	}
	host_set_warn_hook(hook);
}

void spec_notices(struct ktap *t, const char *const *graphs, unsigned int n)
{
	unsigned int differences[SPEC_DEFECTS] = { 0 };
	struct spec_graph g;

	if (!have_python(t))
		return;
	for (unsigned int i = 0; i < n; i++) {
		if (KT_CHECK(t, spec_graph_read(&g, graphs[i], 1500)))
			for (enum spec_defect d = SPEC_SOUND + 1; d < SPEC_DEFECTS; d++)
				differences[d] += spec_replay(&g, d, 1).differences;
		spec_graph_free(&g);
	}
	for (enum spec_defect d = SPEC_SOUND + 1; d < SPEC_DEFECTS; d++)
		ktap_check(t, differences[d], __FILE__, __LINE__, "defect %u goes unnoticed", d);
}
