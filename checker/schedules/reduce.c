/* SPDX-License-Identifier: MIT */
/*
 * reduce.c - which schedules are the same but for the order of steps that do not meet, so that one is tried
 *
 * Two steps meet if both touch a word and one of them writes it.  Behind each schedule, every two steps
 * of different threads that meet, with nothing between them that already orders them, are a race: one of
 * those that could have gone first where the earlier step began is noted there, to be tried (source
 * sets).  What was tried is left asleep until a step that meets it comes by (sleep sets).
 *
 * A load that may see any message is *free*: what it sees tells more than when it is made.
 *	1  A free load behind a store can still see what was there before, so it need not be tried
 *	   before it; and if it saw that, the two are not ordered.
 *	2  A free load before a store is tried behind it, too, but then only what is newer.
 *	3  A store that sleeps is not woken by a free load.
 *
 * Not steps: a thread that yielded looks again only when somebody has written (threads.c), so where
 * it could not go on there is nothing of it to try.
 *
 * P. Godefroid, "Partial-order methods for the verification of concurrent systems", 1996;
 * C. Flanagan, P. Godefroid, "Dynamic partial-order reduction for model checking software", 2005;
 * P. Abdulla et al., "Optimal dynamic partial order reduction", 2014; M. Kokologiannakis et al.,
 * "Effective stateless model checking for C/C++ concurrency", 2018.
 */
#include <string.h>

#include "checker/schedules/engine.h"

/* --- spots ------------------------------------------------------------------------------------ */

int spot_of(uintptr_t addr)
{
	uintptr_t word = addr >> 2;
	uint64_t hash = word * 0x9e3779b97f4a7c15ull;
	uint32_t i = hash >> 52;

	for (;; i = (i + 1) % SPOT_WORDS) {
		if (engine->spot_words[i] == word)
			return engine->spots[i];
		if (!engine->spot_words[i])
			break;
	}
	if (engine->nr_spot_words == SPOT_WORDS / 2)
		return SPOT_TIME + 1 + (hash >> 32) % (SPOTS - SPOT_TIME - 1);
	engine->nr_spot_words++;
	engine->spot_words[i] = word;
	engine->spots[i] = engine->nr_spots < SPOTS
				   ? engine->nr_spots++
				   : SPOT_TIME + 1 + (hash >> 32) % (SPOTS - SPOT_TIME - 1);
	return engine->spots[i];
}

static bool share(const struct spots *a, const struct spots *b)
{
	uint64_t both = 0;

	for (int i = 0; i < SPOTS / 64; i++)
		both |= a->words[i] & b->words[i];
	return both;
}

bool footprint_empty(const struct spots *spots)
{
	return !share(spots, spots);
}

static bool meet(const struct footprint *a, const struct footprint *b)
{
	return share(&a->writes, &b->writes) || share(&a->writes, &b->reads) ||
	       share(&a->reads, &b->writes);
}

static bool stores_to(const struct footprint *touched, int spot)
{
	return spot >= 0 && spots_have(&touched->writes, spot);
}

/* --- steps ------------------------------------------------------------------------------------ */

void reduce_begin(void)
{
	memset(engine->spot_words, 0, sizeof(engine->spot_words));
	engine->nr_spot_words = 0;
	engine->nr_spots = SPOT_TIME + 1;
}

/* Choice number engine->at has begun a step of @thread. */
void step_begins(int thread)
{
	struct thread *t = &engine->threads[thread];
	struct taken_step *step = &engine->path[engine->at];

	memset(step, 0, offsetof(struct taken_step, after));
	step->free = step->saw = NOBODY;
	step->thread = thread;
	step->before = engine->last_thread_node;
	step->own = t->last_step;
	step->woken_by = t->woken_by;
	t->last_step = engine->at;
	t->woken_by = NOBODY;
	engine->last_thread_node = engine->at;
	engine->step = step;
}

/* The running step makes @thread go on; if its time could have been up, that is to be tried, too. */
void step_wakes(int thread)
{
	if (engine->step == &engine->nowhere)
		return;
	engine->threads[thread].woken_by = engine->last_thread_node;
	if (engine->mode == MODE_DEPTH && engine->bound < 0)
		engine->nodes[engine->last_thread_node].todo |= 1 << thread;
}

/* --- sleep ------------------------------------------------------------------------------------ */

/* Who slept at @parent, or went first there, still need not go on, unless @step met his. */
void reduce_inherit(struct node *node, const struct node *parent, const struct taken_step *step)
{
	uint16_t known = parent->asleep | parent->partly | parent->done;

	known &= ~(1 << step->thread);
	for (int t = 0; t < THREADS; t++) {
		const struct footprint *next = &parent->next[t];
		bool tried = (parent->asleep | parent->done) >> t & 1;

		if (!(known >> t & 1) || meet(next, &step->touched) ||
		    (stores_to(next, step->free) && !step->covered))
			continue;
		node->next[t] = *next;
		node->free[t] = parent->free[t];
		node->newest[t] = parent->newest[t];
		node->floor[t] = tried ? parent->newest[t] : parent->floor[t];
		if (tried && !stores_to(&step->touched, parent->free[t]))
			node->asleep |= 1 << t;
		else
			node->partly |= 1 << t;
	}
}

/* --- races ------------------------------------------------------------------------------------ */

#define RACE 1
#define ORDER 2

/* @early, number @nr, came before @late. */
static int relation(int nr, const struct taken_step *early, const struct taken_step *late)
{
	int result = 0;

	if (meet(&early->touched, &late->touched))
		return RACE | ORDER;
	if (stores_to(&early->touched, late->free)) {
		if (!late->covered)
			return RACE | ORDER;
		if (late->saw >= nr)
			result |= ORDER;
	}
	if (stores_to(&late->touched, early->free))
		result |= RACE;
	return result;
}

static void join(int16_t *to, const int16_t *from)
{
	for (int i = 0; i < THREADS; i++)
		if (to[i] < from[i])
			to[i] = from[i];
}

/*
 * Of the steps behind @early that do not come after it, up to @late: who of them could have gone on
 * before @early?
 */
static uint16_t initials(const int *steps, int early, int late)
{
	const struct taken_step *path = engine->path;
	int early_thread = path[steps[early]].thread;
	int first[THREADS];
	uint16_t met = 0, result = 0;

	for (int i = early + 1; i <= late; i++) {
		const struct taken_step *step = &path[steps[i]];
		bool free = true;

		if (met >> step->thread & 1 ||
		    (i < late && step->after[early_thread] > steps[early]))
			continue;
		for (int t = 0; t < THREADS && free; t++)
			free = !(met >> t & 1) || step->after[t] <= first[t];
		met |= 1 << step->thread;
		first[step->thread] = steps[i];
		result |= free << step->thread;
	}
	return result;
}

static void race(const int *steps, int early, int late)
{
	struct node *node = &engine->nodes[steps[early]];
	uint16_t who = initials(steps, early, late), can = 0;
	int wanted = engine->path[steps[late]].thread;

	if (who & (node->todo | node->asleep))
		return;
	for (int i = 0; i < node->nr; i++)
		can |= 1 << thread_at(node, i);
	can &= who;
	if (!can)
		return;
	node->todo |= can >> wanted & 1 ? 1 << wanted : can & -can;
}

static void order(const int *steps, int late)
{
	struct taken_step *path = engine->path, *step = &path[steps[late]];
	uint16_t open = ~(1 << step->thread);

	memset(step->after, 0, sizeof(step->after));
	if (step->own >= 0)
		join(step->after, path[step->own].after);
	if (step->woken_by >= 0)
		join(step->after, path[step->woken_by].after);
	step->after[step->thread] = steps[late] + 1;
	for (int i = late - 1; i >= 0 && open; i--) {
		const struct taken_step *other = &path[steps[i]];
		int how;

		if (!(open >> other->thread & 1))
			continue;
		if (step->after[other->thread] > steps[i]) {
			open &= ~(1 << other->thread);
			continue;
		}
		how = relation(steps[i], other, step);
		if (how & RACE)
			race(steps, i, late);
		if (how & ORDER)
			join(step->after, other->after);
	}
}

/* The schedule has ended; what is new in it begins with choice number @first. */
void reduce_races(int first)
{
	int *steps = engine->path_steps, nr, i = NODES;

	for (int s = engine->last_thread_node; s >= 0; s = engine->path[s].before)
		steps[--i] = s;
	nr = NODES - i;
	memmove(steps, steps + i, nr * sizeof(*steps));
	/* A choice that is no step's beginning changes the step that it lies in. */
	for (i = 0; i < nr; i++)
		if (i + 1 == nr || steps[i + 1] > first)
			order(steps, i);
}
