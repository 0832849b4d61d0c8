/* SPDX-License-Identifier: MIT */
/*
 * sg-index.c - see sg-index.h
 */
#include <linux/err.h>
#include <linux/math.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "dma/sg-index.h"

struct sg_index *sg_index_make(struct scatterlist *sgl, unsigned int nents, gfp_t gfp)
{
	struct sg_index *index;
	struct scatterlist *sg;
	unsigned int i;
	u64 start = 0;

	if (nents <= SG_INDEX_EVERY)
		return NULL;
	index = kvmalloc(
		sizeof(*index) + DIV_ROUND_UP(nents, SG_INDEX_EVERY) * sizeof(index->mark[0]), gfp);
	if (!index)
		return ERR_PTR(-ENOMEM);
	index->nr = 0;
	for_each_sg(sgl, sg, nents, i) {
		if (i % SG_INDEX_EVERY == 0)
			index->mark[index->nr++] = (struct sg_mark){ .start = start, .sg = sg };
		start += sg->length;
	}
	return index;
}

const struct sg_mark *sg_index_find(const struct sg_index *index, u64 offset, unsigned int *nr)
{
	unsigned int low = 0, high = index->nr;

	while (high - low > 1) {
		unsigned int middle = low + (high - low) / 2;

		if (index->mark[middle].start <= offset)
			low = middle;
		else
			high = middle;
	}
	*nr = low * SG_INDEX_EVERY;
	return &index->mark[low];
}
