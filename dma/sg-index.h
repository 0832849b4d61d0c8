/* SPDX-License-Identifier: MIT */
/*
 * sg-index.h - where the entries of a long list of memory start
 *
 * A list is found from its first entry only.  Who maintains 64 bytes in the middle of a table of a
 * quarter of a million entries looks here first: each SG_INDEX_EVERY-th entry with the bytes before
 * it, searched by halves.  The rest of the way is walked.
 *
 * Invariants
 *   SX1  An index is constant, and right while the list's memory side is.
 *
 * Private to dma/.
 */
#ifndef DMA_SG_INDEX_H
#define DMA_SG_INDEX_H

#include <linux/types.h>
#include <linux/gfp.h>

struct scatterlist;

/* Lists of no more entries have no index: the walk is as short as any. */
#define SG_INDEX_EVERY 64

struct sg_mark {
	u64 start; /* bytes of memory before the entry */
	struct scatterlist *sg;
};

struct sg_index {
	unsigned int nr;
	struct sg_mark mark[]; /* of entries 0, SG_INDEX_EVERY, 2 * SG_INDEX_EVERY, ... */
};

/**
 * sg_index_make - of the first @nents entries of @sgl
 * Context: as @gfp says.  Returns NULL for a list that needs none, ERR_PTR(-ENOMEM).
 * Ownership: the caller's, until kvfree().
 */
struct sg_index *sg_index_make(struct scatterlist *sgl, unsigned int nents, gfp_t gfp);

/**
 * sg_index_find - the last marked entry that does not start after @offset
 * @nr: set to its number in the list
 * Context: any.
 */
const struct sg_mark *sg_index_find(const struct sg_index *index, u64 offset, unsigned int *nr);

#endif
