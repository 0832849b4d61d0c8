/* SPDX-License-Identifier: MIT */
/*
 * scatterlist.c - building, walking and freeing scatterlists
 *
 * Tables are chained in allocations of a page, as in Linux, so that code which steps with `sg + 1`
 * fails here too.
 *
 * Invariants
 *   ST1  A table that failed to build is freed to the last byte and looks empty.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/bug.h>

struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

struct scatterlist *sg_last(struct scatterlist *sgl, unsigned int nents)
{
	struct scatterlist *sg, *last = NULL;
	unsigned int i;

	for_each_sg(sgl, sg, nents, i)
		last = sg;
	return last;
}

int sg_nents(struct scatterlist *sg)
{
	int nents;

	for (nents = 0; sg; sg = sg_next(sg))
		nents++;
	return nents;
}

int sg_nents_for_len(struct scatterlist *sg, u64 len)
{
	u64 total = 0;
	int nents;

	if (!len)
		return 0;
	for (nents = 0; sg; sg = sg_next(sg)) {
		nents++;
		total += sg->length;
		if (total >= len)
			return nents;
	}
	return -EINVAL;
}

void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	if (WARN_ON(!nents))
		return;
	memset(sgl, 0, sizeof(*sgl) * nents);
	sg_mark_end(&sgl[nents - 1]);
}

void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int len)
{
	sg_init_table(sg, 1);
	sg_set_buf(sg, buf, len);
}

void sg_chain(struct scatterlist *prv, unsigned int prv_nents, struct scatterlist *sgl)
{
	struct scatterlist *link = &prv[prv_nents - 1];

	link->offset = 0;
	link->length = 0;
	link->page_link = ((unsigned long)sgl | SG_CHAIN) & ~SG_END;
}

void sg_free_table(struct sg_table *table)
{
	struct scatterlist *chunk = table->sgl, *next;
	unsigned int left = table->orig_nents;

	while (chunk) {
		next = NULL;
		if (left > SG_MAX_SINGLE_ALLOC) {
			next = sg_chain_ptr(&chunk[SG_MAX_SINGLE_ALLOC - 1]);
			left -= SG_MAX_SINGLE_ALLOC - 1;
		}
		kfree(chunk);
		chunk = next;
	}
	memset(table, 0, sizeof(*table));
}

int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
	struct scatterlist *chunk, *prev = NULL;
	unsigned int left = nents, take;

	memset(table, 0, sizeof(*table));
	if (!nents)
		return -EINVAL;
	while (left) {
		take = min_t(unsigned int, left, SG_MAX_SINGLE_ALLOC);
		chunk = kmalloc_array(take, sizeof(*chunk), gfp);
		if (!chunk)
			goto err_free;
		sg_init_table(chunk, take);
		if (prev)
			sg_chain(prev, SG_MAX_SINGLE_ALLOC, chunk);
		else
			table->sgl = chunk;
		if (left > SG_MAX_SINGLE_ALLOC)
			take--; /* the last entry of this allocation becomes the link */
		table->orig_nents += take;
		table->nents = table->orig_nents;
		left -= take;
		prev = chunk;
	}
	return 0;

err_free:
	/* what exists ends in a link that was never made; count that entry so that the walk stops
	 * there */
	if (prev)
		table->orig_nents++;
	sg_free_table(table);
	return -ENOMEM;
}

int sg_alloc_table_from_pages_segment(struct sg_table *table, struct page **pages,
				      unsigned int n_pages, unsigned int offset, unsigned long size,
				      unsigned int max_segment, gfp_t gfp)
{
	unsigned int max_pages = max_segment >> PAGE_SHIFT, first, next, segments, pass;
	struct scatterlist *sg = NULL;
	unsigned long left = size;
	int err;

	memset(table, 0, sizeof(*table));
	if (WARN_ON(!max_pages))
		return -EINVAL;

	/* The first pass counts the runs of neighbours, the second writes them down. */
	for (pass = 0;; pass++) {
		for (first = 0, segments = 0; first < n_pages; first = next, segments++) {
			unsigned long bytes;

			for (next = first + 1; next < n_pages && next - first < max_pages; next++)
				if (page_to_pfn(pages[next]) != page_to_pfn(pages[next - 1]) + 1)
					break;
			if (!pass)
				continue;
			bytes = min(left, ((unsigned long)(next - first) << PAGE_SHIFT) - offset);
			sg = sg ? sg_next(sg) : table->sgl;
			sg_set_page(sg, pages[first], bytes, offset);
			left -= bytes;
			offset = 0;
		}
		if (pass)
			return 0;
		err = sg_alloc_table(table, segments, gfp);
		if (err)
			return err;
	}
}

/* The one copy loop; @to_list says which way. */
static size_t sg_copy(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen,
		      bool to_list)
{
	struct scatterlist *sg;
	size_t done = 0, bytes;
	unsigned int i;

	for (sg = sgl, i = 0; sg && i < nents && done < buflen; sg = sg_next(sg), i++) {
		bytes = min_t(size_t, buflen - done, sg->length);
		if (to_list)
			memcpy(sg_virt(sg), (char *)buf + done, bytes);
		else
			memcpy((char *)buf + done, sg_virt(sg), bytes);
		done += bytes;
	}
	return done;
}

size_t sg_copy_to_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen)
{
	return sg_copy(sgl, nents, buf, buflen, false);
}

size_t sg_copy_from_buffer(struct scatterlist *sgl, unsigned int nents, const void *buf,
			   size_t buflen)
{
	return sg_copy(sgl, nents, (void *)buf, buflen, true);
}

void __sg_page_iter_start(struct sg_page_iter *piter, struct scatterlist *sglist,
			  unsigned int nents, unsigned long pgoffset)
{
	piter->sg = sglist;
	piter->sg_pgoffset = pgoffset;
	piter->__nents = nents;
	piter->__pg_advance = 0;
}

/* One step, over memory's pages or over the device's. */
static bool sg_page_iter_step(struct sg_page_iter *piter, bool dma)
{
	if (!piter->__nents || !piter->sg)
		return false;
	piter->sg_pgoffset += piter->__pg_advance;
	piter->__pg_advance = 1;
	for (;;) {
		struct scatterlist *sg = piter->sg;
		unsigned long bytes = dma ? offset_in_page(sg_dma_address(sg)) + sg_dma_len(sg)
					  : (unsigned long)sg->offset + sg->length;
		unsigned int pages = PAGE_ALIGN(bytes) >> PAGE_SHIFT;

		if (piter->sg_pgoffset < pages)
			return true;
		piter->sg_pgoffset -= pages;
		piter->sg = sg_next(sg);
		if (!--piter->__nents || !piter->sg)
			return false;
	}
}

bool __sg_page_iter_next(struct sg_page_iter *piter)
{
	return sg_page_iter_step(piter, false);
}

bool __sg_page_iter_dma_next(struct sg_dma_page_iter *dma_iter)
{
	return sg_page_iter_step(&dma_iter->base, true);
}
