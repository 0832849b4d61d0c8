/* SPDX-License-Identifier: MIT */
/*
 * system-heap.c - an exporter of ordinary memory
 *
 * Invariants
 *   SH1  Pages and their table are constant from allocation to release.
 *   SH2  Each mapping has a table of its own: DMA addresses are a device's, and one attachment may
 *        be mapped several times at once.  DIFFERS: Linux's heap has one for each attachment, which
 *        a second map overwrites.
 *
 * Deliberately not here: any wish for contiguous memory.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drivers/exporters/system-heap.h"
#include "drivers/exporters/heap-mappings.h"

struct heap_buffer {
	/* constant from allocation to release */
	struct sg_table pages;
	size_t bytes;

	/* its own lock */
	struct heap_mappings mappings;
};

/* Large pieces keep tables short; IOMMUs have entries for runs of 1 MiB and of 64 KiB. */
static const unsigned int heap_orders[] = { 8, 4, 0 };

static int copy_table(struct sg_table *to, const struct sg_table *from)
{
	struct scatterlist *source = from->sgl, *entry;
	unsigned int i;
	int ret = sg_alloc_table(to, from->orig_nents, GFP_KERNEL);

	if (ret)
		return ret;
	for_each_sgtable_sg(to, entry, i) {
		sg_set_page(entry, sg_page(source), source->length, source->offset);
		source = sg_next(source);
	}
	return 0;
}

static struct sg_table *heap_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct heap_buffer *buffer = attach->dmabuf->priv;
	struct heap_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->dev = attach->dev;
	ret = copy_table(&mapping->table, &buffer->pages);
	if (ret)
		goto free_mapping;
	ret = dma_map_sgtable(mapping->dev, &mapping->table, dir, 0);
	if (ret)
		goto free_table;

	heap_mappings_add(&buffer->mappings, mapping);
	return &mapping->table;

free_table:
	sg_free_table(&mapping->table);
free_mapping:
	kfree(mapping);
	return ERR_PTR(ret);
}

static void heap_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
		       enum dma_data_direction dir)
{
	struct heap_buffer *buffer = attach->dmabuf->priv;
	struct heap_mapping *mapping = container_of(table, struct heap_mapping, table);

	heap_mappings_del(&buffer->mappings, mapping);
	dma_unmap_sgtable(mapping->dev, table, dir, 0);
	sg_free_table(table);
	kfree(mapping);
}

static int heap_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct heap_buffer *buffer = dmabuf->priv;

	heap_mappings_sync_for_cpu(&buffer->mappings, dir);
	return 0;
}

static int heap_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct heap_buffer *buffer = dmabuf->priv;

	heap_mappings_sync_for_device(&buffer->mappings, dir);
	return 0;
}

static int heap_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct heap_buffer *buffer = dmabuf->priv;
	unsigned int count = buffer->bytes >> PAGE_SHIFT, filled = 0, i;
	struct page **pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	struct scatterlist *entry;
	void *vaddr;

	if (!pages)
		return -ENOMEM;
	for_each_sgtable_sg(&buffer->pages, entry, i)
		for (size_t at = 0; at < entry->length; at += PAGE_SIZE)
			pages[filled++] = nth_page(sg_page(entry), at >> PAGE_SHIFT);
	vaddr = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void heap_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

static void free_pieces(struct sg_table *pages)
{
	struct scatterlist *entry;
	unsigned int i;

	for_each_sgtable_sg(pages, entry, i)
		__free_pages(sg_page(entry), get_order(entry->length));
	sg_free_table(pages);
}

static void heap_release(struct dma_buf *dmabuf)
{
	struct heap_buffer *buffer = dmabuf->priv;

	heap_mappings_fini(&buffer->mappings, "system-heap");
	free_pieces(&buffer->pages);
	kfree(buffer);
}

static int heap_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct heap_buffer *buffer = dmabuf->priv;
	unsigned long addr = vma->vm_start, skip = vma->vm_pgoff << PAGE_SHIFT;
	struct scatterlist *entry;
	unsigned int i;

	for_each_sgtable_sg(&buffer->pages, entry, i) {
		unsigned long len, pfn;
		int ret;

		if (skip >= entry->length) {
			skip -= entry->length;
			continue;
		}
		len = min(entry->length - skip, vma->vm_end - addr);
		pfn = page_to_pfn(sg_page(entry)) + (skip >> PAGE_SHIFT);
		ret = remap_pfn_range(vma, addr, pfn, len, vma->vm_page_prot);
		if (ret)
			return ret;
		addr += len;
		if (addr == vma->vm_end)
			break;
		skip = 0;
	}
	return 0;
}

static const struct dma_buf_ops heap_ops = {
	.map_dma_buf = heap_map,
	.unmap_dma_buf = heap_unmap,
	.release = heap_release,
	.begin_cpu_access = heap_begin_cpu_access,
	.end_cpu_access = heap_end_cpu_access,
	.mmap = heap_mmap,
	.vmap = heap_vmap,
	.vunmap = heap_vunmap,
	.cpu_access_only_syncs = true,
	.may_widen = true,
	.tells_own_access = true,
};

/* The largest piece that fits into @bytes, not above *@order, which becomes its order. */
static struct page *alloc_piece(size_t bytes, unsigned int *order)
{
	for (size_t i = 0; i < ARRAY_SIZE(heap_orders); i++) {
		gfp_t gfp = GFP_KERNEL | __GFP_ZERO;
		struct page *page;

		if (heap_orders[i] > *order || PAGE_SIZE << heap_orders[i] > bytes)
			continue;
		if (heap_orders[i])
			gfp |= __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY;
		page = alloc_pages(gfp, heap_orders[i]);
		if (page) {
			*order = heap_orders[i];
			return page;
		}
	}
	return NULL;
}

static int alloc_pieces(struct sg_table *pages, size_t bytes)
{
	LIST_HEAD(pieces);
	struct page *page, *next;
	struct scatterlist *entry;
	unsigned int order = heap_orders[0], count = 0;
	int ret = -ENOMEM;

	/* Until the count is known the pieces hang on their own list heads. */
	for (size_t left = bytes; left; left -= PAGE_SIZE << order) {
		page = alloc_piece(left, &order);
		if (!page)
			goto free_list;
		list_add_tail(&page->lru, &pieces);
		count++;
	}

	ret = sg_alloc_table(pages, count, GFP_KERNEL);
	if (ret)
		goto free_list;
	entry = pages->sgl;
	list_for_each_entry_safe(page, next, &pieces, lru) {
		list_del(&page->lru);
		sg_set_page(entry, page, page_size(page), 0);
		entry = sg_next(entry);
	}
	return 0;

free_list:
	list_for_each_entry_safe(page, next, &pieces, lru) {
		list_del(&page->lru);
		__free_pages(page, compound_order(page));
	}
	return ret;
}

struct dma_buf *system_heap_allocate(size_t bytes)
{
	return system_heap_allocate_flags(bytes, O_RDWR | O_CLOEXEC);
}

struct dma_buf *system_heap_allocate_flags(size_t bytes, int flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct heap_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	if (!bytes || bytes > SIZE_MAX - PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	heap_mappings_init(&buffer->mappings);
	buffer->bytes = PAGE_ALIGN(bytes);
	ret = alloc_pieces(&buffer->pages, buffer->bytes);
	if (ret)
		goto free_buffer;

	info.exp_name = "system";
	info.ops = &heap_ops;
	info.size = buffer->bytes;
	info.flags = flags;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto free_pages;
	}
	return dmabuf;

free_pages:
	free_pieces(&buffer->pages);
free_buffer:
	heap_mappings_fini(&buffer->mappings, "system-heap");
	kfree(buffer);
	return ERR_PTR(ret);
}

bool system_heap_owns(const struct dma_buf *dmabuf)
{
	return dmabuf->ops == &heap_ops;
}

void *system_heap_vaddr(struct dma_buf *dmabuf, size_t offset, size_t *len)
{
	struct heap_buffer *buffer;
	struct scatterlist *entry;
	unsigned int i;

	*len = 0;
	if (WARN(!dmabuf || !system_heap_owns(dmabuf), "system-heap: not a buffer of this heap"))
		return NULL;
	buffer = dmabuf->priv;
	for_each_sgtable_sg(&buffer->pages, entry, i) {
		if (offset < entry->length) {
			*len = entry->length - offset;
			return page_address(sg_page(entry)) + offset;
		}
		offset -= entry->length;
	}
	return NULL;
}
