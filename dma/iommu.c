/* SPDX-License-Identifier: MIT */
/*
 * iommu.c - a device's page table: addresses of its own, with permissions
 *
 * A word is the physical page with DMA_MAY_* in its low bits; 0 is no page.  A list gets one
 * aligned range of addresses; each entry starts on a page of it, at its offset in its own first
 * page.  So the device can reach the rest of those pages too: permissions are per page, as in
 * hardware.
 *
 * Invariants
 *   IM1  An unmap or a widening ends with one invalidation command for its whole range.
 *   IM2  A map writes entries only after all that can fail has succeeded.
 *
 * Not modelled: a TLB that keeps old entries; the tables above the lowest level are not counted.
 */
#include <linux/bug.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include "dma/view.h"

/* Pages of the device's address space that @sg needs, in bytes. */
static u64 iommu_span(const struct scatterlist *sg)
{
	return PAGE_ALIGN(offset_in_page(sg->offset) + (u64)sg->length);
}

/* Where in the range an entry of @span starts that may not start before @pos nor cross a boundary.
 */
static u64 iommu_place(u64 pos, u64 span, u64 boundary)
{
	return (pos & boundary) + span - 1 > boundary ? (pos | boundary) + 1 : pos;
}

/* Set or clear the words of [@addr, @addr + @span); @entry 0 clears. */
static void iommu_write(struct dma_view *view, u64 addr, u64 span, u64 entry)
{
	const u64 table_bytes = (u64)PAGE_SIZE << PAGE_TABLE_BITS;
	u64 end = addr + span;

	while (addr < end) {
		u64 stop = min(end, (addr | (table_bytes - 1)) + 1);
		atomic64_t *word = page_table_word(&view->table, addr);

		for (; addr < stop; addr += PAGE_SIZE) {
			atomic64_set_release(word++, entry);
			if (entry)
				entry += PAGE_SIZE;
		}
	}
	dma_cost_add(DMA_COST_IOMMU_WRITES, span >> PAGE_SHIFT);
}

/*
 * Give the entries of memory their addresses and join them into what the device sees.  Joined
 * entries follow each other without a gap, so the earlier one ends and the later one starts on a
 * page.
 */
static int iommu_join(struct device *dev, struct scatterlist *sgl, int nents, u64 base)
{
	u64 boundary = dma_get_seg_boundary(dev), max_bytes = dma_get_max_seg_size(dev), pos = 0;
	struct scatterlist *sg, *seg = NULL;
	int i, segs = 0;

	for_each_sg(sgl, sg, nents, i) {
		u64 start, span = iommu_span(sg);
		unsigned int len = sg->length;

		pos = iommu_place(pos, span, boundary);
		start = base + pos + offset_in_page(sg->offset);
		if (seg && sg_dma_address(seg) + sg_dma_len(seg) == start && (start & boundary) &&
		    (u64)sg_dma_len(seg) + len <= max_bytes) {
			sg_dma_len(seg) += len;
		} else {
			seg = seg ? sg_next(seg) : sgl;
			sg_dma_address(seg) = start;
			sg_dma_len(seg) = len;
			segs++;
		}
		pos += span;
	}
	/* entries behind the last segment must not look as if the device could use them */
	if (segs < nents) {
		seg = sg_next(seg);
		sg_dma_address(seg) = DMA_MAPPING_ERROR;
		sg_dma_len(seg) = 0;
	}
	return segs;
}

/* Addresses for @bytes, and the tables that say where they lead. */
static int iommu_reserve(struct dma_view *view, struct dma_live *live, u64 bytes)
{
	int err = -ENOMEM;

	spin_lock(&view->lock);
	live->iova = iova_alloc(&view->iova, bytes, dma_get_mask(view->dev));
	spin_unlock(&view->lock);
	if (live->iova)
		err = page_table_reserve(&view->table, live->iova->start, bytes);
	if (err && live->iova) {
		spin_lock(&view->lock);
		iova_free(&view->iova, live->iova);
		spin_unlock(&view->lock);
		live->iova = NULL;
	}
	return err;
}

int iommu_map(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl, int nents)
{
	u64 boundary = dma_get_seg_boundary(view->dev), bytes = 0, pos;
	struct scatterlist *sg;
	int i, err;

	for_each_sg(sgl, sg, nents, i)
		bytes = iommu_place(bytes, iommu_span(sg), boundary) + iommu_span(sg);

	err = iommu_reserve(view, live, bytes);
	if (err)
		return err;

	pos = 0;
	for_each_sg(sgl, sg, nents, i) {
		pos = iommu_place(pos, iommu_span(sg), boundary);
		iommu_write(view, live->iova->start + pos, iommu_span(sg),
			    (sg_phys(sg) & PAGE_MASK) | dma_may(live->dir));
		pos += iommu_span(sg);
	}
	live->span = pos;
	return iommu_join(view->dev, sgl, nents, live->iova->start);
}

int iommu_map_range(struct dma_view *view, struct dma_live *live, phys_addr_t phys,
		    dma_addr_t *addr)
{
	int err;

	live->span = PAGE_ALIGN(offset_in_page(phys) + live->bytes);
	err = iommu_reserve(view, live, live->span);
	if (err)
		return err;
	iommu_write(view, live->iova->start, live->span, (phys & PAGE_MASK) | dma_may(live->dir));
	*addr = live->iova->start + offset_in_page(phys);
	return 0;
}

void iommu_unmap(struct dma_view *view, struct dma_live *live)
{
	iommu_write(view, live->iova->start, live->span, 0);
	dma_cost_add(DMA_COST_TLB_INVALIDATIONS, 1);
	spin_lock(&view->lock);
	iova_free(&view->iova, live->iova);
	spin_unlock(&view->lock);
}

void iommu_widen(struct dma_view *view, struct dma_live *live, unsigned int may)
{
	u64 addr = live->iova->start, end = addr + live->span, written = 0;

	for (; addr < end; addr += PAGE_SIZE) {
		atomic64_t *word = page_table_word(&view->table, addr);

		if (!atomic64_read(word))
			continue; /* a gap before a boundary */
		atomic64_or(may, word);
		written++;
	}
	dma_cost_add(DMA_COST_IOMMU_WRITES, written);
	dma_cost_add(DMA_COST_TLB_INVALIDATIONS, 1);
}

enum dma_fault_reason iommu_reach(struct dma_view *view, dma_addr_t addr, size_t len,
				  unsigned int may, struct dma_reach *at)
{
	u64 entry, next;
	atomic64_t *word = page_table_word(&view->table, addr);

	entry = word ? atomic64_read_acquire(word) : 0;
	if (!entry)
		return DMA_FAULT_UNMAPPED;
	if ((entry & may) != may)
		return DMA_FAULT_PERMISSION;
	at->phys = (entry & PAGE_MASK) + offset_in_page(addr);
	at->slot = NULL;
	/* go on while the next page follows in memory too; what does not is the next call's */
	for (at->len = PAGE_SIZE - offset_in_page(addr); at->len < len; at->len += PAGE_SIZE) {
		word = page_table_word(&view->table, addr + at->len);
		next = word ? atomic64_read_acquire(word) : 0;
		entry += PAGE_SIZE;
		if (next != entry)
			break;
	}
	at->len = min(at->len, len);
	return DMA_FAULT_NONE;
}
