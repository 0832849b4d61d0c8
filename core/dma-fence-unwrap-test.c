/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-unwrap-test.c - U1-U3 of linux/dma-fence-unwrap.h, and dma_resv_get_singleton()
 */
#include "core/dma-resv-test.h"
#include "host/port.h"

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>

static struct dma_fence *array_of(struct dma_fence *a, struct dma_fence *b)
{
	struct dma_fence **fences = kmalloc_array(2, sizeof(*fences), GFP_KERNEL);
	struct dma_fence_array *array;

	BUG_ON(!fences);
	fences[0] = dma_fence_get(a);
	fences[1] = dma_fence_get(b);
	array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1, false);
	BUG_ON(!array);
	return &array->base;
}

/* Takes over both references. */
static struct dma_fence *link_of(struct dma_fence *prev, struct dma_fence *fence)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	BUG_ON(!chain);
	dma_fence_chain_init(chain, prev, fence, 1);
	return &chain->base;
}

/* Are these, in this order, the fences in @head? */
#define IS_MADE_OF(head, ...)                                \
	({                                                   \
		struct dma_fence *want_[] = { __VA_ARGS__ }; \
		is_made_of(head, want_, ARRAY_SIZE(want_));  \
	})

static bool is_made_of(struct dma_fence *head, struct dma_fence **want, int count)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	bool same = true;
	int i = 0;

	dma_fence_unwrap_for_each(fence, &cursor, head) {
		same = same && i < count && fence == want[i];
		i++;
	}
	return same && i == count;
}

/* --- walking ---------------------------------------------------------------------------------- */

static void walks_into_both_containers(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *c = new_fence(3, 1);
	struct dma_fence *array = array_of(a, b), *chain;
	struct dma_fence_unwrap cursor;

	chain = link_of(link_of(NULL, dma_fence_get(c)), array);
	KT_CHECK(t, IS_MADE_OF(a, a));
	KT_CHECK(t, IS_MADE_OF(array, a, b));
	KT_CHECK(t, IS_MADE_OF(chain, a, b, c));
	KT_CHECK(t, !dma_fence_unwrap_first(NULL, &cursor));
	KT_CHECK(t, !cursor.chain);

	/* The newest link's content is walked signaled or not; what is signaled behind it is out. */
	dma_fence_signal(a);
	KT_CHECK(t, IS_MADE_OF(chain, a, b, c));
	dma_fence_signal(c);
	KT_CHECK(t, IS_MADE_OF(chain, a, b));

	/* Leaving early leaves one reference to put. */
	KT_CHECK(t, dma_fence_unwrap_first(chain, &cursor) == a);
	KT_EQ(t, kref_read(&chain->refcount), 2);
	dma_fence_put(cursor.chain);
	dma_fence_put(chain);
	finish(a);
	finish(b);
	finish(c);
}

/* --- merging ---------------------------------------------------------------------------------- */

static void merges_into_an_array_ordered_by_context(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *c = new_fence(3, 1);
	struct dma_fence *merged = dma_fence_unwrap_merge(b, NULL, c, a);

	KT_ASSERT(t, merged);
	KT_CHECK(t, dma_fence_is_array(merged));
	KT_CHECK(t, IS_MADE_OF(merged, a, b, c));
	KT_EQ(t, kref_read(&a->refcount), 2);
	dma_fence_signal(a);
	dma_fence_signal(b);
	KT_CHECK(t, !dma_fence_is_signaled(merged));
	dma_fence_signal(c);
	KT_CHECK(t, dma_fence_is_signaled(merged));
	dma_fence_put(merged);
	finish(a);
	finish(b);
	finish(c);
}

static void keeps_the_latest_of_a_context(struct ktap *t)
{
	struct dma_fence *a1 = new_fence(1, 0xffffffff), *a2 = new_fence(1, 3);
	struct dma_fence *b = new_fence(2, 1), *merged;

	/* 32 bits wrap: 3 is later. Whatever the order of the arguments. */
	merged = dma_fence_unwrap_merge(a1, b, a2);
	KT_CHECK(t, IS_MADE_OF(merged, a2, b));
	dma_fence_put(merged);
	merged = dma_fence_unwrap_merge(a2, a1, b);
	KT_CHECK(t, IS_MADE_OF(merged, a2, b));
	dma_fence_put(merged);
	/* One is left: no array around it. */
	merged = dma_fence_unwrap_merge(a1, a2, a1);
	KT_CHECK(t, merged == a2);
	dma_fence_put(merged);
	KT_EQ(t, kref_read(&a1->refcount), 1);
	KT_EQ(t, kref_read(&a2->refcount), 1);
	finish(a1);
	finish(a2);
	finish(b);
}

static void merges_what_containers_hold(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *c = new_fence(3, 1);
	struct dma_fence *array = array_of(a, b);
	struct dma_fence *chain = link_of(link_of(NULL, dma_fence_get(a)), dma_fence_get(c));
	struct dma_fence *merged = dma_fence_unwrap_merge(chain, array);

	KT_CHECK(t, IS_MADE_OF(merged, a, b, c));
	dma_fence_put(merged);
	dma_fence_signal(b);
	dma_fence_signal(c);
	merged = dma_fence_unwrap_merge(chain, array);
	KT_CHECK(t, merged == a);
	dma_fence_put(merged);
	dma_fence_put(array);
	dma_fence_put(chain);
	finish(a);
	finish(b);
	finish(c);
}

static void all_signaled_is_a_stub_with_the_last_time(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *merged;

	dma_fence_set_error(b, -EIO);
	dma_fence_signal_timestamp(a, 500);
	dma_fence_signal_timestamp(b, 400);
	merged = dma_fence_unwrap_merge(a, b);
	KT_ASSERT(t, merged);
	KT_CHECK(t, merged != a && merged != b);
	KT_EQ(t, dma_fence_get_status(merged), 1);
	KT_EQ(t, dma_fence_timestamp(merged), 500);
	KT_EQ(t, kref_read(&merged->refcount), 1);
	dma_fence_put(merged);
	merged = dma_fence_unwrap_merge(NULL);
	KT_ASSERT(t, merged);
	KT_EQ(t, dma_fence_timestamp(merged), 0);
	dma_fence_put(merged);
	dma_fence_put(a);
	dma_fence_put(b);
}

/* Finished from the @n-th question on. */
struct shy_fence {
	struct test_fence test;
	int questions;
};

static bool shy_signaled(struct dma_fence *fence)
{
	return --container_of(fence, struct shy_fence, test.base)->questions < 0;
}

static const struct dma_fence_ops shy_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
	.signaled = shy_signaled,
};

static struct dma_fence *new_shy(u64 context, int questions)
{
	struct shy_fence *f = kzalloc(sizeof(*f), GFP_KERNEL);

	BUG_ON(!f);
	f->questions = questions;
	spin_lock_init(&f->test.lock);
	dma_fence_init(&f->test.base, &shy_ops, &f->test.lock, context, 1);
	return &f->test.base;
}

static void fences_may_signal_between_the_walks(struct ktap *t)
{
	struct dma_fence *a, *b, *c, *merged;

	a = new_shy(1, 1);
	b = new_shy(2, 1);
	merged = dma_fence_unwrap_merge(a, b);
	KT_ASSERT(t, merged);
	KT_CHECK(t, merged != a && merged != b);
	KT_EQ(t, dma_fence_timestamp(merged), max(dma_fence_timestamp(a), dma_fence_timestamp(b)));
	dma_fence_put(merged);
	KT_EQ(t, kref_read(&b->refcount), 1);
	dma_fence_put(a);
	dma_fence_put(b);

	a = new_shy(1, 1);
	b = new_shy(2, 1);
	c = new_fence(3, 1);
	merged = dma_fence_unwrap_merge(a, c, b);
	KT_CHECK(t, merged == c);
	dma_fence_put(merged);
	KT_EQ(t, kref_read(&b->refcount), 1);
	dma_fence_put(a);
	dma_fence_put(b);
	finish(c);
}

static void every_allocation_may_fail(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *merged = NULL;
	int k;

	/* The list, the array. */
	for (k = 1; !merged; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		merged = dma_fence_unwrap_merge(a, b);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_EQ(t, kref_read(&a->refcount), merged ? 2 : 1);
		KT_EQ(t, kref_read(&b->refcount), merged ? 2 : 1);
	}
	KT_EQ(t, k, 4);
	dma_fence_put(merged);
	finish(a);
	finish(b);

	/* The stub; none for one unsignaled fence. */
	a = new_fence(1, 1);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	merged = dma_fence_unwrap_merge(a);
	KT_CHECK(t, merged == a);
	dma_fence_put(merged);
	dma_fence_signal(a);
	KT_CHECK(t, !dma_fence_unwrap_merge(a));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	dma_fence_put(a);
}

static void merges_many(struct ktap *t)
{
	static struct dma_fence *fences[1000];
	static struct dma_fence_unwrap cursors[ARRAY_SIZE(fences)];
	struct dma_fence *merged, *fence;
	u64 last = 0;
	int i, count = 0;

	/* 300 contexts in no order, the latest of each somewhere. */
	for (i = 0; i < ARRAY_SIZE(fences); i++)
		fences[i] = new_fence(1 + i * 7 % 300, 1 + i * 11 % 1000);
	merged = __dma_fence_unwrap_merge(ARRAY_SIZE(fences), fences, cursors);
	KT_ASSERT(t, merged);
	dma_fence_array_for_each(fence, i, merged) {
		int j;

		KT_CHECK(t, fence->context > last);
		last = fence->context;
		for (j = 0; j < ARRAY_SIZE(fences); j++)
			KT_CHECK(t, fences[j]->context != fence->context ||
					    dma_fence_is_later_or_same(fence, fences[j]));
		count++;
	}
	KT_EQ(t, count, 300);
	dma_fence_put(merged);
	for (i = 0; i < ARRAY_SIZE(fences); i++)
		finish(fences[i]);
}

/* --- a reservation's fences as one ------------------------------------------------------------ */

static void a_singleton_is_none_one_or_an_array(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *fence = a;
	struct dma_resv resv;

	dma_resv_init(&resv);
	KT_EQ(t, dma_resv_get_singleton(&resv, DMA_RESV_USAGE_READ, &fence), 0);
	KT_CHECK(t, !fence);
	lock_and_add(t, &resv, a, DMA_RESV_USAGE_WRITE);
	KT_EQ(t, dma_resv_get_singleton(&resv, DMA_RESV_USAGE_READ, &fence), 0);
	KT_CHECK(t, fence == a);
	dma_fence_put(fence);
	lock_and_add(t, &resv, b, DMA_RESV_USAGE_READ);
	KT_EQ(t, dma_resv_get_singleton(&resv, DMA_RESV_USAGE_WRITE, &fence), 0);
	KT_CHECK(t, fence == a);
	dma_fence_put(fence);
	KT_EQ(t, dma_resv_get_singleton(&resv, DMA_RESV_USAGE_READ, &fence), 0);
	KT_CHECK(t, dma_fence_is_array(fence));
	KT_CHECK(t, IS_MADE_OF(fence, a, b));
	dma_fence_put(fence);
	dma_fence_signal(a);
	dma_fence_signal(b);
	KT_EQ(t, dma_resv_get_singleton(&resv, DMA_RESV_USAGE_READ, &fence), 0);
	KT_CHECK(t, !fence);
	dma_resv_fini(&resv);
	dma_fence_put(a);
	dma_fence_put(b);
}

static void a_singleton_without_memory_is_none(struct ktap *t)
{
	struct dma_fence *a = new_fence(1, 1), *b = new_fence(2, 1), *fence;
	struct dma_resv resv;
	int k, ret = -ENOMEM;

	dma_resv_init(&resv);
	lock_and_add(t, &resv, a, DMA_RESV_USAGE_WRITE);
	lock_and_add(t, &resv, b, DMA_RESV_USAGE_WRITE);
	for (k = 1; ret; k++) {
		fence = a;
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = dma_resv_get_singleton(&resv, DMA_RESV_USAGE_READ, &fence);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (ret) {
			KT_EQ(t, ret, -ENOMEM);
			KT_CHECK(t, !fence);
		}
		KT_EQ(t, kref_read(&a->refcount), ret ? 2 : 3);
	}
	KT_EQ(t, k, 4);
	dma_fence_put(fence);
	dma_resv_fini(&resv);
	finish(a);
	finish(b);
}

KTAP_MAIN(KTAP_CASE(walks_into_both_containers), KTAP_CASE(merges_into_an_array_ordered_by_context),
	  KTAP_CASE(keeps_the_latest_of_a_context), KTAP_CASE(merges_what_containers_hold),
	  KTAP_CASE(all_signaled_is_a_stub_with_the_last_time),
	  KTAP_CASE(fences_may_signal_between_the_walks), KTAP_CASE(every_allocation_may_fail),
	  KTAP_CASE(merges_many), KTAP_CASE(a_singleton_is_none_one_or_an_array),
	  KTAP_CASE(a_singleton_without_memory_is_none))
