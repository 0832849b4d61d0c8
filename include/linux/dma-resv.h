/* SPDX-License-Identifier: MIT */
/*
 * dma-resv.h - a reservation: who may touch a buffer, and after which fences
 *
 * A reservation is a lock and a list of fences, each with a usage.  Drivers add the fences of the
 * work they queue on the buffer and wait for those of others.  Several buffers may share one
 * reservation. Semantics: Linux 6.12.
 *
 * Invariants
 *   R1  The list changes only with the lock held.  Readers without the lock are never blocked,
 *       and see every fence that was added before they began and has not signaled.
 *   R2  A fence is promoted (a lower usage, seen by more queries), never degraded.
 *   R3  dma_resv_add_fence() cannot fail: its slot was reserved before, while failing was still
 *       possible, and since the lock was last taken.
 *   R4  A signaled fence says nothing any more; it may vanish from the list at any change.
 *   R5  Several reservations are locked under one ww_acquire_ctx of reservation_ww_class; who
 *       gets -EDEADLK unlocks all it holds, takes the contended one with the slow form and
 *       starts again.
 *
 * Lock order: outer locks, among them mmap_lock -> reservations -> memory reclaim -> MMU notifiers
 * and waits for fences -> fence->lock.  The way to a fence's signal takes no reservation (F5 of
 * dma-fence.h).
 *
 * Deliberately not here: fence containers.  Add what they contain, one by one.
 */
#ifndef _LINUX_DMA_RESV_H
#define _LINUX_DMA_RESV_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/ww_mutex.h>
#include <linux/rcupdate.h>
#include <linux/lockdep.h>
#include <linux/bug.h>
#include <linux/dma-fence.h>
#include <linux/dma-cost.h>
#include <linux/seqlock.h>
#include <linux/slab.h>

extern struct ww_class reservation_ww_class;

struct dma_resv_list;

/**
 * enum dma_resv_usage - what the work behind a fence does with the buffer
 *
 * A query for a usage answers with the fences of that usage and of all lower ones.
 *
 * @DMA_RESV_USAGE_KERNEL: memory management: moving, clearing.  Everybody waits for it before
 * touching the buffer, whatever else was agreed.
 * @DMA_RESV_USAGE_WRITE: writes that implicit synchronisation covers
 * @DMA_RESV_USAGE_READ: reads that implicit synchronisation covers
 * @DMA_RESV_USAGE_BOOKKEEP: only memory management waits (explicit synchronisation, preemption)
 */
enum dma_resv_usage {
	DMA_RESV_USAGE_KERNEL,
	DMA_RESV_USAGE_WRITE,
	DMA_RESV_USAGE_READ,
	DMA_RESV_USAGE_BOOKKEEP,
};

/**
 * dma_resv_usage_rw - whom does a new access wait for?
 *
 * A writer for readers and writers, a reader for writers only.  Not the usage of the access's own
 * fence.
 */
static inline enum dma_resv_usage dma_resv_usage_rw(bool write)
{
	return write ? DMA_RESV_USAGE_READ : DMA_RESV_USAGE_WRITE;
}

/**
 * struct dma_resv - a reservation
 */
struct dma_resv {
	/* Guards all below. */
	struct ww_mutex lock;

	/* Changed under the lock, read under RCU; NULL until the first slot is reserved. */
	struct dma_resv_list __rcu *fences;

	/* The watchers, struct dma_resv_watcher.node.  DIFFERS: ours. */
	struct list_head kernel_watchers;
};

/**
 * struct dma_resv_watcher - who wants to hear of KERNEL fences
 *
 * DIFFERS: ours.  A hit of a cached mapping learns that the buffer is about to move without reading
 * the reservation.
 */
struct dma_resv_watcher {
	/* On dma_resv.kernel_watchers; guarded by the reservation's lock. */
	struct list_head node;

	/*
	 * A fence of usage KERNEL is in the list now: added, promoted, put in another's place or
	 * copied. It may be signaled already.
	 *
	 * Context: the reservation's lock held; runs before dma_resv_add_fence() and its like
	 * return. Allocates nothing that can wait and waits for no fence: the adder is on its way
	 * to a signal. It may take its own watcher off, no other; it does not change the fences.
	 */
	void (*kernel_fence)(struct dma_resv_watcher *watcher);
};

/**
 * struct dma_resv_iter - a walk over the fences of a reservation
 *
 * On the stack of the walker and its own; the fields are for the functions below.
 */
struct dma_resv_iter {
	/* Set by dma_resv_iter_begin(). */
	struct dma_resv *obj;
	enum dma_resv_usage usage; /* fences of higher usage are passed over */

	/* The present fence and what it is used for. The unlocked walk holds a reference. */
	struct dma_fence *fence;
	enum dma_resv_usage fence_usage;

	/* Where in which list; num_fences is read once per (re)start of the unlocked walk. */
	unsigned int index;
	struct dma_resv_list *fences;
	unsigned int num_fences;
	u64 serial; /* of that list: a new one may stand at the old one's address */

	/* The present fence is the first one since a (re)start. */
	bool is_restarted;
};

/* --- life and lock ---------------------------------------------------------------------------- */

/** dma_resv_init - an empty reservation, unlocked. Context: any. */
void dma_resv_init(struct dma_resv *obj);

/**
 * dma_resv_fini - drop all fences
 *
 * Context: the caller is the last who knows @obj; not locked, and nobody watches (WARNs).  Memory
 * that unlocked readers still look at is freed after a grace period.
 */
void dma_resv_fini(struct dma_resv *obj);

/** dma_resv_held - does the caller hold the lock? */
#define dma_resv_held(obj) lockdep_is_held(&(obj)->lock.base)

/** dma_resv_assert_held - WARN unless the caller holds the lock */
#define dma_resv_assert_held(obj)                                                              \
	WARN(!dma_resv_held(obj), "dma-resv: %s() must be called with the reservation locked", \
	     __func__)

/**
 * dma_resv_assert_not_held - WARN if the caller holds the lock
 *
 * For functions that take it.  DIFFERS: ours; Linux says it in comments.
 */
#define dma_resv_assert_not_held(obj)                                                             \
	WARN(dma_resv_held(obj), "dma-resv: %s() takes the reservation, so it is called without", \
	     __func__)

/**
 * dma_resv_lock - take the lock
 * @ctx: when several are locked together (R5), else NULL
 *
 * Context: may sleep, uninterruptibly.
 * Returns 0; with @ctx also -EDEADLK (an older context wants it: back off, R5) and -EALREADY (this
 * context holds it).
 */
static inline int dma_resv_lock(struct dma_resv *obj, struct ww_acquire_ctx *ctx)
{
	int ret = ww_mutex_lock(&obj->lock, ctx);

	if (!ret)
		dma_cost_add(DMA_COST_RESV_LOCKS, 1);
	return ret;
}

/** dma_resv_lock_interruptible - dma_resv_lock(); also -EINTR when a signal came first */
static inline int dma_resv_lock_interruptible(struct dma_resv *obj, struct ww_acquire_ctx *ctx)
{
	int ret = ww_mutex_lock_interruptible(&obj->lock, ctx);

	if (!ret)
		dma_cost_add(DMA_COST_RESV_LOCKS, 1);
	return ret;
}

/**
 * dma_resv_lock_slow - take the lock that answered -EDEADLK, having unlocked all others
 *
 * Context: may sleep; no reservation of @ctx held.  Cannot fail.
 */
static inline void dma_resv_lock_slow(struct dma_resv *obj, struct ww_acquire_ctx *ctx)
{
	ww_mutex_lock_slow(&obj->lock, ctx);
	dma_cost_add(DMA_COST_RESV_LOCKS, 1);
}

/** dma_resv_lock_slow_interruptible - dma_resv_lock_slow(), or -EINTR */
static inline int dma_resv_lock_slow_interruptible(struct dma_resv *obj, struct ww_acquire_ctx *ctx)
{
	int ret = ww_mutex_lock_slow_interruptible(&obj->lock, ctx);

	if (!ret)
		dma_cost_add(DMA_COST_RESV_LOCKS, 1);
	return ret;
}

/** dma_resv_trylock - take the lock if it is free, without a context. Returns whether. Context:
 * any. */
static inline bool __must_check dma_resv_trylock(struct dma_resv *obj)
{
	if (!ww_mutex_trylock(&obj->lock, NULL))
		return false;
	dma_cost_add(DMA_COST_RESV_LOCKS, 1);
	return true;
}

/** dma_resv_is_locked - does anybody hold the lock? Out of date when read. */
static inline bool dma_resv_is_locked(struct dma_resv *obj)
{
	return ww_mutex_is_locked(&obj->lock);
}

/** dma_resv_locking_ctx - the context it was locked with, or NULL. Context: lock held. */
static inline struct ww_acquire_ctx *dma_resv_locking_ctx(struct dma_resv *obj)
{
	return READ_ONCE(obj->lock.ctx);
}

/**
 * dma_resv_reset_max_fences - give back the slots that were reserved and not used
 *
 * Context: lock held; every unlock does it (R3).
 *
 * DIFFERS: Linux does it with CONFIG_DEBUG_MUTEXES only.  Here the memory stays, only the right to
 * use it goes, so it costs one store.
 */
void dma_resv_reset_max_fences(struct dma_resv *obj);

/** dma_resv_unlock - release the lock. Slots reserved and not used are lost. Context: lock held. */
static inline void dma_resv_unlock(struct dma_resv *obj)
{
	dma_resv_reset_max_fences(obj);
	ww_mutex_unlock(&obj->lock);
}

/* --- changing the fences: lock held ----------------------------------------------------------- */

/**
 * dma_resv_reserve_fences - make room for @num_fences fences to be added before the unlock
 *
 * Not cumulative: two calls for 1 make room for one.  Drops fences that are signaled when it has to
 * grow. Context: lock held; may sleep (allocates). Returns 0; -ENOMEM, also for a number that only an
 * overflow can have made: nothing has changed; -EINVAL: @num_fences is 0 (WARNs).
 */
int dma_resv_reserve_fences(struct dma_resv *obj, unsigned int num_fences);

/**
 * dma_resv_add_fence - queue @fence on the buffer
 *
 * Takes the place of a fence of the same context that is not later and of the same or a higher
 * usage (so that one is promoted with it, R2), or of any signaled fence, or else a reserved slot.
 * Watchers hear of a KERNEL fence before it returns.
 *
 * Context: lock held, a slot reserved; may stand on the way to a signal: neither sleeps nor
 * allocates. Ownership: takes a reference of its own. WARNs when @fence is a container, and when no
 * slot is reserved.
 *
 * DIFFERS: without a slot Linux stops the machine.  Here the order is kept: the slot is allocated,
 * and if there is no memory @fence is waited for.
 */
void dma_resv_add_fence(struct dma_resv *obj, struct dma_fence *fence, enum dma_resv_usage usage);

/**
 * dma_resv_replace_fences - put @fence in the place of every fence of @context
 * @fence: signals not before the work of those is out of the way (a preemption, an unmap)
 *
 * Nothing when there are none.  Context: lock held.
 * Ownership: takes its own references.
 */
void dma_resv_replace_fences(struct dma_resv *obj, uint64_t context, struct dma_fence *fence,
			     enum dma_resv_usage usage);

/**
 * dma_resv_copy_fences - give @dst the unsignaled fences of @src, in place of its own
 *
 * Context: @dst locked, @src not needed to be; may sleep (allocates).
 * Returns 0, or -ENOMEM: @dst is as before.
 */
int dma_resv_copy_fences(struct dma_resv *dst, struct dma_resv *src);

/* --- watching KERNEL fences ------------------------------------------------------------------- */

/**
 * dma_resv_watch - tell @watcher of every KERNEL fence from now on
 *
 * Those already there it is not told of: look while the lock is held.
 * Context: lock held.  Ownership: @watcher is the caller's, alive until dma_resv_unwatch().
 * DIFFERS: ours.
 */
void dma_resv_watch(struct dma_resv *obj, struct dma_resv_watcher *watcher);

/** dma_resv_unwatch - stop that. Context: lock held; @watcher is on @obj. */
void dma_resv_unwatch(struct dma_resv *obj, struct dma_resv_watcher *watcher);

/* --- asking: lock not needed, allowed --------------------------------------------------------- */

/**
 * dma_resv_get_fences - the unsignaled fences of @usage and below, as an array
 * @num_fences: their number goes here, 0 on error
 * @fences: the array goes here, NULL when empty or on error
 *
 * Context: may sleep (allocates).  Returns 0 or -ENOMEM.
 * Ownership: the caller puts each fence and frees the array with kfree().
 */
int dma_resv_get_fences(struct dma_resv *obj, enum dma_resv_usage usage, unsigned int *num_fences,
			struct dma_fence ***fences);

/**
 * dma_resv_get_singleton - the unsignaled fences of @usage and below, as one
 * @fence: it goes here: an array (linux/dma-fence-array.h) of several, the fence itself when there
 * is one, NULL when there is none, and on error
 *
 * An array may not be added to a reservation.
 * Context: may sleep (allocates).  Returns 0 or -ENOMEM.  Ownership: the caller puts it.
 */
int dma_resv_get_singleton(struct dma_resv *obj, enum dma_resv_usage usage,
			   struct dma_fence **fence);

/**
 * dma_resv_wait_timeout - sleep until the fences of @usage and below are signaled
 *
 * Those added meanwhile may or may not be waited for: hold the lock to keep others from adding.
 * Context, @intr, @timeout and result as dma_fence_wait_timeout(), for all of them together.
 */
long dma_resv_wait_timeout(struct dma_resv *obj, enum dma_resv_usage usage, bool intr,
			   unsigned long timeout);

/** dma_resv_test_signaled - are the fences of @usage and below all signaled? Context: any. */
bool dma_resv_test_signaled(struct dma_resv *obj, enum dma_resv_usage usage);

/** dma_resv_set_deadline - dma_fence_set_deadline() on each of @usage and below. Context: any. */
void dma_resv_set_deadline(struct dma_resv *obj, enum dma_resv_usage usage, ktime_t deadline);

struct seq_file;

/** dma_resv_describe - a line for each fence, with its usage, for people. Context: locked */
void dma_resv_describe(struct dma_resv *obj, struct seq_file *seq);

/* --- walking ---------------------------------------------------------------------------------- */

/**
 * dma_resv_iter_begin - start a walk; no fence is looked at yet
 *
 * Every begin has its dma_resv_iter_end(), also when the loop is left early.
 */
static inline void dma_resv_iter_begin(struct dma_resv_iter *cursor, struct dma_resv *obj,
				       enum dma_resv_usage usage)
{
	cursor->obj = obj;
	cursor->usage = usage;
	cursor->fence = NULL;
}

/** dma_resv_iter_end - end a walk; the fence last returned may be gone */
static inline void dma_resv_iter_end(struct dma_resv_iter *cursor)
{
	dma_fence_put(cursor->fence);
}

/** dma_resv_iter_usage - the usage of the present fence */
static inline enum dma_resv_usage dma_resv_iter_usage(struct dma_resv_iter *cursor)
{
	return cursor->fence_usage;
}

/**
 * dma_resv_iter_is_restarted - is the present fence the first of a new walk?
 *
 * True for the first fence, and again when the list was replaced under an unlocked walk: then throw
 * away what was gathered.
 */
static inline bool dma_resv_iter_is_restarted(struct dma_resv_iter *cursor)
{
	return cursor->is_restarted;
}

/*
 * dma_resv_iter_first_unlocked / dma_resv_iter_next_unlocked - walk without the lock
 *
 * Passes over signaled fences.  May start again at any step (dma_resv_iter_is_restarted()).
 * Context: any; may sleep between steps.  Return NULL at the end.
 * Ownership: the cursor holds a reference until the next step or the end.
 */
struct dma_fence *dma_resv_iter_first_unlocked(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_next_unlocked(struct dma_resv_iter *cursor);

/*
 * dma_resv_iter_first / dma_resv_iter_next - walk with the lock held
 *
 * Signaled fences are returned too; never starts again.  No reference is taken.
 */
struct dma_fence *dma_resv_iter_first(struct dma_resv_iter *cursor);
struct dma_fence *dma_resv_iter_next(struct dma_resv_iter *cursor);

/* Between dma_resv_iter_begin() and dma_resv_iter_end(); lock not needed. */
#define dma_resv_for_each_fence_unlocked(cursor, fence)           \
	for (fence = dma_resv_iter_first_unlocked(cursor); fence; \
	     fence = dma_resv_iter_next_unlocked(cursor))

/* A whole walk, lock held: begins by itself and needs no end. */
#define dma_resv_for_each_fence(cursor, obj, usage, fence)                                        \
	for (dma_resv_iter_begin(cursor, obj, usage), fence = dma_resv_iter_first(cursor); fence; \
	     fence = dma_resv_iter_next(cursor))

#endif
