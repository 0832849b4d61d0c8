/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-array.h - one fence for a set of fences: signaled when all are, or when any is
 *
 * Semantics: Linux 6.12.
 *
 * Invariants, beside F1-F6 of linux/dma-fence.h
 *   A1  An array contains fences of drivers only: no array, no chain.  So whoever walks one needs
 *       no recursion.
 *   A2  Members are constant from init to release, and alive that long.
 *   A3  Once somebody waits (signalling is enabled) the array signals by itself: in bounded time
 *       after its last member, or after the first of a signal_on_any array.
 *   A4  Until then it is asked, and answers from its members (dma_fence_is_signaled()).
 *   A5  error is that of the first member seen to fail before the array signals.  Members are
 *       looked at by who waits, not by who only asks: an array that nobody waited for ends with
 *       error 0.
 *
 * Ordering: A3 is done by an irq_work of the thread that signals the last member, once it holds no
 * spinlock: the array's lock is not taken inside a driver's.  It follows that a member can be seen
 * signaled before its array is, and that who signals it sees the array signaled when
 * dma_fence_signal() returns, if it was called without spinlocks.
 *
 * Deliberately not here: taking out duplicates and nested containers (linux/dma-fence-unwrap.h).
 */
#ifndef _LINUX_DMA_FENCE_ARRAY_H
#define _LINUX_DMA_FENCE_ARRAY_H

#include <linux/container_of.h>
#include <linux/dma-fence.h>
#include <linux/atomic.h>
#include <linux/irq_work.h>

struct dma_fence_array;

/**
 * struct dma_fence_array_cb - what hangs on one member
 * @cb: armed while signalling is enabled
 * @array: whose member it is; a reference while armed
 */
struct dma_fence_array_cb {
	struct dma_fence_cb cb;
	struct dma_fence_array *array;
};

/**
 * struct dma_fence_array - the set
 */
struct dma_fence_array {
	/* The first member: dma_fence_free() frees the whole. */
	struct dma_fence base;
	spinlock_t lock; /* base.lock */

	/* Constant (A2). */
	unsigned int num_fences;
	struct dma_fence **fences;

	/*
	 * Atomic: how many signals are missing.  Goes below 0 when more members signal than a
	 * signal_on_any array needs.
	 */
	atomic_t num_pending;

	struct irq_work work; /* signals the array */

	/* One for each member; written when signalling is enabled. */
	struct dma_fence_array_cb callbacks[];
};

/** to_dma_fence_array - the array that @fence is, or NULL when it is none or NULL */
static inline struct dma_fence_array *to_dma_fence_array(struct dma_fence *fence)
{
	if (!fence || !dma_fence_is_array(fence))
		return NULL;
	return container_of(fence, struct dma_fence_array, base);
}

/**
 * dma_fence_array_alloc - memory for an array of @num_fences
 *
 * Context: may sleep.  Returns NULL when memory is short.
 * Ownership: the caller kfree()s it or gives it to dma_fence_array_init().
 */
struct dma_fence_array *dma_fence_array_alloc(int num_fences);

/**
 * dma_fence_array_init - make a fence of it
 * @array: from dma_fence_array_alloc() with the same @num_fences, at least 1 (else WARNs)
 * @fences: made by kmalloc() and its like; no containers among them (WARNs, A1)
 * @context: of the array; members may be of any
 * @signal_on_any: signal with the first member instead of with the last
 *
 * Context: any; allocates nothing, so it may stand after the point of no return.
 * Ownership: takes over @fences and a reference of each; the caller owns one of &@array->base.
 */
void dma_fence_array_init(struct dma_fence_array *array, int num_fences, struct dma_fence **fences,
			  u64 context, unsigned int seqno, bool signal_on_any);

/**
 * dma_fence_array_create - both
 *
 * Context: may sleep.
 * Ownership: as dma_fence_array_init(), and nothing is taken over on failure.
 * Returns NULL when memory is short.
 */
struct dma_fence_array *dma_fence_array_create(int num_fences, struct dma_fence **fences,
					       u64 context, unsigned int seqno, bool signal_on_any);

/**
 * dma_fence_match_context - is @fence of @context, or an array of nothing else?
 *
 * Context: any.
 */
bool dma_fence_match_context(struct dma_fence *fence, u64 context);

/**
 * dma_fence_array_first - the first member of @head; @head itself when it is no array
 *
 * Context: any.  Returns NULL for NULL.  Takes no reference.
 */
struct dma_fence *dma_fence_array_first(struct dma_fence *head);

/**
 * dma_fence_array_next - member @index of @head, from 1 on
 *
 * Context: any.  Returns NULL past the end, and when @head is no array.  Takes no reference.
 */
struct dma_fence *dma_fence_array_next(struct dma_fence *head, unsigned int index);

/* Every member of @head, or @head itself when it is no array; nothing for NULL. */
#define dma_fence_array_for_each(fence, index, head)                \
	for (index = 0, fence = dma_fence_array_first(head); fence; \
	     ++(index), fence = dma_fence_array_next(head, index))

#endif
