/* SPDX-License-Identifier: MIT */
/*
 * slot-set.c - sets of slots: borrowing, keeping, ending them
 *
 * See slot-set.h for the invariants.  Not here: what a slot does (mapping-slot), what an importer
 * may ask (attachment), what is given back before anybody ends it (slot-reclaim).
 */
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "buffer.h"
#include "event.h"
#include "slot-reclaim.h"
#include "slot-set.h"

/* The hot halves of `own` and of the first slot: from attachment.slot to mapping_slot's look masks.
 */
#define HOT_START offsetof(struct slot_set, own.slot)
#define HOT_END (offsetof(struct slot_set, first.slot.waits_kernel) + sizeof(bool))
_Static_assert(HOT_START / SLOT_CELL_BYTES == (HOT_END - 1) / SLOT_CELL_BYTES,
	       "a hit of the first borrower touches one cache line");

/* --- the slots of a set ----------------------------------------------------------------------- */

static unsigned int slot_index(const struct slot_set *set, const struct mapping_slot *slot)
{
	return slot == &set->first.slot ? 0 : slot == &set->rest[0].slot ? 1 : 2;
}

static bool set_active(struct slot_set *set)
{
	for (unsigned int i = 0; i < slot_set_slots(set); i++)
		if (mapping_slot_active(slot_set_slot(set, i)))
			return true;
	return false;
}

/* Is a kept mapping a pin?  Not of who gives it anew when the buffer moves. */
static bool keeps_pinned(const struct slot_set *set)
{
	return dma_buf_is_dynamic(set->dmabuf) && !set->dmabuf->ops->tells_moves;
}

/* One that moves and builds anew is not who mapped. */
static void note_mapper(struct slot_set *set, unsigned int i)
{
	struct slot_mapper *by;

	if (!set->mapped_by || to_buffer(set->dmabuf)->move.slots)
		return;
	by = &set->mapped_by[i];
	by->n = stack_trace_save(by->at, ARRAY_SIZE(by->at), 2);
}

static struct sg_table *build_once(struct mapping_slot *slot, enum dma_data_direction dir)
{
	struct slot_set *set = slot->owner;
	struct dma_buf_attachment *inner = &set->back[slot_index(set, slot)].inner;
	const struct dma_buf_ops *ops = set->dmabuf->ops;
	bool pin = keeps_pinned(set);
	struct sg_table *sgt;
	int ret;

	if (pin) {
		ret = ops->pin(inner);
		if (ret)
			return ERR_PTR(ret);
	}

	dma_owned_begin();
	sgt = ops->map_dma_buf(inner, dir);
	dma_owned_end();
	if (!sgt)
		sgt = ERR_PTR(-ENOMEM);
	if (IS_ERR(sgt) && pin)
		ops->unpin(inner);
	if (!IS_ERR(sgt) && pin)
		slot_reclaim_pinned(set);
	if (!IS_ERR(sgt))
		note_mapper(set, slot_index(set, slot));
	return sgt;
}

static bool lacks_room(const struct sg_table *sgt)
{
	return sgt == ERR_PTR(-ENOMEM) || sgt == ERR_PTR(-ENOSPC);
}

/* SS6.  While slots are frozen for a move nobody may look for room. */
static struct sg_table *slot_build(struct mapping_slot *slot, enum dma_data_direction dir)
{
	struct slot_set *set = slot->owner;
	struct sg_table *sgt = build_once(slot, dir);

	if (!lacks_room(sgt) || to_buffer(set->dmabuf)->move.slots)
		return sgt;
	while (lacks_room(sgt) && slot_reclaim_oldest())
		sgt = build_once(slot, dir);
	if (lacks_room(sgt) && slot_reclaim_everywhere(0))
		sgt = build_once(slot, dir);
	return sgt;
}

static bool slot_starved(struct mapping_slot *slot)
{
	return slot_reclaim_everywhere(SLOT_RECLAIM_PATIENCE);
}

static void slot_destroy(struct mapping_slot *slot, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct slot_set *set = slot->owner;
	struct dma_buf_attachment *inner = &set->back[slot_index(set, slot)].inner;
	const struct dma_buf_ops *ops = set->dmabuf->ops;

	set->back[slot_index(set, slot)].cursor = NULL;
	dma_owned_begin();
	ops->unmap_dma_buf(inner, sgt, dir);
	dma_owned_end();
	if (!keeps_pinned(set))
		return;
	ops->unpin(inner);
	slot_reclaim_unpinned(set, slot);
}

/* The directory knows who snoops. */
static void sync_any(struct mapping_slot *slot, size_t offset, size_t len, enum dma_table_op op)
{
	struct slot_set *set = slot->owner;

	dma_table_sync(set->dev, slot->table, offset, len, op | DMA_TABLE_ANY_DEVICE);
}

static void slot_clean(struct mapping_slot *slot, size_t offset, size_t len,
		       enum dma_data_direction dir)
{
	sync_any(slot, offset, len, DMA_TABLE_CLEAN);
}

static void slot_invalidate(struct mapping_slot *slot, size_t offset, size_t len,
			    enum dma_data_direction dir)
{
	sync_any(slot, offset, len, DMA_TABLE_INVALIDATE);
}

static void slot_clean_invalidate(struct mapping_slot *slot, size_t offset, size_t len)
{
	sync_any(slot, offset, len, DMA_TABLE_CLEAN_INVALIDATE);
}

static int slot_widen(struct mapping_slot *slot, enum dma_data_direction from,
		      enum dma_data_direction to)
{
	struct slot_set *set = slot->owner;

	return dma_table_widen(set->dev, slot->table, from, to);
}

/*
 * What an exporter's table lacks that is shorter than its buffer is here: as memory, as slot and in
 * the twin it is the same, so nothing is ever copied.
 */
static u8 nowhere[PAGE_SIZE];

static void *slot_bounce(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct slot_set *set = slot->owner;
	void *byte = dma_table_bounce(set->dev, slot->table, offset, len);

	if (byte)
		return byte;
	*len = sizeof(nowhere);
	return nowhere;
}

/*
 * Transfers walk forward, so the last entry is where the search starts: not from the first each
 * time.
 */
static void *slot_memory(struct mapping_slot *slot, size_t offset, size_t *len)
{
	struct slot_set *set = slot->owner;
	struct slot_back *back = &set->back[slot_index(set, slot)];
	struct scatterlist *sg = back->cursor;
	size_t start = back->cursor_start;

	if (!sg || offset < start) {
		sg = slot->table->sgl;
		start = 0;
	}
	while (sg && offset - start >= sg->length) {
		start += sg->length;
		sg = sg_next(sg);
	}
	back->cursor = sg;
	back->cursor_start = start;
	if (!sg) {
		*len = sizeof(nowhere);
		return nowhere;
	}
	*len = sg->length - (offset - start);
	return (char *)sg_virt(sg) + (offset - start);
}

/* No entry has pages, or there are none at all: dma-buf-mapping.h. */
static bool slot_device_memory(struct mapping_slot *slot, const struct sg_table *table)
{
	return !table->orig_nents || !sg_page(table->sgl);
}

static void slot_reaped(struct mapping_slot *slot);

/* SS1: what an exporter that does not let mappings be widened gets, and the one that does. */
#define SLOT_OPS                                                                     \
	.build = slot_build, .destroy = slot_destroy, .sync_for_device = slot_clean, \
	.sync_for_cpu = slot_invalidate, .clean_invalidate = slot_clean_invalidate,  \
	.syncs_any = true, .bounce = slot_bounce, .memory = slot_memory,             \
	.device_memory = slot_device_memory, .starved = slot_starved, .reaped = slot_reaped

static const struct mapping_slot_ops narrow_ops = { SLOT_OPS };
static const struct mapping_slot_ops widened_ops = { SLOT_OPS, .widen = slot_widen };

static enum coherence_domain device_domain(struct device *dev, bool no_snoop)
{
	switch (dma_device_domain(dev)) {
	case DMA_DOMAIN_MEMORY:
		return COHERENCE_MEMORY;
	case DMA_DOMAIN_BOUNCE:
		return COHERENCE_BOUNCE;
	default:
		return no_snoop ? COHERENCE_MEMORY : COHERENCE_CACHES;
	}
}

/* --- the exporter's attachments --------------------------------------------------------------- */

/* @importer_priv belongs to the first borrower, who goes before the set: it is seen only now. */
static int inner_attach(struct slot_set *set, unsigned int i, void *importer_priv)
{
	struct dma_buf_attachment *inner = &set->back[i].inner;
	struct dma_buf *dmabuf = set->dmabuf;
	int ret;

	inner->dmabuf = dmabuf;
	inner->dev = set->dev;
	inner->importer_ops = set->importer_ops;
	inner->importer_priv = importer_priv;
	inner->no_snoop = set->own.no_snoop;
	inner->peer2peer = set->importer_ops && set->importer_ops->allow_peer2peer;

	if (dmabuf->ops->attach) {
		ret = dmabuf->ops->attach(dmabuf, inner);
		if (ret)
			return ret;
	}
	inner->importer_priv = NULL;
	dma_resv_lock(dmabuf->resv, NULL);
	list_add(&inner->node, &dmabuf->attachments);
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

static void inner_detach(struct slot_set *set, unsigned int i)
{
	struct dma_buf *dmabuf = set->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	list_del(&set->back[i].inner.node);
	dma_resv_unlock(dmabuf->resv);
	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, &set->back[i].inner);
}

/* --- making and ending sets ------------------------------------------------------------------- */

static void set_free(struct slot_set *set)
{
	struct dma_buf_attachment *late, *next;

	for (unsigned int i = slot_set_slots(set); i--;)
		mapping_slot_fini(slot_set_slot(set, i));
	list_for_each_entry_safe(late, next, &set->late, node)
		kfree(late);
	put_device(set->dev);
	kfree(set->mapped_by);
	kfree(set->rest);
	kfree(set);
}

/* Dead, without users or borrowers, off every list; reservation not held. */
static void set_bury(struct slot_set *set)
{
	for (unsigned int i = slot_set_slots(set); i--;)
		inner_detach(set, i);
	set_free(set);
}

static struct slot_set *set_create(struct dma_buf *dmabuf, struct device *dev,
				   const struct dma_buf_attach_ops *importer_ops,
				   void *importer_priv, bool no_snoop)
{
	bool widen = dmabuf->ops->may_widen;
	unsigned int slots = widen ? 1 : 3, i;
	struct slot_set *set;
	int ret;

	set = kzalloc_aligned(struct_size(set, back, slots), SLOT_CELL_BYTES, GFP_KERNEL);
	if (!set)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&set->late);
	INIT_LIST_HEAD(&set->lru);
	INIT_LIST_HEAD(&set->pinning);
	set->dmabuf = dmabuf;
	set->dev = get_device(dev);
	set->importer_ops = importer_ops;
	if (!widen) {
		set->rest = kzalloc_aligned(2 * sizeof(*set->rest), SLOT_CELL_BYTES, GFP_KERNEL);
		if (!set->rest) {
			ret = -ENOMEM;
			goto free_set;
		}
	}
	if (dmabuf->ops->tells_moves) {
		set->mapped_by = kcalloc(slots, sizeof(*set->mapped_by), GFP_KERNEL);
		if (!set->mapped_by) {
			ret = -ENOMEM;
			goto free_set;
		}
	}
	for (i = 0; i < slots; i++)
		mapping_slot_init(slot_set_slot(set, i), widen ? &widened_ops : &narrow_ops,
				  dmabuf->resv, &to_buffer(dmabuf)->coherence,
				  device_domain(dev, no_snoop), !importer_ops, set);

	set->own.dmabuf = dmabuf;
	set->own.dev = dev;
	set->own.importer_ops = importer_ops;
	set->own.no_snoop = no_snoop;
	set->own.set = set;
	for (i = 0; i < 3; i++)
		set->own.slot[i] = slot_set_slot(set, set->rest ? i : 0);

	for (i = 0; i < slots; i++) {
		ret = inner_attach(set, i, importer_priv);
		if (ret)
			goto detach_inner;
	}
	set->own.peer2peer = set->back[0].inner.peer2peer;
	for (i = 0; i < slots; i++)
		event_tell(EVENT_SLOT, slot_set_slot(set, i), &set->back[i].inner, 0, 0, 0);
	return set;

detach_inner:
	while (i--)
		inner_detach(set, i);
free_set:
	set_free(set);
	return ERR_PTR(ret);
}

static struct slot_set *set_find(struct dma_buf *dmabuf, struct device *dev,
				 const struct dma_buf_attach_ops *importer_ops, bool no_snoop)
{
	struct slot_set *set;

	dma_resv_assert_held(dmabuf->resv);
	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node)
		if (set->dev == dev && set->importer_ops == importer_ops &&
		    set->own.no_snoop == no_snoop)
			return set;
	return NULL;
}

/* --- borrowing -------------------------------------------------------------------------------- */

/*
 * An attachment in `late` may still be used by who detached it too early; lent again it serves
 * both, for all attachments of a set are alike but for importer_priv, which the core does not read.
 */
static struct dma_buf_attachment *set_lend(struct slot_set *set, void *importer_priv)
{
	struct dma_buf_attachment *attach = &set->own;

	if (set->own_lent) {
		attach = list_first_entry_or_null(&set->late, struct dma_buf_attachment, node);
		if (attach)
			list_del(&attach->node);
		else
			attach = kmemdup(&set->own, sizeof(set->own), GFP_KERNEL);
		if (!attach)
			return ERR_PTR(-ENOMEM);
	}
	attach->importer_priv = importer_priv;
	set->own_lent = true;
	if (!set->borrowers++)
		slot_reclaim_withdraw(set);
	return attach;
}

struct dma_buf_attachment *slot_set_borrow(struct dma_buf *dmabuf, struct device *dev,
					   const struct dma_buf_attach_ops *importer_ops,
					   void *importer_priv, bool no_snoop)
{
	struct dma_buf_attachment *attach;
	struct slot_set *set, *made = NULL;

	dma_resv_lock(dmabuf->resv, NULL);
	set = set_find(dmabuf, dev, importer_ops, no_snoop);
	if (!set) {
		dma_resv_unlock(dmabuf->resv);
		made = set_create(dmabuf, dev, importer_ops, importer_priv, no_snoop);
		if (IS_ERR(made))
			return ERR_CAST(made);
		dma_resv_lock(dmabuf->resv, NULL);
		set = set_find(dmabuf, dev, importer_ops, no_snoop);
		if (!set && !to_buffer(dmabuf)->revoked) {
			set = made;
			made = NULL;
			list_add(&set->node, &to_buffer(dmabuf)->sets);
		}
	}
	/* None is left of a buffer that is revoked. */
	attach = set ? set_lend(set, importer_priv) : ERR_PTR(-ENODEV);
	dma_resv_unlock(dmabuf->resv);

	if (made)
		set_bury(made);
	return attach;
}

/* No new user and no new borrower. Reservation held. */
static void set_kill(struct slot_set *set)
{
	struct buffer *buffer = to_buffer(set->dmabuf);

	set->dead = true;
	for (unsigned int i = 0; i < slot_set_slots(set); i++)
		if (!mapping_slot_kill(slot_set_slot(set, i)))
			set->quarantined++;
	buffer->quarantined += set->quarantined;
	if (set->quarantined)
		list_move_tail(&set->node, &buffer->dead);
	else
		list_del_init(&set->node);
}

/* SS5.  Reservation held. */
static void set_idle(struct slot_set *set)
{
	for (unsigned int i = 0; keeps_pinned(set) && i < slot_set_slots(set); i++)
		mapping_slot_reclaim(slot_set_slot(set, i));
	slot_reclaim_offer(set);
}

bool slot_set_return(struct dma_buf_attachment *attach)
{
	struct slot_set *set = attach->set;
	struct dma_buf *dmabuf = set->dmabuf;
	bool clean = true, bury;

	dma_resv_lock(dmabuf->resv, NULL);
	if (attach == &set->own)
		set->own_lent = false;
	else if (set_active(set))
		list_add(&attach->node, &set->late);
	else
		kfree(attach);

	if (!--set->borrowers) {
		if (!set->dead && set_active(set)) {
			set_kill(set);
			clean = !set->quarantined;
		}
		/* Both are undone by slot_reaped(). */
		if (set->quarantined)
			get_dma_buf(dmabuf);
		else if (!set->dead)
			set_idle(set);
	}
	bury = set->dead && !set->borrowers && !set->quarantined;
	dma_resv_unlock(dmabuf->resv);

	if (bury)
		set_bury(set);
	else
		slot_reclaim_over_budget();
	return clean;
}

static void slot_reaped(struct mapping_slot *slot)
{
	struct slot_set *set = slot->owner;
	struct dma_buf *dmabuf = set->dmabuf;
	bool bury;

	dma_resv_lock(dmabuf->resv, NULL);
	to_buffer(dmabuf)->quarantined--;
	if (!--set->quarantined)
		list_del_init(&set->node);
	bury = !set->borrowers && !set->quarantined;
	buffer_unmapped(to_buffer(dmabuf));
	dma_resv_unlock(dmabuf->resv);

	if (bury) {
		set_bury(set);
		dma_buf_put(dmabuf);
	}
}

/* --- the ends of devices and buffers ---------------------------------------------------------- */

void slot_sets_release(struct dma_buf *dmabuf)
{
	struct slot_set *set, *next;
	LIST_HEAD(ended);

	buffer_release_locks(to_buffer(dmabuf));
	dma_resv_lock(dmabuf->resv, NULL);
	list_for_each_entry_safe(set, next, &to_buffer(dmabuf)->sets, node) {
		WARN(set->borrowers, "dma-buf: released while %s is attached\n",
		     dev_name(set->dev));
		slot_reclaim_withdraw(set);
		set_kill(set);
		list_move(&set->node, &ended);
	}
	dma_resv_unlock(dmabuf->resv);

	list_for_each_entry_safe(set, next, &ended, node)
		set_bury(set);
}

/* Kill the sets of @dev, or all; those that nobody borrows go at once. */
static void sets_kill(struct dma_buf *dmabuf, struct device *dev)
{
	struct slot_set *set, *next;
	LIST_HEAD(ended);

	dma_resv_lock(dmabuf->resv, NULL);
	list_for_each_entry_safe(set, next, &to_buffer(dmabuf)->sets, node) {
		if (dev && set->dev != dev)
			continue;
		WARN(dev && set->borrowers,
		     "dma-buf: device %s goes while attached to a %s buffer\n", dev_name(dev),
		     dmabuf->exp_name);
		slot_reclaim_withdraw(set);
		set_kill(set);
		if (!set->borrowers)
			list_move(&set->node, &ended);
	}
	dma_resv_unlock(dmabuf->resv);

	list_for_each_entry_safe(set, next, &ended, node)
		set_bury(set);
}

void slot_sets_revoke(struct dma_buf *dmabuf)
{
	sets_kill(dmabuf, NULL);
}

void slot_sets_device_gone(struct device *dev)
{
	struct buffer *buffer = NULL;

	while ((buffer = buffer_visit_next(buffer)))
		sets_kill(&buffer->dmabuf, dev);
}

struct mapping_slot **slot_sets_slots(struct dma_buf *dmabuf, unsigned int *n)
{
	struct mapping_slot **slots;
	struct slot_set *set;
	unsigned int count = 0;

	dma_resv_assert_held(dmabuf->resv);
	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node)
		count += slot_set_slots(set);
	slots = kcalloc(max(count, 1u), sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return NULL;
	*n = 0;
	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node)
		for (unsigned int i = 0; i < slot_set_slots(set); i++)
			slots[(*n)++] = slot_set_slot(set, i);
	return slots;
}

/* Of a slot without a table only those are counted who are about to ask for one. */
bool slot_sets_in_use(struct dma_buf *dmabuf)
{
	struct slot_set *set;

	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node)
		for (unsigned int i = 0; i < slot_set_slots(set); i++)
			if (slot_set_slot(set, i)->table &&
			    mapping_slot_active(slot_set_slot(set, i)))
				return true;
	return false;
}

static void name_users(struct slot_set *set, const char *what)
{
	char stack[1024];

	for (unsigned int i = 0; i < slot_set_slots(set); i++) {
		const struct slot_mapper *by = set->mapped_by ? &set->mapped_by[i] : NULL;
		unsigned int n = by ? by->n : 0;

		if (!mapping_slot_active(slot_set_slot(set, i)))
			continue;
		stack[0] = '\0';
		if (n)
			stack_trace_snprint(stack, sizeof(stack), by->at, n, 2);
		pr_err("dma-buf: %s %s %s buffer%s\n%s", dev_name(set->dev), what,
		       set->dmabuf->exp_name, n ? ", first mapped by" : "", stack);
	}
}

void slot_sets_name_dead(struct dma_buf *dmabuf, const char *what)
{
	struct slot_set *set;

	dma_resv_assert_held(dmabuf->resv);
	list_for_each_entry(set, &to_buffer(dmabuf)->dead, node)
		name_users(set, what);
}

void slot_sets_name_users(struct dma_buf *dmabuf, const char *what)
{
	struct slot_set *set;

	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node)
		name_users(set, what);
	slot_sets_name_dead(dmabuf, what);
}

void slot_sets_kernel_fence(struct dma_buf *dmabuf)
{
	struct slot_set *set;

	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node)
		for (unsigned int i = 0; i < slot_set_slots(set); i++)
			mapping_slot_kernel_fence(slot_set_slot(set, i));
}
