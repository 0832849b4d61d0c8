/* SPDX-License-Identifier: MIT */
/*
 * timer.c - the queue of pending timers and the thread that calls their functions
 *
 * Invariants
 *   1  timers is in order of expiry.  The thread sleeps until the first is due, and is woken when
 *      a new first one is queued.
 *   2  running is the timer whose function runs; only its address counts, it may be freed.
 *      runs_ended changes after each: who waits for a function sleeps on that word.
 *   3  While somebody waits, no function begins: one that starts its timer again at once could
 *      otherwise run for ever before he looks.
 *
 * Deliberately not here: a wheel.  Starting a timer walks the list from its end, for the few tens
 * of timers that buffers' drivers have.
 */
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include "host/task.h"
#include "host/timer.h"

#include <pthread.h>

static DEFINE_SPINLOCK(timer_lock);

/* under timer_lock */
static LIST_HEAD(timers);
static struct timer_list *running;
static struct task_struct *runner; /* the thread, inside a function */
static struct task_struct *thread; /* once it has begun */
static bool thread_runs;           /* or will */
static unsigned int nr_waiting;

/* changed under timer_lock, slept on without */
static u32 runs_ended;

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* Under timer_lock: let the thread look again. */
static void thread_kick(void)
{
	if (thread)
		wake_up_process(thread);
}

/* Under timer_lock: returns whether it was pending. */
static bool timer_unqueue(struct timer_list *timer)
{
	bool queued = timer->queued;

	lockdep_assert_held(&timer_lock);
	if (queued) {
		list_del_init(&timer->entry);
		WRITE_ONCE(timer->queued, false);
	}
	return queued;
}

/* Called, and returning, with timer_lock held. */
static void timer_call(struct timer_list *timer)
{
	void (*function)(struct timer_list *) = timer->function;
	bool irqsafe = timer->flags & TIMER_IRQSAFE;
	struct task_struct *task = current;

	timer_unqueue(timer);
	running = timer;
	runner = task;
	spin_unlock(&timer_lock);

	preempt_disable();
	if (irqsafe)
		local_irq_disable();
	function(timer);
	WARN(task->spin_depth, "a timer's function ended with a spinlock held");
	if (irqsafe)
		local_irq_enable();
	preempt_enable();

	spin_lock(&timer_lock);
	running = NULL;
	runner = NULL;
	WRITE_ONCE(runs_ended, runs_ended + 1);
	port_wake(&runs_ended, INT_MAX);
}

/* Calls what is due; returns the jiffies until there is more to do. */
static long timers_run(void)
{
	struct timer_list *timer;
	long left = MAX_SCHEDULE_TIMEOUT;

	spin_lock(&timer_lock);
	while (!nr_waiting &&
	       (timer = list_first_entry_or_null(&timers, struct timer_list, entry))) {
		left = (long)(timer->expires - jiffies);
		if (left > 0)
			break;
		timer_call(timer);
		left = MAX_SCHEDULE_TIMEOUT;
	}
	spin_unlock(&timer_lock);
	return left;
}

static int timer_thread(void *data)
{
	long left;

	spin_lock(&timer_lock);
	thread = current;
	spin_unlock(&timer_lock);
	while (!kthread_should_stop()) {
		/* Before the look at the list: a timer queued after it wakes this thread. */
		set_current_state(TASK_IDLE);
		left = timers_run();
		if (!kthread_should_stop())
			schedule_timeout(left);
	}
	__set_current_state(TASK_RUNNING);
	spin_lock(&timer_lock);
	thread = NULL;
	thread_runs = false;
	spin_unlock(&timer_lock);
	return 0;
}

static void timer_fork_prepare(void)
{
	spin_lock(&timer_lock);
}

static void timer_fork_parent(void)
{
	spin_unlock(&timer_lock);
}

/* The thread stayed behind, with the function it was in; what is pending waits for a new one. */
static void timer_fork_child(void)
{
	thread = NULL;
	thread_runs = false;
	running = NULL;
	runner = NULL;
	nr_waiting = 0;
	spin_unlock(&timer_lock);
}

static void timer_init_once(void)
{
	pthread_atfork(timer_fork_prepare, timer_fork_parent, timer_fork_child);
}

void host_timer_fork_init(void)
{
	pthread_once(&fork_once, timer_init_once);
}

static void thread_ensure(void)
{
	bool start;

	spin_lock(&timer_lock);
	start = !thread_runs;
	thread_runs = true;
	spin_unlock(&timer_lock);
	if (!start || host_worker_start(timer_thread, NULL, "timers"))
		return;
	pr_err("timers: no thread to call them\n");
	spin_lock(&timer_lock);
	thread_runs = false;
	spin_unlock(&timer_lock);
}

/* Under timer_lock. */
static void timer_queue(struct timer_list *timer, unsigned long expires)
{
	struct timer_list *before;

	lockdep_assert_held(&timer_lock);
	timer->expires = expires;
	list_for_each_entry_reverse(before, &timers,
				    entry) if (time_after_eq(expires, before->expires)) break;
	list_add(&timer->entry, &before->entry);
	WRITE_ONCE(timer->queued, true);
	if (list_is_first(&timer->entry, &timers))
		thread_kick();
}

void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *), u32 flags)
{
	INIT_LIST_HEAD(&timer->entry);
	timer->expires = 0;
	timer->function = function;
	timer->queued = false;
	timer->flags = flags;
}

void destroy_timer_on_stack(struct timer_list *timer)
{
	WARN(timer_pending(timer), "destroy_timer_on_stack(): the timer is pending");
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	bool start, pending;

	host_timer_fork_init();
	spin_lock(&timer_lock);
	start = timer->function;
	pending = timer_unqueue(timer);
	if (start)
		timer_queue(timer, expires);
	spin_unlock(&timer_lock);
	if (start)
		thread_ensure();
	return pending;
}

void add_timer(struct timer_list *timer)
{
	if (WARN(timer_pending(timer), "add_timer(): the timer is pending"))
		return;
	mod_timer(timer, timer->expires);
}

/* Under timer_lock, which it drops meanwhile. */
static void timer_wait(struct timer_list *timer)
{
	u32 seen;

	nr_waiting++;
	while (running == timer) {
		seen = runs_ended;
		spin_unlock(&timer_lock);
		port_wait(&runs_ended, seen, PORT_FOREVER);
		spin_lock(&timer_lock);
	}
	if (!--nr_waiting)
		thread_kick();
}

static int timer_stop(struct timer_list *timer, bool wait, bool for_good)
{
	bool queued, runs, self;

	spin_lock(&timer_lock);
	runs = wait && running == timer;
	self = runs && runner == current;
	if (runs && !self)
		timer_wait(timer);
	queued = timer_unqueue(timer);
	if (for_good)
		timer->function = NULL;
	spin_unlock(&timer_lock);
	WARN(self, "timer_delete_sync(): called from the timer's own function");
	return queued;
}

int timer_delete(struct timer_list *timer)
{
	return timer_stop(timer, false, false);
}

int timer_delete_sync(struct timer_list *timer)
{
	return timer_stop(timer, true, false);
}

int timer_shutdown(struct timer_list *timer)
{
	return timer_stop(timer, false, true);
}

int timer_shutdown_sync(struct timer_list *timer)
{
	return timer_stop(timer, true, true);
}
