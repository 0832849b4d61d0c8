/* SPDX-License-Identifier: MIT */
/*
 * rcu-liburcu.c - the other engine (host/rcu.h): grace periods of liburcu-bp
 *
 * For checking: an implementation by others, against which the same tests run (meson's
 * -Drcu=liburcu).  liburcu is the engine alone.  Its call_rcu() polls, so that a barrier waits ten
 * milliseconds, and cannot tell kfree_rcu()'s offset from a function; ours is used with both
 * engines.  The bp flavour registers threads by itself: a program's threads need not know.
 *
 * Deliberately not here: the schedule hooks of host/port.h.  liburcu blocks by itself, so grace
 * periods are no switch points.  And a fork inside a reader section: it takes the lock of the grace
 * period, which waits for the section.
 *
 * The thread sanitizer does not see into liburcu: @readers tells it that the end of a section
 * happens before the end of a grace period.
 */
#include <urcu/urcu-bp.h>

#include "host/rcu.h"

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__) || defined(TSAN)
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#else
static inline void __tsan_acquire(void *addr)
{
}

static inline void __tsan_release(void *addr)
{
}
#endif

static char readers;

void host_rcu_enter(void)
{
	host_rcu_follow_forks();
	urcu_bp_read_lock();
}

void host_rcu_leave(void)
{
	__tsan_release(&readers);
	urcu_bp_read_unlock();
}

void host_rcu_grace_period(void)
{
	urcu_bp_synchronize_rcu();
	__tsan_acquire(&readers);
}

void host_rcu_fork_prepare(void)
{
	urcu_bp_before_fork();
}

void host_rcu_fork_parent(void)
{
	urcu_bp_after_fork_parent();
}

void host_rcu_fork_child(void)
{
	urcu_bp_after_fork_child();
}
