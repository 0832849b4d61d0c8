/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-unwrap.h - the drivers' fences inside containers, and merging them
 *
 * A chain may contain arrays, and an array contains neither, so the walk is two levels deep.
 * Semantics: Linux 6.12.
 *
 * Invariants
 *   U1  The walk returns no chain and no array.
 *   U2  It returns every unsignaled fence that @head stands for, newest link first; of the signaled
 *       ones those that still stand beside it.
 *   U3  A merged fence is signaled when all fences that were merged are.
 */
#ifndef _LINUX_DMA_FENCE_UNWRAP_H
#define _LINUX_DMA_FENCE_UNWRAP_H

#include <linux/kernel.h>
#include <linux/types.h>

struct dma_fence;

/**
 * struct dma_fence_unwrap - where a walk is; on the walker's stack and its own
 * @chain: the present link or fence, a reference; who leaves the loop early puts it
 * @array: what it contains
 * @index: of the present fence in @array
 */
struct dma_fence_unwrap {
	struct dma_fence *chain;
	struct dma_fence *array;
	unsigned int index;
};

/**
 * dma_fence_unwrap_first - begin a walk at @head
 *
 * Context: any.  Returns NULL for NULL.
 * Ownership: the fence returned is alive until the next step; @head keeps its reference.
 */
struct dma_fence *dma_fence_unwrap_first(struct dma_fence *head, struct dma_fence_unwrap *cursor);

/** dma_fence_unwrap_next - the next fence, or NULL at the end. As dma_fence_unwrap_first(). */
struct dma_fence *dma_fence_unwrap_next(struct dma_fence_unwrap *cursor);

/* Every fence in @head; @head itself when it is no container. */
#define dma_fence_unwrap_for_each(fence, cursor, head)            \
	for (fence = dma_fence_unwrap_first(head, cursor); fence; \
	     fence = dma_fence_unwrap_next(cursor))

/**
 * __dma_fence_unwrap_merge - one fence for all of @fences (U3)
 * @fences: @num_fences of them; containers and NULL are allowed
 * @cursors: @num_fences, for the walks
 *
 * Signaled fences are left out, and of each context all but the latest.  What is left is returned
 * as it is when it is one fence, in an array of its own context otherwise, ordered by context from
 * the lowest to the highest.  When nothing is left the result is a stub of its own, signaled at the
 * time of the latest of them (0 when there was none).
 *
 * Context: may sleep.
 * Ownership: the caller puts the result and keeps its references of @fences.
 * Returns NULL when memory is short.
 */
struct dma_fence *__dma_fence_unwrap_merge(unsigned int num_fences, struct dma_fence **fences,
					   struct dma_fence_unwrap *cursors);

/* dma_fence_unwrap_merge(a, b, ...) - __dma_fence_unwrap_merge() of the fences named */
#define dma_fence_unwrap_merge(...)                                                \
	({                                                                         \
		struct dma_fence *merge_fences_[] = { __VA_ARGS__ };               \
		struct dma_fence_unwrap merge_cursors_[ARRAY_SIZE(merge_fences_)]; \
		__dma_fence_unwrap_merge(ARRAY_SIZE(merge_fences_), merge_fences_, \
					 merge_cursors_);                          \
	})

#endif
