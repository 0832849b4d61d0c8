/* SPDX-License-Identifier: MIT */
/*
 * attachment.c - what importers call: attach, map, unmap, begin and end access, detach
 *
 * Invariants
 *   AT1  A hit touches one cache line of the attachment and its slot, and no lock.
 *   AT2  A call that breaks a rule WARNs, names the rule and leaves counts and memory as they were.
 *
 * Not here: what is kept (slot-set), how (mapping-slot), and what is not kept (remap).
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/kernel.h>

#include "buffer.h"
#include "event.h"
#include "mapping-slot.h"
#include "remap.h"
#include "slot-set.h"

static bool bad_direction(enum dma_data_direction dir)
{
	return (unsigned int)dir >= DMA_NONE;
}

/* A move would invalidate what a dynamic importer has cached of a dynamic exporter. */
static bool keeps(struct dma_buf *dmabuf, const struct dma_buf_attach_ops *importer_ops)
{
	return to_buffer(dmabuf)->policy == DMA_BUF_POLICY_CACHED &&
	       !(dma_buf_is_dynamic(dmabuf) && importer_ops);
}

struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						  const struct dma_buf_attach_ops *importer_ops,
						  void *importer_priv)
{
	struct dma_buf_attachment *attach;

	if (WARN(!dmabuf || !dev, "dma-buf: attach without a buffer or a device\n"))
		return ERR_PTR(-EINVAL);
	if (WARN(importer_ops && !importer_ops->move_notify,
		 "dma-buf: a dynamic importer without move_notify\n"))
		return ERR_PTR(-EINVAL);
	might_sleep();
	dma_resv_assert_not_held(dmabuf->resv);

	if (keeps(dmabuf, importer_ops))
		attach = slot_set_borrow(dmabuf, dev, importer_ops, importer_priv);
	else
		attach = remap_attach(dmabuf, dev, importer_ops, importer_priv);
	if (!IS_ERR(attach))
		event_tell(EVENT_ATTACH, dmabuf, attach, 0, 0);
	return attach;
}

struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf, struct device *dev)
{
	return dma_buf_dynamic_attach(dmabuf, dev, NULL, NULL);
}

void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	bool clean;

	if (WARN(!dmabuf || !attach || attach->dmabuf != dmabuf,
		 "dma-buf: detach of an attachment that is not this buffer's\n"))
		return;
	might_sleep();
	dma_resv_assert_not_held(dmabuf->resv);

	event_tell(EVENT_DETACH, dmabuf, attach, 0, 0);
	clean = attach->set ? slot_set_return(attach) : remap_detach(attach);
	WARN(!clean, "dma-buf: detach while mapped\n");
}

/* --- map -------------------------------------------------------------------------------------- */

static struct sg_table *told_map(struct dma_buf_attachment *attach, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	if (!IS_ERR(sgt))
		event_tell(EVENT_MAP, attach->dmabuf, attach, dir, 0);
	return sgt;
}

static struct sg_table *remap_map_unlocked(struct dma_buf_attachment *attach,
					   enum dma_data_direction dir)
{
	struct sg_table *sgt;

	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = remap_map(attach, dir);
	dma_resv_unlock(attach->dmabuf->resv);
	return told_map(attach, sgt, dir);
}

struct sg_table *dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
						 enum dma_data_direction dir)
{
	struct mapping_slot *slot;

	if (WARN(!attach || bad_direction(dir),
		 "dma-buf: map without an attachment or a direction\n"))
		return ERR_PTR(-EINVAL);
	hot_assert_not_held(attach);

	slot = attach->slot[dir];
	if (unlikely(!slot))
		return remap_map_unlocked(attach, dir);
	return told_map(attach, mapping_slot_map_unlocked(slot, dir), dir);
}

struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	struct mapping_slot *slot;

	if (WARN(!attach || bad_direction(dir),
		 "dma-buf: map without an attachment or a direction\n"))
		return ERR_PTR(-EINVAL);
	hot_assert_held(attach);

	slot = attach->slot[dir];
	if (unlikely(!slot))
		return told_map(attach, remap_map(attach, dir), dir);
	return told_map(attach, mapping_slot_map_locked(slot, dir), dir);
}

/* --- unmap ------------------------------------------------------------------------------------ */

static bool head_in_use(const struct mapping_slot *slot, enum slot_head head)
{
	switch (head) {
	case SLOT_HEAD_READ:
		return atomic_read(&slot->word) & SLOT_READERS;
	case SLOT_HEAD_WRITE:
		return atomic_read(&slot->word) & SLOT_WRITERS;
	case SLOT_HEAD_HELD_READ:
		return READ_ONCE(slot->held) & (SLOT_HELD_WRITER - 1);
	case SLOT_HEAD_HELD_WRITE:
		return READ_ONCE(slot->held) >= SLOT_HELD_WRITER;
	default:
		return false;
	}
}

/* Is @sgt what a map of @dir through @slot returned, and is such a map still in use? */
static bool unmap_is_right(const struct mapping_slot *slot, enum slot_head head,
			   enum dma_data_direction dir)
{
	return likely(head != SLOT_HEADS && (head & 1) == slot_writes(dir) &&
		      head_in_use(slot, head));
}

/* The slot that @sgt is really of, after a WARN that says what is wrong; NULL if there is nothing
 * to unmap. */
static noinline struct mapping_slot *
unmap_misused(struct dma_buf_attachment *attach, struct sg_table *sgt, enum dma_data_direction dir)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(attach->slot); i++) {
		struct mapping_slot *slot = attach->slot[i];
		enum slot_head head = mapping_slot_head(slot, sgt);

		if (head == SLOT_HEADS || !head_in_use(slot, head))
			continue;
		WARN(1, "dma-buf: unmap with direction %d of a mapping made with another\n", dir);
		return slot;
	}
	WARN(1, "dma-buf: unmap of a table that is not mapped\n");
	return NULL;
}

static void remap_unmap_unlocked(struct dma_buf_attachment *attach, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	struct dma_resv *resv = attach->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	remap_unmap(attach, sgt, dir);
	dma_resv_unlock(resv);
}

void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach, struct sg_table *sgt,
				       enum dma_data_direction dir)
{
	struct mapping_slot *slot;
	enum slot_head head;

	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: unmap without an attachment, a table or a direction\n"))
		return;
	hot_assert_not_held(attach);

	slot = attach->slot[dir];
	if (unlikely(!slot)) {
		remap_unmap_unlocked(attach, sgt, dir);
		return;
	}
	head = mapping_slot_head(slot, sgt);
	if (!unmap_is_right(slot, head, dir)) {
		slot = unmap_misused(attach, sgt, dir);
		if (!slot)
			return;
		head = mapping_slot_head(slot, sgt);
	}
	event_tell(EVENT_UNMAP, attach->dmabuf, attach, dir, 0);
	mapping_slot_unmap_unlocked(slot, head);
}

void dma_buf_unmap_attachment(struct dma_buf_attachment *attach, struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	struct mapping_slot *slot;
	enum slot_head head;

	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: unmap without an attachment, a table or a direction\n"))
		return;
	hot_assert_held(attach);

	slot = attach->slot[dir];
	if (unlikely(!slot)) {
		remap_unmap(attach, sgt, dir);
		return;
	}
	head = mapping_slot_head(slot, sgt);
	if (!unmap_is_right(slot, head, dir)) {
		slot = unmap_misused(attach, sgt, dir);
		if (!slot)
			return;
		head = mapping_slot_head(slot, sgt);
	}
	event_tell(EVENT_UNMAP, attach->dmabuf, attach, dir, 0);
	mapping_slot_unmap_locked(slot, head);
}

/* --- one access of many through a kept mapping ------------------------------------------------ */

void dma_buf_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: begin_access without an attachment, a table or a direction\n"))
		return;
	might_sleep();
	dma_resv_assert_not_held(attach->dmabuf->resv);

	if (attach->slot[dir])
		mapping_slot_begin_access(attach->slot[dir], dir);
	else
		dma_sync_sgtable_for_device(attach->dev, sgt, dir);
}

void dma_buf_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: end_access without an attachment, a table or a direction\n"))
		return;
	might_sleep();
	dma_resv_assert_not_held(attach->dmabuf->resv);

	if (attach->slot[dir])
		mapping_slot_end_access(attach->slot[dir], dir);
	else
		dma_sync_sgtable_for_cpu(attach->dev, sgt, dir);
}
