/* SPDX-License-Identifier: MIT */
/*
 * set.c - see set.h for the invariants
 *
 * Not here: how a slot is used (mapping-slot), what is moved (coherence), for how long what nobody
 * uses is kept (idle).
 */
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "machine.h"
#include "set.h"

/* --- the exporter's side ---------------------------------------------------------------------- */

static void set_moves(struct cached_set *set);

/*
 * While a static importer has anything of a dynamic exporter mapped, or we have for him, it is
 * pinned: the core does that where it knows no move_notify, we where it does.  A dynamic one is told
 * once, though a set has several attachments.
 */
static void inner_moves(struct dma_buf_attachment *attach)
{
	struct borrower *borrower = attach->importer_priv;
	struct dma_buf_attachment *told = borrower->told;

	if (told && attach == (borrower->fresh ?: borrower->set->inner[0]))
		told->importer_ops->move_notify(told);
	if (!borrower->fresh)
		set_moves(borrower->set);
}

static const struct dma_buf_attach_ops inner_ops = { .move_notify = inner_moves };
static const struct dma_buf_attach_ops inner_peer_ops = { .move_notify = inner_moves,
							  .allow_peer2peer = true };

static struct dma_buf_attachment *inner_attach(struct cached_set *set, struct borrower *borrower)
{
	if (!dma_buf_is_dynamic(set->buffer->inner))
		return dma_buf_attach(set->buffer->inner, set->dev);
	return dma_buf_dynamic_attach(set->buffer->inner, set->dev,
				      set->peer2peer ? &inner_peer_ops : &inner_ops, borrower);
}

static bool pins_by_hand(const struct cached_set *set)
{
	return IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) && !set->dynamic &&
	       dma_buf_is_dynamic(set->buffer->inner);
}

static struct sg_table *inner_map(struct cached_set *set, struct dma_buf_attachment *inner,
				  enum dma_data_direction dir)
{
	struct sg_table *sgt;
	int ret;

	if (pins_by_hand(set)) {
		ret = dma_buf_pin(inner);
		if (ret)
			return ERR_PTR(ret);
	}
	sgt = dma_buf_map_attachment(inner, dir);
	if (IS_ERR(sgt) && pins_by_hand(set))
		dma_buf_unpin(inner);
	return sgt;
}

static void inner_unmap(struct cached_set *set, struct dma_buf_attachment *inner,
			struct sg_table *sgt, enum dma_data_direction dir)
{
	dma_buf_unmap_attachment(inner, sgt, dir);
	if (pins_by_hand(set))
		dma_buf_unpin(inner);
}

/* --- a slot's owner --------------------------------------------------------------------------- */

static struct dma_buf_attachment *inner_of(struct mapping_slot *slot)
{
	struct cached_set *set = slot->owner;

	return set->inner[slot - set->slots];
}

static struct sg_table *slot_map(struct mapping_slot *slot, enum dma_data_direction dir)
{
	struct cached_set *set = slot->owner;
	struct sg_table *sgt = inner_map(set, inner_of(slot), dir);

	if (IS_ERR(sgt))
		return sgt;
	/* Promised not to be: its driver has narrowed the DMA mask since it attached. */
	if (!machine_device_memory(sgt) && machine_bounced(set->dev, sgt)) {
		dev_warn_once(set->dev,
			      "dmabuf-cache: DMA mask changed while attached; attach anew\n");
		set->keeping = KEEP_NOT;
		inner_unmap(set, inner_of(slot), sgt, dir);
		return ERR_PTR(-EIO);
	}
	set->buffer->stats.built++;
	idle_watch();
	return sgt;
}

static void slot_unmap(struct mapping_slot *slot, struct sg_table *sgt, enum dma_data_direction dir)
{
	struct cached_set *set = slot->owner;

	inner_unmap(set, inner_of(slot), sgt, dir);
	set->buffer->stats.dropped++;
}

/* Brackets have no range in 6.12, so neither has what follows from them. */
static void slot_clean(struct mapping_slot *slot, size_t offset, size_t len,
		       enum dma_data_direction dir)
{
	struct cached_set *set = slot->owner;

	WARN_ON_ONCE(offset || len != set->buffer->inner->size);
	dma_sync_sgtable_for_device(set->dev, slot->table, dir);
	set->buffer->stats.cleaned += len;
}

static void slot_invalidate(struct mapping_slot *slot, size_t offset, size_t len,
			    enum dma_data_direction dir)
{
	struct cached_set *set = slot->owner;

	WARN_ON_ONCE(offset || len != set->buffer->inner->size);
	dma_sync_sgtable_for_cpu(set->dev, slot->table, dir);
	set->buffer->stats.invalidated += len;
}

static bool slot_device_memory(struct mapping_slot *slot, const struct sg_table *table)
{
	return machine_device_memory(table);
}

static const struct mapping_slot_ops slot_ops = {
	.build = slot_map,
	.destroy = slot_unmap,
	.sync_for_device = slot_clean,
	.sync_for_cpu = slot_invalidate,
	.device_memory = slot_device_memory,
};

/* What the exporter's unmap does to caches, it does when it likes: ST3.  Reservation held. */
static bool slot_drop(struct cached_set *set, struct mapping_slot *slot, bool wait_for_writers)
{
	struct cached_buffer *buffer = set->buffer;
	bool dropped = false;

	if (!slot->table)
		return true;
	mutex_lock(&buffer->cpu);
	if (slot->member.domain == COHERENCE_MEMORY && slot->table_dir != DMA_TO_DEVICE) {
		if (wait_for_writers && buffer_written(buffer))
			goto unlock;
		coherence_cpu_flush(&buffer->coherence);
	}
	dropped = mapping_slot_reclaim(slot);
unlock:
	mutex_unlock(&buffer->cpu);
	return dropped;
}

/* What was mapped where the buffer no longer is, and is not in use (ST5).  Reservation held. */
static void drop_moved(struct cached_set *set)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (set->moved & BIT(i) && slot_drop(set, &set->slots[i], false))
			set->moved &= ~BIT(i);
	set->kept.rarely = set->moved;
}

static void set_moves(struct cached_set *set)
{
	set->moved = BIT(SLOTS) - 1;
	drop_moved(set);
}

/* --- making and ending sets: buffer.lock held -------------------------------------------------- */

static void set_decide(struct cached_set *set)
{
	struct cached_buffer *buffer = set->buffer;
	bool snoops = machine_snoops(set->dev);

	set->domain = COHERENCE_CACHES;
	set->keeping = KEEP;
	if (!snoops && !buffer->unsynced)
		set->domain = COHERENCE_MEMORY;

	if (!machine_known(set->dev))
		set->keeping = KEEP_NOT;
	else if (set->domain == COHERENCE_MEMORY && !(buffer->plain && machine_can_sync()))
		set->keeping = KEEP_NOT;
	else if (machine_may_bounce(set->dev))
		/* Where it lies tells where it will lie only of a buffer that does not move. */
		set->keeping = dma_buf_is_dynamic(buffer->inner) ? KEEP_NOT : KEEP_MAYBE;
}

static void set_close(struct cached_set *set)
{
	for (unsigned int i = 0; i < SLOTS && set->inner[i]; i++) {
		dma_buf_detach(set->buffer->inner, set->inner[i]);
		set->inner[i] = NULL;
	}
}

static int set_open(struct cached_set *set)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct dma_buf_attachment *inner = inner_attach(set, &set->kept);

		if (IS_ERR(inner)) {
			set_close(set);
			return PTR_ERR(inner);
		}
		set->inner[i] = inner;
	}
	return 0;
}

static void set_free(struct cached_set *set)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		mapping_slot_fini(&set->slots[i]);
	put_device(set->dev);
	kfree(set);
}

static struct cached_set *set_create(struct cached_buffer *buffer, struct device *dev, bool dynamic,
				     bool peer2peer)
{
	struct cached_set *set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);

	if (!set)
		return NULL;
	set->kept.set = set;
	set->buffer = buffer;
	set->dev = get_device(dev);
	set->dynamic = dynamic;
	set->peer2peer = peer2peer;
	set->used = jiffies;
	INIT_LIST_HEAD(&set->idle);
	set_decide(set);
	set->kept.synced = set->domain == COHERENCE_MEMORY;
	for (unsigned int i = 0; i < SLOTS; i++)
		mapping_slot_init(&set->slots[i], &slot_ops, buffer->inner->resv,
				  &buffer->coherence, set->domain, false, set);
	list_add(&set->node, &buffer->sets);
	return set;
}

/* Returns whether the set has gone: not while it is in use, nor while it must wait (ST3). */
static bool set_end(struct cached_set *set, bool wait_for_writers)
{
	bool dropped = true;

	lockdep_assert_held(&set->buffer->lock);
	dma_resv_lock(set->buffer->inner->resv, NULL);
	for (unsigned int i = 0; i < SLOTS; i++)
		dropped &= slot_drop(set, &set->slots[i], wait_for_writers);
	dma_resv_unlock(set->buffer->inner->resv);
	if (!dropped)
		return false;

	idle_del(set);
	list_del(&set->node);
	set_close(set);
	set_free(set);
	return true;
}

/* --- borrowing -------------------------------------------------------------------------------- */

static struct cached_set *set_find(struct cached_buffer *buffer, struct device *dev, bool dynamic,
				   bool peer2peer)
{
	struct cached_set *set;

	list_for_each_entry(set, &buffer->sets, node)
		if (set->dev == dev && set->dynamic == dynamic && set->peer2peer == peer2peer &&
		    !(dynamic && set->borrowers) && !set->leaving)
			return set;
	return NULL;
}

static struct borrower *borrow_fresh(struct cached_set *set)
{
	struct borrower *borrower = kzalloc(sizeof(*borrower), GFP_KERNEL_ACCOUNT);
	struct dma_buf_attachment *fresh;

	if (!borrower)
		return ERR_PTR(-ENOMEM);
	borrower->set = set;
	borrower->rarely = true;
	fresh = inner_attach(set, borrower);
	if (IS_ERR(fresh)) {
		kfree(borrower);
		return ERR_CAST(fresh);
	}
	borrower->fresh = fresh;
	atomic_inc(&set->buffer->fresh);
	return borrower;
}

static struct borrower *borrow_kept(struct cached_set *set)
{
	int ret = set->inner[0] ? 0 : set_open(set);

	return ret ? ERR_PTR(ret) : &set->kept;
}

struct borrower *set_borrow(struct cached_buffer *buffer, struct device *dev, bool dynamic,
			    bool *peer2peer)
{
	struct borrower *borrower = ERR_PTR(-ENOMEM);
	struct cached_set *set;

	mutex_lock(&buffer->lock);
	set = set_find(buffer, dev, dynamic, *peer2peer);
	if (!set)
		set = set_create(buffer, dev, dynamic, *peer2peer);
	if (!set)
		goto unlock;

	borrower = READ_ONCE(set->keeping) == KEEP ? borrow_kept(set) : borrow_fresh(set);
	if (IS_ERR(borrower)) {
		if (!set->borrowers)
			set_end(set, true);
		goto unlock;
	}
	set->borrowers++;
	idle_del(set);
	*peer2peer = borrower->fresh ? borrower->fresh->peer2peer : set->inner[0]->peer2peer;
unlock:
	mutex_unlock(&buffer->lock);
	return borrower;
}

void set_tell(struct borrower *borrower, struct dma_buf_attachment *attach)
{
	struct dma_resv *resv = borrower->set->buffer->inner->resv;

	dma_resv_lock(resv, NULL);
	borrower->told = attach;
	dma_resv_unlock(resv);
}

/* The core frees an attachment at detach, so there is nobody left who could unmap. */
static void unmap_forgotten(struct cached_set *set)
{
	dev_warn(set->dev, "dmabuf-cache: detached while mapped\n");
	dma_resv_lock(set->buffer->inner->resv, NULL);
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct mapping_slot *slot = &set->slots[i];

		while (slot->held & SLOT_HELD_READERS)
			mapping_slot_unmap_locked(slot, SLOT_HEAD_HELD_READ);
		while (slot->held & SLOT_HELD_WRITERS)
			mapping_slot_unmap_locked(slot, SLOT_HEAD_HELD_WRITE);
	}
	drop_moved(set);
	dma_resv_unlock(set->buffer->inner->resv);
}

static bool set_active(const struct cached_set *set)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (mapping_slot_active(&set->slots[i]))
			return true;
	return false;
}

void set_return(struct borrower *borrower)
{
	struct cached_set *set = borrower->set;
	struct cached_buffer *buffer = set->buffer;

	if (borrower->fresh) {
		dma_buf_detach(buffer->inner, borrower->fresh);
		atomic_dec(&buffer->fresh);
		kfree(borrower);
	}
	mutex_lock(&buffer->lock);
	if (!--set->borrowers) {
		if (set_active(set))
			unmap_forgotten(set);
		if (!set->leaving || !set_end(set, false))
			idle_add(set);
	}
	mutex_unlock(&buffer->lock);
	idle_watch();
	idle_trim(buffer);
}

/* --- mapping: reservation held ----------------------------------------------------------------- */

/*
 * Linux moves the bytes, with the CPU: as if that had them open.  Like any that stays open longer
 * than one of the CPU's calls, no stranger's end ends it.
 */
static unsigned int fresh_mode(enum dma_data_direction dir)
{
	return coherence_device_mode(dir) | COHERENCE_KEPT;
}

static struct sg_table *fresh_map(struct borrower *borrower, enum dma_data_direction dir)
{
	struct cached_set *set = borrower->set;
	struct cached_buffer *buffer = set->buffer;
	size_t size = buffer->inner->size;
	struct sg_table *sgt;
	int ret;

	ret = coherence_cpu_begin(&buffer->coherence, 0, size, fresh_mode(dir));
	if (ret)
		return ERR_PTR(ret);
	sgt = inner_map(set, borrower->fresh, dir);
	if (IS_ERR(sgt)) {
		coherence_cpu_end(&buffer->coherence, 0, size, fresh_mode(dir));
		return sgt;
	}
	if (set->keeping == KEEP_MAYBE)
		set->keeping = !machine_device_memory(sgt) && machine_bounced(set->dev, sgt)
				       ? KEEP_NOT
				       : KEEP;
	buffer->stats.fresh++;
	return sgt;
}

static void fresh_unmap(struct borrower *borrower, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	struct cached_buffer *buffer = borrower->set->buffer;

	inner_unmap(borrower->set, borrower->fresh, sgt, dir);
	coherence_cpu_end(&buffer->coherence, 0, buffer->inner->size, fresh_mode(dir));
}

struct sg_table *set_map_rarely(struct borrower *borrower, enum dma_data_direction dir)
{
	struct cached_set *set = borrower->set;
	int ret;

	if ((unsigned int)dir >= SLOTS)
		return ERR_PTR(-EINVAL);
	set->buffer->stats.maps++;
	if (borrower->fresh)
		return fresh_map(borrower, dir);
	/* Two tables of one direction would need two slots; importers unmap what has moved first. */
	if (set->moved & BIT(dir))
		return ERR_PTR(-EBUSY);
	ret = borrower->synced ? buffer_look(set->buffer) : 0;
	if (ret)
		return ERR_PTR(ret);
	return mapping_slot_map_locked(&set->slots[dir], dir);
}

/* Some importers unmap with another direction than they mapped; the table knows better. */
static struct mapping_slot *slot_by_table(struct cached_set *set, const struct sg_table *sgt)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (mapping_slot_head(&set->slots[i], sgt) != SLOT_HEADS)
			return &set->slots[i];
	return NULL;
}

void set_unmap_rarely(struct borrower *borrower, struct sg_table *sgt, enum dma_data_direction dir)
{
	struct cached_set *set = borrower->set;
	struct mapping_slot *slot;

	if (borrower->fresh) {
		fresh_unmap(borrower, sgt, dir);
		return;
	}
	slot = slot_by_table(set, sgt);
	if (WARN(!slot, "dmabuf-cache: unmap of a table that is not mapped\n"))
		return;
	/* Out of memory it stays as it was; the next map looks again. */
	if (borrower->synced)
		buffer_look(set->buffer);
	mapping_slot_unmap_locked(slot, mapping_slot_head(slot, sgt));
	set->used = jiffies;
	drop_moved(set);
}

/* Of an exporter that does not move there is nothing to pin. */
int set_pin(struct borrower *borrower)
{
	if (!dma_buf_is_dynamic(borrower->set->buffer->inner))
		return 0;
	return dma_buf_pin(borrower->fresh ?: borrower->set->inner[0]);
}

void set_unpin(struct borrower *borrower)
{
	if (dma_buf_is_dynamic(borrower->set->buffer->inner))
		dma_buf_unpin(borrower->fresh ?: borrower->set->inner[0]);
}

/* --- the ends of buffers, devices, and of what nobody uses -------------------------------------- */

void sets_end(struct cached_buffer *buffer)
{
	struct cached_set *set, *next;

	mutex_lock(&buffer->lock);
	list_for_each_entry_safe(set, next, &buffer->sets, node)
		WARN(set->borrowers || !set_end(set, false),
		     "dmabuf-cache: a mapping of %s outlives its buffer\n", dev_name(set->dev));
	mutex_unlock(&buffer->lock);
}

void sets_device_gone(struct device *dev)
{
	struct cached_buffer *buffer = NULL;
	struct cached_set *set, *next;

	while ((buffer = buffer_next(buffer))) {
		mutex_lock(&buffer->lock);
		list_for_each_entry_safe(set, next, &buffer->sets, node) {
			if (set->dev != dev)
				continue;
			set->leaving = true;
			if (!set->borrowers)
				set_end(set, false);
		}
		mutex_unlock(&buffer->lock);
	}
}

static bool used_since(const struct cached_set *set, unsigned long since)
{
	return set_active(set) || time_after(READ_ONCE(set->used), since);
}

/* Who is attached keeps his attachment, but not a mapping he does not use. Returns whether any is kept. */
static bool set_drop_unused(struct cached_set *set)
{
	bool kept = false;

	if (!dma_resv_trylock(set->buffer->inner->resv))
		return true;
	for (unsigned int i = 0; i < SLOTS; i++)
		kept |= !slot_drop(set, &set->slots[i], true);
	dma_resv_unlock(set->buffer->inner->resv);
	return kept;
}

static bool set_has_table(const struct cached_set *set)
{
	return set->slots[0].table || set->slots[1].table || set->slots[2].table;
}

bool sets_drop(struct cached_buffer *buffer, unsigned long since)
{
	struct cached_set *set, *next;
	bool kept = false;

	mutex_lock(&buffer->lock);
	list_for_each_entry_safe(set, next, &buffer->sets, node) {
		if (used_since(set, since))
			kept = true;
		else if (!set->borrowers)
			kept |= !set_end(set, true);
		else if (set_has_table(set))
			kept |= set_drop_unused(set);
	}
	mutex_unlock(&buffer->lock);
	return kept;
}

bool set_drop_one(struct cached_buffer *buffer, struct cached_set *set)
{
	struct cached_set *at, *next;
	bool dropped = true;

	mutex_lock(&buffer->lock);
	list_for_each_entry_safe(at, next, &buffer->sets, node) {
		if (at != set || set->borrowers)
			continue;
		dropped = set_end(set, true);
		if (!dropped)
			idle_add(set);
		break;
	}
	mutex_unlock(&buffer->lock);
	return dropped;
}
