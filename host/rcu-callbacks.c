/* SPDX-License-Identifier: MIT */
/*
 * rcu-callbacks.c - what both engines share: the queue of callbacks, the worker that runs them
 * after a grace period, kfree_rcu() and the guards of synchronize_rcu()
 *
 * Invariants
 *   1  Callbacks are in `queued` or, their grace period begun, in `batch`, in order; the one that
 *      runs is in neither.
 *   2  nr_done counts finished callbacks, in order, so "nr_done >= n" means the first n have run.
 *   3  Before a fork the engine's locks are taken first, then cb_lock: a reader whom a grace period
 *      waits for may be in call_rcu().
 */
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "host/rcu.h"
#include "host/task.h"

#include <pthread.h>

struct callbacks {
	struct rcu_head *first, **last;
};

static DEFINE_SPINLOCK(cb_lock);

/* under cb_lock */
static struct callbacks queued = { NULL, &queued.first };
static struct callbacks batch = { NULL, &batch.first };
static u64 nr_queued;
static bool worker_runs;

static atomic64_t nr_done;

static DECLARE_WAIT_QUEUE_HEAD(worker_wq);
static DECLARE_WAIT_QUEUE_HEAD(barrier_wq);
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* The task inside a callback: it cannot wait for callbacks. */
static struct task_struct *runner;

void host_rcu_unbalanced(void)
{
	WARN(1, "rcu_read_unlock(): not inside a reader section");
}

void synchronize_rcu(void)
{
	might_sleep();
	if (rcu_read_lock_held())
		return; /* might_sleep() has said so; to wait for myself would be for ever */
	host_rcu_follow_forks();
	host_rcu_grace_period();
}

static void callbacks_move(struct callbacks *from, struct callbacks *to)
{
	if (!from->first)
		return;
	*to->last = from->first;
	to->last = from->last;
	from->first = NULL;
	from->last = &from->first;
}

static struct rcu_head *batch_pop(void)
{
	struct rcu_head *head;

	spin_lock(&cb_lock);
	head = batch.first;
	if (head) {
		batch.first = head->next;
		if (!batch.first)
			batch.last = &batch.first;
	}
	spin_unlock(&cb_lock);
	return head;
}

static void callback_run(struct rcu_head *head)
{
	uintptr_t func = (uintptr_t)head->func;

	if (func < HOST_RCU_OFFSET_MAX)
		kfree((char *)head - func);
	else
		head->func(head);
}

static bool callbacks_waiting(void)
{
	bool waiting;

	spin_lock(&cb_lock);
	waiting = queued.first;
	spin_unlock(&cb_lock);
	return waiting;
}

static void run_batch(void)
{
	struct rcu_head *head;

	spin_lock(&cb_lock);
	callbacks_move(&queued, &batch);
	spin_unlock(&cb_lock);
	synchronize_rcu();
	WRITE_ONCE(runner, current);
	while ((head = batch_pop())) {
		callback_run(head);
		atomic64_fetch_add_release(1, &nr_done);
	}
	WRITE_ONCE(runner, NULL);
	wake_up_all(&barrier_wq);
}

/* Under cb_lock together: who queues after this starts another worker. */
static bool worker_ends(void)
{
	bool ends;

	spin_lock(&cb_lock);
	ends = kthread_should_stop() && !queued.first;
	if (ends)
		worker_runs = false;
	spin_unlock(&cb_lock);
	return ends;
}

static int worker_main(void *unused)
{
	for (;;) {
		wait_event_idle(worker_wq, callbacks_waiting() || kthread_should_stop());
		if (worker_ends())
			return 0;
		run_batch();
	}
}

static void rcu_fork_prepare(void)
{
	host_rcu_fork_prepare();
	spin_lock(&cb_lock);
}

static void rcu_fork_parent(void)
{
	spin_unlock(&cb_lock);
	host_rcu_fork_parent();
}

/* The worker and whoever waited for it stayed behind; the callback it was in, if any, is theirs. */
static void rcu_fork_child(void)
{
	u64 waiting = 0;

	callbacks_move(&queued, &batch);
	callbacks_move(&batch, &queued);
	for (struct rcu_head *head = queued.first; head; head = head->next)
		waiting++;
	atomic64_set(&nr_done, (s64)(nr_queued - waiting));
	worker_runs = false;
	runner = NULL;
	init_waitqueue_head(&worker_wq);
	init_waitqueue_head(&barrier_wq);
	spin_unlock(&cb_lock);
	host_rcu_fork_child();
}

static void follow_forks_once(void)
{
	pthread_atfork(rcu_fork_prepare, rcu_fork_parent, rcu_fork_child);
}

void host_rcu_follow_forks(void)
{
	pthread_once(&fork_once, follow_forks_once);
}

/* Returns whether there is a worker now. */
static bool worker_ensure(void)
{
	bool start;

	host_rcu_follow_forks();
	spin_lock(&cb_lock);
	start = !worker_runs;
	worker_runs = true;
	spin_unlock(&cb_lock);
	if (!start || host_worker_start(worker_main, NULL, "rcu"))
		return true;
	spin_lock(&cb_lock);
	worker_runs = false;
	spin_unlock(&cb_lock);
	return false;
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	head->next = NULL;
	head->func = func;
	spin_lock(&cb_lock);
	*queued.last = head;
	queued.last = &head->next;
	nr_queued++;
	spin_unlock(&cb_lock);
	/* Without a worker the callbacks wait for the next call, or for rcu_barrier(). */
	if (worker_ensure())
		wake_up(&worker_wq);
}

static bool callbacks_done(u64 count)
{
	return (u64)atomic64_read_acquire(&nr_done) >= count;
}

void rcu_barrier(void)
{
	u64 target;

	might_sleep();
	if (WARN(READ_ONCE(runner) == current, "rcu_barrier(): called from an RCU callback"))
		return;
	spin_lock(&cb_lock);
	target = nr_queued;
	spin_unlock(&cb_lock);
	while (!callbacks_done(target)) {
		if (worker_ensure()) {
			wake_up(&worker_wq);
			wait_event(barrier_wq, callbacks_done(target));
		} else {
			run_batch();
		}
	}
}

void kfree_rcu_mightsleep(const void *ptr)
{
	if (!ptr)
		return;
	synchronize_rcu();
	kfree(ptr);
}
