/* SPDX-License-Identifier: MIT */
/* irq_work-test.c - items wait for the last lock, run in order, once, as an interrupt would */
#include <linux/irq_work.h>
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "tests/ktap.h"
#include "tests/threads.h"

struct noted {
	struct irq_work work;
	int runs;
	int at;
};

static int order;
static DEFINE_SPINLOCK(outer);
static DEFINE_SPINLOCK(inner);

static void note(struct irq_work *work)
{
	struct noted *noted = container_of(work, struct noted, work);

	noted->runs++;
	noted->at = ++order;
}

static void runs_at_once_when_nothing_is_held(struct ktap *t)
{
	struct noted a = { .work = IRQ_WORK_INIT(note) };

	KT_CHECK(t, irq_work_queue(&a.work));
	KT_EQ(t, a.runs, 1);
	KT_CHECK(t, !irq_work_is_busy(&a.work) && !irq_work_is_pending(&a.work));
	irq_work_sync(&a.work);
}

static void waits_for_the_last_spinlock(struct ktap *t)
{
	struct noted a = { .work = IRQ_WORK_INIT(note) };

	spin_lock(&outer);
	spin_lock(&inner);
	irq_work_queue(&a.work);
	spin_unlock(&inner);
	KT_EQ(t, a.runs, 0);
	KT_CHECK(t, irq_work_is_pending(&a.work) && irq_work_is_busy(&a.work));
	spin_unlock(&outer);
	KT_EQ(t, a.runs, 1);
}

static void waits_for_interrupts(struct ktap *t)
{
	struct noted a = { .work = IRQ_WORK_INIT(note) };
	unsigned long flags, more;

	spin_lock_irqsave(&outer, flags);
	spin_lock_irqsave(&inner, more);
	irq_work_queue(&a.work);
	spin_unlock_irqrestore(&inner, more);
	spin_unlock(&outer);
	KT_EQ(t, a.runs, 0);
	local_irq_restore(flags);
	KT_EQ(t, a.runs, 1);

	spin_lock_irq(&outer);
	irq_work_queue(&a.work);
	KT_EQ(t, a.runs, 1);
	spin_unlock_irq(&outer);
	KT_EQ(t, a.runs, 2);
}

static void in_order_and_once(struct ktap *t)
{
	struct noted a = { .work = IRQ_WORK_INIT(note) }, b = a, c = a;

	order = 0;
	spin_lock(&outer);
	KT_CHECK(t, irq_work_queue(&a.work));
	KT_CHECK(t, irq_work_queue(&b.work));
	KT_CHECK(t, !irq_work_queue(&a.work));
	KT_CHECK(t, irq_work_queue(&c.work));
	spin_unlock(&outer);
	KT_EQ(t, a.at, 1);
	KT_EQ(t, b.at, 2);
	KT_EQ(t, c.at, 3);
	KT_EQ(t, a.runs, 1);
}

static void again(struct irq_work *work)
{
	struct noted *noted = container_of(work, struct noted, work);

	if (noted->runs++ < 2 && !irq_work_queue(work))
		noted->at = -1;
}

static void queued_again_by_itself(struct ktap *t)
{
	struct noted a = { .work = IRQ_WORK_INIT(again) };

	irq_work_queue(&a.work);
	KT_EQ(t, a.runs, 3);
	KT_EQ(t, a.at, 0);
	KT_CHECK(t, !irq_work_is_busy(&a.work));
}

static void take_outer(struct irq_work *work)
{
	struct noted *noted = container_of(work, struct noted, work);
	unsigned long flags;

	spin_lock_irqsave(&outer, flags);
	noted->runs++;
	spin_unlock_irqrestore(&outer, flags);
}

/* What it is for: the function takes the lock it was queued under. */
static void takes_the_lock_it_was_queued_under(struct ktap *t)
{
	struct noted a = { .work = IRQ_WORK_INIT(take_outer) };
	unsigned long flags;

	spin_lock_irqsave(&outer, flags);
	irq_work_queue(&a.work);
	spin_unlock_irqrestore(&outer, flags);
	KT_EQ(t, a.runs, 1);
	KT_CHECK(t, !irqs_disabled() && !in_atomic());
}

static void sleeps(struct irq_work *work)
{
	might_sleep();
}

static void must_not_sleep(struct ktap *t)
{
	struct irq_work work = IRQ_WORK_INIT(sleeps);

	ktap_expect_warn(t, "might_sleep(): spinlocks held 0, interrupts off 1");
	irq_work_queue(&work);
}

static void sync_must_not_wait_under_a_lock(struct ktap *t)
{
	struct irq_work idle = IRQ_WORK_INIT(note);

	ktap_expect_warn(t, "might_sleep()");
	spin_lock(&outer);
	irq_work_sync(&idle);
	spin_unlock(&outer);
}

struct freed {
	struct irq_work work;
	struct rcu_head rcu;
};

static void free_itself(struct irq_work *work)
{
	struct freed *freed = container_of(work, struct freed, work);

	kfree_rcu(freed, rcu);
}

static void may_end_its_own_life(struct ktap *t)
{
	struct freed *freed = kzalloc(sizeof(*freed), GFP_KERNEL);

	KT_ASSERT(t, freed);
	init_irq_work(&freed->work, free_itself);
	KT_CHECK(t, irq_work_queue(&freed->work));
	rcu_barrier();
}

static struct completion begun;
static u32 may_end;

static void wait_for_leave(struct irq_work *work)
{
	complete(&begun);
	while (!READ_ONCE(may_end))
		port_yield();
}

static int queue_it(void *data)
{
	irq_work_queue(data);
	return 0;
}

static int sync_it(void *data)
{
	irq_work_sync(data);
	return READ_ONCE(may_end);
}

static void sync_waits_for_the_end(struct ktap *t)
{
	struct irq_work work = IRQ_WORK_INIT(wait_for_leave);
	struct task_struct *runner, *waiter;

	init_completion(&begun);
	WRITE_ONCE(may_end, 0);
	runner = test_thread_start(queue_it, &work);
	wait_for_completion(&begun);
	KT_CHECK(t, irq_work_is_busy(&work) && !irq_work_is_pending(&work));
	waiter = test_thread_start(sync_it, &work);
	for (int i = 0; i < 100; i++)
		yield();
	WRITE_ONCE(may_end, 1);
	irq_work_sync(&work);
	KT_CHECK(t, !irq_work_is_busy(&work));
	/* It may not have begun yet; if it has, it returned after the end. */
	KT_CHECK(t, test_thread_end(waiter) != 0);
	test_thread_end(runner);
}

KTAP_MAIN(KTAP_CASE(runs_at_once_when_nothing_is_held), KTAP_CASE(waits_for_the_last_spinlock),
	  KTAP_CASE(waits_for_interrupts), KTAP_CASE(in_order_and_once),
	  KTAP_CASE(queued_again_by_itself), KTAP_CASE(takes_the_lock_it_was_queued_under),
	  KTAP_CASE(must_not_sleep), KTAP_CASE(sync_must_not_wait_under_a_lock),
	  KTAP_CASE(may_end_its_own_life), KTAP_CASE(sync_waits_for_the_end))
