/* SPDX-License-Identifier: MIT */
/*
 * resv-scenarios.c - reservations: readers without the lock beside who replaces the list, and three
 * threads that want three locks
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "checker/schedules/schedules.h"

static struct dma_resv resv[3];
static struct dma_fence *first, *second;
static DEFINE_SPINLOCK(fence_lock);
static u32 guarded[3]; /* plain, under each lock */

static const char *name(struct dma_fence *unused)
{
	return "scenario";
}

static const struct dma_fence_ops ops = { .get_driver_name = name, .get_timeline_name = name };

static struct dma_fence *fence_new(u64 context)
{
	struct dma_fence *new = kzalloc(sizeof(*new), GFP_KERNEL);

	dma_fence_init(new, &ops, &fence_lock, context, 1);
	return new;
}

static void add(struct dma_resv *obj, struct dma_fence *fence, unsigned int room)
{
	schedule_check(!dma_resv_reserve_fences(obj, room), "no room");
	dma_resv_add_fence(obj, fence, DMA_RESV_USAGE_WRITE);
}

static void setup_readers(void)
{
	dma_resv_init(&resv[0]);
	first = fence_new(1);
	second = fence_new(2);
	dma_resv_lock(&resv[0], NULL);
	add(&resv[0], first, 1);
	dma_resv_unlock(&resv[0]);
	/* The worker of RCU stands ready. */
	dma_fence_put(dma_fence_get(first));
	kfree_rcu(fence_new(3), rcu);
	rcu_barrier();
}

static void finish_readers(void)
{
	dma_fence_signal(second);
	dma_fence_put(second);
	dma_resv_fini(&resv[0]);
	rcu_barrier();
}

/* The first one ends, its last references go, and its place is another's. */
static void replace(void)
{
	dma_fence_signal(first);
	dma_resv_lock(&resv[0], NULL);
	add(&resv[0], second, 1);
	dma_resv_unlock(&resv[0]);
	dma_fence_put(first);
}

/* More room than there is: a new list. */
static void grow(void)
{
	dma_resv_lock(&resv[0], NULL);
	add(&resv[0], second, 4);
	dma_resv_unlock(&resv[0]);
	dma_fence_signal(first);
	dma_fence_put(first);
}

/* In a place of its own behind the first. */
static void append(void)
{
	dma_resv_lock(&resv[0], NULL);
	add(&resv[0], second, 1);
	dma_resv_unlock(&resv[0]);
	dma_fence_signal(first);
	dma_fence_put(first);
}

static void walk(void)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_iter_begin(&cursor, &resv[0], DMA_RESV_USAGE_READ);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		schedule_check(fence->context == 1 || fence->context == 2, "that is no fence");
	dma_resv_iter_end(&cursor);
}

static void wait(void)
{
	if (dma_resv_test_signaled(&resv[0], DMA_RESV_USAGE_READ))
		schedule_check(dma_fence_is_signaled(first), "all signaled, and one is not");
}

/* --- three locks ------------------------------------------------------------------------------ */

static void setup_locks(void)
{
	for (int i = 0; i < 3; i++)
		dma_resv_init(&resv[i]);
}

static void finish_locks(void)
{
	for (int i = 0; i < 3; i++)
		dma_resv_fini(&resv[i]);
}

/* As drivers do: back off, take the contended one first, try the other again. */
static void lock_both(int one, int two)
{
	struct ww_acquire_ctx ctx;
	int ret;

	ww_acquire_init(&ctx, &reservation_ww_class);
	schedule_check(!dma_resv_lock(&resv[one], &ctx), "who holds nothing is sent back");
	for (;;) {
		ret = dma_resv_lock(&resv[two], &ctx);
		if (!ret)
			break;
		schedule_check(ret == -EDEADLK, "a lock fails");
		dma_resv_unlock(&resv[one]);
		dma_resv_lock_slow(&resv[two], &ctx);
		swap(one, two);
	}
	ww_acquire_done(&ctx);
	guarded[one]++;
	guarded[two]++;
	dma_resv_unlock(&resv[one]);
	dma_resv_unlock(&resv[two]);
	ww_acquire_fini(&ctx);
}

static void lock_0_1(void)
{
	lock_both(0, 1);
}

static void lock_1_2(void)
{
	lock_both(1, 2);
}

static void lock_2_0(void)
{
	lock_both(2, 0);
}

static void lock_1_0(void)
{
	lock_both(1, 0);
}

const struct scenario readers_replace = {
	.name = "readers-replace",
	.what = "a walk without the lock beside one who puts another fence in the place of a dead "
		"one",
	.setup = setup_readers,
	.threads = { { "walk", walk }, { "replace", replace } },
	.finish = finish_readers,
};

const struct scenario readers_grow = {
	.name = "readers-grow",
	.what = "a walk without the lock beside one who needs a larger list",
	.setup = setup_readers,
	.threads = { { "walk", walk }, { "grow", grow } },
	.finish = finish_readers,
};

const struct scenario readers_append = {
	.name = "readers-append",
	.what = "a walk and a test without the lock beside one who adds a fence",
	.setup = setup_readers,
	.threads = { { "walk", walk }, { "test", wait }, { "append", append } },
	.finish = finish_readers,
};

const struct scenario two_locks = {
	.name = "two-locks",
	.what = "two threads take two reservations in opposite order, and back off",
	.setup = setup_locks,
	.threads = { { "0-1", lock_0_1 }, { "1-0", lock_1_0 } },
	.finish = finish_locks,
};

const struct scenario three_locks = {
	.name = "three-locks",
	.what = "three threads take two of three reservations each, in a ring",
	.setup = setup_locks,
	.threads = { { "0-1", lock_0_1 }, { "1-2", lock_1_2 }, { "2-0", lock_2_0 } },
	.finish = finish_locks,
};
