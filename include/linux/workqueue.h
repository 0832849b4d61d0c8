/* SPDX-License-Identifier: MIT */
/*
 * workqueue.h - functions to be run later, by a thread that may sleep
 *
 * Invariants
 *   1  A work item is queued at most once, and never runs twice at once.
 *   2  Once its function has begun, the item may be queued again, also by itself, or freed.
 *   3  Items of one queue begin in order; up to max_active run at a time (WQ_UNBOUND or not; an
 * ordered queue: one). 4  Workers start with the first item and sleep between items.
 *
 * Context: queueing anywhere; flushing and cancelling may sleep, and not from within the item
 * itself (WARN). Ordering: what was done before queue_work() is seen by the function.
 */
#ifndef _LINUX_WORKQUEUE_H
#define _LINUX_WORKQUEUE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/timer.h>
#include <linux/wait.h>

struct workqueue_struct;
struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;

	/* under the lock of host/workqueue.c */
	struct list_head entry;
	u64 seq; /* of the last queueing */
	bool pending;
	bool delayed; /* pending, but a delayed_work's timer has not put it on its queue yet */
	unsigned int cancelling;
};

/* A work item that waits for a time before it is queued. */
struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct
		*wq; /* where the timer queues it; under the lock of host/workqueue.c */
};

static inline struct delayed_work *to_delayed_work(struct work_struct *work)
{
	return container_of(work, struct delayed_work, work);
}

#define __WORK_INITIALIZER(n, f)                                \
	{                                                       \
		.func = (f), .entry = LIST_HEAD_INIT((n).entry) \
	}
#define DECLARE_WORK(n, f) struct work_struct n = __WORK_INITIALIZER(n, f)

#define INIT_WORK(work, fn)                              \
	do {                                             \
		struct work_struct *init_work_ = (work); \
		init_work_->func = (fn);                 \
		INIT_LIST_HEAD(&init_work_->entry);      \
		init_work_->seq = 0;                     \
		init_work_->pending = false;             \
		init_work_->delayed = false;             \
		init_work_->cancelling = 0;              \
	} while (0)
#define INIT_WORK_ONSTACK(work, fn) INIT_WORK(work, fn)
#define destroy_work_on_stack(work) ((void)(work))

void host_delayed_work_timer(struct timer_list *timer);

#define __DELAYED_WORK_INITIALIZER(n, f)                                          \
	{                                                                         \
		.work = __WORK_INITIALIZER((n).work, (f)),                        \
		.timer = __TIMER_INITIALIZER((n).timer, host_delayed_work_timer), \
	}
#define DECLARE_DELAYED_WORK(n, f) struct delayed_work n = __DELAYED_WORK_INITIALIZER(n, f)

#define INIT_DELAYED_WORK(dwork, fn)                                                      \
	do {                                                                              \
		struct delayed_work *init_dwork_ = (dwork);                               \
		INIT_WORK(&init_dwork_->work, fn);                                        \
		timer_setup(&init_dwork_->timer, host_delayed_work_timer, TIMER_IRQSAFE); \
		init_dwork_->wq = NULL;                                                   \
	} while (0)
#define INIT_DELAYED_WORK_ONSTACK(dwork, fn) INIT_DELAYED_WORK(dwork, fn)
#define INIT_DEFERRABLE_WORK(dwork, fn) INIT_DELAYED_WORK(dwork, fn)
#define destroy_delayed_work_on_stack(dwork) destroy_timer_on_stack(&(dwork)->timer)

#define WQ_UNBOUND 0x02
#define WQ_FREEZABLE 0x04
#define WQ_MEM_RECLAIM 0x08
#define WQ_HIGHPRI 0x10
#define WQ_CPU_INTENSIVE 0x20
#define __WQ_ORDERED 0x20000

extern struct workqueue_struct *const system_wq;
extern struct workqueue_struct *const system_unbound_wq;
extern struct workqueue_struct *const system_highpri_wq;
extern struct workqueue_struct *const system_long_wq;

/**
 * alloc_workqueue - a queue of its own; NULL without memory
 *
 * @max_active: items that may run at a time, 0: a few.
 */
struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
	__printf(1, 4);
#define alloc_ordered_workqueue(fmt, flags, ...) \
	alloc_workqueue(fmt, (flags) | __WQ_ORDERED, 1, ##__VA_ARGS__)

/* destroy_workqueue - run what is queued, then end the queue and its workers */
void destroy_workqueue(struct workqueue_struct *wq);

/* queue_work - false when @work was queued already, or is being cancelled */
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
static inline bool schedule_work(struct work_struct *work)
{
	return queue_work(system_wq, work);
}

/* flush_work - wait for the last queueing of @work to have run; false when it was idle */
bool flush_work(struct work_struct *work);

/* flush_workqueue - wait for everything queued on @wq so far */
void flush_workqueue(struct workqueue_struct *wq);
#define drain_workqueue(wq) flush_workqueue(wq)

/* cancel_work - take @work off its queue; true when it was on one. It may still be running */
bool cancel_work(struct work_struct *work);

/* cancel_work_sync - the same, and wait until it does not run. It cannot be queued meanwhile */
bool cancel_work_sync(struct work_struct *work);

bool work_pending(struct work_struct *work);

/* work_busy - WORK_BUSY_PENDING and WORK_BUSY_RUNNING, as of some moment */
#define WORK_BUSY_PENDING 1
#define WORK_BUSY_RUNNING 2
unsigned int work_busy(struct work_struct *work);

/* --- after a delay ---------------------------------------------------------------------------- */

/**
 * queue_delayed_work - queue @dwork->work on @wq after @delay jiffies; 0: now
 *
 * Returns false when it was pending already, for its time or on a queue, or is being cancelled.
 * Context: any.  @wq must not be destroyed while it is pending.
 */
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
			unsigned long delay);
static inline bool schedule_delayed_work(struct delayed_work *dwork, unsigned long delay)
{
	return queue_delayed_work(system_wq, dwork, delay);
}

/** mod_delayed_work - the same, but a pending one is taken off and starts anew; true: it was one */
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay);

/** flush_delayed_work - flush_work() without waiting for the time: it is queued now */
bool flush_delayed_work(struct delayed_work *dwork);

/** cancel_delayed_work, _sync - as cancel_work() and cancel_work_sync(), before its time as well */
bool cancel_delayed_work(struct delayed_work *dwork);
bool cancel_delayed_work_sync(struct delayed_work *dwork);

static inline bool delayed_work_pending(struct delayed_work *dwork)
{
	return work_pending(&dwork->work);
}

#endif
