/* SPDX-License-Identifier: MIT */
/*
 * exporter.c - the exporter, which writes down what it is asked, and the importers that follow moves
 *
 * A place that the buffer has left lives until the release, so a mapping of it that is still there
 * reaches old bytes of the same buffer, never another's.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "subject.h"

struct exported_table {
	struct list_head node;
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
};

struct exported_place {
	struct list_head node;
	struct page *place;
};

/* --- writing down ----------------------------------------------------------------------------- */

static struct exported *exported_of(struct dma_buf *dmabuf)
{
	return dmabuf->priv;
}

/* Does 6.12 keep this importer's mapping of such an exporter? */
static bool kept(struct dma_buf_attachment *attach)
{
	const struct dma_buf_ops *ops = attach->dmabuf->ops;

	return ops->cache_sgt_mapping || !attach->importer_ops != !ops->pin;
}

static int attachment_id(struct dma_buf_attachment *attach)
{
	for (unsigned int i = 0; i < ATTACHMENTS; i++)
		if (subject.attachments[i].attach == attach)
			return subject.attachments[i].id;
	return -1;
}

static u8 buffer_flags(const struct exported *exported)
{
	return (exported->kept ? EVENT_BUFFER_KEPT : 0) | (exported->improper ? EVENT_IMPROPER : 0);
}

void note_op(enum event_kind kind, struct dma_buf *dmabuf, struct dma_buf_attachment *attach,
	     s64 value)
{
	struct exported *exported = exported_of(dmabuf);
	u8 flags = buffer_flags(exported);

	if (kind != EVENT_OP_RELEASE && dma_resv_is_locked(dmabuf->resv))
		flags |= EVENT_HELD;
	if (attach && kept(attach))
		flags |= EVENT_KEPT;
	note(kind, exported->id, attach ? attachment_id(attach) : -1, value, flags);
}

/*
 * What the program wants to be answered.  Not where Linux and we ask at different times: of what 6.12
 * keeps, and of calls that are made with the reservation held and must not be.
 */
static int answer(enum event_kind kind, struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	bool unlocked = kind == EVENT_OP_BEGIN || kind == EVENT_OP_END || kind == EVENT_OP_MMAP;
	int ret = subject.fail[kind];

	if (!ret || (unlocked && dma_resv_held(dmabuf->resv)) ||
	    (kind == EVENT_OP_MAP && kept(attach)) || (kind == EVENT_OP_PIN && !subject.pinning))
		return 0;
	subject.fail[kind] = 0;
	return ret;
}

/* --- what the core asks ----------------------------------------------------------------------- */

static int op_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	note_op(EVENT_OP_ATTACH, dmabuf, attach, 0);
	return answer(EVENT_OP_ATTACH, dmabuf, attach);
}

static void op_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	note_op(EVENT_OP_DETACH, dmabuf, attach, 0);
}

static int op_pin(struct dma_buf_attachment *attach)
{
	note_op(EVENT_OP_PIN, attach->dmabuf, attach, 0);
	return answer(EVENT_OP_PIN, attach->dmabuf, attach);
}

static void op_unpin(struct dma_buf_attachment *attach)
{
	note_op(EVENT_OP_UNPIN, attach->dmabuf, attach, 0);
}

static struct exported_table *make_table(struct exported *exported, struct device *dev,
					 enum dma_data_direction dir)
{
	struct exported_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	if (!table)
		return NULL;
	if (sg_alloc_table(&table->sgt, exported->size >> PAGE_SHIFT, GFP_KERNEL))
		goto free_table;
	for_each_sgtable_sg(&table->sgt, sg, i)
		sg_set_page(sg, exported->place + i, PAGE_SIZE, 0);
	if (dma_map_sgtable(dev, &table->sgt, dir, 0))
		goto free_entries;
	table->dev = dev;
	table->dir = dir;
	return table;

free_entries:
	sg_free_table(&table->sgt);
free_table:
	kfree(table);
	return NULL;
}

static struct sg_table *op_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct exported *exported = exported_of(attach->dmabuf);
	struct exported_table *table;
	int ret;

	note_op(EVENT_OP_MAP, attach->dmabuf, attach, dir);
	ret = answer(EVENT_OP_MAP, attach->dmabuf, attach);
	/* Two ways to say the same. */
	if (ret)
		return ret == -ENOMEM ? NULL : ERR_PTR(ret);
	table = make_table(exported, attach->dev, dir);
	if (!table)
		return ERR_PTR(-ENOSPC);
	mutex_lock(&exported->lock);
	list_add_tail(&table->node, &exported->mapped);
	mutex_unlock(&exported->lock);
	return &table->sgt;
}

static void op_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		     enum dma_data_direction dir)
{
	struct exported *exported = exported_of(attach->dmabuf);
	struct exported_table *table = container_of(sgt, struct exported_table, sgt);

	note_op(EVENT_OP_UNMAP, attach->dmabuf, attach, dir);
	if (table->dir != dir || table->dev != attach->dev)
		saw(0, table->dir);
	mutex_lock(&exported->lock);
	list_del(&table->node);
	mutex_unlock(&exported->lock);
	dma_unmap_sgtable(table->dev, sgt, table->dir, 0);
	sg_free_table(sgt);
	kfree(table);
}

static int op_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct exported *exported = exported_of(dmabuf);
	struct exported_table *table;
	int ret;

	note_op(EVENT_OP_BEGIN, dmabuf, NULL, dir);
	ret = (unsigned int)dir >= DMA_NONE ? -EINVAL : answer(EVENT_OP_BEGIN, dmabuf, NULL);
	if (ret)
		return ret;
	mutex_lock(&exported->lock);
	list_for_each_entry(table, &exported->mapped, node)
		dma_sync_sgtable_for_cpu(table->dev, &table->sgt, table->dir);
	mutex_unlock(&exported->lock);
	return 0;
}

static int op_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct exported *exported = exported_of(dmabuf);
	struct exported_table *table;

	note_op(EVENT_OP_END, dmabuf, NULL, dir);
	mutex_lock(&exported->lock);
	list_for_each_entry(table, &exported->mapped, node)
		dma_sync_sgtable_for_device(table->dev, &table->sgt, table->dir);
	mutex_unlock(&exported->lock);
	return (unsigned int)dir >= DMA_NONE ? -EINVAL : answer(EVENT_OP_END, dmabuf, NULL);
}

static int op_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	note_op(EVENT_OP_VMAP, dmabuf, NULL, 0);
	ret = answer(EVENT_OP_VMAP, dmabuf, NULL);
	if (!ret)
		iosys_map_set_vaddr(map, page_address(exported_of(dmabuf)->place));
	return ret;
}

static void op_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	note_op(EVENT_OP_VUNMAP, dmabuf, NULL, 0);
	if (map->vaddr != page_address(exported_of(dmabuf)->place))
		saw(0, 0);
}

static int op_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	int ret;

	note_op(EVENT_OP_MMAP, dmabuf, NULL, (s64)vma_pages(vma) << 32 | vma->vm_pgoff);
	ret = answer(EVENT_OP_MMAP, dmabuf, NULL);
	if (ret)
		return ret;
	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(exported_of(dmabuf)->place) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void op_release(struct dma_buf *dmabuf)
{
	note_op(EVENT_OP_RELEASE, dmabuf, NULL, 0);
	atomic_dec(&subject.live_exported);
	exported_free(exported_of(dmabuf));
}

/* --- the exporter's buffer -------------------------------------------------------------------- */

static void fill_ops(struct dma_buf_ops *ops, unsigned int kind)
{
	ops->map_dma_buf = op_map;
	ops->unmap_dma_buf = op_unmap;
	ops->release = op_release;
	if (kind & EXPORTER_DYNAMIC) {
		ops->pin = op_pin;
		ops->unpin = op_unpin;
	} else if (kind & EXPORTER_CACHE) {
		ops->cache_sgt_mapping = true;
	}
	if (kind & EXPORTER_CPU) {
		ops->begin_cpu_access = op_begin;
		ops->end_cpu_access = op_end;
	}
	if (kind & EXPORTER_VMAP) {
		ops->vmap = op_vmap;
		ops->vunmap = op_vunmap;
	}
	if (kind & EXPORTER_MMAP)
		ops->mmap = op_mmap;
	if (kind & EXPORTER_ATTACH) {
		ops->attach = op_attach;
		ops->detach = op_detach;
	}
}

struct exported *exported_new(unsigned int kind, unsigned int pages)
{
	struct exported *exported = kzalloc(sizeof(*exported), GFP_KERNEL);

	if (!exported)
		return NULL;
	exported->size = pages << PAGE_SHIFT;
	exported->place = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(exported->size));
	if (!exported->place) {
		kfree(exported);
		return NULL;
	}
	exported->id = subject.next_buffer++;
	exported->kind = kind;
	fill_ops(&exported->ops, kind);
	mutex_init(&exported->lock);
	INIT_LIST_HEAD(&exported->mapped);
	INIT_LIST_HEAD(&exported->places);
	atomic_inc(&subject.live_exported);
	return exported;
}

void exported_free(struct exported *exported)
{
	unsigned int order = get_order(exported->size);
	struct exported_place *old, *next;

	list_for_each_entry_safe(old, next, &exported->places, node) {
		__free_pages(old->place, order);
		kfree(old);
	}
	__free_pages(exported->place, order);
	mutex_destroy(&exported->lock);
	kfree(exported);
}

int exported_move(struct exported *exported)
{
	unsigned int order = get_order(exported->size);
	struct exported_place *old = kzalloc(sizeof(*old), GFP_KERNEL);
	struct page *place = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);

	if (!old || !place) {
		kfree(old);
		if (place)
			__free_pages(place, order);
		return -ENOMEM;
	}
	memcpy(page_address(place), page_address(exported->place), exported->size);
	old->place = exported->place;
	list_add(&old->node, &exported->places);
	exported->place = place;
	return 0;
}

/* --- importers -------------------------------------------------------------------------------- */

static void told(struct dma_buf_attachment *attach)
{
	note_op(EVENT_MOVE_NOTIFY, attach->dmabuf, attach, 0);
}

static void told_and_unmaps(struct dma_buf_attachment *attach)
{
	told(attach);
	/* Nothing moves; not every core tells of it. */
	if (!attach->dmabuf->ops->pin)
		return;
	for (unsigned int i = 0; i < MAPPINGS; i++) {
		struct subject_mapping *mapping = &subject.mappings[i];

		if (mapping->sgt && mapping->attachment->attach == attach)
			do_unmap(mapping, true);
	}
}

const struct dma_buf_attach_ops importer_ops[IMPORTERS] = {
	[IMPORTER_DYNAMIC] = { .move_notify = told },
	[IMPORTER_PEER] = { .allow_peer2peer = true, .move_notify = told },
	[IMPORTER_UNMAPS] = { .move_notify = told_and_unmaps },
};
