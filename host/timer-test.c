/* SPDX-License-Identifier: MIT */
/* timer-test.c - timers are called in order, never early, not after they were stopped */
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include "tests/ktap.h"

#define FAR (jiffies + 1000 * HZ)

struct noted {
	struct timer_list timer;
	struct completion called;
	unsigned long when;
	int calls;
	int at;
	int again;
};

static atomic_t order;

static void note(struct timer_list *timer)
{
	struct noted *noted = from_timer(noted, timer, timer);

	noted->when = jiffies;
	noted->calls++;
	noted->at = atomic_inc_return(&order);
	complete(&noted->called);
}

static void noted_init(struct noted *noted, void (*function)(struct timer_list *))
{
	*noted = (struct noted){};
	init_completion(&noted->called);
	timer_setup(&noted->timer, function, 0);
}

static void called_once_and_never_early(struct ktap *t)
{
	unsigned long expires = jiffies + 3;
	struct noted a;

	noted_init(&a, note);
	KT_CHECK(t, !timer_pending(&a.timer));
	KT_EQ(t, mod_timer(&a.timer, expires), 0);
	wait_for_completion(&a.called);
	KT_CHECK(t, !timer_pending(&a.timer));
	KT_EQ(t, timer_delete_sync(&a.timer), 0);
	KT_CHECK(t, time_after_eq(a.when, expires));
	KT_EQ(t, a.calls, 1);
}

static void the_past_is_now(struct ktap *t)
{
	struct noted a;

	noted_init(&a, note);
	mod_timer(&a.timer, jiffies - 5);
	wait_for_completion(&a.called);
	timer_delete_sync(&a.timer);
}

static void in_order_of_expiry(struct ktap *t)
{
	unsigned long soon = jiffies + 5;
	struct noted a, b, c;

	atomic_set(&order, 0);
	noted_init(&a, note);
	noted_init(&b, note);
	noted_init(&c, note);
	mod_timer(&a.timer, soon + 2);
	mod_timer(&b.timer, soon);
	mod_timer(&c.timer, soon + 2);
	wait_for_completion(&a.called);
	wait_for_completion(&b.called);
	wait_for_completion(&c.called);
	timer_delete_sync(&c.timer);
	KT_EQ(t, b.at, 1);
	KT_EQ(t, a.at, 2);
	KT_EQ(t, c.at, 3);
}

static void moved_earlier_and_later(struct ktap *t)
{
	struct noted a, b;

	noted_init(&a, note);
	noted_init(&b, note);
	mod_timer(&a.timer, FAR);
	KT_CHECK(t, timer_pending(&a.timer));
	KT_EQ(t, mod_timer(&a.timer, jiffies + 1), 1);
	wait_for_completion(&a.called);

	mod_timer(&a.timer, jiffies + HZ);
	KT_EQ(t, mod_timer(&a.timer, FAR), 1);
	mod_timer(&b.timer, jiffies + 1);
	wait_for_completion(&b.called);
	KT_EQ(t, a.calls, 1);
	KT_EQ(t, timer_delete(&a.timer), 1);
	KT_EQ(t, timer_delete(&a.timer), 0);
	timer_delete_sync(&b.timer);
}

static void stopped_is_not_called(struct ktap *t)
{
	struct noted a, b;

	noted_init(&a, note);
	noted_init(&b, note);
	mod_timer(&a.timer, jiffies + 2);
	KT_EQ(t, timer_delete_sync(&a.timer), 1);
	mod_timer(&b.timer, jiffies + 3);
	wait_for_completion(&b.called);
	KT_EQ(t, a.calls, 0);
	timer_delete_sync(&b.timer);
}

static void added_twice_warns(struct ktap *t)
{
	struct noted a;

	noted_init(&a, note);
	a.timer.expires = FAR;
	add_timer(&a.timer);
	ktap_expect_warn(t, "add_timer(): the timer is pending");
	add_timer(&a.timer);
	ktap_expect_warn(t, "destroy_timer_on_stack(): the timer is pending");
	destroy_timer_on_stack(&a.timer);
	KT_EQ(t, timer_delete_sync(&a.timer), 1);
	destroy_timer_on_stack(&a.timer);
}

static void shut_down_for_good(struct ktap *t)
{
	struct noted a, b;

	noted_init(&a, note);
	noted_init(&b, note);
	mod_timer(&a.timer, FAR);
	KT_EQ(t, timer_shutdown_sync(&a.timer), 1);
	KT_EQ(t, mod_timer(&a.timer, jiffies), 0);
	KT_CHECK(t, !timer_pending(&a.timer));
	KT_EQ(t, timer_shutdown(&b.timer), 0);
	KT_EQ(t, mod_timer(&b.timer, jiffies), 0);
	KT_CHECK(t, !timer_pending(&b.timer));
}

static void restart(struct timer_list *timer)
{
	struct noted *noted = from_timer(noted, timer, timer);

	if (++noted->calls < 5)
		mod_timer(timer, jiffies);
	else
		complete(&noted->called);
}

static void restarts_itself(struct ktap *t)
{
	struct noted a;

	noted_init(&a, restart);
	mod_timer(&a.timer, jiffies);
	wait_for_completion(&a.called);
	KT_EQ(t, timer_delete_sync(&a.timer), 0);
	KT_EQ(t, a.calls, 5);
}

static void restart_for_ever(struct timer_list *timer)
{
	struct noted *noted = from_timer(noted, timer, timer);

	noted->calls++;
	complete(&noted->called);
	mod_timer(timer, jiffies);
}

/* A call after the return would be a use of memory that is gone. */
static void sync_stops_one_that_restarts_itself(struct ktap *t)
{
	for (int i = 0; i < (ktap_long ? 1000 : 50); i++) {
		struct noted *a = kzalloc(sizeof(*a), GFP_KERNEL);
		int calls;

		KT_ASSERT(t, a);
		noted_init(a, restart_for_ever);
		mod_timer(&a->timer, jiffies);
		wait_for_completion(&a->called);
		timer_delete_sync(&a->timer);
		calls = a->calls;
		KT_CHECK(t, calls >= 1 && !timer_pending(&a->timer));
		kfree(a);
	}
}

static struct completion freed;

static void free_itself(struct timer_list *timer)
{
	struct noted *noted = from_timer(noted, timer, timer);

	kfree(noted);
	complete(&freed);
}

static void may_free_itself(struct ktap *t)
{
	struct noted *a = kzalloc(sizeof(*a), GFP_KERNEL);

	KT_ASSERT(t, a);
	init_completion(&freed);
	noted_init(a, free_itself);
	mod_timer(&a->timer, jiffies);
	wait_for_completion(&freed);
}

static void sleep_in_it(struct timer_list *timer)
{
	might_sleep();
	note(timer);
}

static void must_not_sleep(struct ktap *t)
{
	struct noted a;

	noted_init(&a, sleep_in_it);
	ktap_expect_warn(t, "interrupts off 0, preemption off 1");
	mod_timer(&a.timer, jiffies);
	wait_for_completion(&a.called);
	timer_delete_sync(&a.timer);

	timer_setup(&a.timer, sleep_in_it, TIMER_IRQSAFE);
	ktap_expect_warn(t, "interrupts off 1, preemption off 1");
	mod_timer(&a.timer, jiffies);
	wait_for_completion(&a.called);
	timer_delete_sync(&a.timer);
}

static void delete_itself(struct timer_list *timer)
{
	timer_delete_sync(timer);
	note(timer);
}

static void waiting_for_itself_warns(struct ktap *t)
{
	struct noted a;

	noted_init(&a, delete_itself);
	ktap_expect_warn(t, "timer_delete_sync(): called from the timer's own function");
	mod_timer(&a.timer, jiffies);
	wait_for_completion(&a.called);
	timer_delete_sync(&a.timer);
}

static void stopped_under_a_spinlock(struct ktap *t)
{
	DEFINE_SPINLOCK(lock);
	unsigned long flags;
	struct noted a;

	noted_init(&a, note);
	spin_lock_irqsave(&lock, flags);
	mod_timer(&a.timer, jiffies);
	timer_delete_sync(&a.timer);
	spin_unlock_irqrestore(&lock, flags);
	KT_CHECK(t, !timer_pending(&a.timer));
	KT_CHECK(t, a.calls <= 1);
}

KTAP_MAIN(KTAP_CASE(called_once_and_never_early), KTAP_CASE(the_past_is_now),
	  KTAP_CASE(in_order_of_expiry), KTAP_CASE(moved_earlier_and_later),
	  KTAP_CASE(stopped_is_not_called), KTAP_CASE(added_twice_warns),
	  KTAP_CASE(shut_down_for_good), KTAP_CASE(restarts_itself),
	  KTAP_CASE(sync_stops_one_that_restarts_itself), KTAP_CASE(may_free_itself),
	  KTAP_CASE(must_not_sleep), KTAP_CASE(waiting_for_itself_warns),
	  KTAP_CASE(stopped_under_a_spinlock))
