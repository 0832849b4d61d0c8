/* SPDX-License-Identifier: MIT */
/*
 * mm.h - pages: their names, addresses and references
 *
 * Memory is one sparse arena (host/memory.h).  A page has four names, and each leads to the others
 * by arithmetic: its struct page, its frame number, its physical address, its address in the arena
 * ("linear" address).  vmap() gives it further addresses that are true aliases (linux/vmalloc.h).
 *
 * Invariants
 *   MM1  Only memory of the page allocator, and a program's that is pinned, has a struct page.
 *        kmalloc() memory comes from malloc() and has none (DIFFERS: in Linux it has), so it cannot
 *        be mapped for a device; virt_addr_valid() tells.
 *   MM2  Physical addresses start above 4 GiB.
 *   MM3  A page with a reference is not reused.
 */
#ifndef _LINUX_MM_H
#define _LINUX_MM_H

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/page.h>

#define PAGE_ALIGN(addr) ALIGN(addr, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(addr) ((addr)&PAGE_MASK)
#define PAGE_ALIGNED(addr) (((unsigned long)(addr) & (PAGE_SIZE - 1)) == 0)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

/*
 * The arena, for the arithmetic below; host/memory.h says what it is.  Constant once main() runs.
 */
extern struct page *mem_map;
extern void *host_memory_base;
#define HOST_PHYS_BASE 0x140000000ULL

/** page_to_pfn - @page's frame number. Context: any */
static inline unsigned long page_to_pfn(const struct page *page)
{
	return (HOST_PHYS_BASE >> PAGE_SHIFT) + (unsigned long)(page - mem_map);
}

/** page_to_phys - the physical address of @page's first byte. Context: any */
static inline phys_addr_t page_to_phys(const struct page *page)
{
	return (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT;
}

/** page_address - @page's linear address. Context: any. Never NULL: there is no high memory */
static inline void *page_address(const struct page *page)
{
	return (char *)host_memory_base + ((unsigned long)(page - mem_map) << PAGE_SHIFT);
}

/** pfn_valid - is there a page with this number? Context: any */
bool pfn_valid(unsigned long pfn);

/** virt_addr_valid - is @addr a linear address, of a page in use or not? Context: any */
bool virt_addr_valid(const volatile void *addr);

/**
 * pfn_to_page, phys_to_page, virt_to_page - the page with this number, physical or linear address
 *
 * Context: any.  Returns NULL, with a WARN, when there is none.  A vmap() address is not linear:
 * use vmalloc_to_page().  DIFFERS: in Linux a wrong argument gives a wild pointer.
 */
struct page *pfn_to_page(unsigned long pfn);
struct page *phys_to_page(phys_addr_t phys);
struct page *virt_to_page(const volatile void *addr);

/**
 * virt_to_phys, phys_to_virt - between linear and physical addresses; 0 or NULL, with a WARN, if
 * foreign
 */
phys_addr_t virt_to_phys(const volatile void *addr);
void *phys_to_virt(phys_addr_t phys);

/** nth_page - the @n-th page after @page in a contiguous range */
#define nth_page(page, n) ((page) + (n))

/** get_order - the least order whose block holds @size bytes; @size must not be 0 */
static inline int get_order(unsigned long size)
{
	unsigned long pages = (size - 1) >> PAGE_SHIFT;

	return pages ? 64 - __builtin_clzl(pages) : 0;
}

/** PageCompound - does @page belong to a block made with __GFP_COMP? Caller holds a reference */
static inline bool PageCompound(const struct page *page)
{
	return page->compound;
}

/** compound_head - the first page of @page's __GFP_COMP block; @page itself if it is in none */
static inline struct page *compound_head(const struct page *page)
{
	return (struct page *)page - page->head_distance;
}

/** compound_order - the order of @page's __GFP_COMP block if @page is its head, else 0 */
static inline unsigned int compound_order(const struct page *page)
{
	return page->compound && !page->head_distance ? page->order : 0;
}

/** compound_nr, page_size - pages and bytes of the block @page is the head of */
static inline unsigned long compound_nr(const struct page *page)
{
	return 1UL << compound_order(page);
}

static inline unsigned long page_size(const struct page *page)
{
	return PAGE_SIZE << compound_order(page);
}

/** page_count - references of @page's block, a hint */
static inline int page_count(const struct page *page)
{
	return atomic_read(&compound_head(page)->_refcount);
}

/**
 * get_page - one more reference
 * Context: any.  The caller holds one already: WARN when the page is free.
 */
void get_page(struct page *page);

/**
 * put_page - one reference less; the last one frees the page's whole block
 * Context: any; does not sleep.  WARN, and nothing happens, when there is none left.
 */
void put_page(struct page *page);

/**
 * split_page - make 1 << @order pages of order 0 out of one block
 *
 * Afterwards each page has its own reference and is freed on its own.
 * Context: any; the caller holds the block's only reference.  WARN, and nothing happens, for a
 * __GFP_COMP block or a wrong @order.
 */
void split_page(struct page *page, unsigned int order);

/* --- blocks by their first page --------------------------------------------------------------- */

/** page_folio - the block that @page is in. Caller holds a reference */
static inline struct folio *page_folio(struct page *page)
{
	return (struct folio *)compound_head(page);
}

/** folio_page - its page @n, from 0 on */
static inline struct page *folio_page(struct folio *folio, unsigned long n)
{
	return nth_page(&folio->page, n);
}

/** folio_nr_pages, folio_size, folio_pfn, folio_address - pages, bytes, first frame, linear address */
static inline unsigned long folio_nr_pages(const struct folio *folio)
{
	return compound_nr(&folio->page);
}

static inline size_t folio_size(const struct folio *folio)
{
	return page_size(&folio->page);
}

static inline unsigned long folio_pfn(const struct folio *folio)
{
	return page_to_pfn(&folio->page);
}

static inline void *folio_address(const struct folio *folio)
{
	return page_address(&folio->page);
}

/** folio_get, folio_put - get_page() and put_page() of the block */
static inline void folio_get(struct folio *folio)
{
	get_page(&folio->page);
}

static inline void folio_put(struct folio *folio)
{
	put_page(&folio->page);
}

/**
 * memfd_pin_folios - the pages of @memfd from byte @start to byte @end, pinned
 * @memfd: of fget(); see linux/memfd.h
 * @folios: room for @max_folios; further ones are not pinned
 * @offset: of @start in the first
 *
 * Holes get memory.  Context: may sleep.
 * Ownership: each is the caller's to unpin.
 * Returns how many, one page each; -EINVAL for no memfd, no room, or a byte that it does not have;
 * -EACCES when it is not open to read and write (DIFFERS: Linux pins what is open to read);
 * -EPERM when a seal forbids to write; -ENOSPC, -ENOMEM, -EMFILE.
 */
long memfd_pin_folios(struct file *memfd, loff_t start, loff_t end, struct folio **folios,
		      unsigned int max_folios, pgoff_t *offset);

/** unpin_folio, unpin_folios - undo it for one, or for @nfolios. Context: any; does not sleep */
void unpin_folio(struct folio *folio);
void unpin_folios(struct folio **folios, unsigned long nfolios);

#include <linux/vm_area.h>

#endif
