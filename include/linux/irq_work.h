/* SPDX-License-Identifier: MIT */
/*
 * irq_work.h - functions to be run as soon as this thread holds no spinlock and has interrupts on
 *
 * For code that is called under a lock which the function itself must take: a fence's callback that
 * wants to signal another fence.
 *
 * Invariants
 *   1  An item is queued at most once; once its function has begun it may be queued again.
 *   2  It runs on the thread that queued it: inside irq_work_queue() when nothing is held there,
 *      else when the last spinlock is dropped and interrupts are on; in order of queueing.
 *   3  The function runs with interrupts off and as a reader of RCU: it must not sleep, and it may
 *      put its item's last reference if the item is freed after a grace period (kfree_rcu()).
 *
 * Context: any.  Semantics: Linux 6.12, where an interrupt of the same CPU runs the function.
 * DIFFERS: with a spinlock held but interrupts on, Linux may run it at once, under that lock; here
 * it waits for the lock to be dropped.  IRQ_WORK_INIT_LAZY() is as prompt as the rest.
 */
#ifndef _LINUX_IRQ_WORK_H
#define _LINUX_IRQ_WORK_H

#include <linux/atomic.h>
#include <linux/types.h>

struct irq_work {
	void (*func)(struct irq_work *work);
	atomic_t flags;        /* host/irq_work.c */
	struct irq_work *next; /* the thread that has queued it */
};

#define IRQ_WORK_INIT(fn) ((struct irq_work){ .func = (fn) })
#define IRQ_WORK_INIT_LAZY(fn) IRQ_WORK_INIT(fn)
#define IRQ_WORK_INIT_HARD(fn) IRQ_WORK_INIT(fn)
#define DEFINE_IRQ_WORK(name, fn) struct irq_work name = { .func = (fn) }

static inline void init_irq_work(struct irq_work *work, void (*func)(struct irq_work *work))
{
	*work = IRQ_WORK_INIT(func);
}

/**
 * irq_work_queue - run @work->func(@work) as soon as this thread may be interrupted
 *
 * Returns false when it is queued already.  Ordering: what was done before, by this caller or by
 * one who got false, is seen by the function.
 * Ownership: @work stays the caller's, and must live until its function has begun (rule 3).
 */
bool irq_work_queue(struct irq_work *work);

/* irq_work_is_pending - queued, not begun; irq_work_is_busy - queued or running. As of some moment */
bool irq_work_is_pending(struct irq_work *work);
bool irq_work_is_busy(struct irq_work *work);

/**
 * irq_work_sync - wait until @work is neither queued nor running
 *
 * Context: sleeps; WARNs with a spinlock held, interrupts off or in a reader section, and so in the
 * item's own function, where it would wait for itself.
 */
void irq_work_sync(struct irq_work *work);

#endif
