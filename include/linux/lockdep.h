/* SPDX-License-Identifier: MIT */
/*
 * lockdep.h - is this lock held by me?
 *
 * DIFFERS: these are real in every build.  Each lock's dep_map names its owner, so the answer is
 * exact for this thread: lockdep_assert_held() WARNs when the caller does not hold it, and
 * lockdep_assert_not_held() when he does.  Linux answers only with CONFIG_PROVE_LOCKING.
 *
 * Invariants
 *   1  dep_map.owner is written only by the thread that takes or drops the lock, while it has it.
 *
 * Deliberately not here: the order of locks.
 */
#ifndef _LINUX_LOCKDEP_H
#define _LINUX_LOCKDEP_H

#include <linux/bug.h>
#include <linux/lockdep_types.h>
#include <linux/sched.h>

/* lockdep_is_held - does this thread hold @lock: a spinlock, a mutex or anything with a dep_map? */
#define lockdep_is_held(lock) (READ_ONCE((lock)->dep_map.owner) == current)

#define lockdep_assert(cond) WARN_ON(!(cond))

#define lockdep_assert_held(lock) \
	((void)WARN(!lockdep_is_held(lock), "lockdep_assert_held(%s)", #lock))

#define lockdep_assert_not_held(lock) \
	((void)WARN(lockdep_is_held(lock), "lockdep_assert_not_held(%s)", #lock))

#define lockdep_assert_held_once(lock) \
	((void)WARN_ONCE(!lockdep_is_held(lock), "lockdep_assert_held_once(%s)", #lock))

/* might_lock - this path may take @lock: it may sleep, and must not have it already */
#define might_lock(lock)                                                                  \
	do {                                                                              \
		might_sleep();                                                            \
		(void)WARN(lockdep_is_held(lock), "might_lock(%s): already held", #lock); \
	} while (0)

#endif
