/* SPDX-License-Identifier: MIT */
/*
 * misuse-resv-test.c - wrong calls of linux/dma-resv.h, each with what it answers here and in Linux
 * 6.12
 */
#include <linux/dma-fence-array.h>
#include <linux/seq_file.h>

#include "core/dma-resv-test.h"
#include "tests/misuse.h"

#define OURS "no such call"
#define LOCKDEP "a WARN where Linux needs lockdep to find it"

static void counts_nothing(struct dma_resv_watcher *watcher)
{
}

/* Not here: NULL in the place of a reservation, which crashes every call alike, as in Linux. */
static void no_reservation(struct ktap *t)
{
	struct dma_resv_watcher watcher = { .kernel_fence = counts_nothing };
	struct dma_resv *null = misuse_null();
	struct dma_fence **fences, *fence;
	struct dma_resv_iter cursor = {};
	unsigned int count;

	ROW(t, "dma_resv_init", "no reservation", ARGUMENT, "crash", SAME,
	    VOID(dma_resv_init(null)));
	ROW(t, "dma_resv_fini", "no reservation", ARGUMENT, "crash", SAME,
	    VOID(dma_resv_fini(null)));
	ROW(t, "dma_resv_lock", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_lock(null, NULL));
	ROW(t, "dma_resv_lock_interruptible", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_lock_interruptible(null, NULL));
	ROW(t, "dma_resv_trylock", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_trylock(null));
	ROW(t, "dma_resv_is_locked", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_is_locked(null));
	ROW(t, "dma_resv_locking_ctx", "no reservation", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_resv_locking_ctx(null)));
	ROW(t, "dma_resv_reset_max_fences", "no reservation", ARGUMENT, "crash", SAME,
	    VOID(dma_resv_reset_max_fences(null)));
	ROW(t, "dma_resv_watch", "no reservation", ARGUMENT, "crash", LINUX(OURS, OURS),
	    VOID(dma_resv_watch(null, &watcher)));
	ROW(t, "dma_resv_get_fences", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_get_fences(null, DMA_RESV_USAGE_READ, &count, &fences));
	ROW(t, "dma_resv_get_singleton", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_get_singleton(null, DMA_RESV_USAGE_READ, &fence));
	ROW(t, "dma_resv_wait_timeout", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_wait_timeout(null, DMA_RESV_USAGE_READ, false, 1));
	ROW(t, "dma_resv_test_signaled", "no reservation", ARGUMENT, "crash", SAME,
	    dma_resv_test_signaled(null, DMA_RESV_USAGE_READ));
	ROW(t, "dma_resv_set_deadline", "no reservation", ARGUMENT, "crash", SAME,
	    VOID(dma_resv_set_deadline(null, DMA_RESV_USAGE_READ, 0)));
	ROW(t, "dma_resv_iter_first_unlocked", "a cursor without begin", ORDER, "crash", SAME,
	    misuse_ptr(dma_resv_iter_first_unlocked(&cursor)));
	ROW(t, "dma_resv_iter_next_unlocked", "a cursor without begin", ORDER, "crash", SAME,
	    misuse_ptr(dma_resv_iter_next_unlocked(&cursor)));
}

static void life(struct ktap *t)
{
	struct dma_resv_watcher watcher = { .kernel_fence = counts_nothing };
	struct dma_resv resv;

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	ROW(t, "dma_resv_fini", "locked", LOCK, "2 WARNs is locked by nobody",
	    LINUX("nothing, a WARN with debug mutexes", LOCKDEP), VOID(dma_resv_fini(&resv)));
	dma_resv_unlock(&resv);

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	dma_resv_watch(&resv, &watcher);
	dma_resv_unlock(&resv);
	ROW(t, "dma_resv_fini", "watched", ORDER, "WARN still watched", LINUX(OURS, OURS),
	    VOID(dma_resv_fini(&resv)));
}

static void lock(struct ktap *t)
{
	struct ww_acquire_ctx ctx, done;
	struct dma_resv a, b;

	dma_resv_init(&a);
	dma_resv_init(&b);

	dma_resv_lock(&a, NULL);
	ROW(t, "dma_resv_lock", "held by the caller", LOCK, "WARN held by this thread, -EDEADLK",
	    LINUX("deadlock", "said instead of hung"), dma_resv_lock(&a, NULL));
	ROW(t, "dma_resv_lock_interruptible", "held by the caller", LOCK,
	    "WARN held by this thread, -EDEADLK", LINUX("deadlock", "said instead of hung"),
	    dma_resv_lock_interruptible(&a, NULL));
	ROW(t, "dma_resv_trylock", "held by the caller", LOCK, "0", SAME, dma_resv_trylock(&a));
	dma_resv_unlock(&a);
	ROW(t, "dma_resv_unlock", "not held", LOCK, "2 WARNs dma_resv_reset_max_fences()",
	    LINUX("undefined, a WARN with debug mutexes", LOCKDEP), VOID(dma_resv_unlock(&a)));
	ROW(t, "dma_resv_reset_max_fences", "not held", LOCK, "WARN dma_resv_reset_max_fences()",
	    SAME, VOID(dma_resv_reset_max_fences(&a)));

	ww_acquire_init(&ctx, &reservation_ww_class);
	KT_EQ(t, dma_resv_lock(&a, &ctx), 0);
	ROW(t, "dma_resv_lock", "held by the same context", LOCK, "-EALREADY", SAME,
	    dma_resv_lock(&a, &ctx));
	ROW(t, "dma_resv_lock_slow", "another reservation of the context held", ORDER,
	    "WARN locks held", LINUX("nothing, a WARN with debug mutexes", LOCKDEP),
	    VOID(dma_resv_lock_slow(&b, &ctx)));
	dma_resv_unlock(&b);
	ROW(t, "dma_resv_lock_slow_interruptible", "another reservation of the context held", ORDER,
	    "WARN locks held, 0", LINUX("0, a WARN with debug mutexes", LOCKDEP),
	    dma_resv_lock_slow_interruptible(&b, &ctx));
	dma_resv_unlock(&b);
	dma_resv_unlock(&a);
	ww_acquire_fini(&ctx);

	ww_acquire_init(&done, &reservation_ww_class);
	ww_acquire_done(&done);
	ROW(t, "dma_resv_lock", "a context that is done", ORDER, "WARN after ww_acquire_done(), 0",
	    LINUX("0, a WARN with debug mutexes", LOCKDEP), dma_resv_lock(&a, &done));
	dma_resv_unlock(&a);
	ww_acquire_fini(&done);

	ROW(t, "dma_resv_assert_held", "not held", LOCK, "WARN lock(), 1",
	    LINUX("WARN, with lockdep", LOCKDEP), dma_resv_assert_held(&a));
	dma_resv_lock(&a, NULL);
	ROW(t, "dma_resv_assert_not_held", "held", LOCK, "WARN lock(), 1", LINUX(OURS, OURS),
	    dma_resv_assert_not_held(&a));
	dma_resv_unlock(&a);
	dma_resv_fini(&a);
	dma_resv_fini(&b);
}

static void change(struct ktap *t)
{
	struct dma_resv_watcher watcher = { .kernel_fence = counts_nothing };
	struct dma_fence *fence = new_fence(dma_fence_context_alloc(1), 1);
	struct dma_fence **member = kmalloc(sizeof(*member), GFP_KERNEL);
	struct dma_fence_array *array;
	struct dma_resv resv, other;

	dma_resv_init(&resv);
	dma_resv_init(&other);
	*member = dma_fence_get(fence);
	array = dma_fence_array_create(1, member, dma_fence_context_alloc(1), 1, false);

	dma_resv_lock(&resv, NULL);
	ROW(t, "dma_resv_reserve_fences", "0 slots", SIZE, "WARN at least one, -EINVAL", SAME,
	    dma_resv_reserve_fences(&resv, 0));
	ROW(t, "dma_resv_reserve_fences", "UINT_MAX slots", SIZE, "-ENOMEM",
	    LINUX("0 and too few slots: BUG when they are used", "the sum is checked"),
	    dma_resv_reserve_fences(&resv, UINT_MAX));
	ROW(t, "dma_resv_add_fence", "without a slot", ORDER, "WARN without a slot",
	    LINUX("BUG", "the slot is made, or the fence waited for"),
	    VOID(dma_resv_add_fence(&resv, fence, DMA_RESV_USAGE_READ)));
	ROW(t, "dma_resv_reserve_fences", "UINT_MAX slots beside a fence", SIZE, "-ENOMEM",
	    LINUX("0 and no slot: BUG when one is used", "the sum is checked"),
	    dma_resv_reserve_fences(&resv, UINT_MAX));
	ROW(t, "dma_resv_reserve_fences", "INT_MAX + 2 slots", SIZE, "-ENOMEM",
	    LINUX("0 and too few slots: BUG when they are used", "the sum is checked"),
	    dma_resv_reserve_fences(&resv, INT_MAX + 2u));
	KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
	ROW(t, "dma_resv_add_fence", "a container", ARGUMENT, "WARN one by one", SAME,
	    VOID(dma_resv_add_fence(&resv, &array->base, DMA_RESV_USAGE_BOOKKEEP)));
	ROW(t, "dma_resv_add_fence", "no fence", ARGUMENT, "crash", SAME,
	    VOID(dma_resv_add_fence(&resv, misuse_null(), DMA_RESV_USAGE_READ)));
	ROW(t, "dma_resv_replace_fences", "no fence of that context", ARGUMENT, "nothing", SAME,
	    VOID(dma_resv_replace_fences(&resv, 0, fence, DMA_RESV_USAGE_READ)));
	dma_resv_unlock(&resv);

	ROW(t, "dma_resv_reserve_fences", "not held", LOCK, "WARN dma_resv_reserve_fences(), 0",
	    SAME, dma_resv_reserve_fences(&resv, 1));
	ROW(t, "dma_resv_add_fence", "not held", LOCK, "WARN dma_resv_add_fence()", SAME,
	    VOID(dma_resv_add_fence(&resv, fence, DMA_RESV_USAGE_READ)));
	ROW(t, "dma_resv_replace_fences", "not held", LOCK, "WARN dma_resv_replace_fences()", SAME,
	    VOID(dma_resv_replace_fences(&resv, 0, fence, DMA_RESV_USAGE_READ)));
	ROW(t, "dma_resv_copy_fences", "the destination not held", LOCK,
	    "WARN dma_resv_copy_fences(), 0", SAME, dma_resv_copy_fences(&other, &resv));
	ROW(t, "dma_resv_watch", "not held", LOCK, "WARN dma_resv_watch()", LINUX(OURS, OURS),
	    VOID(dma_resv_watch(&resv, &watcher)));
	ROW(t, "dma_resv_unwatch", "not held", LOCK, "WARN dma_resv_unwatch()", LINUX(OURS, OURS),
	    VOID(dma_resv_unwatch(&resv, &watcher)));

	dma_resv_fini(&resv);
	dma_resv_fini(&other);
	dma_fence_put(&array->base);
	finish(fence);
}

static void ask(struct ktap *t)
{
	struct dma_fence *fence = new_fence(dma_fence_context_alloc(1), 1);
	struct dma_resv_iter cursor;
	struct dma_resv resv;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, fence, DMA_RESV_USAGE_READ);

	ROW(t, "dma_resv_wait_timeout", "a timeout above LONG_MAX", SIZE,
	    "WARN a negative timeout, -EINVAL", SAME,
	    dma_resv_wait_timeout(&resv, DMA_RESV_USAGE_READ, false, ULONG_MAX));
	ROW(t, "dma_resv_get_fences", "nowhere to put them", ARGUMENT, "crash", SAME,
	    dma_resv_get_fences(&resv, DMA_RESV_USAGE_READ, misuse_null(), misuse_null()));
	ROW(t, "dma_resv_get_singleton", "nowhere to put it", ARGUMENT, "crash", SAME,
	    dma_resv_get_singleton(&resv, DMA_RESV_USAGE_READ, misuse_null()));
	ROW(t, "dma_resv_test_signaled", "a usage above all", ARGUMENT, "0", SAME,
	    dma_resv_test_signaled(&resv, (enum dma_resv_usage)77));

	dma_resv_iter_begin(&cursor, &resv, DMA_RESV_USAGE_READ);
	ROW(t, "dma_resv_iter_first", "not held", LOCK, "WARN dma_resv_iter_first(), a pointer",
	    SAME, misuse_ptr(dma_resv_iter_first(&cursor)));
	ROW(t, "dma_resv_iter_next", "not held", LOCK, "WARN dma_resv_iter_next(), NULL", SAME,
	    misuse_ptr(dma_resv_iter_next(&cursor)));
	ROW(t, "dma_resv_describe", "nowhere to write, not held", ARGUMENT, "crash", SAME,
	    VOID(dma_resv_describe(&resv, misuse_null())));
	dma_resv_fini(&resv);
	finish(fence);
}

MISUSE_MAIN(KTAP_CASE(no_reservation), KTAP_CASE(life), KTAP_CASE(lock), KTAP_CASE(change),
	    KTAP_CASE(ask))
