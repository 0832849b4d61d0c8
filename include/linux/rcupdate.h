/* SPDX-License-Identifier: MIT */
/*
 * rcupdate.h - readers without locks, and writers who wait for them
 *
 * A reader section costs a few plain instructions: it notes the epoch in its own task.  The writer
 * pays: synchronize_rcu() makes every thread pass a barrier (membarrier), begins a new epoch and
 * waits for those inside an older one.  A library configured with -Drcu=liburcu leaves the noting
 * and the waiting to liburcu (HOST_RCU_LIBURCU, host/rcu-liburcu.c); everything else is the same.
 *
 * Invariants
 *   1  When synchronize_rcu() returns, every section that had begun before the call has ended.
 *   2  Callbacks run in order of call_rcu(), each after a grace period, on one thread, without
 *      locks.
 *   3  Sections nest; inside one nothing sleeps (might_sleep() WARNs).
 *
 * Ordering: rcu_assign_pointer() is a release store, rcu_dereference() an acquire load: stronger
 * than the dependency Linux relies on, and what the thread sanitizer understands. Fork: the child
 * has no readers but the forking thread; callbacks queued before run in both processes.
 */
#ifndef _LINUX_RCUPDATE_H
#define _LINUX_RCUPDATE_H

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/sched.h>

void host_rcu_unbalanced(void);

#ifdef HOST_RCU_LIBURCU
/* The outermost section of this thread begins, and ends (host/rcu.h). */
void host_rcu_enter(void) __asm__("ldb_host_rcu_enter");
void host_rcu_leave(void) __asm__("ldb_host_rcu_leave");
#define host_rcu_section_begin(task) host_rcu_enter()
#define host_rcu_section_end(task) host_rcu_leave()
#else
extern u64 host_rcu_epoch; /* starts at 1; written by the grace period under its lock */

static __always_inline void host_rcu_section_begin(struct task_struct *task)
{
	__atomic_store_n(&task->rcu_epoch, __atomic_load_n(&host_rcu_epoch, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

static __always_inline void host_rcu_section_end(struct task_struct *task)
{
	__atomic_store_n(&task->rcu_epoch, 0, __ATOMIC_RELEASE);
}
#endif

static __always_inline void rcu_read_lock(void)
{
	struct task_struct *task = current;

	port_point(PORT_RCU, task);
	if (task->rcu_nesting++ == 0)
		host_rcu_section_begin(task);
	barrier();
}

static __always_inline void rcu_read_unlock(void)
{
	struct task_struct *task = current;

	port_point(PORT_RCU, task);
	barrier();
	if (unlikely(task->rcu_nesting <= 0)) {
		host_rcu_unbalanced();
		return;
	}
	if (--task->rcu_nesting == 0)
		host_rcu_section_end(task);
}

/* rcu_read_lock_held - is this thread inside a section? */
static inline int rcu_read_lock_held(void)
{
	return current->rcu_nesting > 0;
}

#define RCU_LOCKDEP_WARN(cond, msg) ((void)WARN(cond, "%s", msg))

/* synchronize_rcu - wait for all sections that run now. Context: sleeps; WARNs inside a section */
void synchronize_rcu(void);
#define synchronize_rcu_expedited() synchronize_rcu()
#define synchronize_net() synchronize_rcu()

/**
 * call_rcu - run @func(@head) after a grace period
 *
 * Context: anywhere.
 * Ownership: @head, and what it is embedded in, is the callback's from now on.
 */
void call_rcu(struct rcu_head *head, rcu_callback_t func);

/*
 * rcu_barrier - wait until all callbacks queued so far have run.
 * Context: sleeps; not from a callback
 */
void rcu_barrier(void);

/*
 * kfree_rcu - kfree(@ptr) after a grace period; @field is the rcu_head in it.  A callback address
 * below 4096 is the offset of that field: that is how Linux encodes it, too.
 */
#define HOST_RCU_OFFSET_MAX 4096
#define kfree_rcu(ptr, field)                                                                 \
	do {                                                                                  \
		typeof(ptr) kfree_rcu_ = (ptr);                                               \
		BUILD_BUG_ON(offsetof(typeof(*(ptr)), field) >= HOST_RCU_OFFSET_MAX);         \
		if (kfree_rcu_)                                                               \
			call_rcu(&kfree_rcu_->field,                                          \
				 (rcu_callback_t)(uintptr_t)offsetof(typeof(*(ptr)), field)); \
	} while (0)

/* kfree_rcu_mightsleep - for an object without an rcu_head: waits here */
void kfree_rcu_mightsleep(const void *ptr);

#define RCU_INITIALIZER(v) (v)
#define rcu_dereference_raw(p)                             \
	({                                                 \
		typeof(&(p)) rcu_p_ = &(p);                \
		port_point(PORT_ATOMIC, rcu_p_);           \
		__atomic_load_n(rcu_p_, __ATOMIC_ACQUIRE); \
	})

/* rcu_dereference_check - WARNs unless inside a section or @cond holds */
#define rcu_dereference_check(p, cond)                                                   \
	({                                                                               \
		RCU_LOCKDEP_WARN(!((cond) || rcu_read_lock_held()),                      \
				 "suspicious rcu_dereference_check(" #p ", " #cond ")"); \
		rcu_dereference_raw(p);                                                  \
	})
#define rcu_dereference(p)                                                            \
	({                                                                            \
		RCU_LOCKDEP_WARN(!rcu_read_lock_held(),                               \
				 "rcu_dereference(" #p ") outside a reader section"); \
		rcu_dereference_raw(p);                                               \
	})

/* rcu_dereference_protected - for writers: @cond says what keeps @p from changing */
#define rcu_dereference_protected(p, cond)                                                 \
	({                                                                                 \
		RCU_LOCKDEP_WARN(!(cond), "rcu_dereference_protected(" #p ", " #cond ")"); \
		__atomic_load_n(&(p), __ATOMIC_RELAXED);                                   \
	})

/* rcu_access_pointer - the value, not to be followed */
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_pointer_handoff(p) (p)
#define unrcu_pointer(p) (p)

#define rcu_assign_pointer(p, v) smp_store_release(&(p), (v))
/* RCU_INIT_POINTER - without order: to NULL, or where no reader can look yet */
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)

#define rcu_replace_pointer(p, v, cond)                                  \
	({                                                               \
		typeof(p) rcu_old_ = rcu_dereference_protected(p, cond); \
		rcu_assign_pointer(p, v);                                \
		rcu_old_;                                                \
	})

static inline void init_rcu_head(struct rcu_head *head)
{
}

static inline void destroy_rcu_head(struct rcu_head *head)
{
}

DEFINE_LOCK_GUARD_0(rcu, rcu_read_lock(), rcu_read_unlock())

#endif
