/* SPDX-License-Identifier: MIT */
/*
 * contiguous-heap.c - see contiguous-heap.h
 *
 * Invariants
 *   CH1  A buffer's pages are neighbours and constant from allocation to release.
 *   CH2  Each mapping has a table of its own, of one entry.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/heap-mappings.h"

struct contiguous_buffer {
	/* constant from allocation to release */
	void *memory;
	size_t bytes;

	/* its own lock */
	struct heap_mappings mappings;
};

struct contiguous_mapping {
	struct heap_mapping base;
	struct scatterlist entry;
};

static struct sg_table *contiguous_map(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = attach->dmabuf->priv;
	struct contiguous_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->base.dev = attach->dev;
	sg_init_one(&mapping->entry, buffer->memory, buffer->bytes);
	mapping->base.table =
		(struct sg_table){ .sgl = &mapping->entry, .nents = 1, .orig_nents = 1 };
	ret = dma_map_sgtable(mapping->base.dev, &mapping->base.table, dir, 0);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}

	heap_mappings_add(&buffer->mappings, &mapping->base);
	return &mapping->base.table;
}

static void contiguous_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			     enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = attach->dmabuf->priv;
	struct contiguous_mapping *mapping =
		container_of(table, struct contiguous_mapping, base.table);

	heap_mappings_del(&buffer->mappings, &mapping->base);
	dma_unmap_sgtable(mapping->base.dev, table, dir, 0);
	kfree(mapping);
}

static int contiguous_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = dmabuf->priv;

	heap_mappings_sync_for_cpu(&buffer->mappings, dir);
	return 0;
}

static int contiguous_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = dmabuf->priv;

	heap_mappings_sync_for_device(&buffer->mappings, dir);
	return 0;
}

/* One piece has its address already: nothing to make, nothing to take back. */
static int contiguous_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct contiguous_buffer *buffer = dmabuf->priv;

	iosys_map_set_vaddr(map, buffer->memory);
	return 0;
}

static int contiguous_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct contiguous_buffer *buffer = dmabuf->priv;

	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(buffer->memory)) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void contiguous_release(struct dma_buf *dmabuf)
{
	struct contiguous_buffer *buffer = dmabuf->priv;

	heap_mappings_fini(&buffer->mappings, "contiguous-heap");
	free_pages_exact(buffer->memory, buffer->bytes);
	kfree(buffer);
}

static const struct dma_buf_ops contiguous_ops = {
	.map_dma_buf = contiguous_map,
	.unmap_dma_buf = contiguous_unmap,
	.release = contiguous_release,
	.begin_cpu_access = contiguous_begin_cpu_access,
	.end_cpu_access = contiguous_end_cpu_access,
	.vmap = contiguous_vmap,
	.mmap = contiguous_mmap,
	.cpu_access_only_syncs = true,
	.may_widen = true,
	.tells_own_access = true,
};

struct dma_buf *contiguous_heap_allocate(size_t bytes)
{
	return contiguous_heap_allocate_flags(bytes, O_RDWR | O_CLOEXEC);
}

struct dma_buf *contiguous_heap_allocate_flags(size_t bytes, int flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct contiguous_buffer *buffer;
	struct dma_buf *dmabuf;
	struct page *page;
	int ret = -ENOMEM;

	if (!bytes)
		return ERR_PTR(-EINVAL);
	/* What one entry of a table can say. */
	if (bytes > UINT_MAX - PAGE_SIZE)
		return ERR_PTR(-ENOMEM);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	heap_mappings_init(&buffer->mappings);
	buffer->bytes = PAGE_ALIGN(bytes);
	page = alloc_contig_pages(buffer->bytes >> PAGE_SHIFT, GFP_KERNEL | __GFP_ZERO,
				  NUMA_NO_NODE, NULL);
	if (!page)
		goto free_buffer;
	buffer->memory = page_address(page);

	info.exp_name = "default_cma_region";
	info.ops = &contiguous_ops;
	info.size = buffer->bytes;
	info.flags = flags;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto free_memory;
	}
	return dmabuf;

free_memory:
	free_pages_exact(buffer->memory, buffer->bytes);
free_buffer:
	heap_mappings_fini(&buffer->mappings, "contiguous-heap");
	kfree(buffer);
	return ERR_PTR(ret);
}

bool contiguous_heap_owns(const struct dma_buf *dmabuf)
{
	return dmabuf->ops == &contiguous_ops;
}

void *contiguous_heap_vaddr(struct dma_buf *dmabuf, size_t offset, size_t *len)
{
	struct contiguous_buffer *buffer;

	*len = 0;
	if (WARN(!dmabuf || !contiguous_heap_owns(dmabuf),
		 "contiguous-heap: not a buffer of this heap"))
		return NULL;
	buffer = dmabuf->priv;
	if (offset >= buffer->bytes)
		return NULL;
	*len = buffer->bytes - offset;
	return buffer->memory + offset;
}
