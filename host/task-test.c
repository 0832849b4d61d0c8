/* SPDX-License-Identifier: MIT */
/*
 * task-test.c - threads as tasks: who runs, what they return, when they go; time, chance and
 * messages
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include "host/task.h"
#include "host/warn.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#include <pthread.h>
#include <unistd.h>

static struct completion begun;

static int until_stopped(void *data)
{
	complete(&begun);
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return *(int *)data;
}

static void stop_returns_the_result(struct ktap *t)
{
	struct task_struct *thread;
	int result = 17;

	init_completion(&begun);
	thread = kthread_run(until_stopped, &result, "until/%d", 1);
	KT_ASSERT(t, !IS_ERR(thread));
	wait_for_completion(&begun);
	KT_CHECK(t, !strcmp(thread->comm, "until/1"));
	KT_CHECK(t, thread != current && task_pid_nr(thread) != task_pid_nr(current));
	KT_EQ(t, kthread_stop(thread), 17);
}

static void stopped_before_it_ran(struct ktap *t)
{
	struct task_struct *thread;
	int result = 17;

	init_completion(&begun);
	thread = kthread_create(until_stopped, &result, "never");
	KT_ASSERT(t, !IS_ERR(thread));
	KT_EQ(t, kthread_stop(thread), -EINTR);
	KT_CHECK(t, !completion_done(&begun));
}

static int return_at_once(void *data)
{
	complete(&begun);
	return 3;
}

static void a_reference_outlives_the_thread(struct ktap *t)
{
	struct task_struct *thread, *other;

	init_completion(&begun);
	thread = test_thread_start(return_at_once, NULL);
	wait_for_completion(&begun);
	/* Whoever ends another thread may join this one, too; the task stays. */
	other = test_thread_start(return_at_once, NULL);
	test_thread_end(other);
	KT_CHECK(t, !strcmp(thread->comm, "test"));
	KT_EQ(t, kthread_stop_put(thread), 3);
}

static void stop_of_a_foreign_thread_warns(struct ktap *t)
{
	ktap_expect_warn(t, "not a kthread");
	KT_EQ(t, kthread_stop(current), -EINVAL);
	ktap_expect_warn(t, "not in a kthread");
	KT_CHECK(t, kthread_should_stop());
}

static void *foreign(void *arg)
{
	struct task_struct **task = arg;

	*task = get_task_struct(current);
	return current == *task ? NULL : arg;
}

static void foreign_threads_have_tasks(struct ktap *t)
{
	struct task_struct *task;
	pthread_t thread;
	void *bad;

	KT_EQ(t, pthread_create(&thread, NULL, foreign, &task), 0);
	pthread_join(thread, &bad);
	KT_CHECK(t, !bad);
	KT_CHECK(t, task != current);
	KT_EQ(t, refcount_read(&task->usage), 1);
	KT_EQ(t, task->tgid, getpid());
	put_task_struct(task);
	KT_CHECK(t, current == current);
}

static void *forget_the_section(void *arg)
{
	rcu_read_lock();
	return NULL;
}

static void ending_inside_a_section_warns(struct ktap *t)
{
	pthread_t thread;

	ktap_expect_warn(t, "ends inside a reader section");
	KT_EQ(t, pthread_create(&thread, NULL, forget_the_section, NULL), 0);
	pthread_join(thread, NULL);
	synchronize_rcu(); /* does not wait for the dead */
}

static void warn_and_go_on(int i)
{
	WARN_ON_ONCE(i >= 0);
}

static void once_is_once_per_case(struct ktap *t)
{
	ktap_expect_warn(t, "i >= 0");
	for (int i = -1; i < 5; i++)
		warn_and_go_on(i);
	host_warn_rearm();
	ktap_expect_warn(t, "i >= 0");
	warn_and_go_on(5);
	ktap_expect_warn(t, "number 4");
	KT_CHECK(t, WARN(true, "number %d\n", 4));
	KT_CHECK(t, !WARN(false, "number %d\n", 5));
}

static void time_passes(struct ktap *t)
{
	ktime_t before = ktime_get();
	unsigned long tick = jiffies;

	msleep(2);
	usleep_range(100, 200);
	udelay(10);
	KT_CHECK(t, ktime_to_ns(ktime_sub(ktime_get(), before)) >= 2 * NSEC_PER_MSEC + 110 * 1000);
	KT_CHECK(t, time_after_eq(jiffies, tick + 2) && time_before(tick, jiffies));
	KT_CHECK(t, time_after(1ul, ULONG_MAX));
	KT_EQ(t, msecs_to_jiffies(1), HZ / 1000);
	KT_EQ(t, usecs_to_jiffies(1), 1);
	KT_EQ(t, msecs_to_jiffies(-1u), MAX_JIFFY_OFFSET);
	KT_EQ(t, ns_to_timespec64(-1).tv_sec, -1);
	KT_EQ(t, ns_to_timespec64(-1).tv_nsec, NSEC_PER_SEC - 1);
}

static void chance_is_repeatable(struct ktap *t)
{
	u64 first, second;

	port_random_seed(7);
	first = get_random_u64();
	second = get_random_u64();
	KT_CHECK(t, first != second);
	port_random_seed(7);
	KT_CHECK(t, get_random_u64() == first);
	for (int i = 0; i < 1000; i++) {
		KT_CHECK(t, get_random_u32_below(3) < 3);
		KT_CHECK(t, get_random_u32_inclusive(5, 6) - 5 < 2);
	}
}

static void messages_below_the_threshold_are_dropped(struct ktap *t)
{
	int saved = dup(STDERR_FILENO), ends[2], before;
	char text[64] = "";

	KT_EQ(t, pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	before = host_printk_level(4);
	pr_info("hidden\n");
	pr_err("shown %d\n", 1);
	printk("plain\n");
	host_printk_level(before);
	dup2(saved, STDERR_FILENO);
	close(ends[1]);
	KT_EQ(t, read(ends[0], text, sizeof(text) - 1), 14);
	KT_CHECK(t, !strcmp(text, "shown 1\nplain\n"));
	close(ends[0]);
	close(saved);
	KT_EQ(t, scnprintf(text, 4, "%s", "abcdef"), 3);
	KT_EQ(t, scnprintf(text, 0, "%s", "abcdef"), 0);
}

static int count_entries(void *data)
{
	atomic_inc(data);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 7;
}

static void who_is_yielded_to_has_begun(struct ktap *t)
{
	atomic_t entries = ATOMIC_INIT(0);

	for (unsigned int i = 1; i <= 50; i++) {
		struct task_struct *task = kthread_run(count_entries, &entries, "entered");

		KT_ASSERT(t, !IS_ERR(task));
		KT_EQ(t, yield_to(task, true), 1);
		KT_EQ(t, kthread_stop(task), 7);
		KT_EQ(t, atomic_read(&entries), i);
	}
}

KTAP_MAIN(KTAP_CASE(who_is_yielded_to_has_begun), KTAP_CASE(stop_returns_the_result),
	  KTAP_CASE(stopped_before_it_ran), KTAP_CASE(a_reference_outlives_the_thread),
	  KTAP_CASE(stop_of_a_foreign_thread_warns), KTAP_CASE(foreign_threads_have_tasks),
	  KTAP_CASE(ending_inside_a_section_warns), KTAP_CASE(once_is_once_per_case),
	  KTAP_CASE(time_passes), KTAP_CASE(chance_is_repeatable),
	  KTAP_CASE(messages_below_the_threshold_are_dropped))
