/* SPDX-License-Identifier: MIT */
/*
 * pagetable.h - one 64-bit word for each 4 KiB page of a 48-bit address space
 *
 * A radix tree of four levels with 512 words each.  What a word means is its user's business: the
 * IOMMU keeps the physical page and the permission (dma/iommu.c), a device without one keeps how
 * many mappings allow reading and writing the page (dma/direct.c).
 *
 * Invariants
 *   PT1  Readers need no lock: a table that was installed stays until page_table_fini().
 *   PT2  page_table_word() of a page that page_table_reserve() covered never fails.
 *
 * Not modelled: leaf entries larger than a page; freeing tables that became empty.
 */
#ifndef DMA_PAGETABLE_H
#define DMA_PAGETABLE_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/mm.h>

#define PAGE_TABLE_BITS 9
#define PAGE_TABLE_WORDS (1U << PAGE_TABLE_BITS)
#define PAGE_TABLE_LEVELS 4
#define PAGE_TABLE_ADDRESS_BITS (PAGE_SHIFT + PAGE_TABLE_BITS * PAGE_TABLE_LEVELS)

struct page_table_node {
	atomic64_t word[PAGE_TABLE_WORDS];
};

struct page_table {
	struct page_table_node *root;
};

/** page_table_init - an empty tree. May sleep; 0 or -ENOMEM */
int page_table_init(struct page_table *table);

/** page_table_fini - all of it goes; nobody may be looking. Works on a zeroed @table too */
void page_table_fini(struct page_table *table);

/**
 * page_table_reserve - make the tables for [@addr, @addr + @bytes)
 *
 * Context: any; may run beside others on the same tree.  Returns 0, -ENOMEM, -ERANGE beyond 48
 * bits. Tables made before a failure stay and are used by the next caller.
 */
int page_table_reserve(struct page_table *table, u64 addr, u64 bytes);

/**
 * page_table_word - the word of @addr's page, NULL where there is no table
 * Context: any.  The words of the following pages come next in memory up to a multiple of 2 MiB.
 */
atomic64_t *page_table_word(const struct page_table *table, u64 addr);

#endif
