/* SPDX-License-Identifier: MIT */
/*
 * irq_work.c - items queued by a thread and run by it once nothing forbids an interrupt
 *
 * Invariants
 *   1  task->irq_works is empty whenever its thread holds no spinlock and has interrupts on, except
 *      inside host_irq_work_run(): whoever makes both true calls that (linux/spinlock.h).
 *   2  Once its function has returned, an item is touched only inside the reader section the
 *      function ran in.
 */
#include <linux/irq_work.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#define WORK_PENDING 1
#define WORK_BUSY 2
#define WORK_WAITED_FOR 4

/* Wakes those that wait for the end; the address alone is used once the word is 0. */
static void work_end(struct irq_work *work)
{
	int flags = atomic_read(&work->flags);

	do {
		if (flags & WORK_PENDING)
			return;
	} while (!atomic_try_cmpxchg(&work->flags, &flags, 0));
	if (flags & WORK_WAITED_FOR)
		port_wake((u32 *)&work->flags.counter, INT_MAX);
}

void host_irq_work_run(struct task_struct *task)
{
	struct irq_work *work;

	task->irq_depth++;
	while ((work = task->irq_works)) {
		task->irq_works = work->next;
		rcu_read_lock();
		atomic_fetch_andnot(WORK_PENDING, &work->flags);
		work->func(work);
		work_end(work);
		rcu_read_unlock();
	}
	task->irq_depth--;
}

bool irq_work_queue(struct irq_work *work)
{
	struct task_struct *task = current;

	if (atomic_fetch_or(WORK_PENDING | WORK_BUSY, &work->flags) & WORK_PENDING)
		return false;
	work->next = NULL;
	if (task->irq_works)
		*task->irq_works_last = work;
	else
		task->irq_works = work;
	task->irq_works_last = &work->next;
	if (!task->spin_depth && !task->irq_depth)
		host_irq_work_run(task);
	return true;
}

bool irq_work_is_pending(struct irq_work *work)
{
	return atomic_read_acquire(&work->flags) & WORK_PENDING;
}

bool irq_work_is_busy(struct irq_work *work)
{
	return atomic_read_acquire(&work->flags) & WORK_BUSY;
}

void irq_work_sync(struct irq_work *work)
{
	int flags;

	might_sleep();
	while ((flags = atomic_read_acquire(&work->flags)) & WORK_BUSY) {
		if (atomic_try_cmpxchg(&work->flags, &flags, flags | WORK_WAITED_FOR))
			port_wait((u32 *)&work->flags.counter, flags | WORK_WAITED_FOR,
				  PORT_FOREVER);
	}
}
