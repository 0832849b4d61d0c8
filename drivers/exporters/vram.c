/* SPDX-License-Identifier: MIT */
/*
 * vram.c - see vram.h
 *
 * Invariants beside those of vram.h
 *   VR4  A mapping is of the place that the buffer had when it was made, and uses it: an importer
 *	  that follows moves may unmap long after the move.
 *   VR5  A mapping that syncs as it is made is made when the bytes have arrived: what it had copied
 *	  or cleaned before, the engine's later bytes would not be in.
 *
 * How buffers move is in vram-move.c.
 */
#include <linux/bug.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dma/window.h"
#include "drivers/exporters/vram-buffer.h"
#include "drivers/job-queue.h"

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

/* Of VRAM: in the system's memory, where it may be already, there may be some. */
static bool no_room(int ret)
{
	return ret == -ENOSPC || ret == -ENOMEM;
}

/* To where @attach's device can use it, as near as possible to where it is. */
static int bring_near(struct dma_buf_attachment *attach)
{
	struct dma_buf *dmabuf = attach->dmabuf;
	int ret = -ENOSPC;

	if (attach->peer2peer && vram_place_visible(to_vram_buffer(dmabuf)->place))
		ret = vram_move_to(dmabuf, to_vram_buffer(dmabuf)->where, true);
	else if (attach->peer2peer)
		ret = vram_move_to(dmabuf, VRAM_PLACEMENT_VRAM, true);
	return no_room(ret) ? vram_move_to(dmabuf, VRAM_PLACEMENT_SYSTEM, false) : ret;
}

static int vram_attachment_pin(struct dma_buf_attachment *attach)
{
	int ret = bring_near(attach);

	if (!ret)
		vram_buffer_pin(to_vram_buffer(attach->dmabuf));
	return ret;
}

static void stay_no_longer(struct dma_buf *dmabuf)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	dma_resv_assert_held(dmabuf->resv);
	if (!WARN(!buffer->pins, "vram: unpin of a buffer that is not pinned"))
		vram_buffer_unpin(buffer);
}

static void vram_attachment_unpin(struct dma_buf_attachment *attach)
{
	stay_no_longer(attach->dmabuf);
}

static int map_device_memory(struct dma_buf_attachment *attach, struct vram_mapping *mapping,
			     enum dma_data_direction dir)
{
	const struct vram_place *place = mapping->place;
	struct dma_window *window = place->vram->window;
	struct phys_vec range = { dma_window_start(window) + place->offset, place->bytes };

	dma_resv_assert_held(attach->dmabuf->resv);
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
	int ret = bring_near(attach);

	if (ret)
		return ERR_PTR(ret);
	/* Made anew by a move a mapping does not sync; whoever gets it waits for the fence. */
	if (!buffer->moving)
		vram_wait_copied(buffer);
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
	vram_place_use(mapping->place);
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

	dma_resv_assert_held(attach->dmabuf->resv);
	list_del(&mapping->node);
	if (mapping->place->where == VRAM_PLACEMENT_VRAM) {
		dma_buf_free_sgt(attach, sgt, dir);
	} else {
		heap_mappings_del(&buffer->mappings, &mapping->base);
		dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	}
	vram_place_unuse(mapping->place);
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

/* The CPU reaches system memory and the window: there the buffer stays. */
static int vram_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	int ret = vram_move_to(dmabuf, buffer->where, true);

	if (no_room(ret))
		ret = vram_move_to(dmabuf, VRAM_PLACEMENT_SYSTEM, false);
	if (ret)
		return ret;
	vram_wait_copied(buffer);
	vram_buffer_pin(buffer);
	if (buffer->where == VRAM_PLACEMENT_VRAM)
		iosys_map_set_vaddr_iomem(map, vram_place_iomem(buffer->place));
	else
		iosys_map_set_vaddr(map, page_address(buffer->place->pages));
	return 0;
}

static void vram_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	stay_no_longer(dmabuf);
}

static void vram_vm_open(struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = vma->vm_private_data;

	dma_resv_lock(dmabuf->resv, NULL);
	vram_buffer_pin(to_vram_buffer(dmabuf));
	dma_resv_unlock(dmabuf->resv);
}

static void vram_vm_close(struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = vma->vm_private_data;

	dma_resv_lock(dmabuf->resv, NULL);
	stay_no_longer(dmabuf);
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
	ret = vram_move_to(dmabuf, VRAM_PLACEMENT_SYSTEM, false);
	if (ret)
		goto unlock;
	vram_wait_copied(buffer);
	vram_buffer_pin(buffer);
	ret = remap_pfn_range(vma, vma->vm_start, page_to_pfn(buffer->place->pages) + vma->vm_pgoff,
			      vma->vm_end - vma->vm_start, vma->vm_page_prot);
	if (ret)
		goto unpin;
	vma->vm_private_data = dmabuf;
	vma->vm_ops = &vram_vm_ops;
	goto unlock;

unpin:
	stay_no_longer(dmabuf);
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

	dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_KERNEL, false, MAX_SCHEDULE_TIMEOUT);
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

void vram_access_prepare(struct vram_access *access, struct dma_buf *dmabuf,
			 enum dma_data_direction dir, bool pull)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	dma_resv_assert_held(dmabuf->resv);
	if (pull)
		vram_move_async(dmabuf, VRAM_PLACEMENT_VRAM);
	access->dmabuf = dmabuf;
	access->dir = dir;
	access->place = vram_place_get(buffer->place);
}

void vram_access_done(struct vram_access *access)
{
	vram_place_put(access->place);
}

int vram_access_begin(struct vram_access *access)
{
	return dma_buf_begin_exporter_access(access->dmabuf, access->place->vram->dev,
					     vram_place_table(access->place), access->dir);
}

void vram_access_end(struct vram_access *access)
{
	dma_buf_end_exporter_access(access->dmabuf, access->place->vram->dev,
				    vram_place_table(access->place), access->dir);
}

int vram_access_read(struct vram_access *access, size_t offset, void *dst, size_t len)
{
	return vram_place_read(access->place, offset, dst, len);
}

int vram_access_write(struct vram_access *access, size_t offset, const void *src, size_t len)
{
	return vram_place_write(access->place, offset, src, len);
}

/* --- making and unmaking ---------------------------------------------------------------------- */

static void vram_release(struct dma_buf *dmabuf)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);

	vram_lru_remove(buffer);
	vram_wait_copied(buffer);
	dma_fence_put(buffer->copy);
	WARN(buffer->pins, "vram: a buffer is released while pinned %u times", buffer->pins);
	heap_mappings_fini(&buffer->mappings, "vram");
	vram_place_unuse(buffer->place);
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
	.tells_moves = true,
};

static struct vram_place *first_place(struct vram *vram, enum vram_placement wanted, size_t bytes)
{
	struct vram_place *place = ERR_PTR(-ENOSPC);

	if (wanted == VRAM_PLACEMENT_VRAM)
		place = vram_find_room(vram, false, bytes);
	if (place == ERR_PTR(-ENOSPC))
		place = vram_place_create(vram, VRAM_PLACEMENT_SYSTEM, false, bytes);
	if (IS_ERR(place))
		return place;
	/* What the range held may still be on its way to elsewhere, and the engine will not clear. */
	vram_wait_idle(vram);
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
	if (READ_ONCE(vram->lost))
		return ERR_PTR(-ENODEV);
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	buffer->vram = vram;
	INIT_LIST_HEAD(&buffer->mapped);
	INIT_LIST_HEAD(&buffer->lru);
	INIT_LIST_HEAD(&buffer->node);
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
	buffer->dmabuf = dmabuf;
	mutex_lock(&vram->lock);
	list_add_tail(&buffer->node, &vram->buffers);
	if (buffer->where == VRAM_PLACEMENT_VRAM)
		list_add_tail(&buffer->lru, &vram->lru);
	mutex_unlock(&vram->lock);
	return dmabuf;

put_place:
	vram_place_unuse(buffer->place);
free_buffer:
	heap_mappings_fini(&buffer->mappings, "vram");
	kfree(buffer);
	return ERR_PTR(ret);
}

struct vram *vram_create_with(struct device *dev, const struct vram_config *config)
{
	struct vram *vram = kzalloc(sizeof(*vram), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!vram)
		return ERR_PTR(-ENOMEM);
	vram->dev = dev;
	vram->bytes = PAGE_ALIGN(config->bytes);
	vram->visible = min(PAGE_ALIGN(config->visible ?: config->bytes), vram->bytes);
	vram->pin_limit = config->pinned ? PAGE_ALIGN(config->pinned) : vram->bytes;
	vram->fail_copies = VRAM_COPIES_WORK;
	vram->patience = msecs_to_jiffies(10000);
	mutex_init(&vram->lock);
	INIT_LIST_HEAD(&vram->ranges);
	INIT_LIST_HEAD(&vram->lru);
	INIT_LIST_HEAD(&vram->buffers);
	vram->window = dma_window_create(dev, vram->visible);
	if (IS_ERR(vram->window)) {
		ret = PTR_ERR(vram->window);
		goto free_vram;
	}
	if (vram->visible < vram->bytes) {
		vram->rest = kvzalloc(vram->bytes - vram->visible, GFP_KERNEL);
		if (!vram->rest)
			goto free_vram;
	}
	vram->copies = job_queue_create("vram copies");
	if (IS_ERR(vram->copies)) {
		ret = PTR_ERR(vram->copies);
		goto free_rest;
	}
	return vram;

free_rest:
	kvfree(vram->rest);
free_vram:
	mutex_destroy(&vram->lock);
	kfree(vram);
	return ERR_PTR(ret);
}

struct vram *vram_create(struct device *dev, size_t bytes)
{
	return vram_create_with(dev, &(struct vram_config){ .bytes = bytes });
}

void vram_destroy(struct vram *vram)
{
	job_queue_destroy(vram->copies);
	WARN(!list_empty(&vram->ranges), "vram: destroyed before its buffers");
	dma_fence_put(vram->last_copy);
	kvfree(vram->rest);
	mutex_destroy(&vram->lock);
	kfree(vram);
}
