/* SPDX-License-Identifier: MIT */
/*
 * resv-set-test.c - many lock the same reservations in every order, and nobody waits for ever
 */
#include <linux/dma-resv.h>
#include <linux/sched.h>

#include "drivers/resv-set.h"
#include "host/port.h"
#include "tests/ktap.h"

#define RESVS 6
#define THREADS 4

static struct dma_resv resvs[RESVS];
static unsigned int held[RESVS]; /* guarded by each */

static void all_up(void)
{
	for (unsigned int i = 0; i < RESVS; i++)
		dma_resv_init(&resvs[i]);
}

static void all_down(void)
{
	for (unsigned int i = 0; i < RESVS; i++)
		dma_resv_fini(&resvs[i]);
}

static void each_is_locked_once(struct ktap *t)
{
	struct dma_resv *named[] = { &resvs[2], &resvs[0], &resvs[2], &resvs[1], &resvs[0] };
	struct resv_set set;

	all_up();
	resv_set_lock(&set, named, ARRAY_SIZE(named));
	KT_EQ(t, set.n, 3);
	for (unsigned int i = 0; i < RESVS; i++)
		KT_EQ(t, dma_resv_held(&resvs[i]), i < 3);
	resv_set_unlock(&set);
	for (unsigned int i = 0; i < RESVS; i++)
		KT_CHECK(t, !dma_resv_held(&resvs[i]));
	resv_set_lock(&set, named, 0);
	resv_set_unlock(&set);
	all_down();
}

struct locker {
	u32 seed;
	unsigned int rounds, wrong;
	struct port_thread *thread;
};

static void lock_some(void *arg)
{
	struct locker *l = arg;

	for (unsigned int round = 0; round < l->rounds; round++) {
		struct dma_resv *named[RESVS];
		struct resv_set set;

		for (unsigned int i = 0; i < RESVS; i++) {
			l->seed = l->seed * 1664525 + 1013904223;
			named[i] = &resvs[(l->seed >> 16) % RESVS];
		}
		resv_set_lock(&set, named, 2 + round % (RESVS - 1));
		for (unsigned int i = 0; i < set.n; i++)
			l->wrong += held[set.resvs[i] - resvs]++;
		cond_resched();
		for (unsigned int i = 0; i < set.n; i++)
			held[set.resvs[i] - resvs]--;
		resv_set_unlock(&set);
	}
}

/* Four threads draw some of six: without backing off they would stand still at once. */
static void in_any_order_all_get_their_turn(struct ktap *t)
{
	struct locker lockers[THREADS];

	all_up();
	for (unsigned int i = 0; i < THREADS; i++) {
		lockers[i] = (struct locker){ .seed = i + 1, .rounds = ktap_long ? 100000 : 2000 };
		lockers[i].thread = port_thread_create(lock_some, &lockers[i], "locker");
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		port_thread_join(lockers[i].thread);
		KT_EQ(t, lockers[i].wrong, 0);
	}
	all_down();
}

KTAP_MAIN(KTAP_CASE(each_is_locked_once), KTAP_CASE(in_any_order_all_get_their_turn))
