/* SPDX-License-Identifier: MIT */
/* wait-test.c - no wake-up is lost, the right ones wake, signals and timeouts end a wait */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>
#include "host/task.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#define THREADS 3
#define LONG_TIME (60 * HZ)

static DECLARE_WAIT_QUEUE_HEAD(queue);
static DECLARE_WAIT_QUEUE_HEAD(answers);
static atomic_t ball, woken;
static bool flag;

/* Two threads hand one number to and fro: one lost wake-up and both sleep for ever. */
static int play(void *data)
{
	int mine = (int)(long)data;

	for (int round = 0; round < 2000; round++) {
		wait_event(queue, (atomic_read_acquire(&ball) & 1) == mine);
		atomic_fetch_add_release(1, &ball);
		wake_up(&queue);
	}
	return 0;
}

static void no_wakeup_is_lost(struct ktap *t)
{
	struct task_struct *threads[2];

	atomic_set(&ball, 0);
	for (long i = 0; i < 2; i++)
		threads[i] = test_thread_start(play, (void *)i);
	wait_event(queue, atomic_read_acquire(&ball) == 4000);
	for (int i = 0; i < 2; i++)
		KT_EQ(t, test_thread_end(threads[i]), 0);
}

static int wait_for_flag(void *data)
{
	wait_event(queue, READ_ONCE(flag));
	atomic_inc(&woken);
	wake_up(&answers);
	return 0;
}

static int wait_for_flag_exclusively(void *data)
{
	int ret = wait_event_interruptible_exclusive(queue, READ_ONCE(flag));

	atomic_inc(&woken);
	wake_up(&answers);
	return ret;
}

static void start_waiters(struct task_struct **threads, int (*fn)(void *data))
{
	WRITE_ONCE(flag, false);
	atomic_set(&woken, 0);
	for (int i = 0; i < THREADS; i++) {
		threads[i] = test_thread_start(fn, NULL);
		test_thread_asleep(threads[i]);
	}
}

static void wakes_all(struct ktap *t)
{
	struct task_struct *threads[THREADS];

	start_waiters(threads, wait_for_flag);
	WRITE_ONCE(flag, true);
	wake_up(&queue); /* not exclusive: one call wakes all */
	wait_event(answers, atomic_read(&woken) == THREADS);
	for (int i = 0; i < THREADS; i++)
		test_thread_end(threads[i]);
	KT_CHECK(t, !waitqueue_active(&queue));
}

static int note_woken(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	*(bool *)entry->private = true;
	return 1;
}

static void wakes_one_exclusive_waiter(struct ktap *t)
{
	struct wait_queue_entry entries[4];
	bool awake[4] = { false };

	for (int i = 0; i < 4; i++) {
		init_waitqueue_func_entry(&entries[i], note_woken);
		entries[i].private = &awake[i];
		if (i < 3)
			add_wait_queue_exclusive(&queue, &entries[i]);
		else
			add_wait_queue(&queue, &entries[i]);
	}
	KT_EQ(t, wake_up(&queue), 2); /* the one without exclusion, and the first to come */
	KT_CHECK(t, awake[0] && !awake[1] && !awake[2] && awake[3]);
	KT_EQ(t, wake_up_nr(&queue, 2), 3);
	KT_CHECK(t, awake[1] && !awake[2]);
	KT_EQ(t, wake_up_all(&queue), 4);
	for (int i = 0; i < 4; i++)
		remove_wait_queue(&queue, &entries[i]);
}

static void exclusive_waiters_pass_it_on(struct ktap *t)
{
	struct task_struct *threads[THREADS];

	start_waiters(threads, wait_for_flag_exclusively);
	WRITE_ONCE(flag, true);
	for (int i = 0; i < THREADS; i++)
		wake_up_interruptible(&queue);
	for (int i = 0; i < THREADS; i++)
		KT_EQ(t, test_thread_end(threads[i]), 0);
	KT_EQ(t, atomic_read(&woken), THREADS);
}

static void wrong_state_is_not_woken(struct ktap *t)
{
	struct task_struct *threads[THREADS];

	start_waiters(threads, wait_for_flag); /* uninterruptible */
	KT_EQ(t, wake_up_interruptible_all(&queue), 0);
	KT_EQ(t, wake_up_all(&queue), THREADS); /* in vain: they look and sleep again */
	WRITE_ONCE(flag, true);
	wake_up_all(&queue);
	for (int i = 0; i < THREADS; i++)
		test_thread_end(threads[i]);
	KT_EQ(t, atomic_read(&woken), THREADS);
}

static int wait_interruptibly(void *data)
{
	return wait_event_interruptible(queue, READ_ONCE(flag));
}

static int wait_killably(void *data)
{
	return wait_event_killable(queue, READ_ONCE(flag));
}

static void signals_end_a_wait(struct ktap *t)
{
	struct task_struct *thread;

	WRITE_ONCE(flag, false);
	thread = test_thread_start(wait_interruptibly, NULL);
	test_thread_asleep(thread);
	host_signal_task(thread);
	KT_EQ(t, test_thread_end(thread), -ERESTARTSYS);

	thread = test_thread_start(wait_killably, NULL);
	test_thread_asleep(thread);
	host_signal_task(thread);
	KT_CHECK(t, !task_is_running(thread));
	host_kill_task(thread);
	KT_EQ(t, test_thread_end(thread), -ERESTARTSYS);

	/* Pending before the wait, and forgotten after. */
	host_signal_task(current);
	KT_EQ(t, wait_event_interruptible(queue, READ_ONCE(flag)), -ERESTARTSYS);
	KT_EQ(t, wait_event_interruptible_timeout(queue, READ_ONCE(flag), LONG_TIME), -ERESTARTSYS);
	KT_EQ(t, wait_event_interruptible(queue, true), 0);
	flush_signals(current);
	KT_EQ(t, wait_event_interruptible_timeout(queue, READ_ONCE(flag), 1), 0);
	KT_CHECK(t, !waitqueue_active(&queue));
}

static void a_pending_signal_keeps_awake(struct ktap *t)
{
	host_signal_task(current);
	set_current_state(TASK_INTERRUPTIBLE);
	schedule();
	KT_CHECK(t, task_is_running(current));
	KT_CHECK(t, schedule_timeout_interruptible(LONG_TIME) > 0);
	KT_EQ(t, schedule_timeout_killable(1), 0);
	KT_EQ(t, schedule_timeout_uninterruptible(1), 0);
	flush_signals(current);
}

static void a_chosen_wait_fails(struct ktap *t)
{
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, wait_event_interruptible_timeout(queue, READ_ONCE(flag), 1), -ERESTARTSYS);
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_CHECK(t, signal_pending(current));
	KT_CHECK(t, !signal_pending(current));
	port_fail_nth(PORT_FAULT_WAIT, 0);
	KT_CHECK(t, !waitqueue_active(&queue));
}

static void timeouts_tell_what_is_left(struct ktap *t)
{
	WRITE_ONCE(flag, false);
	KT_EQ(t, wait_event_timeout(queue, READ_ONCE(flag), 1), 0);
	KT_EQ(t, wait_event_timeout(queue, READ_ONCE(flag), 0), 0);
	KT_EQ(t, wait_event_timeout(queue, true, 0), 1);
	KT_EQ(t, wait_event_timeout(queue, true, 7), 7);
	__set_current_state(TASK_RUNNING);
	KT_CHECK(t, schedule_timeout(LONG_TIME) > 0);
	KT_EQ(t, schedule_timeout_interruptible(1), 0);
	KT_EQ(t, schedule_timeout(MAX_SCHEDULE_TIMEOUT), MAX_SCHEDULE_TIMEOUT);
	ktap_expect_warn(t, "schedule_timeout(-1): negative");
	KT_EQ(t, schedule_timeout(-1), 0);
}

static int wait_by_hand(void *data)
{
	DEFINE_WAIT(wait);

	for (;;) {
		prepare_to_wait(&queue, &wait, TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(flag))
			break;
		schedule();
	}
	finish_wait(&queue, &wait);
	return task_is_running(current) ? 7 : -EINVAL;
}

static void the_loop_by_hand(struct ktap *t)
{
	struct task_struct *thread;

	WRITE_ONCE(flag, false);
	thread = test_thread_start(wait_by_hand, NULL);
	test_thread_asleep(thread);
	wake_up_process(thread); /* in vain: it looks again */
	WRITE_ONCE(flag, true);
	wake_up(&queue);
	KT_EQ(t, test_thread_end(thread), 7);
}

static int count_wakeups(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	*(__poll_t *)entry->private |= key_to_poll(key);
	return 0;
}

static void own_functions_get_the_key(struct ktap *t)
{
	struct wait_queue_entry entry;
	__poll_t events = 0;

	init_waitqueue_func_entry(&entry, count_wakeups);
	entry.private = &events;
	add_wait_queue(&queue, &entry);
	wake_up_poll(&queue, 4);
	spin_lock(&queue.lock);
	wake_up_locked_poll(&queue, 1);
	spin_unlock(&queue.lock);
	remove_wait_queue(&queue, &entry);
	wake_up_poll(&queue, 2);
	KT_EQ(t, events, 5);
	ktap_expect_warn(t, "lockdep_assert_held(&wq->lock)");
	wake_up_locked(&queue);
}

static int wait_for_var(void *data)
{
	return wait_var_event_timeout(&ball, atomic_read_acquire(&ball) == 3, LONG_TIME) > 0;
}

static void variables_have_queues(struct ktap *t)
{
	struct task_struct *thread;

	atomic_set(&ball, 0);
	thread = test_thread_start(wait_for_var, NULL);
	test_thread_asleep(thread);
	atomic_set_release(&ball, 3);
	smp_mb();
	wake_up_var(&ball);
	KT_EQ(t, test_thread_end(thread), 1);
}

static struct completion finished;
static long payload;

static int finish(void *data)
{
	payload = 42;
	complete(&finished);
	return 0;
}

static void completions_count(struct ktap *t)
{
	struct task_struct *thread;

	init_completion(&finished);
	KT_CHECK(t, !try_wait_for_completion(&finished));
	KT_EQ(t, wait_for_completion_timeout(&finished, 1), 0);
	thread = test_thread_start(finish, NULL);
	wait_for_completion(&finished);
	KT_EQ(t, payload, 42);
	test_thread_end(thread);

	complete(&finished);
	complete(&finished);
	KT_CHECK(t, completion_done(&finished));
	KT_CHECK(t, try_wait_for_completion(&finished));
	KT_EQ(t, wait_for_completion_interruptible(&finished), 0);
	KT_CHECK(t, !completion_done(&finished));
	host_signal_task(current);
	KT_EQ(t, wait_for_completion_interruptible(&finished), -ERESTARTSYS);
	KT_EQ(t, wait_for_completion_interruptible_timeout(&finished, LONG_TIME), -ERESTARTSYS);
	flush_signals(current);
	complete_all(&finished);
	wait_for_completion(&finished);
	KT_CHECK(t, wait_for_completion_timeout(&finished, LONG_TIME) > 0);
	reinit_completion(&finished);
	KT_CHECK(t, !completion_done(&finished));
}

static struct completion woken_begun;
static bool woken_go;

static int woken_waiter(void *unused)
{
	DEFINE_WAIT_FUNC(entry, woken_wake_function);
	int rounds = 0;

	add_wait_queue(&queue, &entry);
	complete(&woken_begun);
	for (; !READ_ONCE(woken_go); rounds++)
		wait_woken(&entry, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
	remove_wait_queue(&queue, &entry);
	return rounds;
}

static void a_wake_up_between_two_sleeps_counts(struct ktap *t)
{
	DEFINE_WAIT_FUNC(entry, woken_wake_function);
	struct task_struct *waiter;

	add_wait_queue(&queue, &entry);
	wake_up(&queue);
	KT_EQ(t, wait_woken(&entry, TASK_UNINTERRUPTIBLE, LONG_TIME), LONG_TIME);
	KT_EQ(t, wait_woken(&entry, TASK_UNINTERRUPTIBLE, 1), 0);
	remove_wait_queue(&queue, &entry);

	init_completion(&woken_begun);
	waiter = test_thread_start(woken_waiter, NULL);
	wait_for_completion(&woken_begun);
	test_thread_asleep(waiter);
	WRITE_ONCE(woken_go, true);
	wake_up(&queue);
	KT_CHECK(t, test_thread_end(waiter) >= 1);
}

static DEFINE_SPINLOCK(stock_lock);
static int stock; /* under stock_lock */

static int consumer(void *unused)
{
	int taken = 0;

	spin_lock_irq(&stock_lock);
	complete(&woken_begun);
	while (taken < 100) {
		wait_event_lock_irq(queue, stock > 0, stock_lock);
		taken += stock;
		stock = 0;
	}
	spin_unlock_irq(&stock_lock);
	return taken;
}

static void a_condition_under_a_lock(struct ktap *t)
{
	struct task_struct *waiter;
	int slept = 0;

	init_completion(&woken_begun);
	waiter = test_thread_start(consumer, NULL);
	wait_for_completion(&woken_begun);
	for (int i = 0; i < 100; i++) {
		spin_lock_irq(&stock_lock);
		stock++;
		spin_unlock_irq(&stock_lock);
		wake_up(&queue);
	}
	KT_EQ(t, test_thread_end(waiter), 100);

	host_signal_task(current);
	spin_lock_irq(&stock_lock);
	KT_EQ(t, wait_event_interruptible_lock_irq(queue, stock > 0, stock_lock), -ERESTARTSYS);
	KT_CHECK(t, spin_is_locked(&stock_lock));
	spin_unlock_irq(&stock_lock);
	flush_signals(current);
	wait_event_cmd(queue, true, slept++, slept++);
	KT_EQ(t, slept, 0);
	KT_EQ(t, wait_event_idle_timeout(queue, false, 1), 0);
	init_completion(&woken_begun);
	KT_EQ(t, wait_for_completion_killable_timeout(&woken_begun, 1), 0);
}

static void sleeping_in_a_reader_section_warns(struct ktap *t)
{
	rcu_read_lock();
	ktap_expect_warn(t, "reader sections 1");
	schedule();
	ktap_expect_warn(t, "reader sections 1");
	wait_event(queue, true);
	rcu_read_unlock();
}

KTAP_MAIN(KTAP_CASE(no_wakeup_is_lost), KTAP_CASE(wakes_all), KTAP_CASE(wakes_one_exclusive_waiter),
	  KTAP_CASE(exclusive_waiters_pass_it_on), KTAP_CASE(wrong_state_is_not_woken),
	  KTAP_CASE(signals_end_a_wait), KTAP_CASE(a_pending_signal_keeps_awake),
	  KTAP_CASE(a_chosen_wait_fails), KTAP_CASE(timeouts_tell_what_is_left),
	  KTAP_CASE(the_loop_by_hand), KTAP_CASE(own_functions_get_the_key),
	  KTAP_CASE(variables_have_queues), KTAP_CASE(completions_count),
	  KTAP_CASE(a_wake_up_between_two_sleeps_counts), KTAP_CASE(a_condition_under_a_lock),
	  KTAP_CASE(sleeping_in_a_reader_section_warns))
