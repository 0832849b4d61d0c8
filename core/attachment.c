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
#include <linux/device.h>
#include <linux/dma-table.h>
#include <linux/kernel.h>

#include "buffer.h"
#include "debug-table.h"
#include "event.h"
#include "locking.h"
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

static struct dma_buf_attachment *attach_as(struct dma_buf *dmabuf, struct device *dev,
					    const struct dma_buf_attach_ops *importer_ops,
					    void *importer_priv, bool no_snoop)
{
	struct dma_buf_attachment *attach;

	if (WARN(!dmabuf || !dev, "dma-buf: attach without a buffer or a device\n"))
		return ERR_PTR(-EINVAL);
	if (WARN(importer_ops && !importer_ops->move_notify,
		 "dma-buf: a dynamic importer without move_notify\n"))
		return ERR_PTR(-EINVAL);
	might_sleep();
	if (lock_rule(dma_buf_attach, dmabuf->resv))
		return ERR_PTR(-EDEADLK);

	if (READ_ONCE(to_buffer(dmabuf)->revoked))
		return ERR_PTR(-ENODEV);
	if (keeps(dmabuf, importer_ops))
		attach = slot_set_borrow(dmabuf, dev, importer_ops, importer_priv, no_snoop);
	else
		attach = remap_attach(dmabuf, dev, importer_ops, importer_priv, no_snoop);
	if (!IS_ERR(attach))
		event_tell(EVENT_ATTACH, dmabuf, attach, 0, 0, 0);
	return attach;
}

struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						  const struct dma_buf_attach_ops *importer_ops,
						  void *importer_priv)
{
	return attach_as(dmabuf, dev, importer_ops, importer_priv, false);
}

struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf, struct device *dev)
{
	return attach_as(dmabuf, dev, NULL, NULL, false);
}

struct dma_buf_attachment *dma_buf_attach_no_snoop(struct dma_buf *dmabuf, struct device *dev,
						   const struct dma_buf_attach_ops *importer_ops,
						   void *importer_priv)
{
	if (dev && dma_device_domain(dev) == DMA_DOMAIN_BOUNCE)
		return ERR_PTR(-EOPNOTSUPP);
	return attach_as(dmabuf, dev, importer_ops, importer_priv, true);
}

void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct device *dev;
	bool clean;

	if (WARN(!dmabuf || !attach || attach->dmabuf != dmabuf,
		 "dma-buf: detach of an attachment that is not this buffer's\n"))
		return;
	might_sleep();
	if (lock_rule(dma_buf_detach, dmabuf->resv))
		return;

	dev = attach->dev;
	event_tell(EVENT_DETACH, dmabuf, attach, 0, 0, 0);
	clean = attach->set ? slot_set_return(attach) : remap_detach(attach);
	WARN(!clean,
	     "dma-buf: detach while mapped: %s still uses a buffer of %s; it stays until its "
	     "unmap\n",
	     dev_name(dev), dmabuf->exp_name);
}

/* --- map -------------------------------------------------------------------------------------- */

/*
 * The hot functions are leaves: whatever needs a stack frame (a rule broken, somebody who listens,
 * nothing kept) is in a function of its own.
 */
static bool hot_path(const struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return !IS_ENABLED(LIBDMABUF_DEBUG_TABLES) &&
	       likely(attach && !bad_direction(dir) && attach->slot[dir] && !event_listener);
}

static void unmap_real(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir, bool held);

/* In every build: who waits for himself waits for ever. */
static bool would_deadlock(struct dma_buf_attachment *attach, bool held)
{
	might_sleep();
	return WARN(!held && dma_resv_held(attach->dmabuf->resv),
		    "dma-buf: an _unlocked map or unmap takes the reservation: call it without\n");
}

static noinline struct sg_table *map_rarely(struct dma_buf_attachment *attach,
					    enum dma_data_direction dir, bool held)
{
	struct sg_table *sgt, *shown;
	struct mapping_slot *slot;

	if (WARN(!attach || bad_direction(dir),
		 "dma-buf: map without an attachment or a direction\n"))
		return ERR_PTR(-EINVAL);
	if (would_deadlock(attach, held))
		return ERR_PTR(-EDEADLK);

	slot = attach->slot[dir];
	if (slot && held) {
		hot_assert_held(attach);
		sgt = mapping_slot_map_locked(slot, dir);
	} else if (slot) {
		sgt = mapping_slot_map_unlocked(slot, dir);
	} else if (held) {
		sgt = remap_map(attach, dir);
	} else {
		dma_resv_lock(attach->dmabuf->resv, NULL);
		sgt = remap_map(attach, dir);
		dma_resv_unlock(attach->dmabuf->resv);
	}
	if (IS_ERR(sgt))
		return sgt;
	event_tell(EVENT_MAP, attach->dmabuf, attach, dir, 0, 0);
	shown = debug_table_show(attach, sgt);
	if (IS_ERR(shown))
		unmap_real(attach, sgt, dir, held);
	return shown;
}

struct sg_table *dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
						 enum dma_data_direction dir)
{
	if (!hot_path(attach, dir))
		return map_rarely(attach, dir, false);
	if (hot_assert_not_held(attach))
		return ERR_PTR(-EDEADLK);
	return mapping_slot_map_unlocked(attach->slot[dir], dir);
}

struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	if (!hot_path(attach, dir))
		return map_rarely(attach, dir, true);
	hot_assert_held(attach);
	return mapping_slot_map_locked(attach->slot[dir], dir);
}

/* --- unmap ------------------------------------------------------------------------------------ */

/* Is @head what a map of @dir returned?  The slot itself finds an unmap too many. */
static bool head_fits(enum slot_head head, enum dma_data_direction dir)
{
	return likely(head != SLOT_HEADS && (head & 1) == slot_writes(dir));
}

/* The slot that @sgt is really of, after a WARN that says what is wrong; NULL if it is nobody's. */
static struct mapping_slot *unmap_misused(struct dma_buf_attachment *attach, struct sg_table *sgt,
					  enum dma_data_direction dir)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(attach->slot); i++) {
		if (mapping_slot_head(attach->slot[i], sgt) == SLOT_HEADS)
			continue;
		WARN(1, "dma-buf: unmap with direction %d of a mapping made with another\n", dir);
		return attach->slot[i];
	}
	WARN(1, "dma-buf: unmap of a table that is not mapped\n");
	return NULL;
}

static void unmap_real(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir, bool held)
{
	struct dma_buf *dmabuf = attach->dmabuf; /* the last unmap may end a detached attachment */
	struct mapping_slot *slot;
	enum slot_head head;

	slot = attach->slot[dir];
	if (!slot) {
		struct dma_resv *resv = dmabuf->resv;

		if (!held)
			dma_resv_lock(resv, NULL);
		remap_unmap(attach, sgt, dir);
		if (!held)
			dma_resv_unlock(resv);
		event_tell(EVENT_UNMAPPED, dmabuf, attach, dir, 0, 0);
		return;
	}

	head = mapping_slot_head(slot, sgt);
	if (!head_fits(head, dir)) {
		slot = unmap_misused(attach, sgt, dir);
		if (!slot)
			return;
		head = mapping_slot_head(slot, sgt);
	}
	event_tell(EVENT_UNMAP, dmabuf, attach, dir, 0, 0);
	if (held)
		mapping_slot_unmap_locked(slot, head);
	else
		mapping_slot_unmap_unlocked(slot, head);
	event_tell(EVENT_UNMAPPED, dmabuf, attach, dir, 0, 0);
}

static noinline void unmap_rarely(struct dma_buf_attachment *attach, struct sg_table *sgt,
				  enum dma_data_direction dir, bool held)
{
	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: unmap without an attachment, a table or a direction\n"))
		return;
	if (would_deadlock(attach, held))
		return;
	if (held && attach->slot[dir])
		hot_assert_held(attach);
	sgt = debug_table_hide(attach, sgt);
	if (WARN(!sgt, "dma-buf: unmap of a table that is not mapped\n"))
		return;
	unmap_real(attach, sgt, dir, held);
}

void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach, struct sg_table *sgt,
				       enum dma_data_direction dir)
{
	struct mapping_slot *slot;
	enum slot_head head;

	if (!hot_path(attach, dir) || !sgt)
		goto rarely;
	if (hot_assert_not_held(attach))
		return;
	slot = attach->slot[dir];
	head = mapping_slot_head(slot, sgt);
	if (!head_fits(head, dir))
		goto rarely;
	mapping_slot_unmap_unlocked(slot, head);
	return;

rarely:
	unmap_rarely(attach, sgt, dir, false);
}

void dma_buf_unmap_attachment(struct dma_buf_attachment *attach, struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	struct mapping_slot *slot;
	enum slot_head head;

	if (!hot_path(attach, dir) || !sgt)
		goto rarely;
	hot_assert_held(attach);
	slot = attach->slot[dir];
	head = mapping_slot_head(slot, sgt);
	if (!head_fits(head, dir))
		goto rarely;
	mapping_slot_unmap_locked(slot, head);
	return;

rarely:
	unmap_rarely(attach, sgt, dir, true);
}

enum dma_buf_placement dma_buf_map_placement(struct dma_buf_attachment *attach,
					     struct sg_table *sgt)
{
	struct sg_table *real = attach && sgt ? debug_table_real(attach, sgt) : NULL;

	if (WARN(!real, "dma-buf: where is what is not mapped?\n"))
		return DMA_BUF_PLACEMENT_SYSTEM;
	/* As slots tell: dma-buf-mapping.h. */
	return real->orig_nents && sg_page(real->sgl) ? DMA_BUF_PLACEMENT_SYSTEM
						      : DMA_BUF_PLACEMENT_DEVICE;
}

/* --- one access of many through a kept mapping ------------------------------------------------ */

void dma_buf_begin_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			  enum dma_data_direction dir)
{
	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: begin_access without an attachment, a table or a direction\n"))
		return;
	might_sleep();
	if (lock_rule(dma_buf_begin_access, attach->dmabuf->resv))
		return;

	sgt = debug_table_real(attach, sgt);
	if (WARN(!sgt, "dma-buf: begin_access of a table that is not mapped\n"))
		return;
	if (attach->slot[dir])
		mapping_slot_begin_access(attach->slot[dir], dir);
	else
		remap_begin_access(attach, sgt, dir);
	event_tell(EVENT_ACCESS, attach->dmabuf, attach, dir, 0, 0);
}

void dma_buf_end_access(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	if (WARN(!attach || !sgt || bad_direction(dir),
		 "dma-buf: end_access without an attachment, a table or a direction\n"))
		return;
	might_sleep();
	if (lock_rule(dma_buf_end_access, attach->dmabuf->resv))
		return;

	sgt = debug_table_real(attach, sgt);
	if (WARN(!sgt, "dma-buf: end_access of a table that is not mapped\n"))
		return;
	if (attach->slot[dir])
		mapping_slot_end_access(attach->slot[dir], dir);
	else
		remap_end_access(attach, sgt, dir);
	event_tell(EVENT_ACCESS_END, attach->dmabuf, attach, dir, 0, 0);
}
