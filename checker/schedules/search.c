/* SPDX-License-Identifier: MIT */
/*
 * search.c - which schedules are tried, and in what order
 *
 * A schedule is a list of choices: who goes on at a switch point, which message a load sees.  Choice 0
 * goes on with the same thread, or sees the newest; every other one, where 0 was possible, deviates.
 *
 *	1  Depth first with at most 0, 1, 2, 3 deviations, for a while: most mistakes need few.
 *	2  Depth first without a bound.  Of schedules that differ only in the order of steps that do not
 *	   meet one is tried (reduce.c).
 *	3  When the time for that is up: the rest of 1.
 *	4  And then by chance, in the manner of PCT.  Threads have random priorities, which drop at a
 *	   few random points; loads seldom see old messages.
 *
 * A failing schedule is made shorter: any deviation without which it fails, too, is dropped, and what
 * remains is moved as far forward as it still fails.
 *
 * S. Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs", 2010.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "checker/schedules/engine.h"

#define MOST_DEVIATIONS 3
#define FIRST_LOOK 20000 /* schedules */
#define CHANGES 3        /* of priority */

static uint64_t draw(void)
{
	uint64_t z = engine->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* --- depth first ------------------------------------------------------------------------------ */

static bool deviates(const struct node *node, int choice)
{
	if (!choice)
		return false;
	return node->kind == NODE_DATA || node->candidates[0] == node->from ||
	       (node->candidates[choice] & TIMEOUT && !(node->candidates[0] & TIMEOUT));
}

static bool may_choose(const struct node *node, int choice)
{
	if (node->kind == NODE_THREAD && engine->bound < 0)
		return !(node->asleep >> thread_at(node, choice) & 1);
	if (engine->bound < 0 || node->cost + deviates(node, choice) <= engine->bound)
		return true;
	engine->bounded = true;
	return false;
}

/* The step that led here has touched what it has. */
void search_step_ends(void)
{
	if (engine->last_thread_node >= 0 && engine->mode == MODE_DEPTH) {
		const struct taken_step *step = &engine->path[engine->last_thread_node];
		struct node *node = &engine->nodes[engine->last_thread_node];
		int t = thread_at(node, node->chosen);

		for (int i = 0; i < SPOTS / 64; i++) {
			node->next[t].reads.words[i] |= step->touched.reads.words[i];
			node->next[t].writes.words[i] |= step->touched.writes.words[i];
		}
		node->free[t] = step->free;
		node->newest[t] = step->newest;
	}
}

static struct node *node_new(enum node_kind kind, int nr)
{
	struct node *node = &engine->nodes[engine->at];
	const struct node *before = node - 1;

	memset(node, 0, offsetof(struct node, next));
	node->kind = kind;
	node->nr = nr;
	if (engine->at)
		node->cost = before->cost + deviates(before, before->chosen);
	engine->nr_nodes = engine->at + 1;
	return node;
}

static void choose(struct node *node, int choice)
{
	int t;

	node->chosen = choice;
	if (node->kind != NODE_THREAD)
		return;
	t = thread_at(node, choice);
	node->todo |= 1 << t;
	if (!(node->partly >> t & 1))
		memset(&node->next[t], 0, sizeof(node->next[t]));
}

static int choose_first(struct node *node)
{
	for (int i = 0; i < node->nr; i++)
		if (may_choose(node, i)) {
			choose(node, i);
			return i;
		}
	engine->nr_nodes = engine->at; /* the node before it goes on */
	engine_leave(OUTCOME_PRUNED);
}

/* Without a bound: of the threads that somebody must see go first here, the next one. */
static int next_of(struct node *node)
{
	if (node->kind != NODE_THREAD || engine->bound >= 0) {
		for (int i = node->chosen + 1; i < node->nr; i++)
			if (may_choose(node, i))
				return i;
		return -1;
	}
	node->done |= 1 << thread_at(node, node->chosen);
	for (int i = 0; i < node->nr; i++)
		if ((node->todo & ~node->done & ~node->asleep) >> thread_at(node, i) & 1)
			return i;
	return -1;
}

/* Step to the next schedule; false: that was the last. */
static bool backtrack(void)
{
	while (engine->nr_nodes) {
		struct node *node = &engine->nodes[engine->nr_nodes - 1];
		int next = next_of(node);

		if (next >= 0) {
			choose(node, next);
			engine->changed = engine->nr_nodes - 1;
			return true;
		}
		engine->nr_nodes--;
	}
	return false;
}

/* --- one choice ------------------------------------------------------------------------------- */

static void take(int choice)
{
	if (choice && engine->nr_taken < DEVIATIONS)
		engine->taken[engine->nr_taken++] =
			(struct deviation){ .node = engine->at, .choice = choice };
	if (++engine->at == NODES)
		engine_fail(0, "no end after %d choices", NODES);
}

static int as_told(int nr)
{
	while (engine->at_told < engine->nr_told && engine->told[engine->at_told].node < engine->at)
		engine->at_told++;
	if (engine->at_told < engine->nr_told && engine->told[engine->at_told].node == engine->at &&
	    engine->told[engine->at_told].choice < nr)
		return engine->told[engine->at_told].choice;
	return 0;
}

static int thread_by_chance(const uint8_t *candidates, int nr, int from)
{
	int best = 0;

	if (engine->next_change < engine->nr_change_points &&
	    engine->at >= engine->change_points[engine->next_change])
		engine->priority[from] = CHANGES - engine->next_change++;
	if (candidates[nr - 1] & TIMEOUT && draw() % 16 == 0)
		return nr - 1;
	for (int i = 1; i < nr && !(candidates[i] & TIMEOUT); i++)
		if (engine->priority[candidates[i]] > engine->priority[candidates[best]])
			best = i;
	return best;
}

static void set_floor(const struct node *node)
{
	int t = thread_at(node, node->chosen);

	if (node->partly >> t & 1) {
		engine->floor_spot = node->free[t];
		engine->floor = node->floor[t];
	}
}

int search_thread(const uint8_t *candidates, int nr, int from)
{
	struct node *node;
	int choice;

	search_step_ends();
	if (engine->mode == MODE_TOLD) {
		choice = as_told(nr);
	} else if (engine->mode == MODE_CHANCE) {
		choice = thread_by_chance(candidates, nr, from);
	} else if (engine->at < engine->nr_nodes) {
		node = &engine->nodes[engine->at];
		choice = node->chosen;
	} else {
		node = node_new(NODE_THREAD, nr);
		node->from = from;
		memcpy(node->candidates, candidates, nr);
		if (engine->bound < 0 && engine->last_thread_node >= 0)
			reduce_inherit(node, &engine->nodes[engine->last_thread_node],
				       engine->step);
		choice = choose_first(node);
	}
	step_begins(candidates[choice] & ~TIMEOUT);
	engine->floor_spot = NOBODY;
	if (engine->mode == MODE_DEPTH && engine->bound < 0)
		set_floor(&engine->nodes[engine->at]);
	take(choice);
	return candidates[choice];
}

int search_data(int nr)
{
	struct node *node;
	int choice;

	if (engine->mode == MODE_TOLD) {
		choice = as_told(nr);
	} else if (engine->mode == MODE_CHANCE) {
		choice = draw() % 8 ? 0 : draw() % nr;
	} else if (engine->at < engine->nr_nodes) {
		choice = engine->nodes[engine->at].chosen;
	} else {
		node = node_new(NODE_DATA, nr);
		choice = choose_first(node);
	}
	take(choice);
	return choice;
}

/* --- runs ------------------------------------------------------------------------------------- */

static void run(void)
{
	engine->at = 0;
	engine->nr_taken = 0;
	engine->at_told = 0;
	engine->last_thread_node = -1;
	engine->step = &engine->nowhere;
	engine->floor_spot = NOBODY;
	threads_run();
	if (engine->at > engine->longest)
		engine->longest = engine->at;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

struct progress {
	const struct search_config *config;
	struct search_result *result;
	double begin, used; /* when; of the processor by then */
};

/* On a busy machine the processor's time counts, up to four times as long. */
static double passed(const struct progress *p)
{
	double used = now(CLOCK_PROCESS_CPUTIME_ID) - p->used;
	double least = (now(CLOCK_MONOTONIC) - p->begin) / 4;

	return used > least ? used : least;
}

static bool time_is_up(const struct progress *p, double share)
{
	if (p->config->most_runs)
		return engine->runs >= p->config->most_runs * share;
	return engine->runs % 256 == 0 && passed(p) > p->config->seconds * share;
}

static bool count(const struct progress *p)
{
	p->result->runs += engine->outcome != OUTCOME_PRUNED;
	p->result->pruned += engine->outcome == OUTCOME_PRUNED;
	return engine->outcome == OUTCOME_FAILED;
}

enum end { END_ALL, END_TIME, END_FAILED };

static enum end depth_first(const struct progress *p, int bound, double share, uint64_t most)
{
	engine->mode = MODE_DEPTH;
	engine->bound = bound;
	engine->bounded = false;
	engine->nr_nodes = 0;
	engine->changed = 0;
	do {
		run();
		if (bound < 0)
			reduce_races(engine->changed);
		if (count(p))
			return END_FAILED;
		if (engine->runs >= most || time_is_up(p, share))
			return END_TIME;
	} while (backtrack());
	return END_ALL;
}

static enum end by_chance(const struct progress *p)
{
	int longest = engine->longest ? engine->longest : 1;

	engine->mode = MODE_CHANCE;
	for (uint64_t i = 0; !time_is_up(p, 1); i++) {
		engine->random = p->config->seed * 0x100000001b3ull + i;
		for (int t = 0; t < THREADS; t++)
			engine->priority[t] = CHANGES + 1 + draw() % 200;
		engine->nr_change_points = draw() % (CHANGES + 1);
		engine->next_change = 0;
		for (int c = 0; c < engine->nr_change_points; c++)
			engine->change_points[c] = draw() % longest;
		for (int c = 1; c < engine->nr_change_points; c++)
			if (engine->change_points[c] < engine->change_points[c - 1])
				engine->change_points[c] = engine->change_points[c - 1];
		run();
		p->result->by_chance++;
		if (count(p))
			return END_FAILED;
	}
	return END_TIME;
}

/* All schedules with at most so many deviations, more and more, up to @most schedules. */
static enum end deviations(const struct progress *p, double share, uint64_t most)
{
	struct search_result *r = p->result;

	for (int bound = r->bound + 1; bound <= MOST_DEVIATIONS; bound++) {
		enum end end = depth_first(p, bound, share, most);

		if (end != END_ALL)
			return end;
		r->bound = bound;
		if (!engine->bounded) {
			r->exhausted = true;
			return END_ALL;
		}
	}
	return END_TIME;
}

static enum end search_all(struct progress *p)
{
	enum end end;

	p->result->bound = -1;
	end = deviations(p, 0.2, FIRST_LOOK);
	if (end != END_TIME)
		return end;
	end = depth_first(p, -1, 0.7, UINT64_MAX);
	if (end == END_ALL)
		p->result->exhausted = true;
	if (end != END_TIME)
		return end;
	end = deviations(p, 0.85, UINT64_MAX);
	return end == END_TIME ? by_chance(p) : end;
}

bool search_replay(const struct deviation *told, int nr)
{
	engine->mode = MODE_TOLD;
	engine->told = told;
	engine->nr_told = nr;
	run();
	return engine->outcome == OUTCOME_FAILED;
}

static void shrink(struct search_result *r)
{
	struct deviation shorter[DEVIATIONS];

	for (int i = 0; i < r->nr_schedule;) {
		int n = r->nr_schedule - 1;

		memcpy(shorter, r->schedule, i * sizeof(*shorter));
		memcpy(shorter + i, r->schedule + i + 1, (n - i) * sizeof(*shorter));
		if (search_replay(shorter, n)) {
			memcpy(r->schedule, engine->taken, engine->nr_taken * sizeof(*shorter));
			r->nr_schedule = engine->nr_taken < n ? engine->nr_taken : n;
			i = 0;
		} else {
			i++;
		}
	}
}

void search(const struct search_config *config, struct search_result *result)
{
	struct progress p = { config, result, now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID) };

	memset(result, 0, sizeof(*result));
	engine->runs = 0;
	engine->longest = 0;
	reduce_begin();
	threads_prepare(config->scenario, config->sites);
	if (search_all(&p) == END_FAILED) {
		result->verdict = VERDICT_FAILED;
		result->runs_to_failure = engine->runs;
		result->nr_schedule = engine->nr_taken;
		memcpy(result->schedule, engine->taken,
		       engine->nr_taken * sizeof(*result->schedule));
		shrink(result);
		search_replay(result->schedule, result->nr_schedule);
		memcpy(result->failure, engine->failure, sizeof(result->failure));
	}
	result->longest = engine->longest;
	result->seconds = now(CLOCK_MONOTONIC) - p.begin;
	result->processor = now(CLOCK_PROCESS_CPUTIME_ID) - p.used;
}
