/* SPDX-License-Identifier: MIT */
/*
 * fault.h - drop one cache operation on purpose, or do something else between two
 *
 * `dmabuf pipeline --fault skip-sync` and the tests that prove a missing sync is seen stand on the
 * one, `dmabuf explore` on the other.
 */
#ifndef DMA_FAULT_H
#define DMA_FAULT_H

#include <linux/types.h>

struct device;
struct dma_view;

/**
 * dma_fault_skip_sync - swallow the next sync or map/unmap maintenance that @dev's mappings ask for
 * @count: how many operations to swallow; 0 switches it off
 *
 * Bounce copies count as operations.  Counted costs do not include what was swallowed.
 * Context: any.
 */
void dma_fault_skip_sync(struct device *dev, unsigned int count);

/** dma_fault_skipped - how many were swallowed for @dev so far */
unsigned int dma_fault_skipped(struct device *dev);

/**
 * dma_fault_swallow - must the operation that is about to start not happen?
 * Context: any.  For dma/ only; asked once for each call that would move something.
 */
bool dma_fault_swallow(struct dma_view *view);

/*
 * Called before and after each cache operation, and when somebody asks where a bounce slot is, or
 * NULL: what others do between the steps of who moves bytes.  It may access memory and the caches, and
 * calls nothing of the core's, whose locks may be held.  Set while one thread alone runs.
 */
extern void (*dma_between_steps)(void);

static inline void dma_step(void)
{
	void (*between)(void) = dma_between_steps;

	if (__builtin_expect(between != NULL, 0))
		between();
}

#endif
