/* SPDX-License-Identifier: MIT */
/*
 * dma-resv.c - the fences of a reservation
 *
 * The fences stand in a list of slots; a slot is one word, fence and usage together, so a reader
 * without the lock never sees one without the other.  A list only grows in num_fences; to drop
 * fences or to get more slots it is replaced by a new one.
 *
 * Invariants, beside R1-R5 of linux/dma-resv.h
 *   L1  Slots [0, num_fences) hold a fence and a reference of it each.
 *   L2  num_fences <= max_fences <= capacity; max_fences - num_fences slots are reserved, none
 *       while unlocked.
 *   L3  A slot is written with release and read with acquire, also when its fence is replaced,
 *       and so is num_fences: who finds a fence finds it initialised.  No stand-alone barriers.
 *   L4  A reader that finds a fence without references starts again at obj->fences: the slot has
 *       changed, or the list has.
 *
 * Semantics: Linux 6.12.
 */
#include <linux/dma-resv.h>
#include <linux/dma-fence-array.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/seq_file.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sched.h>

#include "event.h"
#include "locking.h"

/* What a list may hold: its size, and the doubled one, are no sums that wrap. */
#define MOST_FENCES (1u << 24)

/* The low bits of a slot, free in an aligned pointer to a fence. */
#define SLOT_USAGE 3ul

/**
 * struct dma_resv_list - the slots
 */
struct dma_resv_list {
	struct rcu_head rcu;

	/* Written under the reservation's lock, read by anybody. */
	unsigned int num_fences;

	/* Only under the reservation's lock. */
	unsigned int max_fences;

	/* Constant. */
	unsigned int capacity;
	u64 serial; /* no other list ever has the same */

	/* dma_fence pointer | usage; as num_fences. */
	unsigned long slots[];
};

_Static_assert(DMA_RESV_USAGE_BOOKKEEP <= SLOT_USAGE, "every usage fits into a slot's low bits");
_Static_assert(__alignof__(struct dma_fence) > SLOT_USAGE,
	       "a fence's pointer has room for a usage");

DEFINE_WD_CLASS(reservation_ww_class);
EXPORT_SYMBOL(reservation_ww_class);

/* --- one list --------------------------------------------------------------------------------- */

static struct dma_resv_list *list_alloc(unsigned int capacity)
{
	static atomic64_t serials = ATOMIC64_INIT(0);
	struct dma_resv_list *list;

	list = kzalloc(struct_size(list, slots, capacity), GFP_KERNEL);
	if (!list)
		return NULL;
	list->capacity = capacity;
	list->serial = atomic64_inc_return(&serials);
	return list;
}

static struct dma_fence *list_get(const struct dma_resv_list *list, unsigned int index,
				  enum dma_resv_usage *usage)
{
	unsigned long slot = smp_load_acquire(&list->slots[index]);

	*usage = slot & SLOT_USAGE;
	return (struct dma_fence *)(slot & ~SLOT_USAGE);
}

static void list_set(struct dma_resv_list *list, unsigned int index, struct dma_fence *fence,
		     enum dma_resv_usage usage)
{
	smp_store_release(&list->slots[index], (unsigned long)fence | usage);
}

/* The list is out of everybody's reach but that of readers inside an RCU section. */
static void list_free(struct dma_resv_list *list)
{
	enum dma_resv_usage usage;
	unsigned int i;

	if (!list)
		return;
	for (i = 0; i < list->num_fences; i++)
		dma_fence_put(list_get(list, i, &usage));
	kfree_rcu(list, rcu);
}

/* Context: lock held; the callers assert it under their own names. */
static struct dma_resv_list *locked_list(struct dma_resv *obj)
{
	return rcu_dereference_protected(obj->fences, true);
}

/* --- life and lock ---------------------------------------------------------------------------- */

void dma_resv_init(struct dma_resv *obj)
{
	ww_mutex_init(&obj->lock, &reservation_ww_class);
	RCU_INIT_POINTER(obj->fences, NULL);
	INIT_LIST_HEAD(&obj->kernel_watchers);
}
EXPORT_SYMBOL(dma_resv_init);

void dma_resv_fini(struct dma_resv *obj)
{
	WARN(dma_resv_is_locked(obj), "dma-resv: a reservation that ends is locked by nobody");
	WARN(!list_empty(&obj->kernel_watchers),
	     "dma-resv: a reservation that ends is still watched");

	list_free(rcu_dereference_protected(obj->fences, true));
	ww_mutex_destroy(&obj->lock);
}
EXPORT_SYMBOL(dma_resv_fini);

void dma_resv_reset_max_fences(struct dma_resv *obj)
{
	struct dma_resv_list *list = locked_list(obj);

	lock_rule(dma_resv_reset_max_fences, obj);
	if (list)
		list->max_fences = list->num_fences;
}
EXPORT_SYMBOL(dma_resv_reset_max_fences);

/* --- watching --------------------------------------------------------------------------------- */

void dma_resv_watch(struct dma_resv *obj, struct dma_resv_watcher *watcher)
{
	lock_rule(dma_resv_watch, obj);
	list_add_tail(&watcher->node, &obj->kernel_watchers);
}
EXPORT_SYMBOL(dma_resv_watch);

void dma_resv_unwatch(struct dma_resv *obj, struct dma_resv_watcher *watcher)
{
	lock_rule(dma_resv_unwatch, obj);
	list_del(&watcher->node);
}
EXPORT_SYMBOL(dma_resv_unwatch);

static void tell_watchers(struct dma_resv *obj)
{
	struct dma_resv_watcher *watcher, *next;

	list_for_each_entry_safe(watcher, next, &obj->kernel_watchers, node)
		watcher->kernel_fence(watcher);
}

/* --- changing the fences ---------------------------------------------------------------------- */

int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences)
{
	struct dma_resv_list *old = locked_list(obj), *new;
	unsigned int used = old ? old->num_fences : 0;
	unsigned int i, wanted, kept = 0, dropped;

	lock_rule(dma_resv_reserve_fences, obj);
	if (WARN(!num_fences, "dma-resv: at least one slot is reserved at a time"))
		return -EINVAL;
	/* DIFFERS: in Linux the sum wraps, and the fences that follow find too few slots. */
	if (check_add_overflow(used, num_fences, &wanted) || wanted > MOST_FENCES)
		return -ENOMEM;

	if (old && wanted <= old->capacity) {
		old->max_fences = max(old->max_fences, wanted);
		return 0;
	}

	new = list_alloc(old ? max(wanted, old->capacity * 2)
			     : max(4u, (unsigned int)roundup_pow_of_two(wanted)));
	if (!new)
		return -ENOMEM;

	/* Live fences to the front; signaled ones wait at the end until no reader can start on old.
	 */
	dropped = new->capacity;
	for (i = 0; i < used; i++) {
		enum dma_resv_usage usage;
		struct dma_fence *fence = list_get(old, i, &usage);

		if (dma_fence_is_signaled(fence))
			list_set(new, --dropped, fence, usage);
		else
			list_set(new, kept++, fence, usage);
	}
	new->num_fences = kept;
	new->max_fences = kept + num_fences;
	rcu_assign_pointer(obj->fences, new);

	while (dropped < new->capacity) {
		enum dma_resv_usage usage;

		dma_fence_put(list_get(new, dropped++, &usage));
	}
	/* Its references went with the slots. */
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}
EXPORT_SYMBOL(dma_resv_reserve_fences);

/* Returns whether @fence takes the place of @old. */
static bool supersedes(struct dma_fence *fence, enum dma_resv_usage usage, struct dma_fence *old,
		       enum dma_resv_usage old_usage)
{
	if (old->context == fence->context && old_usage >= usage &&
	    dma_fence_is_later_or_same(fence, old))
		return true;
	return dma_fence_is_signaled(old);
}

void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence, enum dma_resv_usage usage)
{
	struct dma_resv_list *list = locked_list(obj);
	unsigned int i, used = list ? list->num_fences : 0;

	lock_rule(dma_resv_add_fence, obj);
	WARN(dma_fence_is_container(fence), "dma-resv: fences of a container are added one by one");

	for (i = 0; i < used; i++) {
		enum dma_resv_usage old_usage;
		struct dma_fence *old = list_get(list, i, &old_usage);

		if (!supersedes(fence, usage, old, old_usage))
			continue;
		list_set(list, i, dma_fence_get(fence), usage);
		dma_fence_put(old);
		goto added;
	}

	if (WARN(!list || used == list->max_fences,
		 "dma-resv: a fence is added without a slot reserved since the lock was taken")) {
		if (dma_resv_reserve_fences(obj, 1)) {
			dma_fence_wait(fence, false);
			return;
		}
		list = locked_list(obj);
		used = list->num_fences;
	}
	list_set(list, used, dma_fence_get(fence), usage);
	smp_store_release(&list->num_fences, used + 1);

added:
	if (usage == DMA_RESV_USAGE_KERNEL)
		tell_watchers(obj);
	event_tell(EVENT_FENCE_ADD, fence, obj, usage, 0, 0);
}
EXPORT_SYMBOL(dma_resv_add_fence);

void dma_resv_replace_fences(struct dma_resv *obj, uint64_t context, struct dma_fence *fence,
			     enum dma_resv_usage usage)
{
	struct dma_resv_list *list = locked_list(obj);
	unsigned int i, used = list ? list->num_fences : 0;
	bool replaced = false;

	lock_rule(dma_resv_replace_fences, obj);

	for (i = 0; i < used; i++) {
		enum dma_resv_usage old_usage;
		struct dma_fence *old = list_get(list, i, &old_usage);

		if (old->context != context)
			continue;
		list_set(list, i, dma_fence_get(fence), usage);
		dma_fence_put(old);
		replaced = true;
	}
	if (replaced && usage == DMA_RESV_USAGE_KERNEL)
		tell_watchers(obj);
}
EXPORT_SYMBOL(dma_resv_replace_fences);

int dma_resv_copy_fences(struct dma_resv *dst, struct dma_resv *src)
{
	struct dma_resv_list *copy = NULL, *old = locked_list(dst);
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	bool kernel = false;

	lock_rule(dma_resv_copy_fences, dst);

	dma_resv_iter_begin(&cursor, src, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		enum dma_resv_usage usage = dma_resv_iter_usage(&cursor);

		if (dma_resv_iter_is_restarted(&cursor)) {
			list_free(copy);
			kernel = false;
			copy = list_alloc(cursor.num_fences);
			if (!copy) {
				dma_resv_iter_end(&cursor);
				return -ENOMEM;
			}
		}
		kernel |= usage == DMA_RESV_USAGE_KERNEL;
		list_set(copy, copy->num_fences++, dma_fence_get(fence), usage);
	}
	dma_resv_iter_end(&cursor);

	if (copy)
		copy->max_fences = copy->num_fences;
	rcu_assign_pointer(dst->fences, copy);
	list_free(old);

	if (kernel)
		tell_watchers(dst);
	return 0;
}
EXPORT_SYMBOL(dma_resv_copy_fences);

/* --- walking ---------------------------------------------------------------------------------- */

/* Context: RCU reader section. */
static void restart_unlocked(struct dma_resv_iter *cursor)
{
	cursor->fences = rcu_dereference(cursor->obj->fences);
	cursor->num_fences = 0;
	cursor->serial = 0;
	if (cursor->fences) {
		cursor->num_fences = smp_load_acquire(&cursor->fences->num_fences);
		cursor->serial = cursor->fences->serial;
	}
	cursor->index = 0;
	cursor->is_restarted = true;
}

/*
 * To the next fence that is asked for and unsignaled, or NULL.
 * Context: RCU reader section; cursor->fences was found in the reservation within it, or is in it
 * still.
 */
static void walk_unlocked(struct dma_resv_iter *cursor)
{
	dma_fence_put(cursor->fence);
	cursor->fence = NULL;

	while (cursor->index < cursor->num_fences) {
		struct dma_fence *fence;

		fence = list_get(cursor->fences, cursor->index++, &cursor->fence_usage);
		fence = dma_fence_get_rcu(fence);
		if (!fence) {
			restart_unlocked(cursor);
			continue;
		}
		if (cursor->fence_usage <= cursor->usage && !dma_fence_is_signaled(fence)) {
			cursor->fence = fence;
			return;
		}
		dma_fence_put(fence);
	}
}

struct dma_fence *dma_resv_iter_first_unlocked(struct dma_resv_iter *cursor)
{
	rcu_read_lock();
	do {
		restart_unlocked(cursor);
		walk_unlocked(cursor);
	} while (rcu_access_pointer(cursor->obj->fences) != cursor->fences);
	rcu_read_unlock();

	return cursor->fence;
}
EXPORT_SYMBOL(dma_resv_iter_first_unlocked);

struct dma_fence *dma_resv_iter_next_unlocked(struct dma_resv_iter *cursor)
{
	struct dma_resv_list *list;
	bool replaced;

	rcu_read_lock();
	cursor->is_restarted = false;
	/*
	 * Between two steps the list may have been freed, and another made at its address with
	 * fewer slots (dma_resv_copy_fences()).  DIFFERS: Linux compares the addresses only.
	 */
	list = rcu_dereference(cursor->obj->fences);
	replaced = list != cursor->fences || (list && list->serial != cursor->serial);
	do {
		if (replaced)
			restart_unlocked(cursor);
		walk_unlocked(cursor);
		replaced = true;
	} while (rcu_access_pointer(cursor->obj->fences) != cursor->fences);
	rcu_read_unlock();

	return cursor->fence;
}
EXPORT_SYMBOL(dma_resv_iter_next_unlocked);

static struct dma_fence *walk_locked(struct dma_resv_iter *cursor)
{
	while (cursor->fences && cursor->index < cursor->fences->num_fences) {
		struct dma_fence *fence;

		fence = list_get(cursor->fences, cursor->index++, &cursor->fence_usage);
		if (cursor->fence_usage <= cursor->usage)
			return fence;
	}
	return NULL;
}

struct dma_fence *dma_resv_iter_first(struct dma_resv_iter *cursor)
{
	lock_rule(dma_resv_iter_first, cursor->obj);

	cursor->index = 0;
	cursor->fences = locked_list(cursor->obj);
	cursor->is_restarted = true;
	return walk_locked(cursor);
}
EXPORT_SYMBOL(dma_resv_iter_first);

struct dma_fence *dma_resv_iter_next(struct dma_resv_iter *cursor)
{
	lock_rule(dma_resv_iter_next, cursor->obj);

	cursor->is_restarted = false;
	return walk_locked(cursor);
}
EXPORT_SYMBOL(dma_resv_iter_next);

/* --- asking ----------------------------------------------------------------------------------- */

static void put_fences(struct dma_fence **fences, unsigned int count)
{
	while (count--)
		dma_fence_put(fences[count]);
}

int dma_resv_get_fences(struct dma_resv *obj, enum dma_resv_usage usage, unsigned int *num_fences,
			struct dma_fence ***fences)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	*num_fences = 0;
	*fences = NULL;

	dma_resv_iter_begin(&cursor, obj, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		if (dma_resv_iter_is_restarted(&cursor)) {
			put_fences(*fences, *num_fences);
			*num_fences = 0;
			kfree(*fences);
			/* One more than needed: callers append a fence of their own. */
			*fences =
				kmalloc_array(cursor.num_fences + 1, sizeof(**fences), GFP_KERNEL);
			if (!*fences) {
				dma_resv_iter_end(&cursor);
				return -ENOMEM;
			}
		}
		(*fences)[(*num_fences)++] = dma_fence_get(fence);
	}
	dma_resv_iter_end(&cursor);
	return 0;
}
EXPORT_SYMBOL(dma_resv_get_fences);

int dma_resv_get_singleton(struct dma_resv *obj, enum dma_resv_usage usage,
			   struct dma_fence **fence)
{
	struct dma_fence_array *array;
	struct dma_fence **fences;
	unsigned int count;
	int ret;

	*fence = NULL;
	ret = dma_resv_get_fences(obj, usage, &count, &fences);
	if (ret)
		return ret;
	if (count <= 1) {
		if (count)
			*fence = fences[0];
		kfree(fences);
		return 0;
	}

	array = dma_fence_array_create(count, fences, dma_fence_context_alloc(1), 1, false);
	if (!array) {
		put_fences(fences, count);
		kfree(fences);
		return -ENOMEM;
	}
	*fence = &array->base;
	return 0;
}
EXPORT_SYMBOL(dma_resv_get_singleton);

long dma_resv_wait_timeout(struct dma_resv *obj, enum dma_resv_usage usage, bool intr,
			   unsigned long timeout)
{
	long ret = timeout ? timeout : 1;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_iter_begin(&cursor, obj, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence) {
		ret = dma_fence_wait_timeout(fence, intr, timeout);
		if (ret <= 0)
			break;
		/* What is left is for the next one; asking without sleeping stays that. */
		if (timeout)
			timeout = ret;
	}
	dma_resv_iter_end(&cursor);
	return ret;
}
EXPORT_SYMBOL(dma_resv_wait_timeout);

bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	bool signaled;

	dma_resv_iter_begin(&cursor, obj, usage);
	signaled = !dma_resv_iter_first_unlocked(&cursor);
	dma_resv_iter_end(&cursor);
	return signaled;
}
EXPORT_SYMBOL(dma_resv_test_signaled);

void dma_resv_set_deadline(struct dma_resv *obj, enum dma_resv_usage usage, ktime_t deadline)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_iter_begin(&cursor, obj, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		dma_fence_set_deadline(fence, deadline);
	dma_resv_iter_end(&cursor);
}
EXPORT_SYMBOL(dma_resv_set_deadline);

void dma_resv_describe(struct dma_resv *obj, struct seq_file *seq)
{
	static const char *const names[] = {
		[DMA_RESV_USAGE_KERNEL] = "kernel",
		[DMA_RESV_USAGE_WRITE] = "write",
		[DMA_RESV_USAGE_READ] = "read",
		[DMA_RESV_USAGE_BOOKKEEP] = "bookkeep",
	};
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_for_each_fence(&cursor, obj, DMA_RESV_USAGE_BOOKKEEP, fence) {
		seq_printf(seq, "\t%s fence:", names[dma_resv_iter_usage(&cursor)]);
		dma_fence_describe(fence, seq);
	}
}
EXPORT_SYMBOL(dma_resv_describe);

/* --- lock order ------------------------------------------------------------------------------- */

#ifdef HOST_LOCKDEP
#define LOCK_CLASS(class, name, what) static const char name_##class[] __maybe_unused = name;
#include "locking.def"

/* Said before the first lock: an inversion is found where it is, not by who does it right later. */
static __attribute__((constructor)) void state_lock_order(void)
{
#define LOCK_ORDER(outer, inner, why) host_lock_order(name_##outer, name_##inner);
#include "locking.def"
}
#endif
