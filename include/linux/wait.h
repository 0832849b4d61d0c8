/* SPDX-License-Identifier: MIT */
/*
 * wait.h - queues of sleepers
 *
 * wait_event() sleeps until a condition holds; whoever makes it true calls wake_up() afterwards.
 * The condition is evaluated without a lock, again after each wake-up, and so must be safe to read:
 * atomics or READ_ONCE().
 *
 * Invariants
 *   1  No wake-up is lost: a sleeper is queued and its state set before it looks at the condition.
 *   2  wake_up(): everybody who waits without exclusion, and one exclusive waiter, the first to
 *      come.
 *   3  Non-exclusive waiters stand before exclusive ones.
 *
 * Context: wait_*() may sleep.  wake_up*() anywhere, also with spinlocks held; the entries' func
 * run under the queue's lock and must not sleep.
 * Ownership: an entry lives on its waiter's stack; it has left the queue when finish_wait()
 * returns.
 */
#ifndef _LINUX_WAIT_H
#define _LINUX_WAIT_H

#include <linux/errno.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

struct wait_queue_entry;

/*
 * Returns non-zero when it woke somebody, which counts against the number of exclusive ones; < 0:
 * stop.
 */
typedef int (*wait_queue_func_t)(struct wait_queue_entry *entry, unsigned int mode, int flags,
				 void *key);

#define WQ_FLAG_EXCLUSIVE 0x01
#define WQ_FLAG_WOKEN 0x02 /* woken_wake_function() has run, atomically */

struct wait_queue_entry {
	unsigned int flags;
	void *private;
	wait_queue_func_t func;
	struct list_head entry;
};
typedef struct wait_queue_entry wait_queue_entry_t;

struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
};
typedef struct wait_queue_head wait_queue_head_t;

int default_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key);
/* autoremove_wake_function - the same, and take the entry off the queue if it was woken */
int autoremove_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags,
			     void *key);

#define __WAITQUEUE_INITIALIZER(name, task)                      \
	{                                                        \
		.private = (task), .func = default_wake_function \
	}
#define DECLARE_WAITQUEUE(name, task) \
	struct wait_queue_entry name = __WAITQUEUE_INITIALIZER(name, task)

#define __WAIT_QUEUE_HEAD_INITIALIZER(name)                                                    \
	{                                                                                      \
		.lock = __SPIN_LOCK_UNLOCKED((name).lock), .head = LIST_HEAD_INIT((name).head) \
	}
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	struct wait_queue_head name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAIT_QUEUE_HEAD_ONSTACK(name) DECLARE_WAIT_QUEUE_HEAD(name)

void __init_waitqueue_head(struct wait_queue_head *wq, const char *name);
#define init_waitqueue_head(wq)                   \
	({                                        \
		static const char name_[] = #wq;  \
		__init_waitqueue_head(wq, name_); \
	})

#define DEFINE_WAIT_FUNC(name, function)               \
	struct wait_queue_entry name = {               \
		.private = current,                    \
		.func = (function),                    \
		.entry = LIST_HEAD_INIT((name).entry), \
	}
#define DEFINE_WAIT(name) DEFINE_WAIT_FUNC(name, autoremove_wake_function)

static inline void init_waitqueue_entry(struct wait_queue_entry *entry, struct task_struct *task)
{
	entry->flags = 0;
	entry->private = task;
	entry->func = default_wake_function;
}

static inline void init_waitqueue_func_entry(struct wait_queue_entry *entry, wait_queue_func_t func)
{
	entry->flags = 0;
	entry->private = NULL;
	entry->func = func;
}

static inline void init_wait(struct wait_queue_entry *entry)
{
	entry->flags = 0;
	entry->private = current;
	entry->func = autoremove_wake_function;
	INIT_LIST_HEAD(&entry->entry);
}

/*
 * waitqueue_active - is somebody queued?  Without the lock only beside a full fence on both sides;
 * waking always is simpler and what this library does.
 */
static inline int waitqueue_active(struct wait_queue_head *wq)
{
	return !list_empty(&wq->head);
}

static inline bool wq_has_sleeper(struct wait_queue_head *wq)
{
	smp_mb();
	return waitqueue_active(wq);
}

void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry);
void add_wait_queue_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *entry);
void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry);

/* With wq->lock held. */
static inline void __add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	list_add(&entry->entry, &wq->head);
}

static inline void __add_wait_queue_entry_tail(struct wait_queue_head *wq,
					       struct wait_queue_entry *entry)
{
	list_add_tail(&entry->entry, &wq->head);
}

static inline void __remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	list_del(&entry->entry);
}

/*
 * prepare_to_wait - queue @entry unless it is, and set the state, in this order before the
 * condition
 */
void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry, int state);
/* Returns true when the queue was empty before. */
bool prepare_to_wait_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *entry,
			       int state);
/* The same; or, if a signal ends the wait, -ERESTARTSYS with @entry off the queue. */
long prepare_to_wait_event(struct wait_queue_head *wq, struct wait_queue_entry *entry, int state);
/* finish_wait - run again, and take @entry off the queue if nobody has */
void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry);

/*
 * wait_woken - for a loop by hand whose condition sleeps: between add_wait_queue() of a
 * DEFINE_WAIT_FUNC(entry, woken_wake_function) and remove_wait_queue()
 *
 * Sleeps in state @mode for at most @timeout jiffies, but not if @entry was woken since the last
 * call, or this kthread is to stop.  Returns jiffies left.  Ordering: what was done before the
 * wake-up is seen.
 */
long wait_woken(struct wait_queue_entry *entry, unsigned int mode, long timeout);
int woken_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key);

/* __wake_up - those whose state is in @mode; at most @nr exclusive ones, 0: all */
int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr, void *key);
/* The same with wq->lock held. */
void __wake_up_locked_key(struct wait_queue_head *wq, unsigned int mode, void *key);
void __wake_up_locked(struct wait_queue_head *wq, unsigned int mode, int nr);

#define wake_up(wq) __wake_up(wq, TASK_NORMAL, 1, NULL)
#define wake_up_nr(wq, nr) __wake_up(wq, TASK_NORMAL, nr, NULL)
#define wake_up_all(wq) __wake_up(wq, TASK_NORMAL, 0, NULL)
#define wake_up_locked(wq) __wake_up_locked(wq, TASK_NORMAL, 1)
#define wake_up_all_locked(wq) __wake_up_locked(wq, TASK_NORMAL, 0)
#define wake_up_interruptible(wq) __wake_up(wq, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_nr(wq, nr) __wake_up(wq, TASK_INTERRUPTIBLE, nr, NULL)
#define wake_up_interruptible_all(wq) __wake_up(wq, TASK_INTERRUPTIBLE, 0, NULL)

/* The key of a poll wake-up: which events. */
#define poll_to_key(mask) ((void *)(uintptr_t)(mask))
#define key_to_poll(key) ((__poll_t)(uintptr_t)(void *)(key))
#define wake_up_poll(wq, mask) __wake_up(wq, TASK_NORMAL, 1, poll_to_key(mask))
#define wake_up_locked_poll(wq, mask) __wake_up_locked_key(wq, TASK_NORMAL, poll_to_key(mask))
#define wake_up_interruptible_poll(wq, mask) __wake_up(wq, TASK_INTERRUPTIBLE, 1, poll_to_key(mask))

/*
 * The loop behind all wait_event macros.  It ends with 0 when @condition holds and with
 * -ERESTARTSYS when a signal came first; @sleep is one sleep.
 */
#define ___wait_event(wq, condition, state, exclusive, ret, sleep)                        \
	({                                                                                \
		struct wait_queue_entry __wq_entry;                                       \
		long __ret = (ret);                                                       \
                                                                                          \
		init_wait(&__wq_entry);                                                   \
		__wq_entry.flags = (exclusive) ? WQ_FLAG_EXCLUSIVE : 0;                   \
		for (;;) {                                                                \
			long __broken = prepare_to_wait_event(&(wq), &__wq_entry, state); \
                                                                                          \
			if (condition)                                                    \
				break;                                                    \
			if (__broken) {                                                   \
				__ret = __broken;                                         \
				break;                                                    \
			}                                                                 \
			sleep;                                                            \
		}                                                                         \
		finish_wait(&(wq), &__wq_entry);                                          \
		__ret;                                                                    \
	})

#define ___wait_cond_timeout(condition)    \
	({                                 \
		bool __cond = (condition); \
		if (__cond && !__ret)      \
			__ret = 1;         \
		__cond || !__ret;          \
	})

#define ___wait_event_state(wq, condition, state, exclusive)                                   \
	({                                                                                     \
		long __wait_ret = 0;                                                           \
		might_sleep();                                                                 \
		if (!(condition))                                                              \
			__wait_ret =                                                           \
				___wait_event(wq, condition, state, exclusive, 0, schedule()); \
		(int)__wait_ret;                                                               \
	})

#define ___wait_event_timeout_state(wq, condition, state, timeout)                           \
	({                                                                                   \
		long __ret = (timeout);                                                      \
		might_sleep();                                                               \
		if (!___wait_cond_timeout(condition)) {                                      \
			long __left = __ret;                                                 \
			__ret = ___wait_event(wq, ___wait_cond_timeout(condition), state, 0, \
					      __left, __ret = schedule_timeout(__ret));      \
		}                                                                            \
		__ret;                                                                       \
	})

#define wait_event(wq, condition) \
	((void)___wait_event_state(wq, condition, TASK_UNINTERRUPTIBLE, 0))
#define wait_event_idle(wq, condition) ((void)___wait_event_state(wq, condition, TASK_IDLE, 0))

/* 0, or -ERESTARTSYS when a signal came (_killable: a fatal one) before the condition held. */
#define wait_event_interruptible(wq, condition) \
	___wait_event_state(wq, condition, TASK_INTERRUPTIBLE, 0)
#define wait_event_interruptible_exclusive(wq, condition) \
	___wait_event_state(wq, condition, TASK_INTERRUPTIBLE, 1)
#define wait_event_killable(wq, condition) ___wait_event_state(wq, condition, TASK_KILLABLE, 0)

/*
 * @timeout in jiffies.
 * Returns 0: it passed and the condition does not hold; else jiffies left, >= 1.
 */
#define wait_event_timeout(wq, condition, timeout) \
	___wait_event_timeout_state(wq, condition, TASK_UNINTERRUPTIBLE, timeout)
/* The same, or -ERESTARTSYS. */
#define wait_event_interruptible_timeout(wq, condition, timeout) \
	___wait_event_timeout_state(wq, condition, TASK_INTERRUPTIBLE, timeout)
#define wait_event_killable_timeout(wq, condition, timeout) \
	___wait_event_timeout_state(wq, condition, TASK_KILLABLE, timeout)

#define wait_event_idle_timeout(wq, condition, timeout) \
	___wait_event_timeout_state(wq, condition, TASK_IDLE, timeout)

/* wait_event_cmd - each sleep stands between the statements @before and @after */
#define wait_event_cmd(wq, condition, before, after)                                           \
	do {                                                                                   \
		if (!(condition))                                                              \
			(void)___wait_event(wq, condition, TASK_UNINTERRUPTIBLE, 0, 0, before; \
					    schedule(); after);                                \
	} while (0)

/*
 * wait_event_lock_irq - @condition is read with @lock held, a spinlock_t, which the caller holds
 * before and after
 */
#define wait_event_lock_irq(wq, condition, lock) \
	wait_event_cmd(wq, condition, spin_unlock_irq(&(lock)), spin_lock_irq(&(lock)))
/* The same, or -ERESTARTSYS; @lock is held then, too. */
#define wait_event_interruptible_lock_irq(wq, condition, lock)                              \
	({                                                                                  \
		long __wait_ret = 0;                                                        \
		if (!(condition))                                                           \
			__wait_ret = ___wait_event(wq, condition, TASK_INTERRUPTIBLE, 0, 0, \
						   spin_unlock_irq(&(lock));                \
						   schedule(); spin_lock_irq(&(lock)));     \
		(int)__wait_ret;                                                            \
	})

#include <linux/wait_bit.h>

#endif
