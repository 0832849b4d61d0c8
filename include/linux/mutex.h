/* SPDX-License-Identifier: MIT */
/*
 * mutex.h - exclusion whose waiters sleep
 *
 * Context: may sleep; not under a spinlock, not in a reader section.
 *
 * Invariants
 *   1  Nobody starves: waiters queue first come, first served.  A newcomer may overtake while the
 * lock is free, but once the first waiter has been woken in vain the next unlock is his. 2  owner
 * is the holder's task, with two flags below: somebody waits, and the first is to get it.
 *
 * Rules, each with its WARN
 *   3  A mutex is not recursive.  After the WARN the caller goes on as if it had taken it again, or
 *      gets -EDEADLK.
 *   4  Its holder unlocks it.  After the WARN the mutex is as before.
 *   5  It is not destroyed while held.
 */
#ifndef _LINUX_MUTEX_H
#define _LINUX_MUTEX_H

#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>

struct mutex {
	atomic_long_t owner;

	/* under wait_lock */
	spinlock_t wait_lock;
	struct list_head wait_list;

	struct lockdep_map dep_map;
};

#define __MUTEX_INITIALIZER(lockname)                                                      \
	{                                                                                  \
		.owner = ATOMIC_LONG_INIT(0), .wait_lock = __SPIN_LOCK_UNLOCKED(lockname), \
		.wait_list = LIST_HEAD_INIT((lockname).wait_list),                         \
		.dep_map = { .name = #lockname },                                          \
	}
#define DEFINE_MUTEX(mutexname) struct mutex mutexname = __MUTEX_INITIALIZER(mutexname)

void __mutex_init(struct mutex *lock, const char *name);
#define mutex_init(lock)                           \
	({                                         \
		static const char name_[] = #lock; \
		__mutex_init(lock, name_);         \
	})
void mutex_destroy(struct mutex *lock);

void mutex_lock(struct mutex *lock);

/* mutex_lock_interruptible - 0, or -EINTR when a signal came (_killable: a fatal one) */
int __must_check mutex_lock_interruptible(struct mutex *lock);
int __must_check mutex_lock_killable(struct mutex *lock);

/* mutex_trylock - 1 when taken, 0 when somebody, also the caller, has it; never sleeps */
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);

bool mutex_is_locked(struct mutex *lock);

#define mutex_lock_nested(lock, subclass) (lock_is_nested(subclass), mutex_lock(lock))
#define mutex_lock_interruptible_nested(lock, subclass) \
	(lock_is_nested(subclass), mutex_lock_interruptible(lock))
#define mutex_lock_nest_lock(lock, nest_lock) mutex_lock(lock)

DEFINE_GUARD(mutex, struct mutex *, mutex_lock(_T), mutex_unlock(_T))
DEFINE_GUARD_COND(mutex, _try, mutex_trylock(_T))
DEFINE_GUARD_COND(mutex, _intr, mutex_lock_interruptible(_T) == 0)

#endif
