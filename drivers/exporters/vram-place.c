/* SPDX-License-Identifier: MIT */
/*
 * vram-place.c - see vram-place.h
 *
 * The window is given out first fit: ranges are few and large.
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "dma/window.h"
#include "drivers/exporters/vram-place.h"

/* First fit in [@start, @end).  vram.lock held. */
static int take_range_within(struct vram_place *place, size_t start, size_t end)
{
	struct vram *vram = place->vram;
	struct list_head *before = &vram->ranges;
	struct vram_place *next;

	list_for_each_entry(next, &vram->ranges, node) {
		if (next->offset >= end || next->offset >= start + place->bytes)
			break;
		start = max(start, next->offset + next->bytes);
		before = &next->node;
	}
	if (start >= end || end - start < place->bytes)
		return -ENOSPC;
	place->offset = start;
	list_add(&place->node, before);
	return 0;
}

/* What others must reach has only the window; what they need not leaves it to those. */
static int take_range(struct vram_place *place, bool visible)
{
	struct vram *vram = place->vram;
	int ret = -ENOSPC;

	mutex_lock(&vram->lock);
	if (!visible)
		ret = take_range_within(place, vram->visible, vram->bytes);
	if (ret)
		ret = take_range_within(place, 0, vram->visible);
	mutex_unlock(&vram->lock);
	return ret;
}

static void return_range(struct vram_place *place)
{
	mutex_lock(&place->vram->lock);
	list_del(&place->node);
	mutex_unlock(&place->vram->lock);
}

static int take_pages(struct vram_place *place)
{
	int ret;

	place->pages =
		alloc_contig_pages(place->bytes >> PAGE_SHIFT, GFP_KERNEL, NUMA_NO_NODE, NULL);
	if (!place->pages)
		return -ENOMEM;
	sg_init_table(&place->entry, 1);
	sg_set_page(&place->entry, place->pages, place->bytes, 0);
	place->table = (struct sg_table){ .sgl = &place->entry, .nents = 1, .orig_nents = 1 };
	ret = dma_map_sgtable(place->vram->dev, &place->table, DMA_BIDIRECTIONAL,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		free_contig_range(page_to_pfn(place->pages), place->bytes >> PAGE_SHIFT);
	return ret;
}

static void return_pages(struct vram_place *place)
{
	dma_unmap_sgtable(place->vram->dev, &place->table, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
	free_contig_range(page_to_pfn(place->pages), place->bytes >> PAGE_SHIFT);
}

struct vram_place *vram_place_create(struct vram *vram, enum vram_placement where, bool visible,
				     size_t bytes)
{
	struct vram_place *place = kzalloc(sizeof(*place), GFP_KERNEL);
	int ret;

	if (!place)
		return ERR_PTR(-ENOMEM);
	place->vram = vram;
	place->where = where;
	place->bytes = bytes;
	refcount_set(&place->users, 1);
	refcount_set(&place->refs, 1);
	ret = where == VRAM_PLACEMENT_VRAM ? take_range(place, visible) : take_pages(place);
	if (ret) {
		kfree(place);
		return ERR_PTR(ret);
	}
	return place;
}

struct vram_place *vram_place_use(struct vram_place *place)
{
	refcount_inc(&place->users);
	return place;
}

void vram_place_unuse(struct vram_place *place)
{
	if (!refcount_dec_and_test(&place->users))
		return;
	if (place->where == VRAM_PLACEMENT_VRAM)
		return_range(place);
	vram_place_put(place);
}

struct vram_place *vram_place_get(struct vram_place *place)
{
	refcount_inc(&place->refs);
	return place;
}

void vram_place_put(struct vram_place *place)
{
	if (!refcount_dec_and_test(&place->refs))
		return;
	if (place->where == VRAM_PLACEMENT_SYSTEM)
		return_pages(place);
	kfree(place);
}

bool vram_place_visible(const struct vram_place *place)
{
	return place->where == VRAM_PLACEMENT_SYSTEM || place->offset < place->vram->visible;
}

void vram_place_clear(struct vram_place *place)
{
	if (place->where == VRAM_PLACEMENT_VRAM)
		memset(vram_place_iomem(place), 0, place->bytes);
	else
		memset(page_address(place->pages), 0, place->bytes);
}

struct sg_table *vram_place_table(struct vram_place *place)
{
	return place->where == VRAM_PLACEMENT_VRAM ? NULL : &place->table;
}

void __iomem *vram_place_iomem(const struct vram_place *place)
{
	const struct vram *vram = place->vram;

	if (place->offset < vram->visible)
		return dma_window_iomem(vram->window) + place->offset;
	return vram->rest + (place->offset - vram->visible);
}

int vram_place_read(struct vram_place *place, size_t offset, void *dst, size_t len)
{
	if (offset > place->bytes || len > place->bytes - offset)
		return -EINVAL;
	if (place->where == VRAM_PLACEMENT_SYSTEM)
		return dma_engine_read(place->vram->dev, &place->table, offset, dst, len);
	memcpy(dst, vram_place_iomem(place) + offset, len);
	return 0;
}

int vram_place_write(struct vram_place *place, size_t offset, const void *src, size_t len)
{
	if (offset > place->bytes || len > place->bytes - offset)
		return -EINVAL;
	if (place->where == VRAM_PLACEMENT_SYSTEM)
		return dma_engine_write(place->vram->dev, &place->table, offset, src, len);
	memcpy(vram_place_iomem(place) + offset, src, len);
	return 0;
}

/* Of two places one at least is in VRAM: the device's engine moves the bytes of the other once. */
int vram_place_copy(struct vram_place *to, struct vram_place *from)
{
	WARN_ON(to->bytes != from->bytes ||
		(to->where == VRAM_PLACEMENT_SYSTEM && from->where == VRAM_PLACEMENT_SYSTEM));
	if (to->where == VRAM_PLACEMENT_VRAM)
		return vram_place_read(from, 0, vram_place_iomem(to), to->bytes);
	return vram_place_write(to, 0, vram_place_iomem(from), from->bytes);
}

static void *cpu_address(const struct vram_place *place)
{
	if (place->where == VRAM_PLACEMENT_SYSTEM)
		return page_address(place->pages);
	return vram_place_iomem(place);
}

void vram_place_copy_slowly(struct vram_place *to, struct vram_place *from)
{
	memcpy(cpu_address(to), cpu_address(from), to->bytes);
}
