/* SPDX-License-Identifier: MIT */
/*
 * dma-resv-lock-test.c - reservations among threads: the lock, readers without it, waits (R1, R5)
 *
 * Where threads race, every order is right and what is checked holds in each; nothing is timed.
 */
#include "tests/ktap.h"
#include "host/port.h"
#include "core/dma-resv-test.h"

#include <linux/atomic.h>
#include <linux/dma-resv.h>
#include <linux/minmax.h>
#include <linux/slab.h>

/* --- lock ------------------------------------------------------------------------------------- */

static void lock_is_known_and_counted(struct ktap *t)
{
	struct dma_costs before, cost;
	struct ww_acquire_ctx ctx;
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_cost_read(&before);

	KT_CHECK(t, !dma_resv_held(&resv));
	KT_EQ(t, dma_resv_lock(&resv, NULL), 0);
	KT_CHECK(t, dma_resv_held(&resv) && dma_resv_is_locked(&resv));
	KT_CHECK(t, !dma_resv_locking_ctx(&resv));
	KT_CHECK(t, !dma_resv_trylock(&resv));
	dma_resv_unlock(&resv);
	KT_CHECK(t, !dma_resv_is_locked(&resv));

	KT_CHECK(t, dma_resv_trylock(&resv));
	dma_resv_unlock(&resv);

	ww_acquire_init(&ctx, &reservation_ww_class);
	KT_EQ(t, dma_resv_lock_interruptible(&resv, &ctx), 0);
	KT_CHECK(t, dma_resv_locking_ctx(&resv) == &ctx);
	KT_EQ(t, dma_resv_lock(&resv, &ctx), -EALREADY);
	dma_resv_unlock(&resv);
	dma_resv_lock_slow(&resv, &ctx);
	dma_resv_unlock(&resv);
	KT_EQ(t, dma_resv_lock_slow_interruptible(&resv, &ctx), 0);
	dma_resv_unlock(&resv);
	ww_acquire_fini(&ctx);

	dma_cost_since(&before, &cost);
	KT_EQ(t, cost.count[DMA_COST_RESV_LOCKS], 5);
	dma_resv_fini(&resv);
}

static void hold_elsewhere(void *arg)
{
	struct ktap *t = ((void **)arg)[0];
	struct dma_resv *resv = ((void **)arg)[1];

	KT_CHECK(t, !dma_resv_held(resv));
	KT_CHECK(t, dma_resv_is_locked(resv));
	KT_CHECK(t, !dma_resv_trylock(resv));
}

static void held_means_by_me(struct ktap *t)
{
	struct dma_resv resv;
	void *args[2] = { t, &resv };
	struct port_thread *thread;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	thread = port_thread_create(hold_elsewhere, args, "elsewhere");
	KT_ASSERT(t, thread);
	port_thread_join(thread);
	dma_resv_assert_held(&resv);
	ktap_expect_warn(t, "so it is called without");
	dma_resv_assert_not_held(&resv);
	dma_resv_unlock(&resv);
	dma_resv_assert_not_held(&resv);
	ktap_expect_warn(t, "held_means_by_me() must be called with the reservation locked");
	dma_resv_assert_held(&resv);
	dma_resv_fini(&resv);
}

static void changes_need_the_lock(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(1, 2);
	struct dma_resv_watcher watcher = {};
	struct dma_resv_iter cursor;
	struct dma_resv resv;

	dma_resv_init(&resv);
	ktap_expect_warn(t, "dma_resv_reserve_fences() must be called with the reservation locked");
	KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
	ktap_expect_warn(t, "dma_resv_add_fence() must be called with the reservation locked");
	dma_resv_add_fence(&resv, a, DMA_RESV_USAGE_READ);
	ktap_expect_warn(t, "dma_resv_replace_fences() must be called with the reservation locked");
	dma_resv_replace_fences(&resv, 1, b, DMA_RESV_USAGE_READ);
	ktap_expect_warn(t, "dma_resv_copy_fences() must be called with the reservation locked");
	KT_EQ(t, dma_resv_copy_fences(&resv, &resv), 0);
	ktap_expect_warn(t, "dma_resv_watch() must be called with the reservation locked");
	dma_resv_watch(&resv, &watcher);
	ktap_expect_warn(t, "dma_resv_unwatch() must be called with the reservation locked");
	dma_resv_unwatch(&resv, &watcher);
	ktap_expect_warn(t,
			 "dma_resv_reset_max_fences() must be called with the reservation locked");
	dma_resv_reset_max_fences(&resv);
	dma_resv_iter_begin(&cursor, &resv, DMA_RESV_USAGE_BOOKKEEP);
	ktap_expect_warn(t, "dma_resv_iter_first() must be called with the reservation locked");
	KT_CHECK(t, dma_resv_iter_first(&cursor) == b);
	ktap_expect_warn(t, "dma_resv_iter_next() must be called with the reservation locked");
	KT_CHECK(t, !dma_resv_iter_next(&cursor));

	finish(a);
	finish(b);
	dma_resv_fini(&resv);
}

static void end_while_watched_warns(struct ktap *t)
{
	struct dma_resv_watcher watcher = {};
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	dma_resv_watch(&resv, &watcher);
	dma_resv_unlock(&resv);
	ktap_expect_warn(t, "still watched");
	dma_resv_fini(&resv);
}

/* --- several at once -------------------------------------------------------------------------- */

#define LOCKERS 4
#define RESVS 5

struct lockers {
	struct dma_resv resv[RESVS];
	int owner[RESVS]; /* guarded by the reservation */
	int sum[RESVS];   /* likewise */
	atomic_t wrong, next;
	int rounds;
};

/* R5: all or nothing, in an order of one's own. */
static void lock_all(struct lockers *l, const int *order, struct ww_acquire_ctx *ctx)
{
	int contended = -1, i;

	ww_acquire_init(ctx, &reservation_ww_class);
again:
	if (contended >= 0)
		dma_resv_lock_slow(&l->resv[contended], ctx);
	for (i = 0; i < RESVS; i++) {
		int n = order[i], ret;

		if (n == contended)
			continue;
		ret = dma_resv_lock(&l->resv[n], ctx);
		if (!ret)
			continue;
		if (ret != -EDEADLK)
			atomic_inc(&l->wrong);
		while (i--) {
			if (order[i] != contended)
				dma_resv_unlock(&l->resv[order[i]]);
		}
		if (contended >= 0)
			dma_resv_unlock(&l->resv[contended]);
		contended = n;
		goto again;
	}
	ww_acquire_done(ctx);
}

static void lock_forever(void *arg)
{
	struct lockers *l = arg;
	int me = atomic_inc_return(&l->next), round, i;

	for (round = 0; round < l->rounds; round++) {
		struct ww_acquire_ctx ctx;
		int order[RESVS];

		/* Another order for everybody, so that they meet head-on. */
		for (i = 0; i < RESVS; i++)
			order[i] = (me & 1 ? RESVS - 1 - i + me + round : i + me + round) % RESVS;
		lock_all(l, order, &ctx);
		for (i = 0; i < RESVS; i++) {
			l->owner[i] = me;
			l->sum[i]++;
		}
		port_yield();
		for (i = 0; i < RESVS; i++) {
			if (l->owner[i] != me || !dma_resv_held(&l->resv[i]))
				atomic_inc(&l->wrong);
			dma_resv_unlock(&l->resv[i]);
		}
		ww_acquire_fini(&ctx);
	}
}

static void younger_meets_older(void *arg)
{
	struct ktap *t = ((void **)arg)[0];
	struct dma_resv *resv = ((void **)arg)[1];
	struct ww_acquire_ctx younger;

	ww_acquire_init(&younger, &reservation_ww_class);
	KT_EQ(t, dma_resv_lock(&resv[1], &younger), 0);
	KT_EQ(t, dma_resv_lock(&resv[0], &younger), -EDEADLK);
	KT_CHECK(t, !dma_resv_held(&resv[0]));
	dma_resv_unlock(&resv[1]);
	ww_acquire_fini(&younger);
}

static void younger_context_backs_off(struct ktap *t)
{
	struct dma_costs before, cost;
	struct ww_acquire_ctx older;
	struct dma_resv resv[2];
	void *args[2] = { t, resv };
	struct port_thread *thread;

	dma_resv_init(&resv[0]);
	dma_resv_init(&resv[1]);
	dma_cost_read(&before);
	ww_acquire_init(&older, &reservation_ww_class);
	KT_EQ(t, dma_resv_lock(&resv[0], &older), 0);
	thread = port_thread_create(younger_meets_older, args, "younger");
	KT_ASSERT(t, thread);
	port_thread_join(thread);
	dma_resv_unlock(&resv[0]);
	ww_acquire_fini(&older);
	/* What was not taken is not counted. */
	dma_cost_since(&before, &cost);
	KT_EQ(t, cost.count[DMA_COST_RESV_LOCKS], 2);
	dma_resv_fini(&resv[0]);
	dma_resv_fini(&resv[1]);
}

static void many_lock_many(struct ktap *t)
{
	struct lockers *l = kzalloc(sizeof(*l), GFP_KERNEL);
	struct port_thread *threads[LOCKERS];
	int i;

	KT_ASSERT(t, l);
	l->rounds = ktap_long ? 20000 : 500;
	for (i = 0; i < RESVS; i++)
		dma_resv_init(&l->resv[i]);
	for (i = 0; i < LOCKERS; i++) {
		threads[i] = port_thread_create(lock_forever, l, "lock");
		KT_ASSERT(t, threads[i]);
	}
	for (i = 0; i < LOCKERS; i++)
		port_thread_join(threads[i]);
	KT_EQ(t, atomic_read(&l->wrong), 0);
	for (i = 0; i < RESVS; i++) {
		KT_EQ(t, l->sum[i], LOCKERS * l->rounds);
		dma_resv_fini(&l->resv[i]);
	}
	kfree(l);
}

/* --- readers without the lock ----------------------------------------------------------------- */

struct stress {
	struct dma_resv resv;
	atomic_t stop;
	atomic_t walked;
	atomic_t wrong;
	struct dma_fence *constant; /* in the list from first to last, unsignaled */
};

/* R1: the fence that was there all the time is found by every walk. */
static void walk_forever(void *arg)
{
	struct stress *s = arg;

	while (!atomic_read(&s->stop)) {
		struct dma_resv_iter cursor;
		struct dma_fence *fence;
		bool found = false;

		dma_resv_iter_begin(&cursor, &s->resv, DMA_RESV_USAGE_BOOKKEEP);
		dma_resv_for_each_fence_unlocked(&cursor, fence) {
			if (dma_resv_iter_is_restarted(&cursor))
				found = false;
			found |= fence == s->constant;
			if (container_of(fence, struct test_fence, base)->payload !=
			    (int)fence->seqno)
				atomic_inc(&s->wrong);
		}
		dma_resv_iter_end(&cursor);
		if (!found || dma_resv_test_signaled(&s->resv, DMA_RESV_USAGE_BOOKKEEP))
			atomic_inc(&s->wrong);
		atomic_inc(&s->walked);
	}
}

static void walk_races_change(struct ktap *t)
{
	struct stress *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct dma_fence *live[6] = {};
	struct port_thread *threads[2];
	int i;

	KT_ASSERT(t, s);
	dma_resv_init(&s->resv);
	s->constant = new_fence(1000, 1);
	lock_and_add(t, &s->resv, s->constant, DMA_RESV_USAGE_BOOKKEEP);
	for (i = 0; i < 2; i++) {
		threads[i] = port_thread_create(walk_forever, s, "walk");
		KT_ASSERT(t, threads[i]);
	}

	for (i = 0; i < (ktap_long ? 100000 : 3000) || atomic_read(&s->walked) < 10; i++) {
		struct dma_fence *fence = new_fence(1 + i % 6, i);

		dma_resv_lock(&s->resv, NULL);
		switch (i % 7) {
		case 0:
			dma_resv_replace_fences(&s->resv, fence->context, fence,
						DMA_RESV_USAGE_READ);
			break;
		case 1: {
			/* A list of the size that is needed, at perhaps a known address. */
			struct dma_resv copy;

			dma_resv_init(&copy);
			KT_CHECK(t, dma_resv_trylock(&copy));
			KT_EQ(t, dma_resv_copy_fences(&copy, &s->resv), 0);
			KT_EQ(t, dma_resv_copy_fences(&s->resv, &copy), 0);
			dma_resv_unlock(&copy);
			dma_resv_fini(&copy);
			break;
		}
		default:
			reserve_and_add(t, &s->resv, fence, i % USAGES);
		}
		dma_resv_unlock(&s->resv);
		if (live[i % 6])
			finish(live[i % 6]);
		live[i % 6] = fence;
	}
	atomic_set(&s->stop, 1);
	for (i = 0; i < 2; i++)
		port_thread_join(threads[i]);
	KT_EQ(t, atomic_read(&s->wrong), 0);

	dma_resv_fini(&s->resv);
	for (i = 0; i < 6; i++)
		finish(live[i]);
	finish(s->constant);
	kfree(s);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void signal_one_by_one(void *arg)
{
	struct dma_fence **fences = arg;
	int i;

	for (i = 0; i < 3; i++)
		dma_fence_signal(fences[i]);
}

static void wait_is_for_all(struct ktap *t)
{
	struct dma_fence *fences[3];
	struct port_thread *thread;
	struct dma_resv resv;
	int i;

	dma_resv_init(&resv);
	for (i = 0; i < 3; i++) {
		fences[i] = new_fence(1 + i, 1);
		lock_and_add(t, &resv, fences[i], DMA_RESV_USAGE_WRITE);
	}
	KT_EQ(t, dma_resv_wait_timeout(&resv, DMA_RESV_USAGE_READ, false, 1), 0);
	thread = port_thread_create(signal_one_by_one, fences, "signal");
	KT_ASSERT(t, thread);
	KT_CHECK(t,
		 dma_resv_wait_timeout(&resv, DMA_RESV_USAGE_READ, true, MAX_SCHEDULE_TIMEOUT) > 0);
	for (i = 0; i < 3; i++)
		KT_CHECK(t, dma_fence_test_signaled_flag(fences[i]));
	port_thread_join(thread);
	dma_resv_fini(&resv);
	for (i = 0; i < 3; i++)
		dma_fence_put(fences[i]);
}

static void wait_is_interrupted(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1);
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, fence, DMA_RESV_USAGE_KERNEL);
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, dma_resv_wait_timeout(&resv, DMA_RESV_USAGE_KERNEL, true, MAX_SCHEDULE_TIMEOUT),
	      -ERESTARTSYS);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	KT_EQ(t, kref_read(&fence->refcount), 2);
	dma_resv_fini(&resv);
	finish(fence);
}

KTAP_MAIN(KTAP_CASE(lock_is_known_and_counted), KTAP_CASE(held_means_by_me),
	  KTAP_CASE(changes_need_the_lock), KTAP_CASE(end_while_watched_warns),
	  KTAP_CASE(younger_context_backs_off), KTAP_CASE(many_lock_many),
	  KTAP_CASE(walk_races_change), KTAP_CASE(wait_is_for_all), KTAP_CASE(wait_is_interrupted))
