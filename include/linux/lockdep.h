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
 * Builds with LIBDMABUF_CHECKS also hold every thread's locks against the order in which they were
 * ever taken (host/lockdep.h); lock_is_nested() and those below are for that.
 */
#ifndef _LINUX_LOCKDEP_H
#define _LINUX_LOCKDEP_H

#include <linux/bug.h>
#include <linux/kconfig.h>
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

/* host/lockdep.c; without LIBDMABUF_CHECKS they do nothing. */
void host_lock_nested(unsigned int subclass);
void host_lock_off(bool off);
void host_might_lock(const struct lockdep_map *map);
void host_might_wait_for_fence(void);
void host_might_reclaim(void);
bool host_signalling_begin(void);
void host_signalling_end(bool cookie);

/**
 * host_lock_order - @inner is taken with @outer held, so it is an inversion wherever it is the other
 * way round, also the first time
 *
 * Names are those of classes; every lock of that name is of that class then.  Context: before such
 * a lock is used first.
 */
void host_lock_order(const char *outer, const char *inner);

/** host_lock_inversion - the text of the first WARN about the order of locks, or NULL */
const char *host_lock_inversion(void);

/* lock_is_nested - the lock that is taken next is inside one of its class; @subclass: how deep */
static inline void lock_is_nested(unsigned int subclass)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_lock_nested(subclass);
}

/*
 * lockdep_off - do not look at the order of the locks that this thread takes, until lockdep_on()
 *
 * For tests that do in one thread what two would do.  What is taken off is dropped off.
 */
static inline void lockdep_off(void)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_lock_off(true);
}

static inline void lockdep_on(void)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_lock_off(false);
}

/* lockdep_set_class_and_name - @lock, initialised, is of a class of its own, that of this place */
#define lockdep_set_class_and_name(lock, key, class_name) \
	do {                                              \
		static const char name_[] = class_name;   \
		(void)(key);                              \
		(lock)->dep_map.name = name_;             \
	} while (0)

/* might_lock - this path may take @lock: it may sleep, and must not have it already */
#define might_lock(lock)                                                                  \
	do {                                                                              \
		might_sleep();                                                            \
		if (IS_ENABLED(HOST_LOCKDEP))                                             \
			host_might_lock(&(lock)->dep_map);                                \
		(void)WARN(lockdep_is_held(lock), "might_lock(%s): already held", #lock); \
	} while (0)

#endif
