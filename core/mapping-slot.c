/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot.c - the slow halves of the mapping slot: miss, widen, freeze, teardown, reap
 *
 * How it keeps the header's invariants
 *   MS1  Permission bits and the first count appear in one RMW, when table, copy and directory are
 *        complete.
 *   MS2  Who sets or clears FROZEN asserts the reservation, but for the last one out: he sets it by
 *        cmpxchg from "nobody is counted".  So one count-out alone queues the reaper of a dead slot
 *        and ops->reaped runs once.
 *   MS3  The mover thaws all it froze before it sleeps.
 *   MS4  mapping_slot_map_slow() counts out before it sleeps and before it takes the reservation.
 *   MS5  The permission bits grow by what was asked for, and the device's come first.
 *   MS6  table_dir is what build and widen added up to; destroy gets it.
 *   MS7  The copy is made before publishing; nothing here writes through slot->table.
 *
 * Waking is never made to depend on seeing a sleeper: that would be a second word to be ordered
 * with the first.
 *
 * Deliberately not here
 *   fork: counts of threads that a child does not have never drain.  Who forks kills the slots in
 *   the child.
 *   A gate that keeps new mappers out while a mover waits: a thread that maps twice would stall
 *   until the mover's bound.  Mappers that never leave a slot idle starve the mover into -EBUSY.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "coherence.h"
#include "event.h"
#include "mapping-slot.h"

#define SLOT_VALID (SLOT_READ | SLOT_WRITE)

static enum dma_data_direction slot_direction(u32 permission)
{
	switch (permission & SLOT_VALID) {
	case SLOT_READ:
		return DMA_TO_DEVICE;
	case SLOT_WRITE:
		return DMA_FROM_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

static u32 slot_word(const struct mapping_slot *slot)
{
	return atomic_read(&slot->word);
}

static enum slot_head slot_head_for(enum dma_data_direction dir, bool held)
{
	return (held ? SLOT_HEAD_HELD_READ : SLOT_HEAD_READ) + slot_writes(dir);
}

static u32 slot_one(enum slot_head head)
{
	return head & 1 ? SLOT_WRITER : SLOT_READER;
}

static u32 slot_held_one(enum slot_head head)
{
	return head & 1 ? SLOT_HELD_WRITER : SLOT_HELD_READER;
}

/*
 * A writer's head does not say whether its device also reads.  If the slot allows reading it may,
 * for permission is all that holds a device back; to claim a read too much costs nothing at begin,
 * which brings the whole domain up to date for a partial writer as well, and at the end of somebody
 * else's write it makes this slot one of those that are brought up to date, as its being open for
 * writing does.
 */
static unsigned int slot_mode(const struct mapping_slot *slot, enum slot_head head)
{
	if (!(head & 1))
		return COHERENCE_READ;
	return slot_word(slot) & SLOT_READ ? COHERENCE_READ | COHERENCE_WRITE : COHERENCE_WRITE;
}

/* --- the copy that is handed out -------------------------------------------------------------- */

/*
 * Importers trim the first and last entry to their part of the buffer (RDMA), and some look at the
 * pages.  Both may; the exporter's own table keeps what sync and unmap need.
 */
static int slot_copy(struct mapping_slot *slot, const struct sg_table *table, gfp_t gfp)
{
	/* Device memory may come as DMA segments alone: orig_nents is 0 then (dma-buf-mapping.h). */
	unsigned int i, entries = max(table->orig_nents, table->nents);
	struct scatterlist *from, *to;
	struct sg_table copy;
	int ret;

	ret = sg_alloc_table(&copy, entries, gfp);
	if (ret)
		return ret;
	copy.orig_nents = table->orig_nents;
	copy.nents = table->nents;

	to = copy.sgl;
	for_each_sg(table->sgl, from, entries, i) {
		sg_set_page(to, sg_page(from), from->length, from->offset);
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = sg_dma_len(from);
#ifdef CONFIG_NEED_SG_DMA_FLAGS
		to->dma_flags = from->dma_flags;
#endif
		to = sg_next(to);
	}
	for (i = 0; i < SLOT_HEADS; i++)
		slot->head[i] = copy;
	slot->entries = entries;
	return 0;
}

/* Which answers of the look need no lock. */
static void slot_set_domain(struct mapping_slot *slot, enum coherence_domain domain)
{
	slot->member.domain = domain;
	slot->member.device_memory = false;
	if (domain == COHERENCE_MEMORY) {
		slot->begin_mask = COHERENCE_M_WHOLE | COHERENCE_OTHER_WRITES;
		slot->begin_want = COHERENCE_M_WHOLE;
		slot->end_mask[0] = 0;
		slot->end_want[0] = 0;
		slot->end_mask[1] =
			COHERENCE_M_ALONE | COHERENCE_OTHER_READS | COHERENCE_OTHER_WRITES;
		slot->end_want[1] = COHERENCE_M_ALONE;
	} else {
		/* Who is open in C or B is told by the directory's word: each begin and end writes
		 * it. */
		slot->begin_mask = slot->begin_want = COHERENCE_UNSHARED;
		slot->end_mask[0] = slot->end_want[0] = COHERENCE_UNSHARED;
		slot->end_mask[1] = slot->end_want[1] = COHERENCE_UNSHARED;
	}
}

static void slot_drop_copy(struct mapping_slot *slot)
{
	slot->head[0].orig_nents = slot->entries;
	sg_free_table(&slot->head[0]);
	memset(slot->head, 0, sizeof(slot->head));
}

/* --- build, widen, tear down: reservation held ------------------------------------------------ */

static void slot_give_back(struct mapping_slot *slot)
{
	slot->ops->destroy(slot, slot->table, slot->table_dir);
	event_tell(EVENT_TEARDOWN, slot, NULL, slot->table_dir, 0, 0);
	slot->table = NULL;
	slot->table_dir = DMA_NONE;
}

/* Not published: the caller does that.  @gfp: what the copy may wait for. */
static int slot_build(struct mapping_slot *slot, enum dma_data_direction dir, gfp_t gfp)
{
	struct sg_table *table;
	int ret;

	table = slot->ops->build(slot, dir);
	if (IS_ERR(table))
		return PTR_ERR(table);
	slot->table = table;
	slot->table_dir = dir;
	event_tell(EVENT_BUILD, slot, NULL, dir, 0, 0);

	ret = slot_copy(slot, table, gfp);
	if (ret)
		goto undo_build;
	slot_set_domain(slot, slot->domain);
	if (slot->ops->device_memory && slot->ops->device_memory(slot, table)) {
		slot_set_domain(slot, COHERENCE_CACHES);
		slot->member.device_memory = true;
	}
	ret = coherence_join(slot->coherence, slot);
	if (ret)
		goto undo_copy;
	event_tell(EVENT_JOIN, slot, NULL, slot->member.bit, slot->member.device_memory, 0);
	return 0;

undo_copy:
	slot_drop_copy(slot);
undo_build:
	slot_give_back(slot);
	return ret;
}

/* Others use the table meanwhile; transitions read table_dir under the directory's lock. */
static int slot_widen(struct mapping_slot *slot, enum dma_data_direction to)
{
	enum dma_data_direction from = slot->table_dir;
	int ret;

	if (!slot->ops->widen)
		return -EOPNOTSUPP;
	ret = slot->ops->widen(slot, from, to);
	if (ret)
		return ret;
	coherence_lock(slot->coherence);
	slot->table_dir = to;
	coherence_unlock(slot->coherence);
	event_tell(EVENT_WIDEN, slot, NULL, from, to, 0);
	return 0;
}

static void slot_teardown(struct mapping_slot *slot)
{
	coherence_leave(slot->coherence, slot);
	slot_drop_copy(slot);
	slot_give_back(slot);
}

/* A fence that signals after this look leaves the bit to be cleared by the next hit. */
static void slot_update_kernel(struct mapping_slot *slot)
{
	dma_resv_assert_held(slot->resv);
	if (!slot->waits_kernel)
		return;
	if (!dma_resv_test_signaled(slot->resv, DMA_RESV_USAGE_KERNEL))
		atomic_or(SLOT_KERNEL, &slot->word);
	else if (slot_word(slot) & SLOT_KERNEL)
		/* Release: who finds the bit clear sees what we saw, the work behind the fence. */
		atomic_fetch_andnot_release(SLOT_KERNEL, &slot->word);
}

/*
 * Make the slot able to serve @need.  Returns 0 and in *@missing the permission bits to be
 * published, or an errno with nothing changed.
 */
static int slot_provide(struct mapping_slot *slot, u32 need, u32 *missing)
{
	u32 word = slot_word(slot);
	int ret = 0;

	dma_resv_assert_held(slot->resv);
	*missing = 0;
	if (word & SLOT_DEAD)
		return -ENODEV;
	if (WARN(word & SLOT_FROZEN, "mapping-slot: mapped by who moves it\n"))
		return -EBUSY;

	if (!(word & SLOT_VALID))
		ret = slot_build(slot, slot_direction(need), GFP_KERNEL);
	else if ((word & need) != need)
		ret = slot_widen(slot, slot_direction(word | need));
	if (ret)
		return ret;
	slot_update_kernel(slot);
	*missing = need & ~word;
	return 0;
}

/* --- counting --------------------------------------------------------------------------------- */

static void slot_add_held(struct mapping_slot *slot, enum slot_head head)
{
	smp_store_mb(slot->held, slot->held + slot_held_one(head));
}

/* Give back a count whose access has not begun. */
static void slot_withdraw(struct mapping_slot *slot, enum slot_head head)
{
	if (head < SLOT_HEAD_HELD_READ)
		mapping_slot_count_out(slot, slot_one(head));
	else
		mapping_slot_held_out(slot, slot_held_one(head));
}

/*
 * The last one out of a slot that somebody waits for freezes it on his behalf.  If another came in
 * meanwhile, that one is the last.  A waiting mover is woken all the same; he looks again.
 */
void mapping_slot_count_out_slow(struct mapping_slot *slot, u32 one, u32 old)
{
	u32 mine = one == SLOT_WRITER ? SLOT_WRITERS : SLOT_READERS;
	int now = old - one;
	u32 next;

	if (WARN(!(old & mine), "mapping-slot: unmapped more often than mapped\n"))
		now = atomic_fetch_add(one, &slot->word) + one;
	if (now & SLOT_COUNTS || !(now & (SLOT_WANT | SLOT_DEAD)))
		return;

	do {
		if (now & (SLOT_COUNTS | SLOT_FROZEN))
			next = 0;
		else if (now & SLOT_WANT)
			next = (now & ~SLOT_WANT) | SLOT_FROZEN;
		else if (now & SLOT_DEAD && now & SLOT_VALID)
			next = now | SLOT_FROZEN;
		else
			next = 0;
	} while (next && !atomic_try_cmpxchg(&slot->word, &now, next));

	if (old & SLOT_WANT)
		wake_up_all(&slot->wq);
	if (next & SLOT_DEAD)
		schedule_work(&slot->reap);
}

void mapping_slot_held_out_slow(struct mapping_slot *slot, u32 one)
{
	u32 mine = one == SLOT_HELD_WRITER ? SLOT_HELD_WRITERS : SLOT_HELD_READERS;

	if (WARN(!(slot->held & mine), "mapping-slot: unmapped more often than mapped\n"))
		return;
	smp_store_release(&slot->held, slot->held - one);
	/* What mapping_slot_kill() counted in for all held maps together. */
	if (slot_word(slot) & SLOT_DEAD && !slot->held)
		mapping_slot_count_out(slot, SLOT_READER);
}

/* --- begin and end of an access --------------------------------------------------------------- */

struct sg_table *mapping_slot_begin_slow(struct mapping_slot *slot, enum slot_head head)
{
	coherence_lock(slot->coherence);
	coherence_begin(slot->coherence, slot, slot_mode(slot, head));
	coherence_unlock(slot->coherence);
	return &slot->head[head];
}

/*
 * The count leaves under the directory's lock, so that coherence_unlock() publishes who is open
 * without us.  What follows from having been the last waits until we have let go of the lock: it
 * may free the directory.
 */
void mapping_slot_end_slow(struct mapping_slot *slot, enum slot_head head)
{
	struct coherence *coherence = slot->coherence;
	u32 one = slot_one(head), old;

	if (head >= SLOT_HEAD_HELD_READ) {
		/* The reservation is ours: nothing can be torn down before we unlock it. */
		dma_resv_assert_held(slot->resv);
		coherence_lock(coherence);
		coherence_end(coherence, slot, slot_mode(slot, head));
		mapping_slot_held_out(slot, slot_held_one(head));
		coherence_unlock(coherence);
		return;
	}

	coherence_lock(coherence);
	coherence_end(coherence, slot, slot_mode(slot, head));
	old = atomic_fetch_sub_release(one, &slot->word);
	coherence_unlock(coherence);
	mapping_slot_counted_out(slot, one, old);
}

void mapping_slot_begin_access(struct mapping_slot *slot, enum dma_data_direction dir)
{
	WARN(!mapping_slot_active(slot), "mapping-slot: access without a mapping\n");
	if ((slot_look(slot) & slot->begin_mask) == slot->begin_want)
		return;
	coherence_lock(slot->coherence);
	coherence_begin(slot->coherence, slot, coherence_device_mode(dir));
	coherence_unlock(slot->coherence);
}

void mapping_slot_end_access(struct mapping_slot *slot, enum dma_data_direction dir)
{
	bool writes = slot_writes(dir);

	WARN(!mapping_slot_active(slot), "mapping-slot: access without a mapping\n");
	if ((slot_look(slot) & slot->end_mask[writes]) == slot->end_want[writes])
		return;
	coherence_lock(slot->coherence);
	coherence_end(slot->coherence, slot, coherence_device_mode(dir));
	coherence_unlock(slot->coherence);
}

/* --- map: the slow halves --------------------------------------------------------------------- */

/*
 * Fences first, the look afterwards: nothing may be gathered while a copy is still running.  We
 * stay counted, so a mover waits for us as for any user; interrupted, the access has not begun and
 * there is nothing to end.
 */
static int slot_wait_kernel(struct mapping_slot *slot, bool locked)
{
	long ret = dma_resv_wait_timeout(slot->resv, DMA_RESV_USAGE_KERNEL, true,
					 MAX_SCHEDULE_TIMEOUT);

	if (ret < 0)
		return ret;
	if (locked) {
		slot_update_kernel(slot);
	} else if (dma_resv_trylock(slot->resv)) {
		slot_update_kernel(slot);
		dma_resv_unlock(slot->resv);
	}
	return 0;
}

/* Counted in, the table is live and allows enough.  @word: as it was then. */
static struct sg_table *slot_enter(struct mapping_slot *slot, enum slot_head head, u32 word)
{
	int ret;

	if (word & SLOT_KERNEL) {
		ret = slot_wait_kernel(slot, head >= SLOT_HEAD_HELD_READ);
		if (ret) {
			slot_withdraw(slot, head);
			return ERR_PTR(ret);
		}
	}
	if ((slot_look(slot) & slot->begin_mask) != slot->begin_want)
		return mapping_slot_begin_slow(slot, head);
	return &slot->head[head];
}

struct sg_table *mapping_slot_map_slow(struct mapping_slot *slot, enum dma_data_direction dir,
				       u32 old)
{
	enum slot_head head = slot_head_for(dir, false);
	u32 need = slot_permission(dir), one = slot_one(head), missing;
	bool slept = false;
	int ret;

	might_sleep();
	for (;;) {
		DEFINE_WAIT(wait);

		if ((old & (need | SLOT_FROZEN | SLOT_DEAD | SLOT_CROWDED)) == need)
			return slot_enter(slot, head, old);
		mapping_slot_count_out(slot, one);
		if (old & SLOT_DEAD)
			return ERR_PTR(-ENODEV);
		if (old & SLOT_CROWDED)
			return ERR_PTR(-EBUSY);
		if (!(old & SLOT_FROZEN) || slept)
			break;

		/* Once: a loop as in wait_event() can meet the next move for ever. */
		prepare_to_wait(&slot->wq, &wait, TASK_UNINTERRUPTIBLE);
		if (slot_word(slot) & SLOT_FROZEN)
			schedule();
		finish_wait(&slot->wq, &wait);
		slept = true;
		old = atomic_fetch_add(one, &slot->word);
	}

	for (bool again = false;; again = true) {
		/* Who freezes holds this lock, so nobody does now. */
		dma_resv_lock(slot->resv, NULL);
		ret = slot_provide(slot, need, &missing);
		if (!ret)
			old = atomic_fetch_add(one | missing, &slot->word);
		dma_resv_unlock(slot->resv);
		if ((ret != -ENOMEM && ret != -ENOSPC) || again || !slot->ops->starved ||
		    !slot->ops->starved(slot))
			break;
	}
	return ret ? ERR_PTR(ret) : slot_enter(slot, head, old);
}

struct sg_table *mapping_slot_map_locked_slow(struct mapping_slot *slot,
					      enum dma_data_direction dir)
{
	enum slot_head head = slot_head_for(dir, true);
	u32 missing;
	int ret;

	might_sleep();
	if (slot->held & SLOT_HELD_CROWDED)
		return ERR_PTR(-EBUSY);
	ret = slot_provide(slot, slot_permission(dir), &missing);
	if (ret)
		return ERR_PTR(ret);
	slot_add_held(slot, head);
	if (missing)
		atomic_fetch_or(missing, &slot->word);
	return slot_enter(slot, head, slot_word(slot));
}

/*
 * One more count keeps a dead slot, and with it the reservation, until we have let go of it: its
 * reaper may free both.
 */
void mapping_slot_unmap_held_unlocked(struct mapping_slot *slot, enum slot_head head)
{
	might_sleep();
	atomic_fetch_add(SLOT_READER, &slot->word);
	dma_resv_lock(slot->resv, NULL);
	mapping_slot_unmap_locked(slot, head);
	dma_resv_unlock(slot->resv);
	mapping_slot_count_out(slot, SLOT_READER);
}

/* --- who is open ------------------------------------------------------------------------------ */

/*
 * A count without the permission is a mapper on his way to widen the slot; its table could not even
 * be synced for him.
 *
 * Acquire: who is seen to have counted out has his device's writes seen too.  The full barrier
 * between the caller's own store to the directory and these loads is the caller's.
 */
unsigned int mapping_slot_open(const struct mapping_slot *slot)
{
	u32 word = atomic_read_acquire(&slot->word);
	u32 held = smp_load_acquire(&slot->held);
	unsigned int open = 0;

	if (word & SLOT_FROZEN)
		return 0;
	if (word & SLOT_READ && (word & SLOT_COUNTS || held))
		open |= COHERENCE_READ;
	if (word & SLOT_WRITE && (word & SLOT_WRITERS || held & SLOT_HELD_WRITERS))
		open |= COHERENCE_WRITE;
	return open;
}

bool mapping_slot_active(const struct mapping_slot *slot)
{
	return atomic_read_acquire(&slot->word) & SLOT_COUNTS || smp_load_acquire(&slot->held);
}

void mapping_slot_kernel_fence(struct mapping_slot *slot)
{
	dma_resv_assert_held(slot->resv);
	if (slot->waits_kernel)
		atomic_or(SLOT_KERNEL, &slot->word);
}

/* --- freeze, thaw, and what stands between: reservation held ---------------------------------- */

/* Acquire: the last user's reading of the table comes before its teardown. */
static bool slot_freeze(struct mapping_slot *slot)
{
	int word = atomic_read(&slot->word);

	if (slot->held)
		return false;
	do {
		if (word & (SLOT_COUNTS | SLOT_FROZEN))
			return false;
	} while (!atomic_try_cmpxchg_acquire(&slot->word, &word, word | SLOT_FROZEN));
	return true;
}

/* One RMW, never a store: transients are counted in it.  A slot without a table becomes empty. */
static void slot_thaw(struct mapping_slot *slot)
{
	u32 clear = slot->table ? SLOT_FROZEN : SLOT_FROZEN | SLOT_VALID;

	atomic_fetch_andnot_release(clear, &slot->word);
	wake_up_all(&slot->wq);
}

/* Frozen by, or handed over to, the holder of the reservation; a dead slot's FROZEN belongs to its
 * reaper. */
static bool slot_is_ours(const struct mapping_slot *slot)
{
	return (slot_word(slot) & (SLOT_FROZEN | SLOT_DEAD)) == SLOT_FROZEN;
}

/* Returns the first slot that is in use; those before it are frozen then. */
static struct mapping_slot *slots_freeze_once(struct mapping_slot *const *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		u32 word = slot_word(slots[i]);

		if (!(word & SLOT_VALID) || word & (SLOT_DEAD | SLOT_FROZEN))
			continue;
		if (!slot_freeze(slots[i]))
			return slots[i];
	}
	return NULL;
}

/*
 * Sleep until the last user of @slot has handed it over; nothing is frozen.  Once WANT is set, an
 * attempt fails only because somebody is counted in, and he hands over on his way out: no round
 * without sleep repeats itself. Returns the jiffies left; 0: not ours.
 */
static long slot_wait_idle(struct mapping_slot *slot, long timeout)
{
	DEFINE_WAIT(wait);
	u32 old;

	for (;;) {
		prepare_to_wait(&slot->wq, &wait, TASK_UNINTERRUPTIBLE);
		old = atomic_fetch_or(SLOT_WANT, &slot->word);
		if (old & SLOT_FROZEN || (!(old & SLOT_COUNTS) && slot_freeze(slot)))
			break;
		timeout = schedule_timeout(timeout);
		if (timeout <= 0)
			break;
	}
	finish_wait(&slot->wq, &wait);
	/* FROZEN here: handed over, if need be at the last moment. */
	old = atomic_fetch_andnot(SLOT_WANT, &slot->word);
	return old & SLOT_FROZEN ? max(timeout, 1L) : 0;
}

int mapping_slots_freeze(struct mapping_slot *const *slots, unsigned int n, long timeout)
{
	struct mapping_slot *busy;

	for (unsigned int i = 0; i < n; i++) {
		dma_resv_assert_held(slots[i]->resv);
		WARN(slot_is_ours(slots[i]), "mapping-slot: frozen twice\n");
	}
	for (;;) {
		busy = slots_freeze_once(slots, n);
		if (!busy)
			return 0;
		mapping_slots_thaw(slots, n);
		/* Maps made under the reservation end under it, and that is ours. */
		if (timeout <= 0 || busy->held)
			return -EBUSY;
		timeout = slot_wait_idle(busy, timeout);
		if (!timeout)
			return -EBUSY;
	}
}

void mapping_slots_teardown(struct mapping_slot *const *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		dma_resv_assert_held(slots[i]->resv);
		if (slot_is_ours(slots[i]))
			slot_teardown(slots[i]);
	}
}

void mapping_slots_rebuild(struct mapping_slot *const *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct mapping_slot *slot = slots[i];

		dma_resv_assert_held(slot->resv);
		if (!slot_is_ours(slot))
			continue;
		/*
		 * While anything is frozen nobody waits for memory, so neither does the copy.  An
		 * error is the next mapper's to meet.
		 */
		if (!slot->table)
			slot_build(slot, slot_direction(slot_word(slot)), GFP_NOWAIT);
		slot_update_kernel(slot);
		slot_thaw(slot);
	}
}

void mapping_slots_thaw(struct mapping_slot *const *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		dma_resv_assert_held(slots[i]->resv);
		if (slot_is_ours(slots[i]))
			slot_thaw(slots[i]);
	}
}

bool mapping_slot_reclaim(struct mapping_slot *slot)
{
	dma_resv_assert_held(slot->resv);
	if (!(slot_word(slot) & SLOT_VALID))
		return true;
	/* A dead one may be idle because its last user has not yet queued the reaper. */
	if (slot_word(slot) & SLOT_DEAD || !slot_freeze(slot))
		return false;
	slot_teardown(slot);
	slot_thaw(slot);
	return true;
}

/* --- the end ---------------------------------------------------------------------------------- */

bool mapping_slot_kill(struct mapping_slot *slot)
{
	u32 word = slot_word(slot);

	dma_resv_assert_held(slot->resv);
	WARN(slot_is_ours(slot), "mapping-slot: killed by who moves it\n");
	/*
	 * Held maps are counted elsewhere; one reader stands for all of them, so that one word
	 * tells who is last and the reaper is queued once.
	 */
	if (!(word & SLOT_DEAD))
		atomic_fetch_add(slot->held ? SLOT_DEAD | SLOT_READER : SLOT_DEAD, &slot->word);
	if (!(word & SLOT_VALID))
		return true;
	if (!slot_freeze(slot))
		return false;
	slot_teardown(slot);
	slot_thaw(slot);
	return true;
}

/* Queued by who froze the dead slot on his way out; nobody else touches it any more. */
static void slot_reap(struct work_struct *work)
{
	struct mapping_slot *slot = container_of(work, struct mapping_slot, reap);

	dma_resv_lock(slot->resv, NULL);
	slot_teardown(slot);
	slot_thaw(slot);
	dma_resv_unlock(slot->resv);
	if (slot->ops->reaped)
		slot->ops->reaped(slot);
}

void mapping_slot_init(struct mapping_slot *slot, const struct mapping_slot_ops *ops,
		       struct dma_resv *resv, struct coherence *coherence,
		       enum coherence_domain domain, bool waits_kernel, void *owner)
{
	atomic_set(&slot->word, 0);
	slot->held = 0;
	slot->dir = &coherence_unshared;
	slot_set_domain(slot, domain);
	slot->waits_kernel = waits_kernel;
	slot->domain = domain;
	slot->ops = ops;
	slot->resv = resv;
	slot->coherence = coherence;
	slot->owner = owner;
	slot->table = NULL;
	slot->table_dir = DMA_NONE;
	INIT_LIST_HEAD(&slot->member.node);
	init_waitqueue_head(&slot->wq);
	INIT_WORK(&slot->reap, slot_reap);
}

void mapping_slot_fini(struct mapping_slot *slot)
{
	WARN(slot->table, "mapping-slot: freed with a table\n");
	WARN(mapping_slot_active(slot), "mapping-slot: freed in use\n");
}
