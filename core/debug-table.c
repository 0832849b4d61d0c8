/* SPDX-License-Identifier: MIT */
/*
 * debug-table.c - see debug-table.h
 *
 * Invariants
 *   DT1  Nothing follows a pointer that an importer gives: it is looked for among those shown.
 *   DT2  A hidden copy stays readable while GRAVES others are hidden after it: whoever uses it
 *        reads poison, not somebody else's memory.
 */
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "debug-table.h"

/* No machine has memory or I/O addresses there. */
#define POISON_DMA ((dma_addr_t)0xdead6b6b6b6b0000ull)
#define GRAVES 64

struct debug_table {
	/* constant */
	struct sg_table copy; /* entries: written when shown and when hidden */
	unsigned int entries;
	struct sg_table *real;
	struct dma_buf_attachment *attach;

	struct list_head node; /* guarded by lock */
};

static DEFINE_SPINLOCK(lock);
static LIST_HEAD(shown_tables);            /* guarded by lock */
static struct debug_table *graves[GRAVES]; /* guarded by lock */
static unsigned int next_grave;            /* guarded by lock */

static void debug_table_free(struct debug_table *table)
{
	if (!table)
		return;
	table->copy.orig_nents = table->entries;
	sg_free_table(&table->copy);
	kfree(table);
}

struct sg_table *debug_table_show(struct dma_buf_attachment *attach, struct sg_table *real)
{
	struct debug_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	struct scatterlist *from = real->sgl, *to;
	unsigned int i;
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	table->entries = max(real->orig_nents, real->nents);
	ret = sg_alloc_table(&table->copy, table->entries, GFP_KERNEL);
	if (ret)
		goto free_table;
	table->copy.nents = real->nents;
	for_each_sgtable_sg(&table->copy, to, i) {
		unsigned long ends = to->page_link;

		*to = *from;
		to->page_link = ends;
		to->offset = 0;
		to->length = 0;
		from = sg_next(from);
	}
	table->copy.orig_nents = real->orig_nents;
	table->real = real;
	table->attach = attach;
	spin_lock(&lock);
	list_add(&table->node, &shown_tables);
	spin_unlock(&lock);
	return &table->copy;

free_table:
	kfree(table);
	return ERR_PTR(ret);
}

/* DT1.  Lock held. */
static struct debug_table *find(struct dma_buf_attachment *attach, struct sg_table *shown)
{
	struct debug_table *table;

	list_for_each_entry(table, &shown_tables, node)
		if (&table->copy == shown && table->attach == attach)
			return table;
	return NULL;
}

struct sg_table *debug_table_real(struct dma_buf_attachment *attach, struct sg_table *shown)
{
	struct debug_table *table;

	spin_lock(&lock);
	table = find(attach, shown);
	spin_unlock(&lock);
	return table ? table->real : NULL;
}

struct sg_table *debug_table_hide(struct dma_buf_attachment *attach, struct sg_table *shown)
{
	struct debug_table *table, *old = NULL;
	struct sg_table *real = NULL;
	struct scatterlist *entry;
	unsigned int i;

	spin_lock(&lock);
	table = find(attach, shown);
	if (table) {
		real = table->real; /* others that hide may free it as soon as the lock is free */
		list_del(&table->node);
		for_each_sg(table->copy.sgl, entry, table->entries, i)
			sg_dma_address(entry) = POISON_DMA;
		old = graves[next_grave];
		graves[next_grave] = table;
		next_grave = (next_grave + 1) % GRAVES;
	}
	spin_unlock(&lock);
	debug_table_free(old);
	return real;
}
