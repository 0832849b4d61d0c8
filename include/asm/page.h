/* SPDX-License-Identifier: MIT */
/*
 * page.h - the size of a page, and clearing and copying one
 *
 * Always 4 KiB, whatever the machine below uses: sg_tables, IOMMU entries and the figures in docs/
 * then mean the same everywhere.  A host with larger pages is refused at start (host/memory.c),
 * since aliases of a page are made with mmap().
 */
#ifndef _ASM_PAGE_H
#define _ASM_PAGE_H

#include <string.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

/** clear_page - zero the page at @addr */
static inline void clear_page(void *addr)
{
	memset(addr, 0, PAGE_SIZE);
}

/** copy_page - copy the page at @from to @to */
static inline void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

#endif
