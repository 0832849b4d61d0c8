/* SPDX-License-Identifier: MIT */
/*
 * dma-resv-test.h - what the tests of reservations share: fences of a driver, looks into a
 * reservation
 */
#ifndef CORE_DMA_RESV_TEST_H
#define CORE_DMA_RESV_TEST_H

#include "tests/ktap.h"

#include <linux/dma-resv.h>
#include <linux/slab.h>

#define USAGES 4

/* --- a driver's fences ------------------------------------------------------------------------ */

struct test_fence {
	struct dma_fence base;
	spinlock_t lock;
	ktime_t deadline;
	int payload; /* written before the fence is shown */
};

static inline const char *test_name(struct dma_fence *fence)
{
	return "test";
}

static inline void test_deadline(struct dma_fence *fence, ktime_t deadline)
{
	container_of(fence, struct test_fence, base)->deadline = deadline;
}

static const struct dma_fence_ops test_ops = {
	.get_driver_name = test_name,
	.get_timeline_name = test_name,
	.set_deadline = test_deadline,
};

static inline struct dma_fence *new_fence_ops(const struct dma_fence_ops *ops, u64 context,
					      u64 seqno)
{
	struct test_fence *f = kzalloc(sizeof(*f), GFP_KERNEL);

	BUG_ON(!f);
	spin_lock_init(&f->lock);
	f->payload = (int)seqno;
	dma_fence_init(&f->base, ops, &f->lock, context, seqno);
	return &f->base;
}

static inline struct dma_fence *new_fence(u64 context, u64 seqno)
{
	return new_fence_ops(&test_ops, context, seqno);
}

static inline void finish(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* Lock held. */
static inline void reserve_and_add(struct ktap *t, struct dma_resv *resv, struct dma_fence *fence,
				   enum dma_resv_usage usage)
{
	KT_EQ(t, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, usage);
}

static inline void lock_and_add(struct ktap *t, struct dma_resv *resv, struct dma_fence *fence,
				enum dma_resv_usage usage)
{
	dma_resv_lock(resv, NULL);
	reserve_and_add(t, resv, fence, usage);
	dma_resv_unlock(resv);
}

/* The fences of @usage and below, signaled ones too. */
static inline int count_fences(struct dma_resv *resv, enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int count = 0;

	dma_resv_lock(resv, NULL);
	dma_resv_for_each_fence(&cursor, resv, usage, fence)
		count++;
	dma_resv_unlock(resv);
	return count;
}

/* Usage of @fence, the lowest when it is there more than once, or -1. */
static inline int usage_of(struct dma_resv *resv, struct dma_fence *fence)
{
	struct dma_resv_iter cursor;
	struct dma_fence *f;
	int usage = -1;

	dma_resv_lock(resv, NULL);
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, f) {
		if (f == fence && (usage < 0 || (int)dma_resv_iter_usage(&cursor) < usage))
			usage = dma_resv_iter_usage(&cursor);
	}
	dma_resv_unlock(resv);
	return usage;
}

#endif
