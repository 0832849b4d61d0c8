/* SPDX-License-Identifier: MIT */
/*
 * cma.h - memory in one piece, from an area that the machine put aside
 *
 * There is one area, of all memory (linux/gfp.h: alloc_contig_pages()), so an allocation fails only
 * when memory is exhausted or in pieces.
 */
#ifndef _LINUX_CMA_H
#define _LINUX_CMA_H

#include <linux/mm.h>

#define CONFIG_CMA_ALIGNMENT 8

struct cma {
	const char *name;
};

/**
 * cma_alloc - @count pages in one piece
 * @align: an order; not looked at
 *
 * Context: may sleep.  Returns NULL without memory.  Given back with cma_release(), whole.
 */
static inline struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align,
				     bool no_warn)
{
	return alloc_contig_pages(count, GFP_KERNEL, NUMA_NO_NODE, NULL);
}

static inline bool cma_release(struct cma *cma, const struct page *pages, unsigned long count)
{
	free_contig_range(page_to_pfn(pages), count);
	return true;
}

static inline const char *cma_get_name(const struct cma *cma)
{
	return cma->name;
}

#endif
