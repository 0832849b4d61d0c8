/* SPDX-License-Identifier: MIT */
/*
 * cma.h - memory in one piece, from an area that the machine put aside
 *
 * DIFFERS: there is one area, of all memory, so an allocation fails only when memory is used up or in
 * pieces, and what is allocated otherwise counts, too.  Semantics: Linux 6.12.
 */
#ifndef _LINUX_CMA_H
#define _LINUX_CMA_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* An area; ours is all of memory, whatever its name. */
struct cma {
	const char *name;
};

/* The largest order that cma_alloc() aligns to: 1 MiB. */
#define CONFIG_CMA_ALIGNMENT 8

/**
 * cma_alloc - @count pages in one piece, the first at a multiple of 1 << @align pages
 * @align: an order; above CONFIG_CMA_ALIGNMENT that
 *
 * The pages hold what they held.  Context: may sleep.  Returns NULL for none and without memory.
 * Ownership: the caller's, until cma_release() of all of them.
 */
struct page *cma_alloc(struct cma *cma, unsigned long count, unsigned int align, bool no_warn);

/** cma_release - give @count pages back. Returns false, and nothing happens, for NULL */
bool cma_release(struct cma *cma, const struct page *pages, unsigned long count);

/** cma_get_name - "reserved", if nobody named it otherwise. Context: any */
const char *cma_get_name(const struct cma *cma);

#endif
