/* SPDX-License-Identifier: MIT */
/*
 * direct.c - devices without an IOMMU
 *
 * The DMA address is the physical one plus the machine's offset, which is never 0: code that mixes
 * the two up faults.  A device that cannot send such addresses gets a bounce slot's.  Hardware
 * would let it reach everything; here the page table counts for each page the mappings that let the
 * device read it (low half of the word) and write it (high half), and an access without one faults.
 *
 * Invariants
 *   DI1  A device in DMA_DOMAIN_BOUNCE bounces every entry, so its domain is one for all of a
 * table.
 *
 * Not modelled: the part of a page that an entry does not cover; the device can reach the whole
 * page.
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include "dma/view.h"

#define DIRECT_READER 1LL
#define DIRECT_WRITER (1LL << 32)

static s64 direct_counts(unsigned int may)
{
	return (may & DMA_MAY_READ ? DIRECT_READER : 0) + (may & DMA_MAY_WRITE ? DIRECT_WRITER : 0);
}

/* Add @counts to the words of the pages that @len bytes at @addr touch; the tables exist. */
static void direct_count(struct dma_view *view, u64 addr, u64 len, s64 counts)
{
	const u64 table_bytes = (u64)PAGE_SIZE << PAGE_TABLE_BITS;
	u64 end = PAGE_ALIGN(addr + len);

	addr &= PAGE_MASK;
	while (addr < end) {
		u64 stop = min(end, (addr | (table_bytes - 1)) + 1);
		atomic64_t *word = page_table_word(&view->table, addr);

		if (WARN_ON(!word))
			return;
		for (; addr < stop; addr += PAGE_SIZE)
			atomic64_add(counts, word++);
	}
}

/* Take back the first @nents entries. */
static void direct_undo(struct dma_view *view, struct scatterlist *sgl, int nents, unsigned int may)
{
	struct bounce_pool *pool = &view->machine->bounce;
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		direct_count(view, sg_dma_address(sg), sg->length, -direct_counts(may));
		if (bounce_has(pool, sg_dma_address(sg)))
			bounce_put(pool, sg_dma_address(sg));
	}
}

int direct_map(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl, int nents)
{
	bool bounce = dma_view_domain(view) == DMA_DOMAIN_BOUNCE;
	struct bounce_pool *pool = &view->machine->bounce;
	unsigned int may = dma_may(live->dir);
	struct scatterlist *sg;
	dma_addr_t addr;
	int i, err;

	for_each_sg(sgl, sg, nents, i) {
		if (bounce)
			addr = bounce_get(pool, view, sg_phys(sg), sg->length);
		else
			addr = sg_phys(sg) + view->machine->offset;
		err = -ENOMEM;
		if (addr == DMA_MAPPING_ERROR)
			goto err_undo;
		err = page_table_reserve(&view->table, addr, sg->length);
		if (err)
			goto err_slot;
		direct_count(view, addr, sg->length, direct_counts(may));
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
	}
	return nents;

err_slot:
	if (bounce)
		bounce_put(pool, addr);
err_undo:
	direct_undo(view, sgl, i, may);
	return err;
}

int direct_map_range(struct dma_view *view, struct dma_live *live, phys_addr_t phys,
		     dma_addr_t *addr)
{
	int err;

	*addr = phys + view->machine->offset;
	if (*addr + live->bytes - 1 > dma_get_mask(view->dev))
		return -ENOMEM;
	err = page_table_reserve(&view->table, *addr, live->bytes);
	if (!err)
		direct_count(view, *addr, live->bytes, direct_counts(dma_may(live->dir)));
	return err;
}

void direct_unmap_range(struct dma_view *view, struct dma_live *live, dma_addr_t addr)
{
	direct_count(view, addr, live->bytes, -direct_counts(dma_may(live->dir)));
}

void direct_unmap(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl)
{
	direct_undo(view, sgl, live->nents, dma_may(live->dir));
}

void direct_widen(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl,
		  unsigned int may)
{
	s64 counts = direct_counts(may & ~dma_may(live->dir));
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, live->nents, i)
		direct_count(view, sg_dma_address(sg), sg->length, counts);
}

enum dma_fault_reason direct_reach(struct dma_view *view, dma_addr_t addr, size_t len,
				   unsigned int may, struct dma_reach *at)
{
	const struct bounce_pool *pool = &view->machine->bounce;
	size_t reached;

	/* stop before the first page that does not allow it, but say why if it is the very first */
	for (reached = 0; reached < len; reached = PAGE_ALIGN(addr + reached + 1) - addr) {
		atomic64_t *word = page_table_word(&view->table, addr + reached);
		u64 counts = word ? atomic64_read_acquire(word) : 0;

		if (counts && !((may & DMA_MAY_READ) && !(u32)counts) &&
		    !((may & DMA_MAY_WRITE) && !(counts >> 32)))
			continue;
		if (!reached)
			return counts ? DMA_FAULT_PERMISSION : DMA_FAULT_UNMAPPED;
		break;
	}
	at->len = min(reached, len);
	at->slot = NULL;
	if (bounce_has(pool, addr)) {
		/* neighbouring slots may stand for memory that is elsewhere */
		if (!may)
			at->len = min_t(size_t, at->len, PAGE_SIZE - offset_in_page(addr));
		at->slot = bounce_virt(pool, addr);
		at->phys = bounce_phys(pool, addr);
	} else {
		at->phys = addr - view->machine->offset;
	}
	return DMA_FAULT_NONE;
}
