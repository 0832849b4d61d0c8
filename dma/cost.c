/* SPDX-License-Identifier: MIT */
/*
 * cost.c - see linux/dma-cost.h
 *
 * Each counter has a cache line of its own: threads that count different things do not meet.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/dma-cost.h>

#include "dma/cost.h"

static struct {
	atomic64_t count;
} ____cacheline_aligned dma_cost_counters[DMA_COST_NR];

static const char *const dma_cost_names[DMA_COST_NR] = {
	[DMA_COST_SG_ENTRIES] = "sg_entries",
	[DMA_COST_IOMMU_WRITES] = "iommu_writes",
	[DMA_COST_TLB_INVALIDATIONS] = "tlb_invalidations",
	[DMA_COST_BYTES_CLEANED] = "bytes_cleaned",
	[DMA_COST_BYTES_INVALIDATED] = "bytes_invalidated",
	[DMA_COST_BYTES_BOUNCED] = "bytes_bounced",
	[DMA_COST_BYTES_COMPARED] = "bytes_compared",
	[DMA_COST_RESV_LOCKS] = "resv_locks",
	[DMA_COST_PINNED_NS] = "pinned_ns",
};

void (*dma_cost_listener)(enum dma_cost kind, u64 n);

void dma_cost_add(enum dma_cost kind, u64 n)
{
	if (WARN_ON(kind >= DMA_COST_NR))
		return;
	if (n)
		atomic64_add(n, &dma_cost_counters[kind].count);
	if (unlikely(dma_cost_listener))
		dma_cost_listener(kind, n);
}

void dma_cost_read(struct dma_costs *costs)
{
	unsigned int kind;

	for (kind = 0; kind < DMA_COST_NR; kind++)
		costs->count[kind] = atomic64_read(&dma_cost_counters[kind].count);
}

void dma_cost_since(const struct dma_costs *before, struct dma_costs *delta)
{
	unsigned int kind;

	dma_cost_read(delta);
	for (kind = 0; kind < DMA_COST_NR; kind++)
		delta->count[kind] -= before->count[kind];
}

const char *dma_cost_name(enum dma_cost kind)
{
	return WARN_ON(kind >= DMA_COST_NR) ? "unknown" : dma_cost_names[kind];
}
