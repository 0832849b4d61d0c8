/* SPDX-License-Identifier: MIT */
/*
 * vram.c - see vram.h
 *
 * Invariants beside those of vram.h
 *   VR4  A mapping is of the place that the buffer had when it was made, and holds it: an importer
 *	  that follows moves may unmap long after the move.
 *   VR5  Memory changes hands within brackets of the owner's accesses: what is read of the old
 *	  place and what is written to the new one is known to the directory.
 */
#include <linux/bug.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dma/window.h"
#include "drivers/exporters/heap-mappings.h"
#include "drivers/exporters/vram-place.h"
#include "drivers/exporters/vram.h"

struct vram_buffer {
	struct vram *vram; /* constant */

	/* guarded by the reservation */
	struct vram_place *place;
	enum vram_placement where; /* its; read anywhere */
	unsigned int pins;
	struct list_head mapped; /* vram_mapping.node */

	/* its own lock: those of system memory */
	struct heap_mappings mappings;
};

struct vram_mapping {
	/* constant */
	struct vram_place *place;
	struct sg_table *sgt;     /* what the importer has: device memory's, or base.table */
	struct heap_mapping base; /* of system memory */
	struct scatterlist entry;

	/* guarded by the reservation */
	struct list_head node;
};

static const struct dma_buf_ops vram_ops;

static struct vram_buffer *to_vram_buffer(const struct dma_buf *dmabuf)
{
	return dmabuf->priv;
}

/* --- places ----------------------------------------------------------------------------------- */

/* The buffer's bytes, from the place it has to @to. */
static int copy_place(struct dma_buf *dmabuf, struct vram_place *to)
{
	struct vram_place *from = to_vram_buffer(dmabuf)->place;
	struct sg_table *reads = vram_place_table(from), *writes = vram_place_table(to);
	struct device *dev = to->vram->dev;
	int ret;

	ret = dma_buf_begin_exporter_access(dmabuf, dev, reads, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = dma_buf_begin_exporter_access(dmabuf, dev, writes, DMA_FROM_DEVICE);
	if (ret)
		goto end_read;
	ret = vram_place_copy(to, from);
	dma_buf_end_exporter_access(dmabuf, dev, writes, DMA_FROM_DEVICE);
end_read:
	dma_buf_end_exporter_access(dmabuf, dev, reads, DMA_TO_DEVICE);
	return ret;
}

int vram_move(struct dma_buf *dmabuf, enum vram_placement where)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	struct vram_place *place;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	if (buffer->where == where)
		return 0;
	if (buffer->pins)
		return -EBUSY;
	place = vram_place_create(buffer->vram, where, dmabuf->size);
	if (IS_ERR(place))
		return PTR_ERR(place);

	dma_buf_move_notify(dmabuf);
	dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
	ret = copy_place(dmabuf, place);
	if (ret) {
		vram_place_put(place);
		return ret;
	}
	vram_place_put(buffer->place);
	buffer->place = place;
	WRITE_ONCE(buffer->where, where);
	return 0;
}

static int pin_at(struct dma_buf *dmabuf, enum vram_placement where)
{
	int ret = vram_move(dmabuf, where);

	if (!ret)
		to_vram_buffer(dmabuf)->pins++;
	return ret;
}

int vram_pin(struct dma_buf *dmabuf)
{
	return pin_at(dmabuf, VRAM_PLACEMENT_VRAM);
}

void vram_unpin(struct dma_buf *dmabuf)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	dma_resv_assert_held(dmabuf->resv);
	if (!WARN(!buffer->pins, "vram: unpin of a buffer that is not pinned"))
		buffer->pins--;
}

/* --- importers -------------------------------------------------------------------------------- */

/* A window that cannot be reached is told from the start: the importer sees peer2peer go. */
static int vram_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct p2pdma_provider *provider =
		dma_window_provider(to_vram_buffer(dmabuf)->vram->window);

	if (pci_p2pdma_map_type(provider, attach->dev) != PCI_P2PDMA_MAP_THRU_HOST_BRIDGE)
		attach->peer2peer = false;
	return 0;
}

/* Where @attach's device can use the buffer, as near as possible to where it is. */
static enum vram_placement placement_for(struct dma_buf_attachment *attach)
{
	return attach->peer2peer ? to_vram_buffer(attach->dmabuf)->where : VRAM_PLACEMENT_SYSTEM;
}

static int vram_attachment_pin(struct dma_buf_attachment *attach)
{
	return pin_at(attach->dmabuf, placement_for(attach));
}

static void vram_attachment_unpin(struct dma_buf_attachment *attach)
{
	vram_unpin(attach->dmabuf);
}

static int map_device_memory(struct dma_buf_attachment *attach, struct vram_mapping *mapping,
			     enum dma_data_direction dir)
{
	const struct vram_place *place = mapping->place;
	struct dma_window *window = place->vram->window;
	struct phys_vec range = { dma_window_start(window) + place->offset, place->bytes };

	mapping->sgt = dma_buf_phys_vec_to_sgt(attach, dma_window_provider(window), &range, 1,
					       place->bytes, dir);
	return PTR_ERR_OR_ZERO(mapping->sgt);
}

static int map_pages(struct dma_buf_attachment *attach, struct vram_mapping *mapping,
		     enum dma_data_direction dir)
{
	const struct vram_place *place = mapping->place;
	int ret;

	sg_init_table(&mapping->entry, 1);
	sg_set_page(&mapping->entry, place->pages, place->bytes, 0);
	mapping->base.dev = attach->dev;
	mapping->base.table =
		(struct sg_table){ .sgl = &mapping->entry, .nents = 1, .orig_nents = 1 };
	mapping->sgt = &mapping->base.table;
	ret = dma_map_sgtable(attach->dev, mapping->sgt, dir, 0);
	if (!ret)
		heap_mappings_add(&to_vram_buffer(attach->dmabuf)->mappings, &mapping->base);
	return ret;
}

static struct sg_table *vram_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct vram_buffer *buffer = to_vram_buffer(attach->dmabuf);
	struct vram_mapping *mapping;
	int ret = vram_move(attach->dmabuf, placement_for(attach));

	if (ret)
		return ERR_PTR(ret);
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->place = buffer->place;
	if (buffer->where == VRAM_PLACEMENT_VRAM)
		ret = map_device_memory(attach, mapping, dir);
	else
		ret = map_pages(attach, mapping, dir);
	if (ret) {
		kfree(mapping);
		return ERR_PTR(ret);
	}
	vram_place_get(mapping->place);
	list_add(&mapping->node, &buffer->mapped);
	return mapping->sgt;
}

static struct vram_mapping *find_mapping(struct vram_buffer *buffer, const struct sg_table *sgt)
{
	struct vram_mapping *mapping;

	list_for_each_entry(mapping, &buffer->mapped, node)
		if (mapping->sgt == sgt)
			return mapping;
	return NULL;
}

static void vram_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct vram_buffer *buffer = to_vram_buffer(attach->dmabuf);
	struct vram_mapping *mapping = find_mapping(buffer, sgt);

	list_del(&mapping->node);
	if (mapping->place->where == VRAM_PLACEMENT_VRAM) {
		dma_buf_free_sgt(attach, sgt, dir);
	} else {
		heap_mappings_del(&buffer->mappings, &mapping->base);
		dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	}
	vram_place_put(mapping->place);
	kfree(mapping);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static int vram_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	heap_mappings_sync_for_cpu(&to_vram_buffer(dmabuf)->mappings, dir);
	return 0;
}

static int vram_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	heap_mappings_sync_for_device(&to_vram_buffer(dmabuf)->mappings, dir);
	return 0;
}

/* The CPU reaches both places, so the buffer stays where it is. */
static int vram_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	buffer->pins++;
	if (buffer->where == VRAM_PLACEMENT_VRAM)
		iosys_map_set_vaddr_iomem(map, vram_place_iomem(buffer->place));
	else
		iosys_map_set_vaddr(map, page_address(buffer->place->pages));
	return 0;
}

static void vram_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	vram_unpin(dmabuf);
}

static void vram_vm_open(struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = vma->vm_private_data;

	dma_resv_lock(dmabuf->resv, NULL);
	to_vram_buffer(dmabuf)->pins++;
	dma_resv_unlock(dmabuf->resv);
}

static void vram_vm_close(struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = vma->vm_private_data;

	dma_resv_lock(dmabuf->resv, NULL);
	vram_unpin(dmabuf);
	dma_resv_unlock(dmabuf->resv);
}

static const struct vm_operations_struct vram_vm_ops = {
	.open = vram_vm_open,
	.close = vram_vm_close,
};

/*
 * A program's pages are memory's only (remap_pfn_range()) and cannot be taken away again, so the
 * buffer stays in system memory while it is mapped.
 */
static int vram_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = pin_at(dmabuf, VRAM_PLACEMENT_SYSTEM);
	if (ret)
		goto unlock;
	ret = remap_pfn_range(vma, vma->vm_start, page_to_pfn(buffer->place->pages) + vma->vm_pgoff,
			      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	if (ret)
		goto unpin;
	vma->vm_private_data = dmabuf;
	vma->vm_ops = &vram_vm_ops;
	goto unlock;

unpin:
	vram_unpin(dmabuf);
unlock:
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* --- the owner's device ----------------------------------------------------------------------- */

struct device *vram_owner(const struct dma_buf *dmabuf)
{
	return dmabuf->ops == &vram_ops ? to_vram_buffer(dmabuf)->vram->dev : NULL;
}

enum vram_placement vram_placement(const struct dma_buf *dmabuf)
{
	return READ_ONCE(to_vram_buffer(dmabuf)->where);
}

int vram_begin_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	return dma_buf_begin_exporter_access(dmabuf, buffer->vram->dev,
					     vram_place_table(buffer->place), dir);
}

void vram_end_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	dma_buf_end_exporter_access(dmabuf, buffer->vram->dev, vram_place_table(buffer->place),
				    dir);
}

int vram_read(struct dma_buf *dmabuf, size_t offset, void *dst, size_t len)
{
	return vram_place_read(to_vram_buffer(dmabuf)->place, offset, dst, len);
}

int vram_write(struct dma_buf *dmabuf, size_t offset, const void *src, size_t len)
{
	return vram_place_write(to_vram_buffer(dmabuf)->place, offset, src, len);
}

/* --- making and unmaking ---------------------------------------------------------------------- */

static void vram_release(struct dma_buf *dmabuf)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	WARN(buffer->pins, "vram: a buffer is released while pinned %u times", buffer->pins);
	heap_mappings_fini(&buffer->mappings, "vram");
	vram_place_put(buffer->place);
	kfree(buffer);
}

static const struct dma_buf_ops vram_ops = {
	.attach = vram_attach,
	.pin = vram_attachment_pin,
	.unpin = vram_attachment_unpin,
	.map_dma_buf = vram_map,
	.unmap_dma_buf = vram_unmap,
	.release = vram_release,
	.begin_cpu_access = vram_begin_cpu_access,
	.end_cpu_access = vram_end_cpu_access,
	.vmap = vram_vmap,
	.vunmap = vram_vunmap,
	.mmap = vram_mmap,
	.may_widen = true,
	.tells_own_access = true,
};

static struct vram_place *first_place(struct vram *vram, enum vram_placement wanted, size_t bytes)
{
	struct vram_place *place = vram_place_create(vram, wanted, bytes);

	if (place == ERR_PTR(-ENOSPC))
		place = vram_place_create(vram, VRAM_PLACEMENT_SYSTEM, bytes);
	if (!IS_ERR(place))
		vram_place_clear(place);
	return place;
}

struct dma_buf *vram_allocate(struct vram *vram, size_t bytes, enum vram_placement wanted,
			      struct dma_resv *resv)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct vram_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	/* What one entry of a table can say. */
	if (!bytes || bytes > UINT_MAX - PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->vram = vram;
	INIT_LIST_HEAD(&buffer->mapped);
	heap_mappings_init(&buffer->mappings);
	buffer->place = first_place(vram, wanted, PAGE_ALIGN(bytes));
	if (IS_ERR(buffer->place)) {
		ret = PTR_ERR(buffer->place);
		goto free_buffer;
	}
	buffer->where = buffer->place->where;

	info.exp_name = "vram";
	info.ops = &vram_ops;
	info.size = buffer->place->bytes;
	info.flags = O_RDWR | O_CLOEXEC;
	info.resv = resv;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto put_place;
	}
	return dmabuf;

put_place:
	vram_place_put(buffer->place);
free_buffer:
	heap_mappings_fini(&buffer->mappings, "vram");
	kfree(buffer);
	return ERR_PTR(ret);
}

struct vram *vram_create(struct device *dev, size_t bytes)
{
	struct vram *vram = kzalloc(sizeof(*vram), GFP_KERNEL);
	struct dma_window *window;

	if (!vram)
		return ERR_PTR(-ENOMEM);
	window = dma_window_create(dev, bytes);
	if (IS_ERR(window)) {
		kfree(vram);
		return ERR_CAST(window);
	}
	vram->dev = dev;
	vram->window = window;
	mutex_init(&vram->lock);
	INIT_LIST_HEAD(&vram->ranges);
	return vram;
}

void vram_destroy(struct vram *vram)
{
	WARN(!list_empty(&vram->ranges), "vram: destroyed before its buffers");
	mutex_destroy(&vram->lock);
	kfree(vram);
}
