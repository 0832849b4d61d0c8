/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-chain.h - a timeline of fences: points that are signaled when all up to them are
 *
 * Each link is a fence of its own.  It contains one driver's fence (or an array), has a 64-bit
 * sequence number and refers to the link before it; it is signaled once what it contains and
 * everything before it is.  Semantics: Linux 6.12.
 *
 * Invariants, beside F1-F6 of linux/dma-fence.h
 *   C1  A link contains no link.  Its prev may be one, or any other fence where a timeline begins.
 *   C2  prev only moves backward, from a link whose content is signaled to that link's prev, and
 *       becomes NULL when nothing unsignaled is left.  Every walk helps; so a timeline that is
 *       looked at now and then stays as long as its unsignaled part.
 *   C3  A link that moved past others still stands for them: prev_seqno is the number of the link
 *       that came before at init, and does not change.
 *   C4  No depth of chain recurses: neither the walk, nor the signal, nor the release.
 *   C5  Links of one context have growing numbers from prev to next.
 *   C6  Once somebody waits a link signals by itself, in bounded time after the last fence.  Until
 *       then it is asked, and answers from what it contains.
 *   C7  error stays 0, whatever the contained fences' errors: walk to them
 *       (linux/dma-fence-unwrap.h) to learn those.
 *
 * Ordering: C6 is done by an irq_work of the thread that signals the fence waited for, once it
 * holds no spinlock: the link's lock is not taken inside a driver's.
 */
#ifndef _LINUX_DMA_FENCE_CHAIN_H
#define _LINUX_DMA_FENCE_CHAIN_H

#include <linux/container_of.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>
#include <linux/irq_work.h>

/**
 * struct dma_fence_chain - one link
 */
struct dma_fence_chain {
	/* The first member: dma_fence_free() frees the whole. */
	struct dma_fence base;
	spinlock_t lock; /* base.lock */

	/* Changed by anybody with cmpxchg() (C2), read under RCU; a reference. */
	struct dma_fence __rcu *prev;

	/* Constant. */
	u64 prev_seqno;          /* of the link before at init, 0 where a context begins */
	struct dma_fence *fence; /* the content, a reference */

	/*
	 * The wait for the first unsignaled fence, then the step to the next: in turns, each starts
	 * the other.  DIFFERS: Linux's two share memory.
	 */
	struct dma_fence_cb cb;
	struct irq_work work;
};

/** to_dma_fence_chain - the link that @fence is, or NULL when it is none or NULL */
static inline struct dma_fence_chain *to_dma_fence_chain(struct dma_fence *fence)
{
	if (!fence || !dma_fence_is_chain(fence))
		return NULL;
	return container_of(fence, struct dma_fence_chain, base);
}

/**
 * dma_fence_chain_contained - what the link @fence contains; @fence itself when it is no link
 *
 * Takes no reference; alive as long as @fence.  NULL for NULL.
 */
static inline struct dma_fence *dma_fence_chain_contained(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);

	return chain ? chain->fence : fence;
}

/**
 * dma_fence_chain_alloc - memory for a link
 *
 * Context: may sleep.  Returns NULL when memory is short.
 * Ownership: the caller's until dma_fence_chain_init(); dma_fence_chain_free() gives it back.
 */
static inline struct dma_fence_chain *dma_fence_chain_alloc(void)
{
	return kmalloc(sizeof(struct dma_fence_chain), GFP_KERNEL);
}

/** dma_fence_chain_free - give back what was not initialised. NULL is allowed. Context: any. */
static inline void dma_fence_chain_free(struct dma_fence_chain *chain)
{
	kfree(chain);
}

/**
 * dma_fence_chain_init - make a link of it
 * @prev: what comes before, or NULL
 * @fence: the content; no link (WARNs, C1)
 * @seqno: after that of @prev on the same timeline
 *
 * Where @prev is a link and @seqno is after its number, the new link joins its context.  Otherwise
 * a context begins, with a number that is not below that of @prev: a point that a program set out
 * of order.
 *
 * Context: any; allocates nothing.
 * Ownership: takes over the references of @prev and @fence; the caller owns one of &@chain->base.
 */
void dma_fence_chain_init(struct dma_fence_chain *chain, struct dma_fence *prev,
			  struct dma_fence *fence, u64 seqno);

/**
 * dma_fence_chain_walk - the next fence toward the past that may be unsignaled
 *
 * Leaves out links whose content is signaled, and takes them out of the chain (C2).
 *
 * Context: any; no lock of a fence in the chain held but that of the link that the walk began with.
 * Ownership: puts @fence, returns a reference.
 * Returns NULL at the end, and when @fence is no link.
 */
struct dma_fence *dma_fence_chain_walk(struct dma_fence *fence);

/**
 * dma_fence_chain_find_seqno - the link that stands for point @seqno of the timeline at *@pfence
 * @pfence: the newest link, a reference; replaced by the one found
 *
 * That is the oldest one with a number of at least @seqno.  When its content is signaled and it has
 * been taken out (C2), it is what is left before it, which is all that the point still waits for:
 * an older link, a fence that the timeline began with, or NULL when nothing is.
 *
 * Context: any.
 * Ownership: on success *@pfence's reference is exchanged; on error it is unchanged.
 * Returns 0, also for @seqno 0 (*@pfence stays); -EINVAL when *@pfence is no link, is NULL, or the
 * timeline has not come as far as @seqno.
 */
int dma_fence_chain_find_seqno(struct dma_fence **pfence, uint64_t seqno);

/*
 * From @head toward the past, as dma_fence_chain_walk().  @iter holds a reference, which who leaves
 * the loop early puts.  @head keeps its own.
 */
#define dma_fence_chain_for_each(iter, head) \
	for (iter = dma_fence_get(head); iter; iter = dma_fence_chain_walk(iter))

#endif
