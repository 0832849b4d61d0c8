/* SPDX-License-Identifier: MIT */
/*
 * model.c - what C11 lets an atomic load see
 *
 * The machine of checker/mapping-slot-orders.py, on real code.  Every store to an atomic location is
 * a message; a thread has a view, the newest message it has seen of each location, and a load may see
 * any message that is not older than its view.  So a relaxed store becomes visible to others at any
 * later point.  A release store carries the storer's view, and who sees it by acquire joins that view:
 * it becomes visible only after all before it.  Clocks of the threads travel in the same views and
 * tell which accesses to plain data are ordered.
 *
 * Stronger than C11, so that right code is never blamed
 *   1  The order of messages of a location is the order in which they were made.
 *   2  A thread sees a message at most OLD_READS times when there is a newer one, and not at all if
 *      it has yielded twice since the newer one was made: stores arrive.
 *   3  A compare-exchange that fails saw the newest.
 *   4  An SC fence also sees all SC stores made before it (C++20 says so, too), and an SC load what
 *      was stored before an earlier SC fence.
 * A load never sees a store that comes later (no load buffering).
 *
 * Host code sees and makes the newest message only; its views travel all the same.
 */
#include <string.h>

#include "checker/schedules/engine.h"

static struct view *cur(void)
{
	return &engine->threads[engine->current].cur;
}

static bool on(void)
{
	return engine->phase != PHASE_SETUP && engine->current >= 0;
}

static bool acquires(int order)
{
	return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME ||
	       order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

/* --- views ------------------------------------------------------------------------------------ */

static void view_grow(struct view *v, int used)
{
	used = (used + PER_VECTOR - 1) / PER_VECTOR * PER_VECTOR;
	if (used <= v->used)
		return;
	memset(&v->at[v->used], 0, (used - v->used) * sizeof(v->at[0]));
	v->used = used;
}

static void view_set(struct view *v, int entry, int16_t newest)
{
	if (entry >= v->used)
		view_grow(v, entry + 1);
	if (v->at[entry] < newest)
		v->at[entry] = newest;
}

static int16_t view_get(const struct view *v, int entry)
{
	return entry < v->used ? v->at[entry] : 0;
}

static void view_join_from(struct view *to, const struct view *from, int first)
{
	view_grow(to, from->used);
	for (int i = first; i < from->used / PER_VECTOR; i++) {
		entries newer = from->vectors[i] > to->vectors[i];

		to->vectors[i] = (from->vectors[i] & newer) | (to->vectors[i] & ~newer);
	}
}

static void view_join(struct view *to, const struct view *from)
{
	view_join_from(to, from, 0);
}

static void view_copy(struct view *to, const struct view *from)
{
	to->used = from->used;
	memcpy(to->at, from->at, from->used * sizeof(from->at[0]));
}

static void tick(void)
{
	cur()->at[engine->current]++;
}

/* --- locations -------------------------------------------------------------------------------- */

static uint64_t memory_value(uintptr_t addr, unsigned int bytes)
{
	switch (bytes) {
	case 1:
		return *(volatile uint8_t *)addr;
	case 2:
		return *(volatile uint16_t *)addr;
	case 4:
		return *(volatile uint32_t *)addr;
	default:
		return *(volatile uint64_t *)addr;
	}
}

static struct location *locate(uintptr_t addr)
{
	uint32_t i = (uint32_t)((addr >> 2) * 0x9e3779b1u) >> 22;

	for (;; i = (i + 1) % LOCATIONS) {
		struct location *l = &engine->locations[i];

		if (l->generation != engine->generation) {
			l->generation = engine->generation;
			l->addr = addr;
			l->spot = spot_of(addr);
			l->entry = 0;
			l->newest = l->oldest = -1;
			return l;
		}
		if (l->addr == addr)
			return l;
	}
}

static struct message *message(struct location *l, int16_t i)
{
	return &l->messages[i % MESSAGES];
}

static struct message *append(struct location *l, uint64_t value)
{
	struct message *m = message(l, ++l->newest);

	if (l->newest - l->oldest >= MESSAGES || !l->entry || l->oldest < 0)
		l->oldest = l->entry && l->oldest >= 0 ? l->newest - MESSAGES + 1 : l->newest;
	m->value = value;
	m->maker = engine->step == &engine->nowhere ? NOBODY : engine->step - engine->path;
	m->made = ++engine->stores;
	memset(m->old_reads, 0, sizeof(m->old_reads));
	m->view.used = 0;
	return m;
}

/* Whoever wrote behind the model's back (a plain store, memset) made everything older vanish. */
static struct location *location(uintptr_t addr, unsigned int bytes, bool weak)
{
	struct location *l = locate(addr);
	uint64_t value = memory_value(addr, bytes);

	if (l->newest < 0) {
		append(l, value)->maker = NOBODY;
	} else if (weak && message(l, l->newest)->value != value) {
		l->oldest = l->newest;
		message(l, l->newest)->value = value;
	}
	if (weak && !l->entry && engine->entries < VIEW_ENTRIES) {
		l->entry = engine->entries++;
		l->oldest = l->newest;
	}
	return l;
}

/* --- steps' footprints, for the search -------------------------------------------------------- */

static void touch(int spot, bool write)
{
	struct footprint *touched = &engine->step->touched;

	spots_add(write ? &touched->writes : &touched->reads, spot);
}

/* A step that changes who can go on: who sleeps on @addr. */
void model_footprint(uintptr_t addr)
{
	touch(spot_of(addr), true);
}

void model_time(bool passes)
{
	touch(SPOT_TIME, passes);
}

/* A load that sees any message: who stores beside it is met by what it sees, not by when. */
static void touch_freely(const struct location *l, int old, bool covered)
{
	struct taken_step *step = engine->step;

	step->free = l->spot;
	step->newest = l->newest;
	step->saw = l->messages[(l->newest - old) % MESSAGES].maker;
	step->covered = covered;
}

/* --- accesses --------------------------------------------------------------------------------- */

static void see(struct location *l, int16_t i, int order)
{
	struct thread *t = &engine->threads[engine->current];
	struct message *m = message(l, i);

	if (l->entry)
		view_set(&t->cur, l->entry, i);
	if (acquires(order)) {
		view_join(&t->cur, &m->view);
	} else {
		view_join(&t->acquired, &m->view);
	}
}

static int16_t newer(int16_t a, int16_t b)
{
	return a > b ? a : b;
}

/* How many of the newest messages this load may see; @covered: whatever it could have seen earlier. */
static int choices(const struct location *l, int order, bool *covered)
{
	const struct thread *t = &engine->threads[engine->current];
	int16_t low = view_get(&t->cur, l->entry);
	int n = 1;

	if (order == __ATOMIC_SEQ_CST) {
		low = newer(low, view_get(&engine->sc_stores, l->entry));
		low = newer(low, view_get(&engine->fences, l->entry));
	}
	if (low < l->oldest)
		low = l->oldest;
	while (l->newest - n >= low &&
	       l->messages[(l->newest - n) % MESSAGES].old_reads[engine->current] < OLD_READS &&
	       l->messages[(l->newest - n + 1) % MESSAGES].made > t->yields[0])
		n++;
	*covered = l->newest - n < low && (low > l->oldest || !l->oldest);
	if (engine->floor_spot == l->spot && l->newest - n < engine->floor)
		n = l->newest - engine->floor;
	return n;
}

uint64_t model_load(uintptr_t addr, unsigned int bytes, int order, uintptr_t pc)
{
	bool covered = false;
	struct location *l;
	int n, old = 0;

	if (!on())
		return memory_value(addr, bytes);
	l = location(addr, bytes, true);
	n = l->entry && engine->phase == PHASE_RUN ? choices(l, order, &covered) : 1;
	if (n > 1) {
		old = search_data(n);
		if (old)
			message(l, l->newest - old)->old_reads[engine->current]++;
	}
	if (order != __ATOMIC_SEQ_CST && l->entry)
		touch_freely(l, old, covered);
	else
		touch(l->spot, false);
	if (order == __ATOMIC_SEQ_CST)
		touch(SPOT_SC, false);
	see(l, l->newest - old, order);
	if (engine->tracing)
		report_step("load", addr, message(l, l->newest - old)->value, old, pc);
	return message(l, l->newest - old)->value;
}

void model_read_newest(uintptr_t addr, unsigned int bytes, int order)
{
	struct location *l;

	if (!on())
		return;
	l = location(addr, bytes, false);
	touch(l->spot, false);
	see(l, l->newest, order);
}

/* The message that a store makes; a read-modify-write carries on what it replaced. */
static void publish(struct location *l, uint64_t value, int order, const struct message *replaced)
{
	struct thread *t = &engine->threads[engine->current];
	struct view before;
	struct message *m;

	if (replaced)
		view_copy(&before, &replaced->view);
	m = append(l, value);
	if (l->entry)
		view_set(&t->cur, l->entry, l->newest);
	view_copy(&m->view, releases(order) ? &t->cur : &t->released);
	if (l->entry)
		view_set(&m->view, l->entry, l->newest);
	if (replaced)
		view_join(&m->view, &before);
	if (order == __ATOMIC_SEQ_CST) {
		if (l->entry)
			view_set(&engine->sc_stores, l->entry, l->newest);
		touch(SPOT_SC, false);
	}
	tick();
}

void model_store(uintptr_t addr, unsigned int bytes, uint64_t value, int order, bool weak)
{
	struct location *l;

	if (!on())
		return;
	l = location(addr, bytes, weak);
	touch(l->spot, true);
	publish(l, value, order, NULL);
}

void model_rmw(uintptr_t addr, unsigned int bytes, uint64_t value, int order, bool weak)
{
	struct location *l;

	if (!on())
		return;
	l = location(addr, bytes, weak);
	touch(l->spot, true);
	see(l, l->newest, order);
	publish(l, value, order, message(l, l->newest));
}

void model_fence(int order)
{
	struct thread *t = &engine->threads[engine->current];

	if (!on())
		return;
	if (acquires(order))
		view_join(&t->cur, &t->acquired);
	if (order == __ATOMIC_SEQ_CST) {
		/* Locations only: two fences alone do not order plain data. */
		view_join_from(&engine->fences, &engine->sc_stores, CLOCKS / PER_VECTOR);
		view_join_from(&engine->fences, &t->cur, CLOCKS / PER_VECTOR);
		view_join_from(&t->cur, &engine->fences, CLOCKS / PER_VECTOR);
		touch(SPOT_SC, true);
	}
	if (releases(order)) {
		view_copy(&t->released, &t->cur);
		tick();
	}
}

/* membarrier(): everybody passes a full fence. */
void model_barrier_all(void)
{
	if (!on())
		return;
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < engine->nr_threads; i++) {
			struct thread *t = &engine->threads[i];

			view_join_from(&t->cur, &t->acquired, CLOCKS / PER_VECTOR);
			view_join_from(&engine->fences, &t->cur, CLOCKS / PER_VECTOR);
			view_join_from(&t->cur, &engine->fences, CLOCKS / PER_VECTOR);
		}
	memset(&engine->step->touched, 0xff, sizeof(engine->step->touched));
}

/* --- threads ---------------------------------------------------------------------------------- */

/* What the maker has seen, the made has. */
void model_spawn(struct thread *thread)
{
	int me = thread - engine->threads;

	thread->cur.used = thread->acquired.used = thread->released.used = 0;
	if (on()) {
		view_copy(&thread->cur, cur());
		step_wakes(me);
		tick();
	}
	view_set(&thread->cur, me, 1);
	view_grow(&thread->cur, CLOCKS);
}

void model_join_all(struct thread *thread)
{
	for (int i = 0; i < engine->nr_threads; i++)
		view_join(&thread->cur, &engine->threads[i].cur);
}

/* A schedule begins: everything so far was done by one thread. */
void model_begin(void)
{
	if (!engine->locations)
		engine->locations = world_map(LOCATIONS * sizeof(struct location));
	engine->generation++;
	engine->stores = 0;
	plain_begin();
	engine->entries = CLOCKS;
	engine->fences.used = engine->sc_stores.used = 0;
	for (int i = 0; i < engine->nr_threads; i++) {
		struct thread *t = &engine->threads[i];

		t->cur.used = t->acquired.used = t->released.used = 0;
		view_grow(&t->cur, CLOCKS);
		t->cur.at[i] = 1;
		t->yields[0] = t->yields[1] = 0;
	}
}
