/* SPDX-License-Identifier: MIT */
/*
 * dma-resv-test.c - reservations by one thread: R1-R4 of linux/dma-resv.h, each kept and broken
 */
#include "tests/ktap.h"
#include "host/port.h"
#include "core/dma-resv-test.h"

#include <linux/atomic.h>
#include <linux/dma-resv.h>
#include <linux/minmax.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static const struct dma_fence_ops array_ops = {
	.container = DMA_FENCE_ARRAY,
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
};

/* --- slots ------------------------------------------------------------------------------------ */

static void reserving_nothing_warns(struct ktap *t)
{
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	ktap_expect_warn(t, "at least one slot");
	KT_EQ(t, dma_resv_reserve_fences(&resv, 0), -EINVAL);
	dma_resv_unlock(&resv);
	dma_resv_fini(&resv);
}

static void many_fences_fit(struct ktap *t)
{
	struct dma_fence *fences[40];
	struct dma_resv resv;
	int i;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(&resv, 3), 0);
	for (i = 0; i < 40; i++) {
		fences[i] = new_fence(100 + i, 1);
		if (i >= 3)
			KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
		dma_resv_add_fence(&resv, fences[i], i % USAGES);
	}
	dma_resv_unlock(&resv);
	KT_EQ(t, count_fences(&resv, DMA_RESV_USAGE_BOOKKEEP), 40);
	for (i = 0; i < 40; i++)
		KT_EQ(t, usage_of(&resv, fences[i]), i % USAGES);

	/* Growing lets go of signaled ones, and of nothing else. */
	for (i = 0; i < 30; i++)
		dma_fence_signal(fences[i]);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(&resv, 100), 0);
	dma_resv_unlock(&resv);
	KT_EQ(t, count_fences(&resv, DMA_RESV_USAGE_BOOKKEEP), 10);
	for (i = 0; i < 40; i++) {
		KT_EQ(t, usage_of(&resv, fences[i]), i < 30 ? -1 : i % USAGES);
		KT_EQ(t, kref_read(&fences[i]->refcount), i < 30 ? 1 : 2);
	}
	dma_resv_fini(&resv);
	for (i = 0; i < 40; i++) {
		KT_EQ(t, kref_read(&fences[i]->refcount), 1);
		finish(fences[i]);
	}
}

static void slot_is_lost_at_unlock(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1);
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(&resv, 2), 0);
	dma_resv_add_fence(&resv, a, DMA_RESV_USAGE_READ);
	dma_resv_unlock(&resv);

	dma_resv_lock(&resv, NULL);
	ktap_expect_warn(t, "without a slot reserved");
	dma_resv_add_fence(&resv, b, DMA_RESV_USAGE_READ);
	dma_resv_unlock(&resv);
	KT_EQ(t, usage_of(&resv, b), DMA_RESV_USAGE_READ);

	finish(a);
	finish(b);
	dma_resv_fini(&resv);
}

/* No slot and no memory: the order is kept by waiting. */
static void no_slot_no_memory_waits(struct ktap *t)
{
	struct dma_fence *a = dma_fence_allocate_private_stub(1);
	struct dma_resv resv;

	KT_ASSERT(t, a);
	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	ktap_expect_warn(t, "without a slot reserved");
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	dma_resv_add_fence(&resv, a, DMA_RESV_USAGE_READ);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	dma_resv_unlock(&resv);
	KT_EQ(t, usage_of(&resv, a), -1);
	KT_EQ(t, kref_read(&a->refcount), 1);
	dma_fence_put(a);
	dma_resv_fini(&resv);
}

/* Reserves, adds and asks with the @k-th allocation failing. Returns whether one failed. */
static bool survives_failed_allocation(struct ktap *t, u64 k)
{
	struct dma_resv resv, copy;
	struct dma_fence *fences[9], **got;
	unsigned int count;
	int i, added = 0, failed = 0;

	for (i = 0; i < 9; i++)
		fences[i] = new_fence(1 + i, 1);
	dma_resv_init(&resv);
	dma_resv_init(&copy);

	port_fail_nth(PORT_FAULT_ALLOC, k);
	dma_resv_lock(&resv, NULL);
	for (i = 0; i < 9; i++) {
		int ret = dma_resv_reserve_fences(&resv, 1);

		if (ret) {
			KT_EQ(t, ret, -ENOMEM);
			failed++;
			continue;
		}
		dma_resv_add_fence(&resv, fences[i], DMA_RESV_USAGE_WRITE);
		added++;
	}
	dma_resv_unlock(&resv);
	if (dma_resv_get_fences(&resv, DMA_RESV_USAGE_WRITE, &count, &got)) {
		KT_EQ(t, count, 0);
		KT_CHECK(t, !got);
		failed++;
	} else {
		KT_EQ(t, count, added);
	}
	while (count)
		dma_fence_put(got[--count]);
	kfree(got);

	dma_resv_lock(&copy, NULL);
	i = dma_resv_copy_fences(&copy, &resv);
	dma_resv_unlock(&copy);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	if (i) {
		KT_EQ(t, i, -ENOMEM);
		failed++;
	}
	KT_EQ(t, count_fences(&copy, DMA_RESV_USAGE_BOOKKEEP), i ? 0 : added);
	KT_EQ(t, count_fences(&resv, DMA_RESV_USAGE_BOOKKEEP), added);
	KT_CHECK(t, failed <= 1);

	dma_resv_fini(&resv);
	dma_resv_fini(&copy);
	for (i = 0; i < 9; i++) {
		KT_EQ(t, kref_read(&fences[i]->refcount), 1);
		finish(fences[i]);
	}
	return failed;
}

static void every_allocation_may_fail(struct ktap *t)
{
	u64 k = 1;

	while (survives_failed_allocation(t, k))
		k++;
	/* Lists of 4, 8 and 16 slots, the array, the copy. */
	KT_EQ(t, k, 6);
}

/* --- usages ----------------------------------------------------------------------------------- */

static void query_answers_with_lower_usages(struct ktap *t)
{
	enum dma_resv_usage usage, query;

	KT_EQ(t, dma_resv_usage_rw(true), DMA_RESV_USAGE_READ);
	KT_EQ(t, dma_resv_usage_rw(false), DMA_RESV_USAGE_WRITE);

	for (usage = 0; usage < USAGES; usage++) {
		struct dma_fence *fence = new_fence(1, 1);
		struct dma_resv resv;

		dma_resv_init(&resv);
		for (query = 0; query < USAGES; query++)
			KT_CHECK(t, dma_resv_test_signaled(&resv, query));
		lock_and_add(t, &resv, fence, usage);

		for (query = 0; query < USAGES; query++) {
			bool seen = usage <= query;
			struct dma_fence **got;
			unsigned int count;

			KT_EQ(t, dma_resv_test_signaled(&resv, query), !seen);
			KT_EQ(t, dma_resv_wait_timeout(&resv, query, false, 0), !seen);
			KT_EQ(t, count_fences(&resv, query), seen);
			KT_EQ(t, dma_resv_get_fences(&resv, query, &count, &got), 0);
			KT_EQ(t, count, seen);
			KT_EQ(t, !!got, seen);
			if (count) {
				KT_CHECK(t, got[0] == fence);
				dma_fence_put(got[0]);
			}
			kfree(got);
		}

		dma_fence_signal(fence);
		for (query = 0; query < USAGES; query++) {
			KT_CHECK(t, dma_resv_test_signaled(&resv, query));
			KT_EQ(t, dma_resv_wait_timeout(&resv, query, true, 3), 3);
			/* The locked walk shows signaled ones. */
			KT_EQ(t, count_fences(&resv, query), usage <= query);
		}
		dma_fence_put(fence);
		dma_resv_fini(&resv);
	}
}

static void fences_are_promoted_never_degraded(struct ktap *t)
{
	enum dma_resv_usage first, second;

	for (first = 0; first < USAGES; first++) {
		for (second = 0; second < USAGES; second++) {
			struct dma_fence *a = new_fence(1, 1), *b = new_fence(1, 2);
			struct dma_resv resv;

			/* The same fence again. */
			dma_resv_init(&resv);
			lock_and_add(t, &resv, a, first);
			lock_and_add(t, &resv, a, second);
			KT_EQ(t, usage_of(&resv, a), min(first, second));
			KT_EQ(t, count_fences(&resv, DMA_RESV_USAGE_BOOKKEEP),
			      second <= first ? 1 : 2);
			dma_resv_fini(&resv);

			/* A later one of its context: takes the place only if no query loses a. */
			dma_resv_init(&resv);
			lock_and_add(t, &resv, a, first);
			lock_and_add(t, &resv, b, second);
			KT_EQ(t, usage_of(&resv, b), second);
			KT_EQ(t, usage_of(&resv, a), second <= first ? -1 : (int)first);
			dma_resv_fini(&resv);

			/* An earlier one never does. */
			dma_resv_init(&resv);
			lock_and_add(t, &resv, b, first);
			lock_and_add(t, &resv, a, second);
			KT_EQ(t, usage_of(&resv, a), second);
			KT_EQ(t, usage_of(&resv, b), first);
			dma_resv_fini(&resv);

			finish(a);
			finish(b);
		}
	}
}

static void signaled_fence_gives_its_slot(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1);
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, a, DMA_RESV_USAGE_KERNEL);
	dma_fence_signal(a);
	/* No slot is needed then. */
	dma_resv_lock(&resv, NULL);
	dma_resv_add_fence(&resv, b, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(&resv);
	KT_EQ(t, usage_of(&resv, a), -1);
	KT_EQ(t, usage_of(&resv, b), DMA_RESV_USAGE_BOOKKEEP);
	KT_EQ(t, kref_read(&a->refcount), 1);
	dma_resv_fini(&resv);
	finish(a);
	finish(b);
}

static void containers_are_refused(struct ktap *t)
{
	struct dma_fence *array = new_fence_ops(&array_ops, 1, 1);
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
	ktap_expect_warn(t, "fences of a container");
	dma_resv_add_fence(&resv, array, DMA_RESV_USAGE_READ);
	dma_resv_unlock(&resv);
	dma_resv_fini(&resv);
	finish(array);
}

static void replace_takes_a_whole_context(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(1, 2), *other = new_fence(2, 1);
	struct dma_fence *unmap = new_fence(3, 1);
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, a, DMA_RESV_USAGE_KERNEL);
	lock_and_add(t, &resv, b, DMA_RESV_USAGE_BOOKKEEP);
	lock_and_add(t, &resv, other, DMA_RESV_USAGE_READ);
	dma_resv_lock(&resv, NULL);
	dma_resv_replace_fences(&resv, 1, unmap, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_replace_fences(&resv, 9, a, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(&resv);
	KT_EQ(t, usage_of(&resv, a), -1);
	KT_EQ(t, usage_of(&resv, b), -1);
	KT_EQ(t, usage_of(&resv, other), DMA_RESV_USAGE_READ);
	KT_EQ(t, usage_of(&resv, unmap), DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_fini(&resv);
	finish(a);
	finish(b);
	finish(other);
	finish(unmap);
}

static void copy_takes_unsignaled_fences(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *old = new_fence(3, 1);
	struct dma_resv src, dst;

	dma_resv_init(&src);
	dma_resv_init(&dst);
	lock_and_add(t, &src, a, DMA_RESV_USAGE_WRITE);
	lock_and_add(t, &src, b, DMA_RESV_USAGE_BOOKKEEP);
	lock_and_add(t, &dst, old, DMA_RESV_USAGE_READ);
	dma_fence_signal(a);
	dma_resv_lock(&dst, NULL);
	KT_EQ(t, dma_resv_copy_fences(&dst, &src), 0);
	dma_resv_unlock(&dst);
	KT_EQ(t, usage_of(&dst, a), -1);
	KT_EQ(t, usage_of(&dst, b), DMA_RESV_USAGE_BOOKKEEP);
	KT_EQ(t, usage_of(&dst, old), -1);
	lock_and_add(t, &dst, old, DMA_RESV_USAGE_READ);
	KT_EQ(t, usage_of(&dst, old), DMA_RESV_USAGE_READ);
	dma_resv_fini(&src);
	dma_resv_fini(&dst);
	finish(a);
	finish(b);
	finish(old);
}

static void deadline_reaches_asked_usages(struct ktap *t)
{
	struct dma_fence *write = new_fence(1, 1), *read = new_fence(2, 1);
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, write, DMA_RESV_USAGE_WRITE);
	lock_and_add(t, &resv, read, DMA_RESV_USAGE_READ);
	dma_resv_set_deadline(&resv, DMA_RESV_USAGE_WRITE, 55);
	KT_EQ(t, container_of(write, struct test_fence, base)->deadline, 55);
	KT_EQ(t, container_of(read, struct test_fence, base)->deadline, 0);
	dma_resv_fini(&resv);
	finish(write);
	finish(read);
}

/* --- watchers --------------------------------------------------------------------------------- */

struct test_watcher {
	struct dma_resv_watcher base;
	struct dma_resv *resv;
	int told, told_unlocked, fences_seen;
	bool leaves;
};

static void test_kernel_fence(struct dma_resv_watcher *base)
{
	struct test_watcher *w = container_of(base, struct test_watcher, base);

	w->told++;
	if (!dma_resv_held(w->resv))
		w->told_unlocked++;
	/* The fence is in the list by now. */
	if (!dma_resv_test_signaled(w->resv, DMA_RESV_USAGE_KERNEL))
		w->fences_seen++;
	if (w->leaves)
		dma_resv_unwatch(w->resv, base);
}

static void watchers_hear_of_kernel_fences(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *c = new_fence(3, 1);
	struct dma_resv resv, other;
	struct test_watcher stays = { .base.kernel_fence = test_kernel_fence, .resv = &resv };
	struct test_watcher leaves = stays;

	leaves.leaves = true;
	dma_resv_init(&resv);
	dma_resv_init(&other);
	dma_resv_lock(&resv, NULL);
	dma_resv_watch(&resv, &leaves.base);
	dma_resv_watch(&resv, &stays.base);

	reserve_and_add(t, &resv, a, DMA_RESV_USAGE_WRITE);
	reserve_and_add(t, &resv, b, DMA_RESV_USAGE_BOOKKEEP);
	KT_EQ(t, stays.told, 0);
	reserve_and_add(t, &resv, c, DMA_RESV_USAGE_KERNEL);
	KT_EQ(t, stays.told, 1);
	/* Promotion. */
	dma_resv_add_fence(&resv, a, DMA_RESV_USAGE_KERNEL);
	KT_EQ(t, stays.told, 2);
	/* Replacement. */
	dma_resv_replace_fences(&resv, 2, b, DMA_RESV_USAGE_WRITE);
	dma_resv_replace_fences(&resv, 99, b, DMA_RESV_USAGE_KERNEL);
	KT_EQ(t, stays.told, 2);
	dma_resv_replace_fences(&resv, 2, b, DMA_RESV_USAGE_KERNEL);
	KT_EQ(t, stays.told, 3);
	/* Copying. */
	KT_CHECK(t, dma_resv_trylock(&other));
	reserve_and_add(t, &other, a, DMA_RESV_USAGE_WRITE);
	KT_EQ(t, dma_resv_copy_fences(&resv, &other), 0);
	KT_EQ(t, stays.told, 3);
	reserve_and_add(t, &other, b, DMA_RESV_USAGE_KERNEL);
	dma_resv_unlock(&other);
	KT_EQ(t, dma_resv_copy_fences(&resv, &other), 0);
	KT_EQ(t, stays.told, 4);

	dma_resv_unwatch(&resv, &stays.base);
	reserve_and_add(t, &resv, c, DMA_RESV_USAGE_KERNEL);
	dma_resv_unlock(&resv);

	KT_EQ(t, stays.told, 4);
	KT_EQ(t, leaves.told, 1);
	KT_EQ(t, stays.told_unlocked + leaves.told_unlocked, 0);
	KT_EQ(t, stays.fences_seen, 4);

	dma_resv_fini(&resv);
	dma_resv_fini(&other);
	finish(a);
	finish(b);
	finish(c);
}

/* --- walking ---------------------------------------------------------------------------------- */

static void unlocked_walk_starts_again(struct ktap *t)
{
	struct dma_fence *fences[5], *fence;
	struct dma_resv_iter cursor;
	struct dma_resv resv;
	int i, steps = 0, seen = 0, restarts = 0;

	dma_resv_init(&resv);
	for (i = 0; i < 4; i++) {
		fences[i] = new_fence(1 + i, 1);
		lock_and_add(t, &resv, fences[i], DMA_RESV_USAGE_READ);
	}
	fences[4] = new_fence(5, 1);

	dma_resv_iter_begin(&cursor, &resv, DMA_RESV_USAGE_READ);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		KT_EQ(t, dma_resv_iter_is_restarted(&cursor), steps == 0 || steps == 2);
		if (dma_resv_iter_is_restarted(&cursor)) {
			restarts++;
			seen = 0;
		}
		KT_EQ(t, dma_resv_iter_usage(&cursor), DMA_RESV_USAGE_READ);
		seen++;
		/* The fifth fence needs a larger list. */
		if (steps++ == 1)
			lock_and_add(t, &resv, fences[4], DMA_RESV_USAGE_READ);
	}
	dma_resv_iter_end(&cursor);
	KT_EQ(t, restarts, 2);
	KT_EQ(t, seen, 5);

	/* Signaled ones are passed over; leaving early puts the reference. */
	dma_fence_signal(fences[0]);
	dma_resv_iter_begin(&cursor, &resv, DMA_RESV_USAGE_READ);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		KT_CHECK(t, fence == fences[1]);
		KT_EQ(t, kref_read(&fence->refcount), 3);
		break;
	}
	dma_resv_iter_end(&cursor);
	KT_EQ(t, kref_read(&fences[1]->refcount), 2);

	dma_resv_fini(&resv);
	for (i = 0; i < 5; i++)
		finish(fences[i]);
}

static void unlocked_walk_survives_smaller_lists(struct ktap *t)
{
	struct dma_fence *fences[8], *last = new_fence(99, 1), *fence;
	struct dma_resv_iter cursor;
	struct dma_resv resv, small;
	int i, steps = 0;

	dma_resv_init(&resv);
	dma_resv_init(&small);
	lock_and_add(t, &small, last, DMA_RESV_USAGE_READ);
	for (i = 0; i < 8; i++) {
		fences[i] = new_fence(1 + i, 1);
		lock_and_add(t, &resv, fences[i], DMA_RESV_USAGE_READ);
	}
	dma_resv_iter_begin(&cursor, &resv, DMA_RESV_USAGE_READ);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (++steps != 6)
			continue;
		dma_resv_lock(&resv, NULL);
		KT_EQ(t, dma_resv_copy_fences(&resv, &small), 0);
		dma_resv_unlock(&resv);
	}
	dma_resv_iter_end(&cursor);
	KT_EQ(t, steps, 7);
	dma_resv_fini(&resv);
	dma_resv_fini(&small);
	for (i = 0; i < 8; i++)
		finish(fences[i]);
	finish(last);
}

static void described_for_people(struct ktap *t)
{
	struct dma_fence *write = new_fence(1, 7), *read = new_fence(2, 8);
	char text[200];
	struct seq_file seq = { .buf = text, .size = sizeof(text) };
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, write, DMA_RESV_USAGE_WRITE);
	lock_and_add(t, &resv, read, DMA_RESV_USAGE_BOOKKEEP);
	dma_fence_signal(read);
	dma_resv_lock(&resv, NULL);
	dma_resv_describe(&resv, &seq);
	dma_resv_unlock(&resv);
	KT_ASSERT(t, !seq_has_overflowed(&seq));
	text[seq.count] = '\0';
	KT_CHECK(t, !strcmp(text, "\twrite fence:test test seq 7 unsignalled\n"
				  "\tbookkeep fence:test test seq 8 signalled\n"));

	ktap_expect_warn(t, "dma_resv_iter_first() must be called with the reservation locked");
	ktap_expect_warn(t, "dma_resv_iter_next() must be called with the reservation locked");
	ktap_expect_warn(t, "dma_resv_iter_next() must be called with the reservation locked");
	dma_resv_describe(&resv, &seq);
	dma_resv_fini(&resv);
	finish(write);
	finish(read);
}

static void an_empty_reservation(struct ktap *t)
{
	struct dma_fence *fence = new_fence(1, 1), *other = new_fence(2, 1);
	struct dma_resv resv, empty;
	struct dma_resv_iter cursor;

	dma_resv_init(&resv);
	dma_resv_init(&empty);
	dma_resv_iter_begin(&cursor, &empty, DMA_RESV_USAGE_BOOKKEEP);
	KT_CHECK(t, !dma_resv_iter_first_unlocked(&cursor));
	KT_CHECK(t, !dma_resv_iter_next_unlocked(&cursor));
	dma_resv_iter_end(&cursor);

	/* nothing to replace, nothing to copy */
	dma_resv_lock(&empty, NULL);
	dma_resv_replace_fences(&empty, 1, other, DMA_RESV_USAGE_READ);
	dma_resv_unlock(&empty);
	KT_EQ(t, count_fences(&empty, DMA_RESV_USAGE_BOOKKEEP), 0);
	lock_and_add(t, &resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_copy_fences(&resv, &empty), 0);
	dma_resv_unlock(&resv);
	KT_EQ(t, count_fences(&resv, DMA_RESV_USAGE_BOOKKEEP), 0);
	dma_resv_fini(&empty);
	dma_resv_fini(&resv);
	finish(fence);
	finish(other);
}

static bool finished_already(struct dma_fence *fence)
{
	return false;
}

static const struct dma_fence_ops finished_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
	.enable_signaling = finished_already,
};

/* Each signals when it is asked to; the second is still asked without sleeping. */
static void asking_without_sleeping_goes_on(struct ktap *t)
{
	struct dma_fence *fences[3];
	struct dma_resv resv;
	int i;

	dma_resv_init(&resv);
	for (i = 0; i < 2; i++) {
		fences[i] = new_fence_ops(&finished_ops, i + 1, 1);
		lock_and_add(t, &resv, fences[i], DMA_RESV_USAGE_READ);
	}
	KT_EQ(t, dma_resv_wait_timeout(&resv, DMA_RESV_USAGE_READ, false, 0), 1);
	KT_CHECK(t, dma_fence_test_signaled_flag(fences[0]) &&
			    dma_fence_test_signaled_flag(fences[1]));
	fences[2] = new_fence(3, 1);
	lock_and_add(t, &resv, fences[2], DMA_RESV_USAGE_READ);
	KT_EQ(t, dma_resv_wait_timeout(&resv, DMA_RESV_USAGE_READ, false, 0), 0);
	dma_resv_fini(&resv);
	dma_fence_put(fences[0]);
	dma_fence_put(fences[1]);
	finish(fences[2]);
}

/* Between two steps the list goes and another comes at its address: the walk starts again. */
static void unlocked_walk_knows_another_list_at_its_address(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *fence;
	struct dma_resv resv, source;
	struct dma_resv_iter cursor;
	int tries, met = 0;

	dma_resv_init(&source);
	lock_and_add(t, &source, a, DMA_RESV_USAGE_READ);
	lock_and_add(t, &source, b, DMA_RESV_USAGE_READ);
	for (tries = 0; tries < 200 && !met; tries++) {
		void *before;

		dma_resv_init(&resv);
		dma_resv_lock(&resv, NULL);
		KT_EQ(t, dma_resv_copy_fences(&resv, &source), 0);
		dma_resv_unlock(&resv);
		dma_resv_iter_begin(&cursor, &resv, DMA_RESV_USAGE_READ);
		KT_CHECK(t, dma_resv_iter_first_unlocked(&cursor));
		before = rcu_access_pointer(resv.fences);
		for (int i = 0; i < 8 && !met; i++) {
			dma_resv_lock(&resv, NULL);
			KT_EQ(t, dma_resv_copy_fences(&resv, &source), 0);
			dma_resv_unlock(&resv);
			rcu_barrier();
			met = i && rcu_access_pointer(resv.fences) == before;
		}
		fence = dma_resv_iter_next_unlocked(&cursor);
		KT_CHECK(t, fence && dma_resv_iter_is_restarted(&cursor));
		dma_resv_iter_end(&cursor);
		dma_resv_fini(&resv);
	}
	dma_resv_fini(&source);
	finish(a);
	finish(b);
	if (!met)
		ktap_skip(t, "the allocator gives no address twice here");
}

static void an_interrupted_lock_is_not_taken(struct ktap *t)
{
	struct ww_acquire_ctx ctx;
	struct dma_resv resv;

	dma_resv_init(&resv);
	ww_acquire_init(&ctx, &reservation_ww_class);
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, dma_resv_lock_slow_interruptible(&resv, &ctx), -EINTR);
	KT_CHECK(t, !dma_resv_is_locked(&resv));
	port_fail_nth(PORT_FAULT_WAIT, 0);
	KT_EQ(t, dma_resv_lock_slow_interruptible(&resv, &ctx), 0);
	dma_resv_unlock(&resv);
	ww_acquire_fini(&ctx);
	dma_resv_fini(&resv);
}

KTAP_MAIN(KTAP_CASE(reserving_nothing_warns), KTAP_CASE(many_fences_fit),
	  KTAP_CASE(slot_is_lost_at_unlock), KTAP_CASE(no_slot_no_memory_waits),
	  KTAP_CASE(every_allocation_may_fail), KTAP_CASE(query_answers_with_lower_usages),
	  KTAP_CASE(fences_are_promoted_never_degraded), KTAP_CASE(signaled_fence_gives_its_slot),
	  KTAP_CASE(containers_are_refused), KTAP_CASE(replace_takes_a_whole_context),
	  KTAP_CASE(copy_takes_unsignaled_fences), KTAP_CASE(deadline_reaches_asked_usages),
	  KTAP_CASE(watchers_hear_of_kernel_fences), KTAP_CASE(unlocked_walk_starts_again),
	  KTAP_CASE(unlocked_walk_survives_smaller_lists), KTAP_CASE(described_for_people),
	  KTAP_CASE(an_empty_reservation), KTAP_CASE(asking_without_sleeping_goes_on),
	  KTAP_CASE(unlocked_walk_knows_another_list_at_its_address),
	  KTAP_CASE(an_interrupted_lock_is_not_taken))
