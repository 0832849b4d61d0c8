/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - what mutex and ww_mutex share: one queue, one wait loop (host/lock.c), two orders
 *
 * A lock with a context calls back into host/ww_mutex.c for its place in the queue and for whether
 * to go on waiting.  All host_ww_*() below run with base.wait_lock held, unless they say otherwise.
 */
#ifndef HOST_MUTEX_H
#define HOST_MUTEX_H

#include <linux/ww_mutex.h>

/* Flags below the owner's task in mutex.owner. */
#define MUTEX_WAITERS 1L /* the queue is not empty: unlock looks */
#define MUTEX_HANDOFF 2L /* only the first waiter may take it */
#define MUTEX_FLAGS 3L

struct mutex_waiter {
	struct list_head list;
	struct task_struct *task;
	struct ww_acquire_ctx *ctx; /* NULL: no back-off, first come first served */
};

static inline struct task_struct *mutex_owner(struct mutex *lock)
{
	return (struct task_struct *)(atomic_long_read(&lock->owner) & ~MUTEX_FLAGS);
}

/**
 * host_mutex_lock - take @lock, waiting in @state
 *
 * @ww, @ctx: NULL for a plain mutex, or the ww_mutex around @lock and its context.
 * Returns 0, -EINTR when a signal that @state lets through came, with a context -EDEADLK, and
 * -EDEADLK with a WARN (@who names the function) when the caller holds it.  On success with a
 * context, ww->ctx is set.
 */
int host_mutex_lock(struct mutex *lock, unsigned int state, struct ww_mutex *ww,
		    struct ww_acquire_ctx *ctx, const char *who);

/* host_ww_enqueue - @waiter into the queue by age, or -EDEADLK */
int host_ww_enqueue(struct ww_mutex *ww, struct mutex_waiter *waiter);
/* host_ww_blocked - @waiter is queued and will sleep: wound a younger holder */
void host_ww_blocked(struct ww_mutex *ww, struct mutex_waiter *waiter);
/* host_ww_must_die - before each sleep: is it @waiter that has to give up? */
bool host_ww_must_die(struct ww_mutex *ww, struct mutex_waiter *waiter);
/* host_ww_taken - this thread has just got base by @ctx. Without or, if @locked, with wait_lock
 * held */
void host_ww_taken(struct ww_mutex *ww, struct ww_acquire_ctx *ctx, bool locked);

#endif
