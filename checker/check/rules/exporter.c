/* SPDX-License-Identifier: MIT */
/* exporter.c - an exporter of ordinary pages that syncs every mapping of its own, as it must */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/vmalloc.h>

#include "breaks.h"

struct buffer {
	unsigned int count;
	struct page **pages;
	struct mutex lock;
	struct list_head mapped; /* guarded by lock */
};

struct mapping {
	struct list_head node;
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
};

static enum dma_data_direction direction(enum dma_data_direction dir)
{
	return breaks("DIR-04") ? DMA_TO_DEVICE : breaks("PERM-01") ? DMA_BIDIRECTIONAL : dir;
}

static struct sg_table *map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct buffer *buffer = attach->dmabuf->priv;
	struct mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	unsigned int count = buffer->count - breaks("EXP-01");
	int ret;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table_from_pages(&mapping->sgt, buffer->pages, count, 0, count * PAGE_SIZE,
					GFP_KERNEL);
	if (ret)
		goto free_mapping;
	mapping->dev = attach->dev;
	mapping->dir = direction(dir);
	ret = dma_map_sgtable(attach->dev, &mapping->sgt, mapping->dir,
			      breaks("COH-01") ? DMA_ATTR_SKIP_CPU_SYNC : 0);
	if (ret)
		goto free_table;
	mutex_lock(&buffer->lock);
	list_add(&mapping->node, &buffer->mapped);
	mutex_unlock(&buffer->lock);
	return &mapping->sgt;

free_table:
	sg_free_table(&mapping->sgt);
free_mapping:
	kfree(mapping);
	return ERR_PTR(ret);
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	struct buffer *buffer = attach->dmabuf->priv;
	struct mapping *mapping = container_of(sgt, struct mapping, sgt);

	mutex_lock(&buffer->lock);
	list_del(&mapping->node);
	mutex_unlock(&buffer->lock);
	dma_unmap_sgtable(mapping->dev, sgt, mapping->dir,
			  breaks("COH-02") ? DMA_ATTR_SKIP_CPU_SYNC : 0);
	sg_free_table(sgt);
	kfree(mapping);
}

static int begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct buffer *buffer = dmabuf->priv;
	struct mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		if (!breaks("COH-04"))
			dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct buffer *buffer = dmabuf->priv;
	struct mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		if (!breaks("COH-03"))
			dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int vmap_pages(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct buffer *buffer = dmabuf->priv;
	void *vaddr = vmap(buffer->pages, buffer->count, VM_MAP, PAGE_KERNEL);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void vunmap_pages(struct dma_buf *dmabuf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

static void free_buffer(struct buffer *buffer)
{
	for (unsigned int i = 0; i < buffer->count; i++)
		if (buffer->pages[i])
			__free_page(buffer->pages[i]);
	mutex_destroy(&buffer->lock);
	kfree(buffer->pages);
	kfree(buffer);
}

static void release(struct dma_buf *dmabuf)
{
	free_buffer(dmabuf->priv);
}

static const struct dma_buf_ops ops = {
	.map_dma_buf = map,
	.unmap_dma_buf = unmap,
	.begin_cpu_access = begin_cpu_access,
	.end_cpu_access = end_cpu_access,
	.vmap = vmap_pages,
	.vunmap = vunmap_pages,
	.release = release,
};

static struct buffer *new_buffer(size_t size)
{
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->mapped);
	buffer->pages = kcalloc(size >> PAGE_SHIFT, sizeof(*buffer->pages), GFP_KERNEL);
	buffer->count = buffer->pages ? size >> PAGE_SHIFT : 0;
	for (unsigned int i = 0; i < buffer->count; i++) {
		buffer->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!buffer->pages[i])
			goto free_buffer;
	}
	if (buffer->count)
		return buffer;
free_buffer:
	free_buffer(buffer);
	return NULL;
}

static int export_pages(struct check_export *out)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct buffer *buffer = new_buffer(out->size);

	if (!buffer)
		return -ENOMEM;
	info.ops = &ops;
	info.size = out->size;
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = buffer;
	out->dmabuf = dma_buf_export(&info);
	if (IS_ERR(out->dmabuf))
		free_buffer(buffer);
	return PTR_ERR_OR_ZERO(out->dmabuf);
}

static void put(struct check_export *out)
{
	dma_buf_put(out->dmabuf);
}

DMABUF_CHECK({ .name = "exporter", .export = export_pages, .release = put });
