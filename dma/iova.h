/* SPDX-License-Identifier: MIT */
/*
 * iova.h - the addresses a device behind an IOMMU may be given
 *
 * A buddy allocator over the 48-bit space: blocks of 2^order pages, aligned to their size.  So a
 * range never crosses a boundary larger than itself, freed neighbours join again, and the cost of a
 * call depends on the width of the space, not on how much of it is in use.
 *
 * Invariants
 *   IO1  The first MiB is never given out: a zero or a small integer is no address.
 *   IO2  Freeing allocates nothing.
 *
 * Context: the caller excludes all other users of the space.
 */
#ifndef DMA_IOVA_H
#define DMA_IOVA_H

#include <linux/types.h>
#include <linux/list.h>
#include "dma/keyed.h"

#define IOVA_BITS 48
#define IOVA_ORDERS (IOVA_BITS - 12)

struct iova_block {
	struct keyed_node by_start; /* while free */
	struct list_head of_order;  /* while free */
	u64 start;
	unsigned int order; /* 1 << order pages */
};

struct iova_space {
	struct keyed free_by_start;
	struct list_head free[IOVA_ORDERS];
};

/** iova_init - all of the space is free. May sleep; 0 or -ENOMEM, then nothing to undo */
int iova_init(struct iova_space *space);

/** iova_fini - the space goes. Blocks that are still out are leaked: WARNs are the caller's
 * business */
void iova_fini(struct iova_space *space);

/**
 * iova_alloc - a block of at least @bytes whose last byte is at most @limit
 * Returns NULL when there is none or no memory to split one.  Ownership: until iova_free().
 */
struct iova_block *iova_alloc(struct iova_space *space, u64 bytes, u64 limit);
void iova_free(struct iova_space *space, struct iova_block *block);

#endif
