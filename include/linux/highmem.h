/* SPDX-License-Identifier: MIT */
/*
 * highmem.h - short-lived addresses of single pages
 *
 * All pages have a linear address, so these are page_address() and nothing to undo.  kunmap_local()
 * still must be called, in reverse order, by sources that are to run in Linux.
 */
#ifndef _LINUX_HIGHMEM_H
#define _LINUX_HIGHMEM_H

#include <linux/mm.h>
#include <linux/uaccess.h>

static inline void *kmap_local_page(struct page *page)
{
	return page_address(page);
}

static inline void kunmap_local(const void *addr)
{
}

static inline void *kmap(struct page *page)
{
	return page_address(page);
}

static inline void kunmap(struct page *page)
{
}

/* PageHighMem - never: all memory has a linear address */
static inline bool PageHighMem(const struct page *page)
{
	return false;
}

/* In Linux these also forbid sleeping; new code uses kmap_local_page(). */
static inline void *kmap_atomic(struct page *page)
{
	return page_address(page);
}

static inline void kunmap_atomic(const void *addr)
{
}

static inline void clear_highpage(struct page *page)
{
	clear_page(page_address(page));
}

static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	memcpy(to, (char *)page_address(page) + offset, len);
}

static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	memcpy((char *)page_address(page) + offset, from, len);
}

#endif
