/* SPDX-License-Identifier: MIT */
/*
 * dma-cost.h - what sharing costs, counted
 *
 * Counts do not jitter: the pipeline's table, the tests' "nothing after warm-up" and the claims of
 * docs/coherence.md are all read from these counters.  They are global, relaxed and never reset
 * behind anybody's back; a reader takes a snapshot before and after.
 *
 * DIFFERS: Linux has no such counters.
 */
#ifndef _LINUX_DMA_COST_H
#define _LINUX_DMA_COST_H

#include <linux/types.h>

enum dma_cost {
	DMA_COST_SG_ENTRIES,        /* scatterlist entries of memory that dma_map_* went through */
	DMA_COST_IOMMU_WRITES,      /* lowest page-table entries written: map, unmap, widen */
	DMA_COST_TLB_INVALIDATIONS, /* invalidation commands, whatever range each covers */
	DMA_COST_BYTES_CLEANED,     /* bytes passed over by cache cleans */
	DMA_COST_BYTES_INVALIDATED, /* by invalidates; clean+invalidate counts here, once */
	DMA_COST_BYTES_BOUNCED,     /* bytes copied between a bounce slot and memory, both ways */
	DMA_COST_BYTES_COMPARED, /* bytes of a slot or of memory compared with a twin, not copied */
	DMA_COST_RESV_LOCKS,     /* reservation locks taken */
	DMA_COST_PINNED_NS,      /* ns a buffer could not move, summed over buffers */
	DMA_COST_NR,
};

/* One snapshot of all counters, indexed by enum dma_cost. */
struct dma_costs {
	u64 count[DMA_COST_NR];
};

/** dma_cost_add - count @n of @kind. Context: any. Ordering: none. */
void dma_cost_add(enum dma_cost kind, u64 n);

/** dma_cost_read - all counters now, into @costs. Context: any. */
void dma_cost_read(struct dma_costs *costs);

/** dma_cost_since - counters now minus @before, into @delta. Context: any. */
void dma_cost_since(const struct dma_costs *before, struct dma_costs *delta);

/** dma_cost_name - "sg_entries", "iommu_writes", ... as in the pipeline's JSON */
const char *dma_cost_name(enum dma_cost kind);

#endif
