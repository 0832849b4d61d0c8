/* SPDX-License-Identifier: MIT */
/*
 * ww_mutex.h - several mutexes of one class, taken in any order, without deadlock
 *
 * A context is one attempt to hold several.  Its age (stamp) decides: where two contexts could wait
 * for each other the younger gets -EDEADLK, unlocks everything, takes the contended lock with
 * ww_mutex_lock_slow() and starts again with its age kept, so in the end it is the oldest.
 *
 *   wait-die (DEFINE_WD_CLASS): the younger never waits for an older while it holds a lock.
 *   wound-wait (DEFINE_WW_CLASS): the older wounds a younger holder, who gives up when it next
 * waits.
 *
 * Invariants (Documentation/locking/ww-mutex-design.rst, Linux 6.12)
 *   1  Waiters with a context queue by age, so the oldest goes first; those without, by arrival.
 *   2  A context that holds nothing never gets -EDEADLK.
 *   3  Within a class stamps are unique; ctx and its locks are of one class (WARN).
 *   4  ctx belongs to one thread; only `wounded` is written by others, under that lock's wait_lock.
 *
 * Context: as <linux/mutex.h>.  ww_mutex_lock() with ctx == NULL is a plain mutex lock.
 */
#ifndef _LINUX_WW_MUTEX_H
#define _LINUX_WW_MUTEX_H

#include <linux/mutex.h>

struct ww_class {
	atomic_long_t stamp;
	const char *acquire_name;
	const char *mutex_name;
	unsigned int is_wait_die;
};

struct ww_acquire_ctx {
	/* set once */
	struct task_struct *task;
	struct ww_class *ww_class;
	unsigned long stamp;
	unsigned short is_wait_die;

	/* the task, others read */
	unsigned int acquired;
	bool done;

	/* any thread that waits for one of our locks */
	unsigned short wounded;
};

struct ww_mutex {
	struct mutex base;
	struct ww_acquire_ctx *ctx; /* written by the holder; others look under base.wait_lock */
	struct ww_class *ww_class;
};

#define __WW_CLASS_INITIALIZER(name, wait_die)                                  \
	{                                                                       \
		.stamp = ATOMIC_LONG_INIT(0), .acquire_name = #name "_acquire", \
		.mutex_name = #name "_mutex", .is_wait_die = (wait_die),        \
	}
#define DEFINE_WD_CLASS(classname) struct ww_class classname = __WW_CLASS_INITIALIZER(classname, 1)
#define DEFINE_WW_CLASS(classname) struct ww_class classname = __WW_CLASS_INITIALIZER(classname, 0)

#define __WW_MUTEX_INITIALIZER(lockname, class)                                   \
	{                                                                         \
		.base = __MUTEX_INITIALIZER((lockname).base), .ww_class = (class) \
	}
#define DEFINE_WW_MUTEX(mutexname, class) \
	struct ww_mutex mutexname = __WW_MUTEX_INITIALIZER(mutexname, class)

void ww_mutex_init(struct ww_mutex *lock, struct ww_class *ww_class);
void ww_mutex_destroy(struct ww_mutex *lock);

/* ww_acquire_init - begin an attempt; it gets its age now and keeps it over every back-off */
void ww_acquire_init(struct ww_acquire_ctx *ctx, struct ww_class *ww_class);
/* ww_acquire_done - no more locks will be taken with @ctx: a further one WARNs */
void ww_acquire_done(struct ww_acquire_ctx *ctx);
/* ww_acquire_fini - end it; WARNs while a lock is still held */
void ww_acquire_fini(struct ww_acquire_ctx *ctx);

/**
 * ww_mutex_lock - take @lock as part of @ctx
 *
 * Returns 0; -EALREADY: held by @ctx already; -EDEADLK: back off; _interruptible also -EINTR.
 * On an error @lock has not been taken.
 */
int ww_mutex_lock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
int __must_check ww_mutex_lock_interruptible(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);

/* ww_mutex_lock_slow - after -EDEADLK, with nothing held (WARN): wait for the lock that was
 * contended */
void ww_mutex_lock_slow(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
int __must_check ww_mutex_lock_slow_interruptible(struct ww_mutex *lock,
						  struct ww_acquire_ctx *ctx);

/* ww_mutex_trylock - 1 when taken; never sleeps; @ctx may be NULL */
int __must_check ww_mutex_trylock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
void ww_mutex_unlock(struct ww_mutex *lock);

static inline bool ww_mutex_is_locked(struct ww_mutex *lock)
{
	return mutex_is_locked(&lock->base);
}

#endif
