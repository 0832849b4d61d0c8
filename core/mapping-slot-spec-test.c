/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot-spec-test.c - every edge of mapping-slot-spec.py's state graph, walked by
 * mapping-slot.c
 *
 * The specification writes its graph down.  The real source, compiled again here, runs as one
 * coroutine for each agent; what it calls of Linux (atomics, the reservation, the wait queue, the
 * work queue) and of its owner (build, destroy, widen, leaving the directory) is taken over, stops
 * before it acts, and acts when the walk takes that agent's edge.  After every edge these are
 * compared with the specification's state: permission bits, FROZEN, WANT, DEAD, unlocked and held
 * counts, the table (none, being built, live, being torn down), what the device may do, who is in
 * the wait queue, whether the reaper is queued, who holds the reservation, and where each agent
 * stands.  The walk goes on until every edge has been taken; nothing is restored, only started
 * over.
 *
 * Granularity: single accesses for mapping and unmapping (count in, count out, hand-over, join,
 * look, sleep, lock, build, widen, publish, unlock), for teardown, rebuild and thaw.  Coarser than
 * the code, as in the specification, are: a mover's try (load and cmpxchg of a slot), his arming
 * (join, WANT, another try), the end of his wait, and reclaim's and kill's "idle?".  Steps of the
 * specification that touch nothing shared (its loops over slots) have no counterpart; there the
 * code stands already where it goes next.
 *
 * Not here: the directory (coherence-spec-test), KERNEL fences, memory orders
 * (mapping-slot-orders.py, mapping-slot-race-test), several slots.
 *
 * A walk that compares nothing passes too.  So mistakes are planted, and each must be found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <linux/dma-direction.h>
#include <linux/dma-resv.h>
#include <linux/sched.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "core/test-slot-graph.h"
#include "tests/ktap.h"

#define STACK_BYTES (128 * 1024)

/* --- agents, and what the source under test calls --------------------------------------------- */

enum kind { MAP, HELD, MOVE, RECLAIM, DETACH };

struct agent {
	ucontext_t context;
	char *stack;
	enum kind kind;
	enum dma_data_direction dir;
	enum pc pc;

	bool joined;    /* a mapper queued himself and has not looked again */
	bool provided;  /* built or widened since it took the reservation */
	bool unmapping; /* its count-out is not a withdrawal */
};

enum mistake { NONE, PUBLISH_FIRST, SILENT_THAW, NO_HANDOVER, FORGET_HELD };

static struct world {
	struct agent agents[MAX_AGENTS];
	unsigned int nr_agents;
	struct agent *me;
	ucontext_t walk;
	enum mistake mistake;

	/* what the edge being walked decides */
	const char *label;
	bool arms;

	int owner;
	unsigned int queue;
	bool work;
	char table;
	u32 hardware;
	struct sg_table sgt;
	const char *broken; /* a rule that only breaks on the way */
} world;

static unsigned int self(void)
{
	return world.me - world.agents;
}

static bool taken(const char *label)
{
	return !strcmp(world.label, label);
}

/* Stand before what is called @pc, until the walk comes by. */
static void stand(enum pc pc)
{
	world.me->pc = pc;
	swapcontext(&world.me->context, &world.walk);
}

static bool spec_try_reservation(void)
{
	if (world.owner >= 0)
		return false;
	world.owner = self();
	return true;
}

static int spec_reservation(enum pc before, enum pc after)
{
	stand(before);
	if (!spec_try_reservation())
		world.broken = "two hold the reservation";
	world.me->provided = false;
	if (after != NR_PCS)
		stand(after);
	return 0;
}

static int spec_lock(void)
{
	switch (world.me->kind) {
	case MAP:
		return spec_reservation(LOCK, LOCKED);
	case DETACH: /* its worker */
		return spec_reservation(WORK, NR_PCS);
	default:
		world.broken = "a lock taken twice";
		return 0;
	}
}

static void spec_unlock(void)
{
	stand(world.me->kind == MAP || world.me->kind == HELD ? UNLOCK : QUIT);
	if (world.owner != self())
		world.broken = "unlocked by another";
	world.owner = -1;
}

static int spec_fetch_add(int i, atomic_t *v)
{
	int old;

	if (world.me->kind == MAP && world.owner != self())
		stand(ADD);
	else if (world.me->kind == MAP && world.me->provided)
		stand(PUBLISH);
	old = atomic_fetch_add(i, v);
	if (world.me->kind == DETACH)
		stand(IDLE);
	return old;
}

static int spec_fetch_sub_release(int i, atomic_t *v)
{
	if (world.me->kind == MAP)
		stand(world.me->unmapping ? END : UNDO);
	return atomic_fetch_sub_release(i, v);
}

static bool spec_try_cmpxchg(atomic_t *v, int *old, int new)
{
	if (world.me->pc != HANDOFF)
		stand(HANDOFF);
	if (world.mistake == NO_HANDOVER) {
		*old = INT_MIN; /* somebody is counted in */
		return false;
	}
	return atomic_try_cmpxchg(v, old, new);
}

static int spec_fetch_andnot_release(int i, atomic_t *v)
{
	stand(THAW);
	return atomic_fetch_andnot_release(i, v);
}

static int spec_read(const atomic_t *v)
{
	if (world.me->joined) {
		world.me->joined = false;
		stand(CHECK);
	}
	return atomic_read(v);
}

#define spec_store_mb(var, value)                 \
	do {                                      \
		if (world.me->provided)           \
			stand(PUBLISH);           \
		if (world.mistake != FORGET_HELD) \
			(var) = (value);          \
	} while (0)

static void spec_join(void)
{
	stand(world.me->kind == MAP ? WAIT : ARM);
	world.me->joined = world.me->kind == MAP;
	world.queue |= 1u << self();
}

static void spec_unjoin(void)
{
	world.queue &= ~(1u << self());
}

static void spec_schedule(void)
{
	stand(ASLEEP);
}

static long spec_schedule_timeout(long timeout)
{
	stand(ASLEEP);
	return taken("TIME-OUT") ? 0 : timeout;
}

static void spec_wake_all(void)
{
	if (world.mistake != SILENT_THAW || world.owner != self())
		world.queue = 0;
}

static void spec_queue_reaper(void)
{
	if (world.work)
		world.broken = "the reaper is queued twice";
	world.work = true;
}

/*
 * From here on mapping-slot.[ch] see these instead.  The headers they stand on are included
 * already.
 */
#define atomic_fetch_add(i, v) spec_fetch_add(i, v)
#define atomic_fetch_sub_release(i, v) spec_fetch_sub_release(i, v)
#define atomic_try_cmpxchg(v, old, new) spec_try_cmpxchg(v, old, new)
#define atomic_fetch_andnot_release(i, v) spec_fetch_andnot_release(i, v)
#define atomic_read(v) spec_read(v)
#undef smp_store_mb
#define smp_store_mb(var, value) spec_store_mb(var, value)
#undef DEFINE_WAIT
#define DEFINE_WAIT(name) struct agent *name __maybe_unused = world.me
#define prepare_to_wait(wq, wait, state) spec_join()
#define finish_wait(wq, wait) spec_unjoin()
#define schedule() spec_schedule()
#define schedule_timeout(timeout) spec_schedule_timeout(timeout)
#undef wake_up_all
#define wake_up_all(wq) spec_wake_all()
#define schedule_work(work) spec_queue_reaper()
#define dma_resv_lock(resv, ctx) spec_lock()
#define dma_resv_unlock(resv) spec_unlock()
#undef dma_resv_assert_held
#define dma_resv_assert_held(resv) WARN(world.owner != self(), "spec: reservation not held\n")
/* The directory is not under test: these are its names in this program. */
#define coherence_join spec_coherence_join
#define coherence_leave spec_coherence_leave
#define coherence_lock spec_coherence_lock
#define coherence_unlock spec_coherence_unlock
#define coherence_begin spec_coherence_begin
#define coherence_end spec_coherence_end

#include "core/mapping-slot.c"

#undef atomic_read
#undef dma_resv_assert_held

int coherence_join(struct coherence *c, struct mapping_slot *slot)
{
	return 0;
}

void coherence_leave(struct coherence *c, struct mapping_slot *slot)
{
	stand(LEAVE);
}

void coherence_lock(struct coherence *c)
{
}

void coherence_unlock(struct coherence *c)
{
}

void coherence_begin(struct coherence *c, struct mapping_slot *slot, unsigned int mode)
{
}

void coherence_end(struct coherence *c, struct mapping_slot *slot, unsigned int mode)
{
}

static struct sg_table *spec_build(struct mapping_slot *slot, enum dma_data_direction dir)
{
	stand(BUILD);
	if (world.table != '-')
		world.broken = "a build over a table";
	world.table = 'b';
	if (world.mistake == PUBLISH_FIRST)
		atomic_or(slot_permission(dir), &slot->word);
	stand(BUILDING);
	if (taken("build fails")) {
		world.table = '-';
		return ERR_PTR(-ENOMEM);
	}
	world.table = 'L';
	if (world.me->kind != MOVE) {
		world.me->provided = true;
		stand(WIDEN);
	}
	world.hardware |= slot_permission(dir);
	return &world.sgt;
}

static void spec_destroy(struct mapping_slot *slot, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	stand(TEAR);
	if (world.table != 'L' || slot_permission(dir) != world.hardware)
		world.broken = "a teardown of what is not live, or in another direction";
	world.table = 't';
	stand(TORN);
	world.table = '-';
	world.hardware = 0;
}

static int spec_widen(struct mapping_slot *slot, enum dma_data_direction from,
		      enum dma_data_direction to)
{
	world.me->provided = true;
	stand(WIDEN);
	if (taken("widening refused"))
		return -EACCES;
	world.hardware |= slot_permission(to);
	return 0;
}

static const struct mapping_slot_ops spec_ops = {
	.build = spec_build,
	.destroy = spec_destroy,
	.widen = spec_widen,
};

static struct mapping_slot *the_slot(void)
{
	static struct mapping_slot slot;

	return &slot;
}

/* --- what each agent does, for ever ----------------------------------------------------------- */

static void map_and_unmap(void)
{
	struct mapping_slot *slot = the_slot();
	struct sg_table *sgt;

	stand(OUT);
	world.me->unmapping = false;
	sgt = mapping_slot_map_unlocked(slot, world.me->dir);
	if (!IS_ERR(sgt)) {
		stand(USE);
		world.me->unmapping = true;
		mapping_slot_unmap_unlocked(slot, mapping_slot_head(slot, sgt));
	}
	stand(END);
}

static void map_and_unmap_held(void)
{
	struct mapping_slot *slot = the_slot();
	struct sg_table *sgt;

	stand(OUT);
	spec_reservation(LOCK, LOCKED);
	sgt = mapping_slot_map_locked(slot, world.me->dir);
	spec_unlock();
	if (!IS_ERR(sgt)) {
		stand(USE);
		spec_reservation(END, HELD_OUT);
		mapping_slot_unmap_locked(slot, mapping_slot_head(slot, sgt));
		spec_unlock();
	}
	stand(END);
}

static void move(void)
{
	struct mapping_slot *slot = the_slot();

	spec_reservation(OUT, FREEZE);
	/* A held slot is not waited for, however long there would be. */
	if (!mapping_slots_freeze(&slot, 1, world.arms || slot->held ? 1000 : 0)) {
		mapping_slots_teardown(&slot, 1);
		mapping_slots_rebuild(&slot, 1);
	}
	spec_unlock();
}

static void reclaim(void)
{
	stand(OUT);
	if (!spec_try_reservation())
		return;
	stand(MARK);
	stand(IDLE);
	mapping_slot_reclaim(the_slot());
	spec_unlock();
}

static void detach(void)
{
	bool empty;

	spec_reservation(OUT, MARK);
	empty = mapping_slot_kill(the_slot());
	spec_unlock();
	if (!empty) {
		stand(WORKER);
		if (!world.work)
			world.broken = "the reaper runs and nobody queued it";
		world.work = false;
		slot_reap(&the_slot()->reap);
	}
	stand(OVER);
}

static void agent_main(void)
{
	static void (*const act[])(void) = { map_and_unmap, map_and_unmap_held, move, reclaim,
					     detach };

	for (;;)
		act[world.me->kind]();
}

/* --- the walk --------------------------------------------------------------------------------- */

static void go(struct agent *agent)
{
	world.me = agent;
	swapcontext(&world.walk, &agent->context);
}

static void world_end(void)
{
	struct mapping_slot *slot = the_slot();

	if (slot->head[0].sgl)
		slot_drop_copy(slot);
}

static void world_start(void)
{
	struct mapping_slot *slot = the_slot();

	world_end();
	memset(slot, 0, sizeof(*slot));
	mapping_slot_init(slot, &spec_ops, NULL, NULL, COHERENCE_CACHES, false, NULL);
	world.owner = -1;
	world.queue = 0;
	world.work = false;
	world.table = '-';
	world.hardware = 0;
	world.broken = NULL;
	world.label = "";
	for (unsigned int i = 0; i < world.nr_agents; i++) {
		struct agent *agent = &world.agents[i];

		agent->joined = agent->provided = agent->unmapping = false;
		getcontext(&agent->context);
		agent->context.uc_stack.ss_sp = agent->stack;
		agent->context.uc_stack.ss_size = STACK_BYTES;
		makecontext(&agent->context, agent_main, 0);
		go(agent);
	}
}

static struct view look(void)
{
	struct mapping_slot *slot = the_slot();
	u32 word = atomic_read(&slot->word);
	struct view v = {
		.permission = word & SLOT_VALID,
		.frozen = !!(word & SLOT_FROZEN),
		.want = !!(word & SLOT_WANT),
		.dead = !!(word & SLOT_DEAD),
		.n = (word & SLOT_READERS) / SLOT_READER + (word & SLOT_WRITERS) / SLOT_WRITER,
		.held = (slot->held & SLOT_HELD_READERS) + slot->held / SLOT_HELD_WRITER,
		.hardware = world.hardware,
		.queue = world.queue,
		.work = world.work,
		.table = world.table,
		.owner = world.owner,
	};

	for (unsigned int i = 0; i < world.nr_agents; i++)
		v.pc[i] = world.agents[i].pc;
	return v;
}

/*
 * The specification's loops over slots: there the code, with its one slot, stands already before
 * what comes next.
 */
static bool stands_further(const struct view *want, unsigned int i)
{
	enum pc pc = want->pc[i];

	return world.agents[i].kind == MOVE &&
	       (pc == NEXT || pc == RE || pc == BACK || pc == FREEZE);
}

static bool equal(const struct view *got, const struct view *want)
{
	for (unsigned int i = 0; i < world.nr_agents; i++)
		if (got->pc[i] != want->pc[i] && !stands_further(want, i))
			return false;
	return got->permission == want->permission && got->frozen == want->frozen &&
	       got->want == want->want && got->dead == want->dead && got->n == want->n &&
	       got->held == want->held && got->hardware == want->hardware &&
	       got->queue == want->queue && got->work == want->work && got->table == want->table &&
	       got->owner == want->owner;
}

static void print_view(const char *who, const struct view *v)
{
	printf("# %s: permission %u frozen %u want %u dead %u n %u held %u table %c hardware %u "
	       "queue %x work %u owner %d at",
	       who, v->permission, v->frozen, v->want, v->dead, v->n, v->held, v->table,
	       v->hardware, v->queue, v->work, v->owner);
	for (unsigned int i = 0; i < world.nr_agents; i++)
		printf(" %s", pc_names[v->pc[i]]);
	printf("\n");
}

static bool walk_edge(struct graph *g, struct edge *e, bool quietly)
{
	const struct view *before = &g->states[e->from].view;
	const struct state *after = &g->states[e->to];
	struct agent *agent = &world.agents[e->agent];
	struct view got;

	world.label = g->labels[e->label];
	world.arms = after->arms;
	if (agent->pc == before->pc[e->agent])
		go(agent);
	if (!e->done) {
		e->done = true;
		g->states[e->from].undone--;
		g->undone--;
	}
	got = look();
	if (!world.broken && equal(&got, &after->view))
		return true;
	if (!quietly) {
		printf("# agent %u, %s: %s\n", e->agent, world.label,
		       world.broken ? world.broken : "another state than specified");
		print_view("before   ", before);
		print_view("specified", &after->view);
		print_view("got      ", &got);
	}
	return false;
}

/* Returns whether every edge came out as specified; @steps: how many were walked until then. */
static bool walk(struct graph *g, bool quietly, unsigned long *steps)
{
	unsigned int *path = calloc(g->nr_states, sizeof(*path));
	unsigned int *todo = calloc(g->nr_states, sizeof(*todo));
	unsigned int at = 0, i;
	bool good = true;

	*steps = 0;
	world_start();
	while (good && g->undone) {
		int n = plan(g, at, path, todo);

		if (n < 0) {
			world_start();
			at = 0;
			n = plan(g, at, path, todo);
			if (n < 0)
				break;
		}
		while (good && n--) {
			good = walk_edge(g, &g->edges[path[n]], quietly);
			at = g->edges[path[n]].to;
			++*steps;
		}
		for (i = g->states[at].first_edge; good && g->states[at].undone; i++) {
			if (g->edges[i].done)
				continue;
			good = walk_edge(g, &g->edges[i], quietly);
			at = g->edges[i].to;
			i = g->states[at].first_edge - 1;
			++*steps;
		}
	}
	world_end();
	free(path);
	free(todo);
	return good && !g->undone;
}

/* --- cases ------------------------------------------------------------------------------------ */

static void world_agents(const char *agents)
{
	static const struct {
		const char *name;
		enum kind kind;
		enum dma_data_direction dir;
	} roles[] = {
		{ "mapR", MAP, DMA_TO_DEVICE },   { "mapW", MAP, DMA_FROM_DEVICE },
		{ "heldR", HELD, DMA_TO_DEVICE }, { "heldW", HELD, DMA_FROM_DEVICE },
		{ "move", MOVE, DMA_NONE },       { "reclaim", RECLAIM, DMA_NONE },
		{ "detach", DETACH, DMA_NONE },
	};
	char copy[64], *rest = copy, *name;

	memset(&world, 0, sizeof(world));
	snprintf(copy, sizeof(copy), "%s", agents);
	while ((name = strsep(&rest, ","))) {
		struct agent *agent = &world.agents[world.nr_agents++];
		unsigned int i = 0;

		while (strcmp(roles[i].name, name))
			i++;
		agent->kind = roles[i].kind;
		agent->dir = roles[i].dir;
		agent->stack = malloc(STACK_BYTES);
	}
	if (sg_alloc_table(&world.sgt, 1, GFP_KERNEL))
		abort();
}

static void world_free(void)
{
	sg_free_table(&world.sgt);
	while (world.nr_agents)
		free(world.agents[--world.nr_agents].stack);
}

static bool have_python(struct ktap *t)
{
	if (!system("python3 -c pass 2>/dev/null"))
		return true;
	ktap_skip(t, "no python3");
	return false;
}

static void replay(struct ktap *t, const char *agents)
{
	unsigned long steps;
	struct graph g;

	KT_ASSERT(t, graph_read(&g, agents));
	world_agents(agents);
	KT_CHECK(t, walk(&g, false, &steps));
	printf("# %s: %u states, %u edges, %u not walked, in %lu steps\n", agents, g.nr_states,
	       g.nr_edges, g.undone, steps);
	world_free();
	graph_free(&g);
}

static void every_edge(struct ktap *t)
{
	static const char *const sets[] = { "mapR,mapW",           "mapR,move",
					    "mapW,detach",         "heldR,mapW,move",
					    "heldW,move",          "mapR,reclaim,move",
					    "heldR,mapR,detach",   "mapR,move,detach",
					    "heldW,reclaim,detach" };

	if (!have_python(t))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(sets); i++)
		replay(t, sets[i]);
	if (ktap_long) {
		replay(t, "mapR,mapW,move");
		replay(t, "mapR,mapW,detach");
	}
}

static void planted_mistakes_are_found(struct ktap *t)
{
	static const struct {
		enum mistake mistake;
		const char *agents;
	} planted[] = {
		{ PUBLISH_FIRST, "mapR,move" }, { SILENT_THAW, "mapR,move" },
		{ NO_HANDOVER, "mapR,move" },   { NO_HANDOVER, "mapW,detach" },
		{ FORGET_HELD, "heldR,move" },
	};

	if (!have_python(t))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(planted); i++) {
		unsigned long steps;
		struct graph g;

		KT_ASSERT(t, graph_read(&g, planted[i].agents));
		world_agents(planted[i].agents);
		world.mistake = planted[i].mistake;
		ktap_check(t, !walk(&g, true, &steps), __FILE__, __LINE__, "mistake %d unnoticed",
			   planted[i].mistake);
		world_free();
		graph_free(&g);
	}
}

KTAP_MAIN(KTAP_CASE(every_edge), KTAP_CASE(planted_mistakes_are_found))
