/* SPDX-License-Identifier: MIT */
/*
 * overlaps.c - how many writable entries are mapped beside another of the same bytes
 *
 * DMA_API_DEBUG reports each, and a cache of mappings makes some: those for both directions and from
 * the device of one buffer, and those of two devices.  Counted here from what the DMA API traces, so
 * that what is reported can be compared; entries are of whole pages, as those of all exporters of
 * the machine.
 */
#include <linux/dma-mapping.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>

#include "tools.h"

#define PAGES_BITS 15
/* A page is within so many cells of where its number is hashed to. */
#define NEAR 64

static DEFINE_SPINLOCK(lock);
static struct {
	unsigned long page;
	unsigned int writers; /* 0: nobody's cell */
} cells[(1 << PAGES_BITS) + NEAR];
static u64 overlaps;
static bool full;

static struct tracepoint *map_point, *unmap_point;
static bool watching;

/* Returns whether another has it mapped already. */
static bool count_in(unsigned long page)
{
	unsigned int i, first = hash_long(page, PAGES_BITS), unused = UINT_MAX;

	for (i = first; i < first + NEAR; i++) {
		if (cells[i].writers && cells[i].page == page)
			return cells[i].writers++;
		if (!cells[i].writers && unused == UINT_MAX)
			unused = i;
	}
	full |= unused == UINT_MAX;
	if (unused != UINT_MAX) {
		cells[unused].page = page;
		cells[unused].writers = 1;
	}
	return false;
}

static void count_out(unsigned long page)
{
	unsigned int i, first = hash_long(page, PAGES_BITS);

	for (i = first; i < first + NEAR; i++) {
		if (cells[i].writers && cells[i].page == page) {
			cells[i].writers--;
			return;
		}
	}
}

static void mapped(void *unused, struct device *dev, struct scatterlist *sgl, int nents, int ents,
		   enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	unsigned long flags;
	int i;

	if (dir == DMA_TO_DEVICE)
		return;
	spin_lock_irqsave(&lock, flags);
	for_each_sg(sgl, sg, nents, i)
		overlaps += count_in(page_to_pfn(sg_page(sg))) && !(attrs & DMA_ATTR_SKIP_CPU_SYNC);
	spin_unlock_irqrestore(&lock, flags);
}

static void unmapped(void *unused, struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	unsigned long flags;
	int i;

	if (dir == DMA_TO_DEVICE)
		return;
	spin_lock_irqsave(&lock, flags);
	for_each_sg(sgl, sg, nents, i)
		count_out(page_to_pfn(sg_page(sg)));
	spin_unlock_irqrestore(&lock, flags);
}

static void find(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "dma_map_sg"))
		map_point = point;
	if (!strcmp(point->name, "dma_unmap_sg"))
		unmap_point = point;
}

static long watch(void)
{
	long ret;

	for_each_kernel_tracepoint(find, NULL);
	if (!map_point || !unmap_point)
		return -EOPNOTSUPP;
	ret = tracepoint_probe_register(map_point, mapped, NULL);
	if (ret)
		return ret;
	ret = tracepoint_probe_register(unmap_point, unmapped, NULL);
	if (ret)
		tracepoint_probe_unregister(map_point, mapped, NULL);
	watching = !ret;
	return ret;
}

long overlaps_call(struct importer_call *call)
{
	long ret = watching ? 0 : watch();

	call->size = overlaps;
	overlaps = 0;
	return ret ?: full ? -EOVERFLOW : 0;
}

void overlaps_exit(void)
{
	if (!watching)
		return;
	tracepoint_probe_unregister(map_point, mapped, NULL);
	tracepoint_probe_unregister(unmap_point, unmapped, NULL);
	tracepoint_synchronize_unregister();
}
