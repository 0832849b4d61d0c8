/* SPDX-License-Identifier: MIT */
/*
 * gfp.h - how an allocation may behave, and the page allocator's functions
 *
 * The flags have Linux 6.12's names and meanings; their bit values are ours.  Zones do not exist:
 * all memory lies above 4 GiB (host/memory.h), so GFP_DMA32 cannot be honoured and a device that
 * needs low addresses bounces.  Nothing is reclaimed, so the flags that tune reclaim are accepted
 * and change nothing.
 *
 * Every allocation first asks port_should_fail(PORT_FAULT_ALLOC), except with __GFP_NOFAIL.
 */
#ifndef _LINUX_GFP_H
#define _LINUX_GFP_H

#include <linux/types.h>
#include <linux/mm_types.h>

#define __GFP_ZERO 0x0001u           /* the memory reads as zero */
#define __GFP_DIRECT_RECLAIM 0x0002u /* the caller may sleep; checked with might_sleep() */
#define __GFP_KSWAPD_RECLAIM 0x0004u
#define __GFP_IO 0x0008u
#define __GFP_FS 0x0010u
#define __GFP_NOWARN 0x0020u /* no WARN when the request can never be met */
#define __GFP_NORETRY 0x0040u
#define __GFP_RETRY_MAYFAIL 0x0080u
#define __GFP_NOFAIL 0x0100u /* no injected failure; NULL when truly exhausted (DIFFERS) */
#define __GFP_COMP 0x0200u   /* one page of the given order, see compound_order() */
#define __GFP_HIGH 0x0400u
#define __GFP_MEMALLOC 0x0800u
#define __GFP_NOMEMALLOC 0x1000u
#define __GFP_HARDWALL 0x2000u
#define __GFP_HIGHMEM 0x4000u
#define __GFP_MOVABLE 0x8000u
#define __GFP_DMA32 0x10000u
#define __GFP_ACCOUNT 0x20000u

#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO __GFP_RECLAIM
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER (__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)
#define GFP_DMA32 __GFP_DMA32

/** gfpflags_allow_blocking - may an allocation with @flags sleep? */
static inline bool gfpflags_allow_blocking(const gfp_t flags)
{
	return flags & __GFP_DIRECT_RECLAIM;
}

/* The largest block is 1 << MAX_PAGE_ORDER pages, 4 MiB, as on x86-64. */
#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS (MAX_PAGE_ORDER + 1)

/**
 * alloc_pages - 1 << @order pages, contiguous in every view, aligned to their size
 *
 * Context: may sleep if @gfp allows it.
 * Returns NULL when memory is exhausted, when a failure was asked for, or, with a WARN unless
 * __GFP_NOWARN, when @order exceeds MAX_PAGE_ORDER.
 * Ownership: the caller holds the one reference of the first page; the others have none, unless
 * split_page() gives them one.  Given back with __free_pages() of the same order or, for order 0
 * and __GFP_COMP, with the last put_page().
 * The bytes are undefined without __GFP_ZERO: usually those of the last owner.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);

static inline struct page *alloc_page(gfp_t gfp)
{
	return alloc_pages(gfp, 0);
}

/**
 * __free_pages - drop the reference that alloc_pages() gave
 *
 * The pages go back when it was the last; another holder's put_page() then frees them all.
 * Context: any; does not sleep.
 * Rules: WARN when @page is not the first of a block, is already free, or @order is not the
 * block's; then nothing is freed.
 */
void __free_pages(struct page *page, unsigned int order);

static inline void __free_page(struct page *page)
{
	__free_pages(page, 0);
}

/** __get_free_pages - the address of new pages, 0 on failure. As alloc_pages() */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);

static inline unsigned long __get_free_page(gfp_t gfp)
{
	return __get_free_pages(gfp, 0);
}

static inline unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

/** free_pages - give back what __get_free_pages() returned; 0 is ignored */
void free_pages(unsigned long addr, unsigned int order);

static inline void free_page(unsigned long addr)
{
	free_pages(addr, 0);
}

/**
 * alloc_pages_exact - @size bytes rounded up to whole pages, not to a power of two
 * free_pages_exact - give them back with the same @size
 *
 * As alloc_pages(); the surplus goes back at once.
 */
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *addr, size_t size);

/* There is one node. */
#define NUMA_NO_NODE (-1)
typedef struct {
	unsigned long bits[1];
} nodemask_t;

/**
 * alloc_contig_pages - @nr_pages neighbours, also more than the largest block has
 * @nid, @nodemask: not looked at
 *
 * Context: may sleep if @gfp allows it.
 * Returns the first, or NULL: 0 pages, memory exhausted or too fragmented for them, a failure that
 * was asked for.
 * Ownership: the caller holds one reference of each page, and gives them back with
 * free_contig_range() or one by one.
 * DIFFERS: nothing is moved out of the way; __GFP_ZERO works (Linux: from 6.14 on).
 */
struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int nid, nodemask_t *nodemask);

/** free_contig_range - drop a reference of each of @nr_pages pages from @pfn on */
void free_contig_range(unsigned long pfn, unsigned long nr_pages);

#endif
