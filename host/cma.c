/* SPDX-License-Identifier: MIT */
/* cma.c - see linux/cma.h: the one area */
#include <linux/cma.h>
#include <linux/dma-map-ops.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>

static struct cma area = { .name = "reserved" };
struct cma *dma_contiguous_default_area = &area;

struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align, bool no_warn)
{
	unsigned long aligned = 1UL << min(align, (unsigned int)CONFIG_CMA_ALIGNMENT);
	unsigned long taken = max(count, aligned);
	struct page *pages;

	if (!count)
		return NULL;
	/* A run of so many begins at a multiple of it, or of the largest block. */
	pages = alloc_contig_pages(taken, GFP_KERNEL, NUMA_NO_NODE, NULL);
	if (pages)
		free_contig_range(page_to_pfn(pages) + count, taken - count);
	return pages;
}

bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	if (!pages)
		return false;
	free_contig_range(page_to_pfn(pages), count);
	return true;
}

const char *cma_get_name(const struct cma *cma)
{
	return cma->name;
}
