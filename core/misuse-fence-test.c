/* SPDX-License-Identifier: MIT */
/*
 * misuse-fence-test.c - wrong calls of linux/dma-fence.h, -array.h, -chain.h and -unwrap.h, each
 * with what it answers here and in Linux 6.12
 */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>

#include "core/dma-resv-test.h"
#include "tests/misuse.h"

#define NAMES_THE_BUG "a driver's mistake is named, not only refused"
#define LOCKDEP "a WARN where Linux needs lockdep to find it"

static const struct dma_fence_ops nameless;

static void ignore(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

/* Memory that outlives its last reference, so that what comes after it can be looked at. */
static void stays(struct dma_fence *fence)
{
}

static const struct dma_fence_ops staying_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
	.release = stays,
};

static struct dma_fence *one_fence(void)
{
	return new_fence(dma_fence_context_alloc(1), 1);
}

/* --- life ------------------------------------------------------------------------------------- */

static void life(struct ktap *t)
{
	DEFINE_SPINLOCK(spin);
	struct dma_fence_cb cb;
	struct dma_fence fence;

	ROW(t, "dma_fence_init", "no lock", ARGUMENT, "BUG", SAME,
	    VOID(dma_fence_init(&fence, &test_ops, misuse_null(), 1, 1)));
	ROW(t, "dma_fence_init", "no ops", ARGUMENT, "BUG", SAME,
	    VOID(dma_fence_init(&fence, misuse_null(), &spin, 1, 1)));
	ROW(t, "dma_fence_init", "ops without names", ARGUMENT, "BUG", SAME,
	    VOID(dma_fence_init(&fence, &nameless, &spin, 1, 1)));
	ROW(t, "dma_fence_init", "no fence", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_init(misuse_null(), &test_ops, &spin, 1, 1)));
	ROW(t, "dma_fence_context_alloc", "0 contexts", SIZE, "WARN at least one, 0", SAME,
	    dma_fence_context_alloc(0) == 0);
	ROW(t, "dma_fence_put", "no fence", ARGUMENT, "nothing", SAME,
	    VOID(dma_fence_put(misuse_null())));
	ROW(t, "dma_fence_get", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_get(misuse_null())));
	ROW(t, "dma_fence_get_rcu", "no fence", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_fence_get_rcu(misuse_null())));
	ROW(t, "dma_fence_get_rcu_safe", "nowhere to look", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_fence_get_rcu_safe(misuse_null())));
	ROW(t, "dma_fence_release", "no reference count", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_release(misuse_null())));
	ROW_NOT_RUN("dma_fence_free", "memory that is not kmalloc()'s", ARGUMENT, "undefined",
		    SAME);

	dma_fence_init(&fence, &staying_ops, &spin, 1, 1);
	KT_EQ(t, dma_fence_add_callback(&fence, &cb, ignore), 0);
	ROW(t, "dma_fence_put", "the last one of a fence that somebody waits for", ORDER,
	    "WARN released unsignaled", SAME, VOID(dma_fence_put(&fence)));
	KT_EQ(t, fence.error, -EDEADLK);
	ROW(t, "dma_fence_put", "once too often", ORDER, "WARN refcount_t", SAME,
	    VOID(dma_fence_put(&fence)));
	ROW(t, "dma_fence_get", "after the last reference", ORDER, "WARN refcount_t, a pointer",
	    SAME, misuse_ptr(dma_fence_get(&fence)));
}

/* --- signalling and asking -------------------------------------------------------------------- */

static void signalling(struct ktap *t)
{
	struct dma_fence *done = one_fence(), *fence = one_fence(), *null = misuse_null();

	dma_fence_signal(done);
	ROW(t, "dma_fence_signal", "no fence", ARGUMENT, "WARN no fence to signal, -EINVAL",
	    LINUX("-EINVAL", NAMES_THE_BUG), dma_fence_signal(null));
	ROW(t, "dma_fence_signal_timestamp", "no fence", ARGUMENT,
	    "WARN no fence to signal, -EINVAL", LINUX("-EINVAL", NAMES_THE_BUG),
	    dma_fence_signal_timestamp(null, 0));
	ROW(t, "dma_fence_signal_locked", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_signal_locked(null));
	ROW(t, "dma_fence_signal_timestamp_locked", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_signal_timestamp_locked(null, 0));
	ROW(t, "dma_fence_signal", "signaled", ORDER, "-EINVAL", SAME, dma_fence_signal(done));
	ROW(t, "dma_fence_signal_timestamp", "signaled", ORDER, "-EINVAL", SAME,
	    dma_fence_signal_timestamp(done, 0));
	ROW(t, "dma_fence_signal_locked", "signaled, fence->lock not held", LOCK,
	    "WARN lockdep_assert_held, -EINVAL", LINUX("-EINVAL, a WARN with lockdep", LOCKDEP),
	    dma_fence_signal_locked(done));
	ROW(t, "dma_fence_signal_timestamp_locked", "signaled, fence->lock not held", LOCK,
	    "WARN lockdep_assert_held, -EINVAL", LINUX("-EINVAL, a WARN with lockdep", LOCKDEP),
	    dma_fence_signal_timestamp_locked(done, 0));
	ROW(t, "dma_fence_set_error", "signaled", ORDER, "WARN not after", SAME,
	    VOID(dma_fence_set_error(done, -EIO)));
	ROW(t, "dma_fence_set_error", "0", ARGUMENT, "WARN no error", SAME,
	    VOID(dma_fence_set_error(fence, 0)));
	ROW(t, "dma_fence_set_error", "below -MAX_ERRNO", SIZE, "WARN no error", SAME,
	    VOID(dma_fence_set_error(fence, -MAX_ERRNO - 1)));
	ROW(t, "dma_fence_timestamp", "unsignaled", ORDER, "WARN only a signaled fence, 1", SAME,
	    dma_fence_timestamp(fence) > 0);
	fence->error = 0;

	ROW(t, "dma_fence_enable_sw_signaling", "no fence", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_enable_sw_signaling(null)));
	ROW(t, "dma_fence_is_signaled", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_is_signaled(null));
	ROW(t, "dma_fence_is_signaled_locked", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_is_signaled_locked(null));
	ROW(t, "dma_fence_test_signaled_flag", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_test_signaled_flag(null));
	ROW(t, "dma_fence_get_status", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_get_status(null));
	ROW(t, "dma_fence_get_status_locked", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_get_status_locked(null));
	ROW(t, "dma_fence_timestamp", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_timestamp(null));
	ROW(t, "dma_fence_set_deadline", "no fence", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_set_deadline(null, 0)));
	ROW(t, "dma_fence_set_deadline", "signaled", ORDER, "nothing", SAME,
	    VOID(dma_fence_set_deadline(done, 0)));
	ROW(t, "dma_fence_describe", "nowhere to write", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_describe(fence, misuse_null())));
	finish(done);
	finish(fence);
}

#define HANGS LINUX("deadlock", "said instead of hung")

/* The callee's unlock frees the caller's lock, so each row takes it anew. */
static struct dma_fence *locked(struct dma_fence *fence)
{
	spin_lock(fence->lock);
	return fence;
}

static void lock_held(struct ktap *t)
{
	struct dma_fence *fence = one_fence();
	struct dma_fence_cb cb;

	ROW(t, "dma_fence_enable_sw_signaling", "fence->lock held", LOCK,
	    "WARN held by this thread", HANGS, VOID(dma_fence_enable_sw_signaling(locked(fence))));
	ROW(t, "dma_fence_add_callback", "fence->lock held", LOCK, "WARN held by this thread, 0",
	    HANGS, dma_fence_add_callback(locked(fence), &cb, ignore));
	ROW(t, "dma_fence_remove_callback", "fence->lock held", LOCK, "WARN held by this thread, 1",
	    HANGS, dma_fence_remove_callback(locked(fence), &cb));
	ROW(t, "dma_fence_get_status", "fence->lock held", LOCK, "WARN held by this thread, 0",
	    HANGS, dma_fence_get_status(locked(fence)));
	ROW(t, "dma_fence_wait_timeout", "fence->lock held", LOCK, "2 WARNs might_sleep(), 0",
	    HANGS, dma_fence_wait_timeout(locked(fence), false, 0));
	ROW(t, "dma_fence_signal", "fence->lock held", LOCK, "WARN held by this thread, 0", HANGS,
	    dma_fence_signal(locked(fence)));
	dma_fence_put(fence);
}

static void order(struct ktap *t)
{
	struct dma_fence *a = one_fence(), *b = one_fence(), *null = misuse_null();

	ROW(t, "dma_fence_is_later", "fences of two contexts", ARGUMENT, "WARN no order, 0", SAME,
	    dma_fence_is_later(a, b));
	ROW(t, "dma_fence_is_later_or_same", "fences of two contexts", ARGUMENT, "WARN no order, 0",
	    SAME, dma_fence_is_later_or_same(a, b));
	ROW(t, "dma_fence_later", "fences of two contexts", ARGUMENT, "WARN no order, NULL", SAME,
	    misuse_ptr(dma_fence_later(a, b)));
	ROW(t, "__dma_fence_is_later", "no ops", ARGUMENT, "crash", SAME,
	    __dma_fence_is_later(1ull << 32, 2, misuse_null()));
	ROW(t, "dma_fence_is_array", "no fence", ARGUMENT, "crash", SAME, dma_fence_is_array(null));
	ROW(t, "dma_fence_is_chain", "no fence", ARGUMENT, "crash", SAME, dma_fence_is_chain(null));
	ROW(t, "dma_fence_is_container", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_is_container(null));
	finish(a);
	finish(b);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void waiting(struct ktap *t)
{
	struct dma_fence *fence = one_fence(), *done = one_fence(), *null = misuse_null();
	struct dma_fence *with_null[2] = { fence, NULL };
	struct dma_fence_cb cb;

	dma_fence_signal(done);
	ROW(t, "dma_fence_add_callback", "no fence", ARGUMENT, "WARN needs a fence, -EINVAL", SAME,
	    dma_fence_add_callback(null, &cb, ignore));
	ROW(t, "dma_fence_add_callback", "no function", ARGUMENT, "WARN needs a fence, -EINVAL",
	    SAME, dma_fence_add_callback(fence, &cb, misuse_null()));
	ROW(t, "dma_fence_add_callback", "no cb", ARGUMENT, "crash", SAME,
	    dma_fence_add_callback(fence, misuse_null(), ignore));
	ROW(t, "dma_fence_add_callback", "signaled", ORDER, "-ENOENT", SAME,
	    dma_fence_add_callback(done, &cb, ignore));
	ROW(t, "dma_fence_remove_callback", "not armed", ORDER, "0", SAME,
	    dma_fence_remove_callback(done, &cb));
	ROW(t, "dma_fence_remove_callback", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_remove_callback(null, &cb));
	ROW_NOT_RUN("dma_fence_remove_callback", "a cb that was never added", ORDER, "undefined",
		    SAME);

	ROW(t, "dma_fence_wait_timeout", "a negative timeout", SIZE,
	    "WARN a negative timeout, -EINVAL", SAME, dma_fence_wait_timeout(fence, false, -1));
	ROW(t, "dma_fence_wait_timeout", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_wait_timeout(null, false, 1));
	ROW(t, "dma_fence_wait", "no fence", ARGUMENT, "crash", SAME, dma_fence_wait(null, false));
	ROW(t, "dma_fence_default_wait", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_default_wait(null, false, 1));
	ROW(t, "dma_fence_wait_any_timeout", "no array", ARGUMENT, "WARN takes fences, -EINVAL",
	    SAME, dma_fence_wait_any_timeout(misuse_null(), 1, false, 1, NULL));
	ROW(t, "dma_fence_wait_any_timeout", "0 fences", SIZE, "WARN takes fences, -EINVAL", SAME,
	    dma_fence_wait_any_timeout(&fence, 0, false, 1, NULL));
	ROW(t, "dma_fence_wait_any_timeout", "a negative timeout", SIZE,
	    "WARN takes fences, -EINVAL", SAME,
	    dma_fence_wait_any_timeout(&fence, 1, false, -1, NULL));
	ROW(t, "dma_fence_wait_any_timeout", "NULL among the fences: counts as signaled", ARGUMENT,
	    "WARN needs a fence, 5", SAME,
	    dma_fence_wait_any_timeout(with_null, 2, false, 5, NULL));
	ROW_NOT_RUN("dma_fence_wait", "a fence that nobody signals", ORDER, "no end", SAME);
	finish(done);
	finish(fence);
}

/* --- containers ------------------------------------------------------------------------------- */

static struct dma_fence_array *array_of(struct dma_fence *fence)
{
	struct dma_fence **members = kmalloc(sizeof(*members), GFP_KERNEL);

	*members = fence;
	return dma_fence_array_create(1, members, dma_fence_context_alloc(1), 1, false);
}

static void arrays(struct ktap *t)
{
	struct dma_fence_array *array = array_of(one_fence()), *outer = NULL, *empty = NULL;
	struct dma_fence *null = misuse_null();

	ROW(t, "dma_fence_array_alloc", "a negative number", SIZE, "NULL", SAME,
	    misuse_ptr(dma_fence_array_alloc(-1)));
	ROW(t, "dma_fence_array_create", "a negative number", SIZE, "NULL", SAME,
	    misuse_ptr(dma_fence_array_create(INT_MIN, NULL, 1, 1, false)));
	ROW(t, "dma_fence_array_create", "no fences", ARGUMENT,
	    "WARN an array has members, a pointer", SAME,
	    misuse_ptr(empty = dma_fence_array_create(0, NULL, 1, 1, false)));
	ROW(t, "dma_fence_array_create", "an array as member", ARGUMENT,
	    "WARN a container may not be a member, a pointer", SAME,
	    misuse_ptr(outer = array_of(dma_fence_get(&array->base))));
	ROW(t, "dma_fence_array_init", "no array", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_array_init(misuse_null(), 0, NULL, 1, 1, false)));
	ROW(t, "dma_fence_match_context", "no fence", ARGUMENT, "crash", SAME,
	    dma_fence_match_context(null, 1));
	ROW(t, "dma_fence_array_first", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_array_first(null)));
	ROW(t, "dma_fence_array_next", "past the end", SIZE, "NULL", SAME,
	    misuse_ptr(dma_fence_array_next(&array->base, UINT_MAX)));
	ROW(t, "dma_fence_array_next", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_array_next(null, 0)));
	ROW(t, "to_dma_fence_array", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(to_dma_fence_array(null)));
	dma_fence_put(&outer->base);
	dma_fence_put(&empty->base);
	dma_fence_put(&array->base);
}

static void chains(struct ktap *t)
{
	struct dma_fence_chain *inner = dma_fence_chain_alloc(), *outer = dma_fence_chain_alloc();
	struct dma_fence *null = misuse_null(), *fence = one_fence(), *head;

	dma_fence_chain_init(inner, NULL, fence, 1);
	ROW(t, "dma_fence_chain_init", "a link as content", ARGUMENT, "WARN contains no link", SAME,
	    VOID(dma_fence_chain_init(outer, NULL, dma_fence_get(&inner->base), 1)));
	ROW(t, "dma_fence_chain_init", "no content", ARGUMENT, "crash", SAME,
	    VOID(dma_fence_chain_init(outer, NULL, misuse_null(), 1)));
	head = &inner->base;
	ROW(t, "dma_fence_chain_find_seqno", "a point that has not come", ARGUMENT, "-EINVAL", SAME,
	    dma_fence_chain_find_seqno(&head, U64_MAX));
	ROW(t, "dma_fence_chain_find_seqno", "no fence", ARGUMENT, "-EINVAL", SAME,
	    dma_fence_chain_find_seqno(&null, 1));
	ROW(t, "dma_fence_chain_find_seqno", "a fence that is no link", ARGUMENT, "-EINVAL", SAME,
	    dma_fence_chain_find_seqno(&fence, 1));
	ROW(t, "dma_fence_chain_walk", "a fence that is no link", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_chain_walk(dma_fence_get(fence))));
	ROW(t, "dma_fence_chain_walk", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_chain_walk(null)));
	ROW(t, "dma_fence_chain_free", "no link", ARGUMENT, "nothing", SAME,
	    VOID(dma_fence_chain_free(misuse_null())));
	ROW(t, "to_dma_fence_chain", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(to_dma_fence_chain(null)));
	ROW(t, "dma_fence_chain_contained", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_chain_contained(null)));
	dma_fence_put(&outer->base);
	dma_fence_put(&inner->base);
}

static void unwrapping(struct ktap *t)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *nothing[1] = { NULL }, *merged = NULL;

	ROW(t, "dma_fence_unwrap_first", "no fence", ARGUMENT, "NULL", SAME,
	    misuse_ptr(dma_fence_unwrap_first(misuse_null(), &cursor)));
	ROW(t, "dma_fence_unwrap_next", "past the end", ORDER, "NULL", SAME,
	    misuse_ptr(dma_fence_unwrap_next(&cursor)));
	ROW(t, "dma_fence_unwrap_next", "no cursor", ARGUMENT, "crash", SAME,
	    misuse_ptr(dma_fence_unwrap_next(misuse_null())));
	ROW(t, "__dma_fence_unwrap_merge", "only NULL: a signaled stub", ARGUMENT, "a pointer",
	    SAME, misuse_ptr(merged = __dma_fence_unwrap_merge(1, nothing, &cursor)));
	dma_fence_put(merged);
	ROW(t, "__dma_fence_unwrap_merge", "0 fences: a signaled stub", SIZE, "a pointer", SAME,
	    misuse_ptr(merged = __dma_fence_unwrap_merge(0, misuse_null(), misuse_null())));
	dma_fence_put(merged);
	ROW(t, "__dma_fence_unwrap_merge", "no array", ARGUMENT, "crash", SAME,
	    misuse_ptr(__dma_fence_unwrap_merge(1, misuse_null(), &cursor)));
}

MISUSE_MAIN(KTAP_CASE(life), KTAP_CASE(signalling), KTAP_CASE(lock_held), KTAP_CASE(order),
	    KTAP_CASE(waiting), KTAP_CASE(arrays), KTAP_CASE(chains), KTAP_CASE(unwrapping))
