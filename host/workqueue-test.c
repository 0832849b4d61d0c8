/* SPDX-License-Identifier: MIT */
/*
 * workqueue-test.c - items run once per queueing, never twice at once, and can be waited for or
 * cancelled
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/threads.h"

struct job {
	struct work_struct work;
	atomic_t runs, inside;
	bool overlapped;
	struct completion begun, go_on;
};

static void job_run(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	if (atomic_inc_return(&job->inside) != 1)
		WRITE_ONCE(job->overlapped, true);
	atomic_inc(&job->runs);
	yield();
	atomic_dec(&job->inside);
}

static void job_wait(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	complete(&job->begun);
	wait_for_completion(&job->go_on);
	atomic_inc(&job->runs);
}

static void job_init(struct job *job, work_func_t fn)
{
	memset(job, 0, sizeof(*job));
	INIT_WORK(&job->work, fn);
	init_completion(&job->begun);
	init_completion(&job->go_on);
}

static void runs_once_per_queueing(struct ktap *t)
{
	struct job job;

	job_init(&job, job_run);
	KT_CHECK(t, !flush_work(&job.work));
	KT_CHECK(t, schedule_work(&job.work));
	flush_work(&job.work);
	KT_EQ(t, atomic_read(&job.runs), 1);
	KT_CHECK(t, queue_work(system_unbound_wq, &job.work));
	flush_workqueue(system_unbound_wq);
	KT_EQ(t, atomic_read(&job.runs), 2);
	KT_EQ(t, work_busy(&job.work), 0);
}

static void is_queued_at_most_once(struct ktap *t)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("once", 0);
	struct job first, second;

	KT_ASSERT(t, wq);
	job_init(&first, job_wait);
	job_init(&second, job_run);
	KT_CHECK(t, queue_work(wq, &first.work));
	wait_for_completion(&first.begun);
	KT_CHECK(t, queue_work(wq, &second.work));
	KT_CHECK(t, !queue_work(wq, &second.work));
	KT_CHECK(t, work_pending(&second.work));
	KT_EQ(t, work_busy(&first.work), WORK_BUSY_RUNNING);
	complete(&first.go_on);
	destroy_workqueue(wq);
	KT_EQ(t, atomic_read(&second.runs), 1);
	KT_EQ(t, atomic_read(&first.runs), 1);
}

static struct workqueue_struct *busy_wq;

static int queue_often(void *data)
{
	struct job *job = data;

	for (int i = 0; i < 2000; i++)
		queue_work(i % 2 ? busy_wq : system_wq, &job->work);
	return 0;
}

static void never_runs_twice_at_once(struct ktap *t)
{
	struct task_struct *threads[2];
	struct job job;

	job_init(&job, job_run);
	busy_wq = alloc_workqueue("busy%d", WQ_UNBOUND, 4, 1);
	KT_ASSERT(t, busy_wq);
	for (int i = 0; i < 2; i++)
		threads[i] = test_thread_start(queue_often, &job);
	for (int i = 0; i < 2; i++)
		test_thread_end(threads[i]);
	schedule_work(&job.work);
	flush_work(&job.work);
	KT_CHECK(t, !READ_ONCE(job.overlapped));
	KT_CHECK(t, atomic_read(&job.runs) > 0);
	destroy_workqueue(busy_wq);
}

static void items_may_wait_for_each_other(struct ktap *t)
{
	struct job first, second;

	job_init(&first, job_wait);
	job_init(&second, job_wait);
	schedule_work(&first.work);
	wait_for_completion(&first.begun);
	schedule_work(&second.work);
	wait_for_completion(&second.begun); /* while the first still runs */
	complete(&second.go_on);
	flush_work(&second.work);
	KT_EQ(t, atomic_read(&second.runs), 1);
	complete(&first.go_on);
	flush_work(&first.work);
	KT_EQ(t, atomic_read(&first.runs), 1);
}

static void cancelled_items_do_not_run(struct ktap *t)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("cancel", 0);
	struct job blocker, job;

	KT_ASSERT(t, wq);
	job_init(&blocker, job_wait);
	job_init(&job, job_run);
	queue_work(wq, &blocker.work);
	wait_for_completion(&blocker.begun);
	queue_work(wq, &job.work);
	KT_CHECK(t, cancel_work_sync(&job.work));
	KT_CHECK(t, !cancel_work(&job.work));
	complete(&blocker.go_on);
	KT_CHECK(t, !cancel_work_sync(&blocker.work)); /* waits for it */
	KT_EQ(t, atomic_read(&blocker.runs), 1);
	KT_CHECK(t, queue_work(wq, &job.work));
	destroy_workqueue(wq);
	KT_EQ(t, atomic_read(&job.runs), 1);
}

static atomic_t freed;

static void free_myself(struct work_struct *work)
{
	kfree(container_of(work, struct job, work));
	atomic_inc(&freed);
}

static void items_may_free_themselves(struct ktap *t)
{
	atomic_set(&freed, 0);
	for (int i = 0; i < 100; i++) {
		struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

		KT_ASSERT(t, job);
		INIT_WORK(&job->work, free_myself);
		schedule_work(&job->work);
	}
	flush_workqueue(system_wq);
	KT_EQ(t, atomic_read(&freed), 100);
}

static void again(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	if (atomic_inc_return(&job->runs) < 5)
		schedule_work(work);
	else
		complete(&job->begun);
}

static void items_may_queue_themselves(struct ktap *t)
{
	struct job job;

	job_init(&job, again);
	schedule_work(&job.work);
	wait_for_completion(&job.begun);
	cancel_work_sync(&job.work);
	KT_EQ(t, atomic_read(&job.runs), 5);
}

static void wait_for_myself(struct work_struct *work)
{
	flush_work(work);
	cancel_work_sync(work);
	flush_workqueue(system_wq);
}

static void waiting_for_myself_warns(struct ktap *t)
{
	struct job job;

	job_init(&job, wait_for_myself);
	ktap_expect_warn(t, "flush_work(): called from the item itself");
	ktap_expect_warn(t, "cancel_work_sync(): called from the item itself");
	ktap_expect_warn(t, "flush_workqueue(events): called from an item on it");
	ktap_expect_warn(t, "destroy_workqueue(events): a system queue");
	schedule_work(&job.work);
	flush_work(&job.work);
	destroy_workqueue(system_wq);
}

static DEFINE_SPINLOCK(leaked_lock);

static void keep_a_lock(struct work_struct *work)
{
	spin_lock(&leaked_lock);
	complete(&container_of(work, struct job, work)->begun);
	while (!completion_done(&container_of(work, struct job, work)->go_on))
		cpu_relax();
	spin_unlock(&leaked_lock);
}

static void queueing_works_in_atomic_context(struct ktap *t)
{
	struct job job, other;

	job_init(&job, keep_a_lock);
	job_init(&other, job_run);
	schedule_work(&job.work);
	wait_for_completion(&job.begun);
	KT_CHECK(t, !spin_trylock(&leaked_lock));
	rcu_read_lock();
	KT_CHECK(t, schedule_work(&other.work));
	rcu_read_unlock();
	complete(&job.go_on);
	flush_work(&job.work);
	flush_work(&other.work);
	KT_EQ(t, atomic_read(&other.runs), 1);
}

struct later {
	struct delayed_work dwork;
	atomic_t runs;
	unsigned long when;
	struct completion ran;
};

static void later_run(struct work_struct *work)
{
	struct later *later = container_of(to_delayed_work(work), struct later, dwork);

	WRITE_ONCE(later->when, jiffies);
	atomic_inc(&later->runs);
	complete(&later->ran);
}

static void later_init(struct later *later)
{
	INIT_DELAYED_WORK(&later->dwork, later_run);
	atomic_set(&later->runs, 0);
	init_completion(&later->ran);
}

static void later_done(struct later *later)
{
	cancel_delayed_work_sync(&later->dwork);
	destroy_delayed_work_on_stack(&later->dwork);
}

static void delayed_items_are_not_early(struct ktap *t)
{
	unsigned long start = jiffies;
	struct later later;

	later_init(&later);
	KT_CHECK(t, schedule_delayed_work(&later.dwork, 3));
	KT_CHECK(t, !schedule_delayed_work(&later.dwork, 0));
	wait_for_completion(&later.ran);
	KT_CHECK(t, time_after_eq(READ_ONCE(later.when), start + 3));
	KT_CHECK(t, schedule_delayed_work(&later.dwork, 0));
	wait_for_completion(&later.ran);
	KT_EQ(t, atomic_read(&later.runs), 2);
	later_done(&later);
}

static void delayed_items_can_be_cancelled(struct ktap *t)
{
	struct later later;

	later_init(&later);
	KT_CHECK(t, !cancel_delayed_work(&later.dwork));
	schedule_delayed_work(&later.dwork, 1000 * HZ);
	KT_CHECK(t, delayed_work_pending(&later.dwork));
	KT_CHECK(t, cancel_delayed_work(&later.dwork));
	KT_CHECK(t, !delayed_work_pending(&later.dwork));
	schedule_delayed_work(&later.dwork, 1000 * HZ);
	KT_CHECK(t, cancel_delayed_work_sync(&later.dwork));
	KT_CHECK(t, !cancel_delayed_work_sync(&later.dwork));
	KT_EQ(t, atomic_read(&later.runs), 0);
	later_done(&later);
}

static void delayed_items_are_flushed_before_their_time(struct ktap *t)
{
	struct later later;

	later_init(&later);
	KT_CHECK(t, !flush_delayed_work(&later.dwork));
	schedule_delayed_work(&later.dwork, 1000 * HZ);
	/* Not queued yet, so there is nothing that flush_work() could wait for. */
	KT_CHECK(t, !flush_work(&later.dwork.work));
	KT_EQ(t, atomic_read(&later.runs), 0);
	/* It says whether it had to wait, as in Linux: the item may have run before it looked. */
	flush_delayed_work(&later.dwork);
	KT_EQ(t, atomic_read(&later.runs), 1);
	later_done(&later);
}

static void delays_can_be_changed(struct ktap *t)
{
	struct later later;

	later_init(&later);
	KT_CHECK(t, !mod_delayed_work(system_wq, &later.dwork, 1000 * HZ));
	KT_CHECK(t, mod_delayed_work(system_wq, &later.dwork, 1));
	wait_for_completion(&later.ran);
	mod_delayed_work(system_wq, &later.dwork, 1000 * HZ);
	KT_CHECK(t, mod_delayed_work(system_wq, &later.dwork, 0));
	wait_for_completion(&later.ran);
	later_done(&later);
	KT_EQ(t, atomic_read(&later.runs), 2);
}

/* In its own memory: a call after the cancellation would use it after it was freed. */
static void cancellation_meets_the_timer(struct ktap *t)
{
	for (int i = 0; i < (ktap_long ? 2000 : 100); i++) {
		struct later *later = kzalloc(sizeof(*later), GFP_KERNEL);

		KT_ASSERT(t, later);
		later_init(later);
		schedule_delayed_work(&later->dwork, 1);
		udelay(i * 13 % 2000); /* the timer's milliseconds, before, at and after its time */
		if (i & 1)
			mod_delayed_work(system_wq, &later->dwork, 1);
		cancel_delayed_work_sync(&later->dwork);
		KT_CHECK(t, !delayed_work_pending(&later->dwork));
		kfree(later);
	}
}

struct repeating {
	struct work_struct work;
	struct workqueue_struct *wq;
	struct task_struct *ran_in;
	int runs;
};

static void repeat(struct work_struct *work)
{
	struct repeating *repeating = container_of(work, struct repeating, work);

	repeating->ran_in = current;
	repeating->runs++;
	queue_work(repeating->wq, work);
}

/* Nobody has a thread for it, and the item queues itself again: only what was waited for is run. */
static void without_threads_a_flusher_works(struct ktap *t)
{
	struct repeating repeating = { .wq = alloc_workqueue("lonely", 0, 1) };
	struct job job;

	job_init(&job, job_run);
	INIT_WORK(&repeating.work, repeat);
	port_fail_from(PORT_FAULT_THREAD, 1);
	queue_work(repeating.wq, &repeating.work);
	queue_work(repeating.wq, &job.work);
	flush_work(&job.work);
	KT_EQ(t, atomic_read(&job.runs), 1);
	KT_EQ(t, repeating.runs, 1);
	KT_CHECK(t, repeating.ran_in == current);
	flush_workqueue(repeating.wq);
	KT_EQ(t, repeating.runs, 2);
	cancel_work_sync(&repeating.work);
	KT_CHECK(t, port_fault_count(PORT_FAULT_THREAD) >= 3);
	port_fail_from(PORT_FAULT_THREAD, 0);
	destroy_workqueue(repeating.wq);
}

KTAP_MAIN(KTAP_CASE(runs_once_per_queueing), KTAP_CASE(is_queued_at_most_once),
	  KTAP_CASE(never_runs_twice_at_once), KTAP_CASE(items_may_wait_for_each_other),
	  KTAP_CASE(cancelled_items_do_not_run), KTAP_CASE(items_may_free_themselves),
	  KTAP_CASE(items_may_queue_themselves), KTAP_CASE(waiting_for_myself_warns),
	  KTAP_CASE(queueing_works_in_atomic_context), KTAP_CASE(delayed_items_are_not_early),
	  KTAP_CASE(delayed_items_can_be_cancelled),
	  KTAP_CASE(delayed_items_are_flushed_before_their_time), KTAP_CASE(delays_can_be_changed),
	  KTAP_CASE(cancellation_meets_the_timer), KTAP_CASE(without_threads_a_flusher_works))
