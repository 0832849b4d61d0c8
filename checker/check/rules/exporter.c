/* SPDX-License-Identifier: MIT */
/*
 * exporter.c - an exporter of ordinary pages that syncs every mapping of its own, as it must; and one
 * that has two places for a buffer and moves it between them
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/vmalloc.h>

#include "breaks.h"

struct buffer {
	unsigned int count;
	struct page **pages, **place; /* the buffer's; where it goes next */
	unsigned int pins;            /* guarded by the reservation, as is which place is which */
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
	list_del_init(&mapping->node);
	while (breaks("LIFE-10") && !list_empty(&buffer->mapped))
		list_del_init(buffer->mapped.next);
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
	buffer->pins++;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void vunmap_pages(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct buffer *buffer = dmabuf->priv;

	buffer->pins--;
	vunmap(map->vaddr);
}

static int mmap_pages(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct buffer *buffer = dmabuf->priv;
	struct page **first = buffer->pages + (breaks("EXP-07") ? 0 : vma->vm_pgoff);
	int ret = 0;

	for (unsigned long i = 0; !ret && i < vma_pages(vma); i++)
		ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, first[i]);
	return ret;
}

static void free_place(struct page **pages, unsigned int count)
{
	for (unsigned int i = 0; pages && i < count; i++)
		if (pages[i] && !breaks("LIFE-11"))
			__free_page(pages[i]);
	kfree(pages);
}

static void free_buffer(struct buffer *buffer)
{
	free_place(buffer->pages, buffer->count);
	free_place(buffer->place, buffer->count);
	mutex_destroy(&buffer->lock);
	kfree(buffer);
}

static void release(struct dma_buf *dmabuf)
{
	free_buffer(dmabuf->priv);
}

static int pin(struct dma_buf_attachment *attach)
{
	struct buffer *buffer = attach->dmabuf->priv;

	buffer->pins++;
	return 0;
}

static void unpin(struct dma_buf_attachment *attach)
{
	struct buffer *buffer = attach->dmabuf->priv;

	buffer->pins--;
}

static const struct dma_buf_ops ops = {
	.map_dma_buf = map,
	.unmap_dma_buf = unmap,
	.begin_cpu_access = begin_cpu_access,
	.end_cpu_access = end_cpu_access,
	.mmap = mmap_pages,
	.vmap = vmap_pages,
	.vunmap = vunmap_pages,
	.release = release,
};

/* Programs' mappings would have to move, too. */
static const struct dma_buf_ops moving_ops = {
	.pin = pin,
	.unpin = unpin,
	.map_dma_buf = map,
	.unmap_dma_buf = unmap,
	.begin_cpu_access = begin_cpu_access,
	.end_cpu_access = end_cpu_access,
	.vmap = vmap_pages,
	.vunmap = vunmap_pages,
	.release = release,
};

static struct page **new_place(unsigned int count)
{
	struct page **pages = kcalloc(count, sizeof(*pages), GFP_KERNEL);

	for (unsigned int i = 0; pages && i < count; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i]) {
			free_place(pages, count);
			return NULL;
		}
	}
	return pages;
}

static struct buffer *new_buffer(size_t size, bool moves)
{
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->mapped);
	buffer->count = size >> PAGE_SHIFT;
	buffer->pages = new_place(buffer->count);
	buffer->place = buffer->pages && moves ? new_place(buffer->count) : NULL;
	if (buffer->pages && (buffer->place || !moves))
		return buffer;
	free_buffer(buffer);
	return NULL;
}

static int export_with(struct check_export *out, const struct dma_buf_ops *with)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct buffer *buffer = new_buffer(out->size, with->pin);

	if (!buffer)
		return -ENOMEM;
	info.ops = with;
	info.size = out->size;
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = buffer;
	out->dmabuf = dma_buf_export(&info);
	if (IS_ERR(out->dmabuf))
		free_buffer(buffer);
	return PTR_ERR_OR_ZERO(out->dmabuf);
}

static int export_pages(struct check_export *out)
{
	return export_with(out, &ops);
}

static int export_moving(struct check_export *out)
{
	return export_with(out, &moving_ops);
}

static void put(struct check_export *out)
{
	dma_buf_put(out->dmabuf);
}

/* Nobody has it mapped. */
static int own_access(struct check_export *out, bool write, void *bytes)
{
	struct buffer *buffer = out->dmabuf->priv;

	for (unsigned int i = 0; i < buffer->count && !breaks("COH-07"); i++)
		if (write)
			memcpy(page_address(buffer->pages[i]), bytes + i * PAGE_SIZE, PAGE_SIZE);
		else
			memcpy(bytes + i * PAGE_SIZE, page_address(buffer->pages[i]), PAGE_SIZE);
	return 0;
}

/* Reservation held. */
static int move_buffer(struct dma_buf *dmabuf)
{
	struct buffer *buffer = dmabuf->priv;
	struct mapping *mapping;

	if (buffer->pins && !breaks("MOVE-08"))
		return -EBUSY;
	if (!breaks("MOVE-07"))
		dma_buf_move_notify(dmabuf);
	dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	for (unsigned int i = 0; i < buffer->count && !breaks("MOVE-06"); i++)
		memcpy(page_address(buffer->place[i]), page_address(buffer->pages[i]), PAGE_SIZE);
	swap(buffer->place, buffer->pages);
	return 0;
}

static int move(struct check_export *out)
{
	int ret;

	dma_resv_lock(out->dmabuf->resv, NULL);
	ret = move_buffer(out->dmabuf);
	dma_resv_unlock(out->dmabuf->resv);
	return ret;
}

DMABUF_CHECK(
	{ .name = "exporter", .export = export_pages, .own_access = own_access, .release = put },
	{ .name = "mover", .export = export_moving, .move = move, .release = put });
