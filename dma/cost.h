/* SPDX-License-Identifier: MIT */
/*
 * cost.h - who is told of each cost as it arises, in the thread that causes it
 */
#ifndef DMA_COST_H
#define DMA_COST_H

#include <linux/dma-cost.h>

/*
 * Called with each dma_cost_add(), or NULL.  Set while nothing runs; any lock may be held, so it
 * takes none of ours and does not sleep.
 */
extern void (*dma_cost_listener)(enum dma_cost kind, u64 n);

#endif
