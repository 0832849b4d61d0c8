/* SPDX-License-Identifier: MIT */
/*
 * dma-fence.h - a fence: "this piece of work on a device is finished", told once, to everybody
 *
 * A driver initialises a fence, shows it to others (through a reservation, linux/dma-resv.h) and
 * signals it exactly once.  Others wait for it, ask it or hang callbacks on it.  Semantics:
 * Linux 6.12.
 *
 * Invariants
 *   F1  A fence goes from unsignaled to signaled once and never back.
 *   F2  Whatever the signaler wrote before it signalled is seen by whoever sees the signal.
 *   F3  A callback that was added runs exactly once, or was removed and never runs.  It runs
 *       under fence->lock with interrupts off: it takes no sleeping lock, allocates nothing that
 *       can wait and does not put the last reference of the fence that calls it.
 *   F4  A published fence signals in bounded time, whatever userspace does.
 *   F5  The code that leads to the signal takes no reservation, waits for no fence of a later
 *       job and allocates nothing that can wait: fences are waited for with reservations held
 *       and from reclaim.
 *   F6  The memory outlives the last reference by an RCU grace period (dma_fence_free()).
 *
 * Deliberately not here: arrays, chains and merging of fences (linux/dma-fence-array.h, -chain.h,
 * -unwrap.h); handing fences to programs (linux/sync_file.h).
 */
#ifndef _LINUX_DMA_FENCE_H
#define _LINUX_DMA_FENCE_H

#include <linux/types.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/wait.h>
#include <linux/list.h>
#include <linux/bitops.h>
#include <linux/spinlock.h>
#include <linux/lockdep.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>
#include <linux/ktime.h>
#include <linux/sched.h>

struct dma_fence;
struct dma_fence_cb;
struct dma_fence_ops;

/**
 * enum dma_fence_flag_bits - bits of dma_fence.flags
 * @DMA_FENCE_FLAG_SIGNALED_BIT: signaled; set once, under fence->lock, before the callbacks run
 * @DMA_FENCE_FLAG_TIMESTAMP_BIT: dma_fence.timestamp holds the time of the signal; set after
 * SIGNALED
 * @DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT: ops->enable_signaling was called, or somebody made that
 * needless
 * @DMA_FENCE_FLAG_USER_BITS: this bit and those above belong to the fence's driver
 */
enum dma_fence_flag_bits {
	DMA_FENCE_FLAG_SIGNALED_BIT,
	DMA_FENCE_FLAG_TIMESTAMP_BIT,
	DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
	DMA_FENCE_FLAG_USER_BITS,
};

/**
 * struct dma_fence - one piece of work
 *
 * Embedded in a driver's own structure.  64 bytes: three things that are never needed at the same
 * time share a place.
 */
struct dma_fence {
	/* Set at init, constant afterwards. */
	spinlock_t *lock; /* the driver's; often shared by a whole timeline */
	const struct dma_fence_ops *ops;

	union {
		/* Unsignaled: the callbacks, guarded by lock. */
		struct list_head cb_list;
		/* Signaled: valid once TIMESTAMP_BIT is set. */
		ktime_t timestamp;
		/* Released: only dma_fence_free() writes it. */
		struct rcu_head rcu;
	};

	/* Set at init, constant afterwards. */
	u64 context; /* the timeline: fences of one context signal in the order of seqno */
	u64 seqno;

	/* Atomic bits, enum dma_fence_flag_bits. */
	unsigned long flags;
	struct kref refcount;

	/* Written before the signal, constant afterwards: 0 or -errno. */
	int error;
};

/**
 * dma_fence_func_t - what dma_fence_add_callback() runs
 *
 * Context: fence->lock held, interrupts off; may run on any thread, also the one that signals.
 * The callback's node is already off the list and initialised, so @cb may be freed or added to
 * another fence; it may not call back into @fence.
 */
typedef void (*dma_fence_func_t)(struct dma_fence *fence, struct dma_fence_cb *cb);

/**
 * struct dma_fence_cb - one callback; embed it, the core initialises it
 * @node: on fence->cb_list while armed, else empty; guarded by fence->lock
 * @func: what to run
 */
struct dma_fence_cb {
	struct list_head node;
	dma_fence_func_t func;
};

/**
 * enum dma_fence_container - does a fence stand for other fences?
 *
 * Containers may not be nested, nor added to a reservation.
 */
enum dma_fence_container {
	DMA_FENCE_NO_CONTAINER,
	DMA_FENCE_ARRAY,
	DMA_FENCE_CHAIN,
};

/**
 * struct dma_fence_ops - what a kind of fence can do
 *
 * Constant, and alive as long as any of its fences.
 */
struct dma_fence_ops {
	/*
	 * All 64 bits of seqno count.  Unset: the lower 32, which wrap, so two fences of a context
	 * that are compared are less than 2^31 apart.
	 */
	bool use_64bit_seqno;

	/*
	 * What the fence contains; unset for a driver's fences.
	 *
	 * DIFFERS: Linux compares the ops pointer with those of its two containers.
	 */
	enum dma_fence_container container;

	/* Mandatory. The driver's name, for people. Context: any; the string lives as long as the
	 * fence. */
	const char *(*get_driver_name)(struct dma_fence *fence);

	/* Mandatory. The name of the context (a ring, a queue). As get_driver_name. */
	const char *(*get_timeline_name)(struct dma_fence *fence);

	/*
	 * Optional: somebody waits now, so make sure that the signal comes (arm an interrupt).
	 * Called at most once.  Returns true when the fence will be signaled later, false when it
	 * is finished already: the core signals it then.
	 *
	 * Context: fence->lock held, interrupts off; must not sleep and not signal the fence
	 * itself. Ownership: takes no reference by itself; a driver whose interrupt uses the fence
	 * gets one here.
	 */
	bool (*enable_signaling)(struct dma_fence *fence);

	/*
	 * Optional: look whether the work is finished (a sequence number in memory).  Once true,
	 * always true; the core then signals the fence.
	 *
	 * Context: any, also with fence->lock held or not, and inside an RCU reader section.
	 */
	bool (*signaled)(struct dma_fence *fence);

	/*
	 * Optional, deprecated: wait in the driver's own way.  Returns as dma_fence_wait_timeout().
	 *
	 * Context: may sleep.
	 */
	signed long (*wait)(struct dma_fence *fence, bool intr, signed long timeout);

	/*
	 * Optional: the last reference is gone.  Must end in dma_fence_free() or free after a grace
	 * period (F6).  Unset: dma_fence_free().
	 *
	 * Context: any, also atomic.
	 */
	void (*release)(struct dma_fence *fence);

	/* Optional: write the fence's value into @str of @size bytes, for people. Context: any. */
	void (*fence_value_str)(struct dma_fence *fence, char *str, int size);

	/* Optional: write the timeline's present value likewise. Context: any. */
	void (*timeline_value_str)(struct dma_fence *fence, char *str, int size);

	/*
	 * Optional: somebody would like the fence signaled by @deadline (monotonic).  A hint, may
	 * come several times, in any order, also after the signal.
	 *
	 * Context: any; fence->lock not held.
	 */
	void (*set_deadline)(struct dma_fence *fence, ktime_t deadline);
};

/* --- life ------------------------------------------------------------------------------------- */

/**
 * dma_fence_init - make a fence, unsignaled, with one reference
 * @lock: held by whoever signals; may be shared with other fences, must outlive this one
 * @context: from dma_fence_context_alloc()
 * @seqno: later work of a context has a later number
 *
 * Context: any.  Ownership: the caller owns the reference; the memory belongs to the caller until
 * ops->release.  BUG when @lock, @ops or one of the two mandatory names is missing.
 */
void dma_fence_init(struct dma_fence *fence, const struct dma_fence_ops *ops, spinlock_t *lock,
		    u64 context, u64 seqno);

/**
 * dma_fence_release - what the last dma_fence_put() calls
 *
 * A fence that still has callbacks was never signaled and never will be: WARNs, and signals it with
 * error -EDEADLK so that nobody waits for ever.
 *
 * Context: any; fence->lock not held.
 */
void dma_fence_release(struct kref *kref);

/**
 * dma_fence_free - give the memory back after a grace period
 *
 * For fences that kmalloc() made and that are the first member of their structure.  Context: any.
 */
void dma_fence_free(struct dma_fence *fence);

/**
 * dma_fence_put - drop a reference; NULL is allowed
 *
 * Context: any, but the last reference never under fence->lock.
 */
static inline void dma_fence_put(struct dma_fence *fence)
{
	if (fence)
		kref_put(&fence->refcount, dma_fence_release);
}

/** dma_fence_get - take another reference; NULL is allowed and returned. Context: any. */
static inline struct dma_fence *dma_fence_get(struct dma_fence *fence)
{
	if (fence)
		kref_get(&fence->refcount);
	return fence;
}

/**
 * dma_fence_get_rcu - take a reference of a fence that may be dying
 *
 * Context: inside an RCU reader section in which @fence was read.  Returns NULL when the last
 * reference has gone; the place it was read from is then out of date.
 */
static inline struct dma_fence *dma_fence_get_rcu(struct dma_fence *fence)
{
	if (kref_get_unless_zero(&fence->refcount))
		return fence;
	return NULL;
}

/**
 * dma_fence_get_rcu_safe - a reference of the fence that @fencep points to now
 *
 * Reads again until the reference taken is that of the fence in place; also right for memory of
 * SLAB_TYPESAFE_BY_RCU, where a dying fence can turn into another one.
 *
 * Context: inside an RCU reader section.  Returns NULL when *@fencep is NULL.
 */
static inline struct dma_fence *dma_fence_get_rcu_safe(struct dma_fence __rcu **fencep)
{
	for (;;) {
		struct dma_fence *fence = rcu_dereference(*fencep);

		if (!fence)
			return NULL;
		if (!dma_fence_get_rcu(fence))
			continue;
		if (fence == rcu_access_pointer(*fencep))
			return fence;
		dma_fence_put(fence);
	}
}

/**
 * dma_fence_context_alloc - @num new contexts in a row
 *
 * Context: any.  Returns the first; never 0, never again the same.  WARNs when @num is 0.
 */
u64 dma_fence_context_alloc(unsigned int num);

/**
 * dma_fence_get_stub - a reference of the one fence that is always signaled
 *
 * Context: any.  Its timestamp is that of the first call.  Never fails.
 */
struct dma_fence *dma_fence_get_stub(void);

/**
 * dma_fence_allocate_private_stub - a new fence that was signaled at @timestamp
 *
 * Context: may sleep.  Returns NULL when memory is short.  Ownership: the caller puts it.
 */
struct dma_fence *dma_fence_allocate_private_stub(ktime_t timestamp);

/* --- signalling ------------------------------------------------------------------------------- */

/**
 * dma_fence_signal - the work is finished: wake the waiters, run the callbacks
 *
 * Context: any; fence->lock not held (it is taken).  Callbacks run before it returns.
 * Returns 0, or -EINVAL when the fence was signaled already (nothing happens) or is NULL (WARNs).
 */
int dma_fence_signal(struct dma_fence *fence);

/** dma_fence_signal_locked - dma_fence_signal() for a caller who holds fence->lock */
int dma_fence_signal_locked(struct dma_fence *fence);

/** dma_fence_signal_timestamp - dma_fence_signal(), finished at @timestamp (monotonic) */
int dma_fence_signal_timestamp(struct dma_fence *fence, ktime_t timestamp);

/** dma_fence_signal_timestamp_locked - both */
int dma_fence_signal_timestamp_locked(struct dma_fence *fence, ktime_t timestamp);

/**
 * dma_fence_enable_sw_signaling - make sure that the fence gets signaled without being asked
 *
 * Calls ops->enable_signaling unless that was done.  Context: any; fence->lock not held.
 */
void dma_fence_enable_sw_signaling(struct dma_fence *fence);

/*
 * dma_fence_begin_signalling / dma_fence_end_signalling - the code between leads to a signal (F5)
 *
 * For the validator of lock order, in builds with LIBDMABUF_CHECKS: a lock that is taken in between
 * is held by nobody who waits for a fence, and no memory is waited for.  Nothing where the caller
 * cannot sleep, or is in such code already.  The cookie of begin goes to end.
 */
static inline bool dma_fence_begin_signalling(void)
{
	return IS_ENABLED(HOST_LOCKDEP) ? host_signalling_begin() : true;
}

static inline void dma_fence_end_signalling(bool cookie)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_signalling_end(cookie);
}

/* --- asking ----------------------------------------------------------------------------------- */

/**
 * dma_fence_test_signaled_flag - has the fence been signaled? Does not ask the driver.
 *
 * Context: any.  Ordering: acquire, so F2 holds for the caller.
 *
 * DIFFERS: Linux 6.12 spells it as a plain test_bit().
 */
static inline bool dma_fence_test_signaled_flag(struct dma_fence *fence)
{
	return test_bit_acquire(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags);
}

/**
 * dma_fence_is_signaled - is the work finished? Asks the driver, and signals if it says so.
 *
 * Context: any; fence->lock not held.  May run the callbacks.
 * Does not enable signalling: without ops->signaled it may say no for ever to who only asks.
 */
static inline bool dma_fence_is_signaled(struct dma_fence *fence)
{
	if (dma_fence_test_signaled_flag(fence))
		return true;
	if (fence->ops->signaled && fence->ops->signaled(fence)) {
		dma_fence_signal(fence);
		return true;
	}
	return false;
}

/** dma_fence_is_signaled_locked - dma_fence_is_signaled() for a caller who holds fence->lock */
static inline bool dma_fence_is_signaled_locked(struct dma_fence *fence)
{
	if (dma_fence_test_signaled_flag(fence))
		return true;
	if (fence->ops->signaled && fence->ops->signaled(fence)) {
		dma_fence_signal_locked(fence);
		return true;
	}
	return false;
}

/**
 * dma_fence_set_error - the work failed; say so before the signal
 * @error: -4095 .. -1
 *
 * Context: any.  WARNs when the fence is signaled already (too late: waiters may have looked) or
 * @error is no error; the value is stored all the same.
 */
static inline void dma_fence_set_error(struct dma_fence *fence, int error)
{
	WARN(dma_fence_test_signaled_flag(fence),
	     "dma-fence: an error is set before the fence is signaled, not after");
	WARN(error >= 0 || error < -MAX_ERRNO, "dma-fence: %d is no error", error);
	fence->error = error;
}

/** dma_fence_get_status_locked - dma_fence_get_status() for a caller who holds fence->lock */
static inline int dma_fence_get_status_locked(struct dma_fence *fence)
{
	if (!dma_fence_is_signaled_locked(fence))
		return 0;
	return READ_ONCE(fence->error) ?: 1;
}

/**
 * dma_fence_get_status - 0 unsignaled, 1 signaled, -errno signaled after a failure
 *
 * Context: any; fence->lock not held.
 */
int dma_fence_get_status(struct dma_fence *fence);

/**
 * dma_fence_timestamp - when was it signaled (monotonic)?
 *
 * Context: any.  Spins for the few instructions between the signal and its time.  WARNs and returns
 * "now" when the fence is not signaled.
 */
ktime_t dma_fence_timestamp(struct dma_fence *fence);

/**
 * __dma_fence_is_later - is sequence number @f1 after @f2?
 *
 * 32 bits that wrap, or 64, as @ops says.
 */
static inline bool __dma_fence_is_later(u64 f1, u64 f2, const struct dma_fence_ops *ops)
{
	if (ops->use_64bit_seqno)
		return f1 > f2;
	return (s32)((u32)f1 - (u32)f2) > 0;
}

/**
 * dma_fence_is_later - does @f1 come after @f2 on their context?
 *
 * WARNs and returns false when they are of different contexts.  Context: any.
 */
static inline bool dma_fence_is_later(struct dma_fence *f1, struct dma_fence *f2)
{
	if (WARN(f1->context != f2->context, "dma-fence: fences of two contexts have no order"))
		return false;
	return __dma_fence_is_later(f1->seqno, f2->seqno, f1->ops);
}

/** dma_fence_is_later_or_same - dma_fence_is_later(), or both are the same fence */
static inline bool dma_fence_is_later_or_same(struct dma_fence *f1, struct dma_fence *f2)
{
	return f1 == f2 || dma_fence_is_later(f1, f2);
}

/**
 * dma_fence_later - the later of two fences of a context, or NULL when that one is signaled
 *
 * No reference is taken.  WARNs and returns NULL when they are of different contexts.
 */
static inline struct dma_fence *dma_fence_later(struct dma_fence *f1, struct dma_fence *f2)
{
	struct dma_fence *later;

	if (WARN(f1->context != f2->context, "dma-fence: fences of two contexts have no order"))
		return NULL;
	later = dma_fence_is_later(f1, f2) ? f1 : f2;
	return dma_fence_is_signaled(later) ? NULL : later;
}

/** dma_fence_is_array - does @fence stand for a set of fences? */
static inline bool dma_fence_is_array(struct dma_fence *fence)
{
	return fence->ops->container == DMA_FENCE_ARRAY;
}

/** dma_fence_is_chain - does @fence stand for a timeline of fences? */
static inline bool dma_fence_is_chain(struct dma_fence *fence)
{
	return fence->ops->container == DMA_FENCE_CHAIN;
}

/** dma_fence_is_container - either */
static inline bool dma_fence_is_container(struct dma_fence *fence)
{
	return fence->ops->container != DMA_FENCE_NO_CONTAINER;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/**
 * dma_fence_add_callback - run @func once @fence is signaled
 * @cb: the caller's, uninitialised; stays alive until it has run or was removed
 *
 * Enables signalling.  Context: any; fence->lock not held.
 * Returns 0; -ENOENT when the fence is signaled already (@func will not run; @cb->node is
 * initialised); -EINVAL when @fence or @func is NULL (WARNs). Ownership: takes no reference of
 * @fence.
 */
int dma_fence_add_callback(struct dma_fence *fence, struct dma_fence_cb *cb, dma_fence_func_t func);

/**
 * dma_fence_remove_callback - take @cb back
 *
 * Context: any; fence->lock not held, and never from a lock that the callback takes.
 * Returns true when it was armed and now never runs, false when it has run: after the return it
 * does not run any more either way.
 */
bool dma_fence_remove_callback(struct dma_fence *fence, struct dma_fence_cb *cb);

/**
 * dma_fence_wait_timeout - sleep until the fence is signaled
 * @intr: a signal to the task ends the wait
 * @timeout: jiffies; 0 asks without sleeping; MAX_SCHEDULE_TIMEOUT waits for ever
 *
 * Enables signalling.  Context: may sleep, may be called with reservations held; fence->lock not
 * held. Returns the jiffies left (1 when none are) once signaled, 0 after the timeout, -ERESTARTSYS
 * when interrupted, -EINVAL for a negative @timeout (WARNs), or what ops->wait answers.
 */
signed long dma_fence_wait_timeout(struct dma_fence *fence, bool intr, signed long timeout);

/**
 * dma_fence_default_wait - dma_fence_wait_timeout() without ops->wait and without enabling
 * signalling
 *
 * What a driver's ops->wait ends in.
 */
signed long dma_fence_default_wait(struct dma_fence *fence, bool intr, signed long timeout);

/**
 * dma_fence_wait_any_timeout - sleep until one of @count fences is signaled
 * @idx: if not NULL and a fence is signaled, its index goes here; otherwise *@idx stays as it is
 *
 * Context, @intr, @timeout and result as dma_fence_wait_timeout(); also -ENOMEM (needs a callback
 * per fence) and -EINVAL for no fences at all (WARNs).
 */
signed long dma_fence_wait_any_timeout(struct dma_fence **fences, u32 count, bool intr,
				       signed long timeout, u32 *idx);

/**
 * dma_fence_wait - dma_fence_wait_timeout() for ever
 *
 * Returns 0, or -ERESTARTSYS when interrupted.
 */
static inline signed long dma_fence_wait(struct dma_fence *fence, bool intr)
{
	signed long ret = dma_fence_wait_timeout(fence, intr, MAX_SCHEDULE_TIMEOUT);

	return ret < 0 ? ret : 0;
}

/**
 * dma_fence_set_deadline - hint that somebody needs the fence by @deadline (monotonic)
 *
 * Nothing for signaled fences and for drivers without ops->set_deadline.
 * Context: any; fence->lock not held.
 */
void dma_fence_set_deadline(struct dma_fence *fence, ktime_t deadline);

struct seq_file;

/**
 * dma_fence_describe - one line for people: driver, timeline, seqno, signalled or not
 *
 * Context: any without fence->lock, since it asks the driver whether the fence has signaled.
 */
void dma_fence_describe(struct dma_fence *fence, struct seq_file *seq);

#endif
