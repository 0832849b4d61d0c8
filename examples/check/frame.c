/* SPDX-License-Identifier: MIT */
/* frame.c - a driver that exports pages of its own, one table for each importer */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

struct frame {
	struct page *pages;
	unsigned int order;
	struct mutex lock;
	struct list_head tables; /* of importers, under lock */
};

struct frame_table {
	struct list_head node;
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
};

static struct sg_table *frame_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct frame *frame = attach->dmabuf->priv;
	struct frame_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!table || sg_alloc_table(&table->sgt, 1, GFP_KERNEL))
		goto free_table;
	sg_set_page(table->sgt.sgl, frame->pages, attach->dmabuf->size, 0);
	ret = dma_map_sgtable(attach->dev, &table->sgt, dir, 0);
	if (ret)
		goto free_list;
	table->dev = attach->dev;
	table->dir = dir;
	mutex_lock(&frame->lock);
	list_add(&table->node, &frame->tables);
	mutex_unlock(&frame->lock);
	return &table->sgt;

free_list:
	sg_free_table(&table->sgt);
free_table:
	kfree(table);
	return ERR_PTR(ret);
}

static void frame_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	struct frame_table *table = container_of(sgt, struct frame_table, sgt);
	struct frame *frame = attach->dmabuf->priv;

	mutex_lock(&frame->lock);
	list_del(&table->node);
	mutex_unlock(&frame->lock);
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(table);
}

static int frame_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct frame *frame = dmabuf->priv;
	struct frame_table *table;

	mutex_lock(&frame->lock);
	list_for_each_entry(table, &frame->tables, node)
		dma_sync_sgtable_for_cpu(table->dev, &table->sgt, table->dir);
	mutex_unlock(&frame->lock);
	return 0;
}

static int frame_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct frame *frame = dmabuf->priv;
	struct frame_table *table;

	mutex_lock(&frame->lock);
	list_for_each_entry(table, &frame->tables, node)
		dma_sync_sgtable_for_device(table->dev, &table->sgt, table->dir);
	mutex_unlock(&frame->lock);
	return 0;
}

static int frame_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct frame *frame = dmabuf->priv;

	iosys_map_set_vaddr(map, page_address(frame->pages));
	return 0;
}

static void frame_release(struct dma_buf *dmabuf)
{
	struct frame *frame = dmabuf->priv;

	__free_pages(frame->pages, frame->order);
	mutex_destroy(&frame->lock);
	kfree(frame);
}

static const struct dma_buf_ops frame_ops = {
	.map_dma_buf = frame_map,
	.unmap_dma_buf = frame_unmap,
	.begin_cpu_access = frame_begin_cpu_access,
	.end_cpu_access = frame_end_cpu_access,
	.vmap = frame_vmap,
	.release = frame_release,
};

static struct dma_buf *frame_create(size_t size)
{
	struct frame *frame = kzalloc(sizeof(*frame), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (!frame)
		return ERR_PTR(-ENOMEM);
	frame->order = get_order(size);
	frame->pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, frame->order);
	if (!frame->pages) {
		dmabuf = ERR_PTR(-ENOMEM);
		goto free_frame;
	}
	mutex_init(&frame->lock);
	INIT_LIST_HEAD(&frame->tables);
	info.ops = &frame_ops;
	info.size = size;
	info.flags = O_RDWR;
	info.priv = frame;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf))
		return dmabuf;
	mutex_destroy(&frame->lock);
	__free_pages(frame->pages, frame->order);
free_frame:
	kfree(frame);
	return dmabuf;
}
