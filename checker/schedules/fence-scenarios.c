/* SPDX-License-Identifier: MIT */
/*
 * fence-scenarios.c - who signals a fence beside those who wait for it, or have a callback on it
 */
#include <linux/dma-fence.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "checker/schedules/schedules.h"

static struct dma_fence *fence, *other;
static DEFINE_SPINLOCK(fence_lock);
static struct dma_fence_cb callback;
static atomic_t called;
static bool removed, refused;
static u32 work; /* plain: what the fence stands for */

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

/* The worker of RCU stands ready. */
static void setup(void)
{
	atomic_set(&called, 0);
	removed = refused = false;
	work = 0;
	fence = fence_new(1);
	other = fence_new(2);
	dma_fence_signal(other);
	dma_fence_put(other);
	other = fence_new(2);
	rcu_barrier();
}

static void finish(void)
{
	schedule_check(dma_fence_is_signaled(fence), "signalled and not signaled");
	dma_fence_put(fence);
	dma_fence_signal(other);
	dma_fence_put(other);
	rcu_barrier();
}

static void signal(void)
{
	work = 1;
	schedule_check(!dma_fence_signal(fence), "signalled twice");
}

static void on_signal(struct dma_fence *unused, struct dma_fence_cb *cb)
{
	atomic_inc(&called);
}

static void add_callback(void)
{
	refused = dma_fence_add_callback(fence, &callback, on_signal);
	if (refused)
		schedule_check(work == 1, "signaled and its work not done");
}

static void add_and_remove(void)
{
	add_callback();
	removed = !refused && dma_fence_remove_callback(fence, &callback);
}

static void finish_callback(void)
{
	schedule_check(atomic_read(&called) == (!refused && !removed),
		       "a callback that was added and not removed runs once, any other never");
	finish();
}

static void wait(void)
{
	schedule_check(!dma_fence_wait(fence, false), "a wait fails");
	schedule_check(work == 1, "waited for, and its work not done");
}

static void wait_a_while(void)
{
	long left = dma_fence_wait_timeout(fence, false, 10);

	schedule_check(left >= 0, "a wait fails");
	if (left)
		schedule_check(work == 1, "waited for, and its work not done");
}

static void wait_any(void)
{
	struct dma_fence *fences[] = { other, fence };
	u32 which = 2;

	schedule_check(dma_fence_wait_any_timeout(fences, 2, false, MAX_SCHEDULE_TIMEOUT, &which) >
			       0,
		       "a wait fails");
	schedule_check(which == 1, "another fence than the signaled one");
}

static void poll(void)
{
	if (dma_fence_is_signaled(fence)) {
		schedule_check(work == 1, "signaled and its work not done");
		schedule_check(dma_fence_timestamp(fence) != 0, "signaled and no time");
	}
}

const struct scenario fence_callback = {
	.name = "fence-callback",
	.what = "a signal beside one who adds a callback and removes it, and one who waits",
	.setup = setup,
	.threads = { { "signal", signal }, { "callback", add_and_remove }, { "wait", wait } },
	.finish = finish_callback,
};

const struct scenario fence_added = {
	.name = "fence-added",
	.what = "a signal beside one who adds a callback",
	.setup = setup,
	.threads = { { "signal", signal }, { "callback", add_callback } },
	.finish = finish_callback,
};

const struct scenario fence_timeout = {
	.name = "fence-timeout",
	.what = "a signal beside a wait whose time may be up",
	.setup = setup,
	.threads = { { "signal", signal }, { "wait", wait_a_while } },
	.finish = finish,
};

const struct scenario fence_any = {
	.name = "fence-any",
	.what = "a signal beside one who waits for any of two",
	.setup = setup,
	.threads = { { "signal", signal }, { "wait", wait_any } },
	.finish = finish,
};

const struct scenario fence_poll = {
	.name = "fence-poll",
	.what = "a signal beside two who ask, and spin until there is a time",
	.setup = setup,
	.threads = { { "signal", signal }, { "poll", poll }, { "again", poll } },
	.finish = finish,
};
