/* SPDX-License-Identifier: MIT */
/*
 * pagetable.c - see pagetable.h
 *
 * Tables are installed by compare-and-swap, so that threads which map at the same time need no
 * lock; the loser frees his.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include "dma/pagetable.h"

static unsigned int page_table_index(u64 addr, unsigned int level)
{
	return (addr >> (PAGE_SHIFT + PAGE_TABLE_BITS * level)) & (PAGE_TABLE_WORDS - 1);
}

int page_table_init(struct page_table *table)
{
	table->root = kzalloc(sizeof(*table->root), GFP_KERNEL);
	return table->root ? 0 : -ENOMEM;
}

static void page_table_free(struct page_table_node *node, unsigned int level)
{
	unsigned int i;

	if (!node)
		return;
	for (i = 0; level && i < PAGE_TABLE_WORDS; i++)
		page_table_free((void *)atomic64_read(&node->word[i]), level - 1);
	kfree(node);
}

void page_table_fini(struct page_table *table)
{
	page_table_free(table->root, PAGE_TABLE_LEVELS - 1);
	table->root = NULL;
}

static struct page_table_node *page_table_child(const struct page_table_node *node, u64 addr,
						unsigned int level)
{
	return (void *)atomic64_read_acquire(&node->word[page_table_index(addr, level)]);
}

static struct page_table_node *page_table_make(struct page_table_node *node, u64 addr,
					       unsigned int level)
{
	struct page_table_node *child = page_table_child(node, addr, level), *made;

	if (child)
		return child;
	made = kzalloc(sizeof(*made), GFP_ATOMIC);
	if (!made)
		return NULL;
	if (!atomic64_cmpxchg(&node->word[page_table_index(addr, level)], 0,
			      (s64)(unsigned long)made))
		return made;
	kfree(made);
	/* A compare-and-swap that fails orders nothing: the winner's zeroes need this acquire. */
	return page_table_child(node, addr, level);
}

int page_table_reserve(struct page_table *table, u64 addr, u64 bytes)
{
	const u64 span = (u64)PAGE_SIZE << PAGE_TABLE_BITS; /* of one lowest table */
	u64 end = addr + bytes;

	if (end < addr || end > 1ULL << PAGE_TABLE_ADDRESS_BITS)
		return -ERANGE;
	for (addr &= ~(span - 1); addr < end; addr += span) {
		struct page_table_node *node = table->root;
		unsigned int level;

		for (level = PAGE_TABLE_LEVELS - 1; level; level--) {
			node = page_table_make(node, addr, level);
			if (!node)
				return -ENOMEM;
		}
	}
	return 0;
}

atomic64_t *page_table_word(const struct page_table *table, u64 addr)
{
	struct page_table_node *node = table->root;
	unsigned int level;

	if (addr >> PAGE_TABLE_ADDRESS_BITS)
		return NULL;
	for (level = PAGE_TABLE_LEVELS - 1; node && level; level--)
		node = page_table_child(node, addr, level);
	return node ? &node->word[page_table_index(addr, 0)] : NULL;
}
