/* SPDX-License-Identifier: MIT */
/*
 * fault.h - drop one cache operation on purpose
 *
 * `dmabuf pipeline --fault skip-sync` and the tests that prove a missing sync is seen stand on it.
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

#endif
