/* SPDX-License-Identifier: MIT */
/*
 * timer.h - a function to be called at a jiffy
 *
 * Invariants
 *   1  A timer is pending at most once, and off the queue before its function is called: the
 *      function may start it again, or free it.
 *   2  It is never early.  Timers that are due run in order of expiry, equal ones in the order
 *      they were started, one at a time, on one thread that starts with the first timer.
 *   3  The function must not sleep; with TIMER_IRQSAFE interrupts are off in it.
 *
 * Context: any, also with spinlocks held; who waits for a running function says so below.
 * Ordering: what was done before a timer was started is seen by its function; what the function did
 * is seen by whoever waited for it.
 * Semantics: Linux 6.12.  Without memory for the thread, or after
 * its end (host_workers_stop()), timers stay pending until the next start of any timer.
 */
#ifndef _LINUX_TIMER_H
#define _LINUX_TIMER_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <time.h>

/* The C library has a timer_delete() of its own; included above, it stays out of this name's way. */
#define timer_delete host_timer_delete

struct timer_list {
	/* under the lock of host/timer.c */
	struct list_head entry;
	unsigned long expires; /* jiffies; written by the caller before add_timer() */
	void (*function)(struct timer_list *timer);
	bool queued; /* others read */

	/* set once */
	u32 flags;
};

#define TIMER_DEFERRABLE 0x00080000u
#define TIMER_PINNED 0x00100000u
#define TIMER_IRQSAFE 0x00200000u

#define __TIMER_INITIALIZER(name, fn)                                    \
	{                                                                \
		.entry = LIST_HEAD_INIT((name).entry), .function = (fn), \
	}
#define DEFINE_TIMER(name, fn) struct timer_list name = __TIMER_INITIALIZER(name, fn)

/** timer_setup - make @timer; it must not be pending. Flags but TIMER_IRQSAFE mean nothing here */
void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *), u32 flags);
#define timer_setup_on_stack(timer, function, flags) timer_setup(timer, function, flags)

/** destroy_timer_on_stack - its memory goes: WARN if it is pending */
void destroy_timer_on_stack(struct timer_list *timer);

/* from_timer - what @timer is embedded in, for its function */
#define from_timer(var, timer, field) container_of(timer, typeof(*(var)), field)

/** timer_pending - is it started and not yet called? As of some moment */
static inline int timer_pending(const struct timer_list *timer)
{
	return __atomic_load_n(&timer->queued, __ATOMIC_RELAXED);
}

/**
 * mod_timer - start @timer, or move it, to @expires; a jiffy in the past: as soon as possible
 *
 * Returns 1 if it was pending, 0 if not, and then it is started; 0 and no start after a shutdown.
 */
int mod_timer(struct timer_list *timer, unsigned long expires);

/** add_timer - start @timer at timer->expires; WARN if it is pending already, which changes nothing */
void add_timer(struct timer_list *timer);

/** timer_delete - stop it; 1 if it was pending. Its function may still be running */
int timer_delete(struct timer_list *timer);

/**
 * timer_delete_sync - the same, and wait until its function does not run
 *
 * Context: any; spins with locks held, as Linux does, so none that the function takes.  WARN from
 * the function itself, and no wait.  If the function or anybody else starts it again meanwhile, it
 * is stopped again; after the return nothing keeps others from starting it.
 */
int timer_delete_sync(struct timer_list *timer);

/** timer_shutdown, timer_shutdown_sync - the same, for good: starting it has no effect from now on */
int timer_shutdown(struct timer_list *timer);
int timer_shutdown_sync(struct timer_list *timer);

#define del_timer(timer) timer_delete(timer)
#define del_timer_sync(timer) timer_delete_sync(timer)

#endif
