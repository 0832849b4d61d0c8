/* SPDX-License-Identifier: MIT */
/*
 * lock-test.c - spinlocks and mutexes: they exclude, are fair, know their owner, and say when
 * misused
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include "host/mutex.h"
#include "host/task.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#define THREADS 4

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(mutex);
static struct completion done;
static long guarded;

static long rounds(void)
{
	return ktap_long ? 200000 : 10000;
}

static int add_under_spinlock(void *data)
{
	unsigned long flags;

	for (long i = 0; i < rounds(); i++) {
		spin_lock_irqsave(&spin, flags);
		guarded++;
		spin_unlock_irqrestore(&spin, flags);
	}
	complete(&done);
	return 0;
}

static int add_under_mutex(void *data)
{
	for (long i = 0; i < rounds(); i++) {
		mutex_lock(&mutex);
		guarded++;
		mutex_unlock(&mutex);
	}
	complete(&done);
	return 0;
}

static void add_in_threads(struct ktap *t, int (*fn)(void *data))
{
	struct task_struct *threads[THREADS];

	guarded = 0;
	init_completion(&done);
	for (int i = 0; i < THREADS; i++)
		threads[i] = test_thread_start(fn, NULL);
	for (int i = 0; i < THREADS; i++)
		wait_for_completion(&done);
	for (int i = 0; i < THREADS; i++)
		test_thread_end(threads[i]);
	KT_EQ(t, guarded, THREADS * rounds());
}

static void spinlock_excludes(struct ktap *t)
{
	add_in_threads(t, add_under_spinlock);
	KT_CHECK(t, !irqs_disabled());
}

static void mutex_excludes(struct ktap *t)
{
	add_in_threads(t, add_under_mutex);
	KT_CHECK(t, !mutex_is_locked(&mutex));
}

static void held_is_known(struct ktap *t)
{
	lockdep_assert_not_held(&spin);
	lockdep_assert_not_held(&mutex);
	mutex_lock(&mutex);
	spin_lock(&spin);
	lockdep_assert_held(&spin);
	lockdep_assert_held(&mutex);
	KT_CHECK(t, in_atomic());
	spin_unlock(&spin);
	mutex_unlock(&mutex);
	KT_CHECK(t, !lockdep_is_held(&mutex) && !in_atomic());
}

static void wrong_assertions_warn(struct ktap *t)
{
	ktap_expect_warn(t, "lockdep_assert_held(&mutex)");
	lockdep_assert_held(&mutex);
	ktap_expect_warn(t, "lockdep_assert_held(&spin)");
	lockdep_assert_held(&spin);
	mutex_lock(&mutex);
	ktap_expect_warn(t, "lockdep_assert_not_held(&mutex)");
	lockdep_assert_not_held(&mutex);
	ktap_expect_warn(t, "might_lock(&mutex)");
	might_lock(&mutex);
	mutex_unlock(&mutex);
	might_lock(&mutex);
}

static int others_see_it_locked(void *data)
{
	struct ktap *t = data;

	KT_CHECK(t, mutex_is_locked(&mutex));
	KT_CHECK(t, !lockdep_is_held(&mutex));
	KT_CHECK(t, !mutex_trylock(&mutex));
	KT_CHECK(t, !spin_trylock(&spin));
	ktap_expect_warn(t, "mutex_unlock(mutex): not held");
	mutex_unlock(&mutex);
	ktap_expect_warn(t, "spin_unlock(spin): not held");
	spin_unlock(&spin);
	complete(&done);
	return 0;
}

static void only_the_owner_unlocks(struct ktap *t)
{
	struct task_struct *thread;

	init_completion(&done);
	mutex_lock(&mutex);
	thread = kthread_create(others_see_it_locked, t, "others");
	get_task_struct(thread);
	spin_lock(&spin);
	wake_up_process(thread);
	/* Not wait_for_completion(): a spinlock is held. */
	while (!completion_done(&done))
		cpu_relax();
	lockdep_assert_held(&spin);
	spin_unlock(&spin);
	lockdep_assert_held(&mutex);
	mutex_unlock(&mutex);
	test_thread_end(thread);
}

static void unlock_of_a_free_lock_warns(struct ktap *t)
{
	ktap_expect_warn(t, "mutex_unlock(mutex): not held");
	mutex_unlock(&mutex);
	ktap_expect_warn(t, "spin_unlock(spin): not held");
	spin_unlock(&spin);
	KT_CHECK(t, mutex_trylock(&mutex));
	mutex_unlock(&mutex);
}

static void recursion_warns(struct ktap *t)
{
	mutex_lock(&mutex);
	ktap_expect_warn(t, "mutex_lock(mutex): held by this thread already");
	mutex_lock(&mutex);
	ktap_expect_warn(t, "mutex_lock_interruptible(mutex): held by this thread already");
	KT_EQ(t, mutex_lock_interruptible(&mutex), -EDEADLK);
	KT_CHECK(t, !mutex_trylock(&mutex));
	mutex_unlock(&mutex);
	KT_CHECK(t, !mutex_is_locked(&mutex));

	spin_lock(&spin);
	ktap_expect_warn(t, "spin_lock(spin): held by this thread already");
	spin_lock(&spin);
	spin_unlock(&spin);
	KT_CHECK(t, !spin_is_locked(&spin));
}

static void sleeping_under_a_spinlock_warns(struct ktap *t)
{
	unsigned long flags;

	might_sleep();
	spin_lock(&spin);
	ktap_expect_warn(t, "might_sleep(): spinlocks held 1");
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	spin_unlock(&spin);
	local_irq_save(flags);
	ktap_expect_warn(t, "interrupts off 1");
	might_sleep();
	local_irq_restore(flags);
	might_sleep();
}

static void destroying_a_held_mutex_warns(struct ktap *t)
{
	struct mutex local;

	mutex_init(&local);
	mutex_lock(&local);
	ktap_expect_warn(t, "mutex_destroy(&local): locked");
	mutex_destroy(&local);
	mutex_unlock(&local);
	mutex_destroy(&local);
}

static int lock_interruptibly(void *data)
{
	return mutex_lock_interruptible(&mutex);
}

static int lock_killably(void *data)
{
	return mutex_lock_killable(&mutex);
}

static void signals_end_the_wait(struct ktap *t)
{
	struct task_struct *thread;

	mutex_lock(&mutex);
	thread = test_thread_start(lock_interruptibly, NULL);
	test_thread_asleep(thread);
	host_signal_task(thread);
	KT_EQ(t, test_thread_end(thread), -EINTR);

	thread = test_thread_start(lock_killably, NULL);
	test_thread_asleep(thread);
	host_signal_task(thread);
	KT_CHECK(t, signal_pending(thread) && !fatal_signal_pending(thread));
	host_kill_task(thread);
	KT_EQ(t, test_thread_end(thread), -EINTR);
	mutex_unlock(&mutex);
	KT_CHECK(t, !mutex_is_locked(&mutex));
}

static void a_chosen_wait_fails(struct ktap *t)
{
	port_fail_nth(PORT_FAULT_WAIT, 2);
	KT_EQ(t, mutex_lock_interruptible(&mutex), 0);
	mutex_unlock(&mutex);
	KT_EQ(t, mutex_lock_killable(&mutex), -EINTR);
	KT_EQ(t, mutex_lock_interruptible(&mutex), 0);
	mutex_unlock(&mutex);
	KT_EQ(t, port_fault_count(PORT_FAULT_WAIT), 3);
	port_fail_nth(PORT_FAULT_WAIT, 0);
}

static int take_and_keep(void *data)
{
	mutex_lock(&mutex);
	wait_for_completion(&done);
	mutex_unlock(&mutex);
	return 0;
}

static void one_waiter_woken_in_vain(struct ktap *t)
{
	struct task_struct *thread;

	init_completion(&done);
	mutex_lock(&mutex);
	thread = test_thread_start(take_and_keep, NULL);
	test_thread_asleep(thread);
	while (!(atomic_long_read(&mutex.owner) & MUTEX_HANDOFF)) {
		wake_up_process(thread);
		yield();
	}
	test_thread_asleep(thread);
	mutex_unlock(&mutex);
	KT_CHECK(t, !mutex_trylock(&mutex));
	complete(&done);
	KT_EQ(t, test_thread_end(thread), 0);
	KT_CHECK(t, mutex_trylock(&mutex));
	mutex_unlock(&mutex);
}

/* Often: without the promise the waiter may still be the faster one now and then. */
static void a_waiter_woken_in_vain_is_next(struct ktap *t)
{
	for (int i = 0; i < 50; i++)
		one_waiter_woken_in_vain(t);
}

static bool hog_stop;
static long hog_rounds;

/* Holds the lock all the time but for an instant: without hand-off nobody else would get it. */
static int hog(void *data)
{
	while (!READ_ONCE(hog_stop)) {
		mutex_lock(&mutex);
		WRITE_ONCE(hog_rounds, hog_rounds + 1);
		udelay(20);
		mutex_unlock(&mutex);
	}
	return 0;
}

static void nobody_starves(struct ktap *t)
{
	struct task_struct *hogs[2];

	WRITE_ONCE(hog_stop, false);
	for (int i = 0; i < 2; i++)
		hogs[i] = test_thread_start(hog, NULL);
	while (!READ_ONCE(hog_rounds))
		yield();
	for (int i = 0; i < 50; i++) {
		mutex_lock(&mutex);
		mutex_unlock(&mutex);
	}
	WRITE_ONCE(hog_stop, true);
	for (int i = 0; i < 2; i++)
		test_thread_end(hogs[i]);
	KT_CHECK(t, !mutex_is_locked(&mutex));
}

static int next_ticket;

struct queuer {
	struct task_struct *thread;
	int ticket;
};

static int take_ticket(void *data)
{
	struct queuer *queuer = data;

	mutex_lock(&mutex);
	queuer->ticket = next_ticket++;
	mutex_unlock(&mutex);
	return 0;
}

static void waiters_are_served_in_order(struct ktap *t)
{
	struct queuer queuers[THREADS] = { 0 };

	next_ticket = 0;
	mutex_lock(&mutex);
	for (int i = 0; i < THREADS; i++) {
		queuers[i].thread = test_thread_start(take_ticket, &queuers[i]);
		/* Queued is asleep: only then the next may come. */
		test_thread_asleep(queuers[i].thread);
	}
	mutex_unlock(&mutex);
	for (int i = 0; i < THREADS; i++) {
		test_thread_end(queuers[i].thread);
		KT_EQ(t, queuers[i].ticket, i);
	}
}

static void last_reference_takes_the_lock(struct ktap *t)
{
	refcount_t refs = REFCOUNT_INIT(2);

	KT_CHECK(t, !refcount_dec_and_mutex_lock(&refs, &mutex));
	lockdep_assert_not_held(&mutex);
	KT_CHECK(t, refcount_dec_and_mutex_lock(&refs, &mutex));
	lockdep_assert_held(&mutex);
	mutex_unlock(&mutex);
	refcount_set(&refs, 1);
	KT_CHECK(t, refcount_dec_and_lock(&refs, &spin));
	lockdep_assert_held(&spin);
	spin_unlock(&spin);
}

KTAP_MAIN(KTAP_CASE(spinlock_excludes), KTAP_CASE(mutex_excludes), KTAP_CASE(held_is_known),
	  KTAP_CASE(wrong_assertions_warn), KTAP_CASE(only_the_owner_unlocks),
	  KTAP_CASE(unlock_of_a_free_lock_warns), KTAP_CASE(recursion_warns),
	  KTAP_CASE(sleeping_under_a_spinlock_warns), KTAP_CASE(destroying_a_held_mutex_warns),
	  KTAP_CASE(signals_end_the_wait), KTAP_CASE(a_chosen_wait_fails),
	  KTAP_CASE(a_waiter_woken_in_vain_is_next), KTAP_CASE(nobody_starves),
	  KTAP_CASE(waiters_are_served_in_order), KTAP_CASE(last_reference_takes_the_lock))
