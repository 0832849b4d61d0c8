/* SPDX-License-Identifier: MIT */
/*
 * pages.h - what the corpus's exporters have in common: a buffer of pages and ops that are right
 *
 * A driver takes the ops it has no bug in and brings the others.
 *
 * Invariants
 *   PG1  Each mapping has a table of its own, which is mapped once, with one direction.
 *   PG2  A CPU access syncs each mapping with the mapping's direction.
 *
 * Deliberately not here: moves.
 */
#ifndef CORPUS_PAGES_H
#define CORPUS_PAGES_H

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct pages {
	/* constant from allocation to release */
	void *memory;
	size_t bytes;

	struct mutex lock;
	struct list_head mappings; /* struct pages_mapping.node; guarded by lock */

	void *own; /* the driver's */
};

struct pages_mapping {
	struct device *dev;
	enum dma_data_direction dir;
	struct sg_table sgt;
	struct list_head node; /* guarded by pages.lock */
};

/* A table of all of the buffer that nobody has mapped yet. */
static inline int pages_table(struct pages *pages, struct sg_table *sgt)
{
	int ret = sg_alloc_table(sgt, 1, GFP_KERNEL);

	if (!ret)
		sg_set_page(sgt->sgl, virt_to_page(pages->memory), pages->bytes, 0);
	return ret;
}

/* The same, mapped for @dev. */
static inline int pages_table_map(struct pages *pages, struct sg_table *sgt, struct device *dev,
				  enum dma_data_direction dir, unsigned long attrs)
{
	int ret = pages_table(pages, sgt);

	if (ret)
		return ret;
	ret = dma_map_sgtable(dev, sgt, dir, attrs);
	if (ret)
		sg_free_table(sgt);
	return ret;
}

static inline void pages_table_unmap(struct sg_table *sgt, struct device *dev,
				     enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_sgtable(dev, sgt, dir, attrs);
	sg_free_table(sgt);
}

static inline struct sg_table *pages_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct pages *pages = attach->dmabuf->priv;
	struct pages_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	ret = pages_table_map(pages, &mapping->sgt, attach->dev, dir, 0);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	mapping->dev = attach->dev;
	mapping->dir = dir;
	mutex_lock(&pages->lock);
	list_add_tail(&mapping->node, &pages->mappings);
	mutex_unlock(&pages->lock);
	return &mapping->sgt;
}

static inline void pages_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			       enum dma_data_direction dir)
{
	struct pages *pages = attach->dmabuf->priv;
	struct pages_mapping *mapping = container_of(sgt, struct pages_mapping, sgt);

	mutex_lock(&pages->lock);
	list_del(&mapping->node);
	mutex_unlock(&pages->lock);
	pages_table_unmap(sgt, mapping->dev, dir, 0);
	kfree(mapping);
}

static inline int pages_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct pages *pages = dmabuf->priv;
	struct pages_mapping *mapping;

	mutex_lock(&pages->lock);
	list_for_each_entry(mapping, &pages->mappings, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&pages->lock);
	return 0;
}

static inline int pages_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct pages *pages = dmabuf->priv;
	struct pages_mapping *mapping;

	mutex_lock(&pages->lock);
	list_for_each_entry(mapping, &pages->mappings, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&pages->lock);
	return 0;
}

static inline int pages_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct pages *pages = dmabuf->priv;

	iosys_map_set_vaddr(map, pages->memory);
	return 0;
}

static inline int pages_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct pages *pages = dmabuf->priv;

	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(pages->memory)) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

/* Of a driver's dma_buf_ops: those for devices, and those for the CPU. */
#define PAGES_DEVICE_OPS .map_dma_buf = pages_map, .unmap_dma_buf = pages_unmap
#define PAGES_CPU_OPS                                                                       \
	.begin_cpu_access = pages_begin_cpu_access, .end_cpu_access = pages_end_cpu_access, \
	.vmap = pages_vmap, .mmap = pages_mmap

static inline struct pages *pages_alloc(size_t bytes)
{
	struct pages *pages = kzalloc(sizeof(*pages), GFP_KERNEL);

	if (!pages)
		return ERR_PTR(-ENOMEM);
	pages->bytes = PAGE_ALIGN(bytes);
	pages->memory = alloc_pages_exact(pages->bytes, GFP_KERNEL | __GFP_ZERO);
	if (!pages->memory) {
		kfree(pages);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&pages->lock);
	INIT_LIST_HEAD(&pages->mappings);
	return pages;
}

static inline void pages_free(struct pages *pages)
{
	mutex_destroy(&pages->lock);
	free_pages_exact(pages->memory, pages->bytes);
	kfree(pages);
}

static inline void pages_release(struct dma_buf *dmabuf)
{
	pages_free(dmabuf->priv);
}

/* The buffer has @pages from now on, or on failure nobody has. */
static inline struct dma_buf *pages_export(struct pages *pages, const struct dma_buf_ops *ops,
					   int flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = ops;
	info.size = pages->bytes;
	info.flags = flags;
	info.priv = pages;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		pages_free(pages);
	return dmabuf;
}

static inline struct dma_buf *pages_heap_allocate(struct dma_heap *heap, unsigned long len,
						  u32 fd_flags, u64 heap_flags)
{
	struct pages *pages = pages_alloc(len);

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	return pages_export(pages, dma_heap_get_drvdata(heap), fd_flags);
}

static const struct dma_heap_ops pages_heap_ops __maybe_unused = {
	.allocate = pages_heap_allocate,
};

/* A heap whose buffers have @ops. */
static inline int pages_heap_add(const char *name, const struct dma_buf_ops *ops)
{
	struct dma_heap_export_info info = {
		.name = name,
		.ops = &pages_heap_ops,
		.priv = (void *)ops,
	};

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}

#endif
