/* SPDX-License-Identifier: MIT */
/*
 * dma-table.h - what a cached mapping asks of the DMA layer beyond Linux's DMA API
 *
 * Linux's API can map, unmap and sync with the direction of the mapping.  A mapping that is kept
 * needs four things more: to be built and torn down without moving bytes, to be widened where it
 * is, to say where its device reads, and to be maintained over a part of it.  In Linux the first is
 * DMA_ATTR_SKIP_CPU_SYNC in the exporter's hands and the others do not exist.
 *
 * DIFFERS: all of this file is ours.
 */
#ifndef _LINUX_DMA_TABLE_H
#define _LINUX_DMA_TABLE_H

#include <linux/types.h>
#include <linux/dma-direction.h>

struct device;
struct sg_table;

/* Where a device finds the bytes of ordinary memory; the coherence domains of docs/coherence.md. */
enum dma_domain {
	DMA_DOMAIN_CACHES, /* C: it snoops, so it sees what the CPU sees */
	DMA_DOMAIN_MEMORY, /* M: it reads memory behind the CPU's caches */
	DMA_DOMAIN_BOUNCE, /* B: it cannot reach the memory and works on a copy of it */
};

/**
 * dma_device_domain - the domain @dev's mappings of system memory will be in
 *
 * Context: any.  A device whose mask does not reach all memory and that has no IOMMU is in
 * DMA_DOMAIN_BOUNCE, whether it snoops or not.
 */
enum dma_domain dma_device_domain(struct device *dev);

/**
 * dma_owned_begin - tables this thread maps or unmaps from now on belong to the core
 *
 * Until dma_owned_end() every dma_map_* and dma_unmap_* of this thread behaves as with
 * DMA_ATTR_SKIP_CPU_SYNC: the coherence directory moves the bytes, and an exporter's unmap must not
 * destroy the newest ones.  Fresh bounce slots are left as they are.  Does not nest.
 *
 * Context: any; the state is the calling thread's.
 */
void dma_owned_begin(void);
void dma_owned_end(void);

/**
 * dma_table_widen - allow @dev also direction @to on a table mapped for @from, in place
 *
 * The DMA addresses stay; the IOMMU's entries gain the missing permission and one TLB invalidation
 * makes it valid.  Without an IOMMU there is nothing to write.  After success the table must be
 * unmapped with the union of both directions.
 *
 * Context: may sleep.  Other threads may be using the table with @from meanwhile; the caller
 * excludes its unmap and other widenings of it.
 * Returns 0, also where @from already includes @to; -EINVAL when @sgt is not mapped for @dev with
 * @from.
 * Ordering: on success the device may use the permission as soon as this returns.
 */
int dma_table_widen(struct device *dev, struct sg_table *sgt, enum dma_data_direction from,
		    enum dma_data_direction to);

/**
 * dma_table_bounce - the CPU's address of the slot byte that stands for byte @offset of @sgt
 * @len: set to the bytes contiguous from there, over as many entries as have neighbouring slots
 *       (the
 *	 memory they stand for need not be contiguous); 0 when not bounced
 *
 * @len stops after some dozens of entries, so that a question about one byte of a long table stays
 * cheap; ask again for the rest.
 *
 * Returns NULL when that byte is not bounced.
 * Context: any, table mapped.
 * Ownership: the slot stays the DMA layer's and goes with the unmap.
 */
void *dma_table_bounce(struct device *dev, struct sg_table *sgt, size_t offset, size_t *len);

enum dma_table_op {
	DMA_TABLE_CLEAN,            /* dirty lines go to memory and stay in the caches */
	DMA_TABLE_INVALIDATE,       /* lines leave the caches; dirty ones are lost */
	DMA_TABLE_CLEAN_INVALIDATE, /* both, indivisible for each line */
	/* With one of these: also for a device that snoops, which will not this time. */
	DMA_TABLE_ANY_DEVICE = 4,
};

/**
 * dma_table_sync - one cache operation on bytes [@offset, @offset + @len) of a table mapped for
 * @dev
 *
 * Rounded out to whole cache lines.  Does nothing for devices in DMA_DOMAIN_CACHES, unless @op has
 * DMA_TABLE_ANY_DEVICE, and never copies bounce slots: those are moved through dma_table_bounce().
 * Safe beside stores and DMA to other lines; DMA_TABLE_CLEAN_INVALIDATE also beside stores to the
 * same line.
 *
 * A table without pages is device memory, which nobody caches: nothing is done.
 *
 * Context: may sleep.  WARNs when the bytes go past the table's end; those inside are done.
 * Counted in DMA_COST_BYTES_*: the lines of each entry it passes over.
 */
void dma_table_sync(struct device *dev, struct sg_table *sgt, size_t offset, size_t len,
		    enum dma_table_op op);

#endif
