/* SPDX-License-Identifier: MIT */
/*
 * slot-reclaim.c - see slot-reclaim.h
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "slot-reclaim.h"
#include "slot-set.h"

struct slot_lru slot_lru = {
	.sets = LIST_HEAD_INIT(slot_lru.sets),
	.pinning = LIST_HEAD_INIT(slot_lru.pinning),
	.budget = SIZE_MAX,
};
static DEFINE_MUTEX(lru_lock);

/* --- the LRU ---------------------------------------------------------------------------------- */

void slot_reclaim_offer(struct slot_set *set)
{
	size_t bytes = 0;

	for (unsigned int i = 0; i < slot_set_slots(set); i++)
		bytes += slot_set_slot(set, i)->table ? set->dmabuf->size : 0;
	if (!bytes)
		return;
	mutex_lock(&lru_lock);
	set->lru_bytes = bytes;
	slot_lru.total += bytes;
	list_add_tail(&set->lru, &slot_lru.sets);
	mutex_unlock(&lru_lock);
}

static void lru_del_locked(struct slot_set *set)
{
	if (list_empty(&set->lru))
		return;
	list_del_init(&set->lru);
	slot_lru.total -= set->lru_bytes;
}

void slot_reclaim_withdraw(struct slot_set *set)
{
	mutex_lock(&lru_lock);
	lru_del_locked(set);
	mutex_unlock(&lru_lock);
}

/*
 * Take the oldest idle set whose buffer is alive and whose reservation is free.  The reference
 * keeps buffer and reservation while they are used without lru_lock; until then the list does, for
 * a release takes its sets off it first.  The reservation comes before the reference, so that no
 * reference need be dropped here: it might be the last, and its release wants lru_lock.
 */
static struct slot_set *lru_take(bool within_budget)
{
	struct slot_set *set, *taken = NULL;

	mutex_lock(&lru_lock);
	if (within_budget || slot_lru.total > slot_lru.budget) {
		list_for_each_entry(set, &slot_lru.sets, lru) {
			if (!dma_resv_trylock(set->dmabuf->resv))
				continue;
			if (get_file_active(&set->dmabuf->file)) {
				taken = set;
				break;
			}
			dma_resv_unlock(set->dmabuf->resv);
		}
	}
	if (taken)
		lru_del_locked(taken);
	mutex_unlock(&lru_lock);
	return taken;
}

static bool reclaim_one(bool within_budget)
{
	struct slot_set *set = lru_take(within_budget);
	struct dma_buf *dmabuf;

	if (!set)
		return false;
	dmabuf = set->dmabuf;
	for (unsigned int i = 0; i < slot_set_slots(set); i++)
		mapping_slot_reclaim(slot_set_slot(set, i));
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	return true;
}

void slot_reclaim_over_budget(void)
{
	while (reclaim_one(false))
		;
}

/* What nobody is attached for.  Reservations are only tried. */
bool slot_reclaim_oldest(void)
{
	return reclaim_one(true);
}

static bool has_table(struct slot_set *set)
{
	for (unsigned int i = 0; i < slot_set_slots(set); i++)
		if (slot_set_slot(set, i)->table)
			return true;
	return false;
}

static bool lock_patiently(struct dma_resv *resv, unsigned int patience)
{
	while (!dma_resv_trylock(resv)) {
		if (!patience--)
			return false;
		schedule_timeout_uninterruptible(1);
	}
	return true;
}

static unsigned int reclaim_buffer(struct dma_buf *dmabuf)
{
	unsigned int torn = 0;
	struct slot_set *set;

	dma_resv_assert_held(dmabuf->resv);
	list_for_each_entry(set, &to_buffer(dmabuf)->sets, node) {
		for (unsigned int i = 0; i < slot_set_slots(set); i++)
			if (slot_set_slot(set, i)->table)
				torn += mapping_slot_reclaim(slot_set_slot(set, i));
		if (!has_table(set))
			slot_reclaim_withdraw(set);
	}
	return torn;
}

/*
 * What nobody uses just now, of all buffers but those that move.  @patience: jiffies to wait for each
 * reservation that somebody has: who maps may hold another that this one's holder waits for.
 */
unsigned int slot_reclaim_everywhere(unsigned int patience)
{
	struct buffer *buffer = NULL;
	unsigned int torn = 0;

	while ((buffer = buffer_visit_next(buffer))) {
		struct dma_resv *resv = buffer->dmabuf.resv;
		bool mine = dma_resv_held(resv);

		if (!mine && !lock_patiently(resv, patience))
			continue;
		if (!buffer->move.slots)
			torn += reclaim_buffer(&buffer->dmabuf);
		if (!mine)
			dma_resv_unlock(resv);
	}
	return torn;
}

/* --- pins that idle --------------------------------------------------------------------------- */

static unsigned int idle_ms = 10000;
static void look_for_idle_pins(struct work_struct *work);
static DECLARE_DELAYED_WORK(idle_work, look_for_idle_pins);

void slot_reclaim_pinned(struct slot_set *set)
{
	unsigned int ms = READ_ONCE(idle_ms);

	mutex_lock(&lru_lock);
	if (list_empty(&set->pinning))
		list_add_tail(&set->pinning, &slot_lru.pinning);
	if (ms)
		schedule_delayed_work(&idle_work, msecs_to_jiffies(ms));
	mutex_unlock(&lru_lock);
}

/* @slot's table is going. */
void slot_reclaim_unpinned(struct slot_set *set, const struct mapping_slot *slot)
{
	for (unsigned int i = 0; i < slot_set_slots(set); i++)
		if (slot_set_slot(set, i) != slot && slot_set_slot(set, i)->table)
			return;
	mutex_lock(&lru_lock);
	list_del_init(&set->pinning);
	if (list_empty(&slot_lru.pinning))
		cancel_delayed_work(&idle_work);
	mutex_unlock(&lru_lock);
}

/*
 * A hit leaves no trace but this: marked as if a KERNEL fence were pending, a slot is looked at by the
 * next hit, which takes the mark away.  Who still has it a period later was not used.
 */
static void unpin_if_idle(struct slot_set *set)
{
	for (unsigned int i = 0; i < slot_set_slots(set); i++) {
		struct mapping_slot *slot = slot_set_slot(set, i);

		if (!slot->table || mapping_slot_active(slot))
			continue;
		if (atomic_read(&slot->word) & SLOT_KERNEL)
			mapping_slot_reclaim(slot);
		else
			mapping_slot_kernel_fence(slot);
	}
}

/* The @nth of those that pin, locked and referenced, if that can be had; NULL: past the last. */
static struct slot_set *pinning_take(unsigned int nth, bool *end)
{
	struct slot_set *set, *taken = NULL;

	mutex_lock(&lru_lock);
	*end = true;
	list_for_each_entry(set, &slot_lru.pinning, pinning) {
		if (nth--)
			continue;
		*end = false;
		if (!dma_resv_trylock(set->dmabuf->resv))
			break;
		if (get_file_active(&set->dmabuf->file))
			taken = set;
		else
			dma_resv_unlock(set->dmabuf->resv);
		break;
	}
	mutex_unlock(&lru_lock);
	return taken;
}

static void look_for_idle_pins(struct work_struct *work)
{
	unsigned int ms = READ_ONCE(idle_ms);
	bool end = !ms;

	/* One that unpins leaves the list and is followed by the next but one, which has time. */
	for (unsigned int i = 0; !end; i++) {
		struct slot_set *set = pinning_take(i, &end);
		struct dma_buf *dmabuf;

		if (!set)
			continue;
		dmabuf = set->dmabuf;
		unpin_if_idle(set);
		dma_resv_unlock(dmabuf->resv);
		dma_buf_put(dmabuf);
	}
	mutex_lock(&lru_lock);
	if (ms && !list_empty(&slot_lru.pinning))
		schedule_delayed_work(&idle_work, msecs_to_jiffies(ms));
	mutex_unlock(&lru_lock);
}

void dma_buf_cache_set_idle(unsigned int ms)
{
	mutex_lock(&lru_lock);
	WRITE_ONCE(idle_ms, ms);
	if (!ms)
		cancel_delayed_work(&idle_work);
	else if (!list_empty(&slot_lru.pinning))
		mod_delayed_work(system_wq, &idle_work, msecs_to_jiffies(ms));
	mutex_unlock(&lru_lock);
}

/* --- the budget ------------------------------------------------------------------------------- */

void dma_buf_cache_set_budget(size_t bytes)
{
	mutex_lock(&lru_lock);
	slot_lru.budget = bytes;
	mutex_unlock(&lru_lock);
	slot_reclaim_over_budget();
}
