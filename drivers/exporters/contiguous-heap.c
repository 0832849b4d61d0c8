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
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "drivers/exporters/contiguous-heap.h"

struct contiguous_buffer {
	/* constant from allocation to release */
	void *memory;
	size_t bytes;

	struct mutex lock;
	/* guarded by lock */
	struct list_head mappings; /* struct contiguous_mapping.node */
};

struct contiguous_mapping {
	struct device *dev;
	struct scatterlist entry;
	struct sg_table table;
	struct list_head node; /* guarded by contiguous_buffer.lock */
};

static struct sg_table *contiguous_map(struct dma_buf_attachment *attach,
				       enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = attach->dmabuf->priv;
	struct contiguous_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->dev = attach->dev;
	sg_init_one(&mapping->entry, buffer->memory, buffer->bytes);
	mapping->table = (struct sg_table){ .sgl = &mapping->entry, .nents = 1, .orig_nents = 1 };
	ret = dma_map_sgtable(mapping->dev, &mapping->table, dir, 0);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}

	mutex_lock(&buffer->lock);
	list_add_tail(&mapping->node, &buffer->mappings);
	mutex_unlock(&buffer->lock);
	return &mapping->table;
}

static void contiguous_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			     enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = attach->dmabuf->priv;
	struct contiguous_mapping *mapping = container_of(table, struct contiguous_mapping, table);

	mutex_lock(&buffer->lock);
	list_del(&mapping->node);
	mutex_unlock(&buffer->lock);
	dma_unmap_sgtable(mapping->dev, table, dir, 0);
	kfree(mapping);
}

static int contiguous_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = dmabuf->priv;
	struct contiguous_mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mappings, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->table, dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int contiguous_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct contiguous_buffer *buffer = dmabuf->priv;
	struct contiguous_mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mappings, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->table, dir);
	mutex_unlock(&buffer->lock);
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

	WARN(!list_empty(&buffer->mappings), "contiguous-heap: released while mapped");
	free_pages_exact(buffer->memory, buffer->bytes);
	mutex_destroy(&buffer->lock);
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
};

struct dma_buf *contiguous_heap_allocate(size_t bytes)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct contiguous_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret = -ENOMEM;

	if (!bytes)
		return ERR_PTR(-EINVAL);
	if (bytes > PAGE_SIZE << MAX_PAGE_ORDER)
		return ERR_PTR(-ENOMEM);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->mappings);
	buffer->bytes = PAGE_ALIGN(bytes);
	buffer->memory = alloc_pages_exact(buffer->bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!buffer->memory)
		goto free_buffer;

	info.exp_name = "contiguous";
	info.ops = &contiguous_ops;
	info.size = buffer->bytes;
	info.flags = O_RDWR | O_CLOEXEC;
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
	mutex_destroy(&buffer->lock);
	kfree(buffer);
	return ERR_PTR(ret);
}
