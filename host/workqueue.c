/* SPDX-License-Identifier: MIT */
/*
 * workqueue.c - queues of work items and the kthreads that run them
 *
 * Invariants (all under work_lock)
 *   1  A worker's `item` is what it runs; the item itself may be freed by then, so only its address
 *      counts.
 *   2  An item that runs is queued again on the same queue, and stays there until that run has
 *      ended.
 *   3  Each queueing has a number, seq, growing over all queues: "done up to n" is well defined.
 *
 *   4  An item that waits for its time is pending and delayed, and on no queue.
 *   5  Who waits for an item of a queue that has no worker, because the system has no thread left,
 *      runs what was queued before itself.
 *
 * Locks: work_lock -> the timers' lock.
 *
 * Deliberately not here: priorities, one pool for all queues.
 */
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "host/task.h"
#include "host/timer.h"

#include <pthread.h>
#include <stdlib.h>

/* What max_active 0 means: enough that items which wait for each other make progress. */
#define WORKERS_DEFAULT 8

struct workqueue_struct {
	char name[TASK_COMM_LEN];
	int max_active;

	/* under work_lock */
	struct list_head items;
	struct list_head workers;
	int nr_workers;
	int nr_items; /* queued or running */
	bool dying;
	struct list_head all;

	struct wait_queue_head more; /* idle workers */
};

struct worker {
	struct workqueue_struct *wq;

	/* under work_lock */
	struct list_head node;
	struct task_struct *task;
	struct work_struct *item;
	u64 seq;
	u64 until; /* not 0: a flusher, for items up to this number */
	bool end;
};

static DEFINE_SPINLOCK(work_lock);
static u64 last_seq;                          /* under work_lock */
static DECLARE_WAIT_QUEUE_HEAD(work_done_wq); /* flushers */
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

#define SYSTEM_WQ(var, link_prev, link_next)                                                     \
	{                                                                                        \
		.name = #var, .max_active = WORKERS_DEFAULT, .items = LIST_HEAD_INIT(var.items), \
		.workers = LIST_HEAD_INIT(var.workers), .all = { link_next, link_prev },         \
		.more = __WAIT_QUEUE_HEAD_INITIALIZER(var.more),                                 \
	}

/* One serves all system queues: the host has no CPUs or priorities to keep apart. */
static struct list_head all_queues;
static struct workqueue_struct events = SYSTEM_WQ(events, &all_queues, &all_queues);
static struct list_head all_queues = { &events.all, &events.all };

struct workqueue_struct *const system_wq = &events;
struct workqueue_struct *const system_unbound_wq = &events;
struct workqueue_struct *const system_highpri_wq = &events;
struct workqueue_struct *const system_long_wq = &events;

/* The worker that runs @work, on any queue. */
static struct worker *work_runner(const struct work_struct *work)
{
	struct workqueue_struct *wq;
	struct worker *worker;

	lockdep_assert_held(&work_lock);
	list_for_each_entry(wq, &all_queues, all)
		list_for_each_entry(worker, &wq->workers, node)
			if (worker->item == work)
				return worker;
	return NULL;
}

/* --- workers ---------------------------------------------------------------------------------- */

/* An idle worker's condition: there is an item for it, or its queue ends. */
static bool worker_take(struct worker *worker)
{
	struct workqueue_struct *wq = worker->wq;
	struct work_struct *work;

	spin_lock(&work_lock);
	list_for_each_entry(work, &wq->items, entry) {
		if (work_runner(work) || (worker->until && work->seq > worker->until))
			continue;
		list_del_init(&work->entry);
		work->pending = false;
		worker->item = work;
		worker->seq = work->seq;
		break;
	}
	worker->end = !worker->item && (worker->until || wq->dying || kthread_should_stop()) &&
		      list_empty(&wq->items);
	spin_unlock(&work_lock);
	return worker->item || worker->end;
}

static void worker_run(struct worker *worker)
{
	worker->item->func(worker->item);
	WARN(worker->task->spin_depth, "%s: a work item ended with a spinlock held",
	     worker->wq->name);

	spin_lock(&work_lock);
	worker->item = NULL;
	worker->wq->nr_items--;
	spin_unlock(&work_lock);
	wake_up_all(&work_done_wq);
}

/* Under work_lock up to the last access: destroy_workqueue() frees the queue when none is left. */
static void worker_free(struct worker *worker)
{
	spin_lock(&work_lock);
	list_del(&worker->node);
	worker->wq->nr_workers--;
	wake_up_all(&work_done_wq);
	spin_unlock(&work_lock);
	free(worker);
}

static int worker_main(void *data)
{
	struct worker *worker = data;
	struct workqueue_struct *wq = worker->wq;

	spin_lock(&work_lock);
	worker->task = current;
	spin_unlock(&work_lock);
	for (;;) {
		___wait_event_state(wq->more, worker_take(worker), TASK_IDLE, 1);
		if (worker->end)
			break;
		worker_run(worker);
	}
	worker_free(worker);
	return 0;
}

static void work_fork_prepare(void)
{
	spin_lock(&work_lock);
}

static void work_fork_parent(void)
{
	spin_unlock(&work_lock);
}

/* Workers stayed behind, with the items they ran; queued items wait for the first worker here. */
static void work_fork_child(void)
{
	struct workqueue_struct *wq;
	struct worker *worker, *next;
	struct work_struct *work;

	list_for_each_entry(wq, &all_queues, all) {
		list_for_each_entry_safe(worker, next, &wq->workers, node)
			free(worker);
		INIT_LIST_HEAD(&wq->workers);
		wq->nr_workers = 0;
		wq->nr_items = 0;
		list_for_each_entry(work, &wq->items, entry)
			wq->nr_items++;
		init_waitqueue_head(&wq->more);
	}
	init_waitqueue_head(&work_done_wq);
	spin_unlock(&work_lock);
}

static void work_init_once(void)
{
	host_timer_fork_init();
	pthread_atfork(work_fork_prepare, work_fork_parent, work_fork_child);
}

/*
 * Wake a worker for what has just been queued, or make room for one more and return it, to be
 * started when the lock is dropped.  Counted already, it keeps @wq from being freed until then.
 */
static struct worker *worker_reserve(struct workqueue_struct *wq)
{
	struct worker *worker = NULL;

	lockdep_assert_held(&work_lock);
	if (wq->nr_workers < min(wq->nr_items, wq->max_active))
		worker = calloc(1, sizeof(*worker));
	if (worker) {
		worker->wq = wq;
		list_add_tail(&worker->node, &wq->workers);
		wq->nr_workers++;
	}
	wake_up(&wq->more);
	return worker;
}

/* Gives it back if it cannot: what is queued waits for the next worker, or for a flusher. */
static void worker_start(struct worker *worker)
{
	if (host_worker_start(worker_main, worker, worker->wq->name))
		return;
	pr_err("workqueue %s: no thread for a worker\n", worker->wq->name);
	worker_free(worker);
}

/* Invariant 5. */
static void worker_stand_in(struct worker *worker, u64 until)
{
	spin_lock(&work_lock);
	worker->task = current;
	worker->until = until;
	spin_unlock(&work_lock);
	while (worker_take(worker) && !worker->end)
		worker_run(worker);
	worker_free(worker);
}

/* --- queueing --------------------------------------------------------------------------------- */

/* Under work_lock, for an item that is neither queued nor delayed. Returns a worker to start. */
static struct worker *work_insert(struct workqueue_struct *wq, struct work_struct *work)
{
	struct worker *runs = work_runner(work);

	if (runs)
		wq = runs->wq;
	WARN(wq->dying, "queue_work(%s): the queue is being destroyed", wq->name);
	work->pending = true;
	work->delayed = false;
	work->seq = ++last_seq;
	list_add_tail(&work->entry, &wq->items);
	wq->nr_items++;
	return worker_reserve(wq);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	struct worker *another = NULL;
	bool queue;

	pthread_once(&fork_once, work_init_once);
	spin_lock(&work_lock);
	queue = !work->pending && !work->cancelling;
	if (queue)
		another = work_insert(wq, work);
	spin_unlock(&work_lock);
	if (another)
		worker_start(another);
	return queue;
}

bool work_pending(struct work_struct *work)
{
	return work_busy(work) & WORK_BUSY_PENDING;
}

unsigned int work_busy(struct work_struct *work)
{
	unsigned int busy = 0;

	spin_lock(&work_lock);
	if (work->pending)
		busy |= WORK_BUSY_PENDING;
	if (work_runner(work))
		busy |= WORK_BUSY_RUNNING;
	spin_unlock(&work_lock);
	return busy;
}

/* --- waiting for it --------------------------------------------------------------------------- */

/* Under work_lock. */
static bool work_queued(const struct work_struct *work)
{
	return work->pending && !work->delayed;
}

static bool work_done(const struct work_struct *work, u64 seq)
{
	struct worker *runs;
	bool done;

	spin_lock(&work_lock);
	runs = work_runner(work);
	done = !(work_queued(work) && work->seq <= seq) && !(runs && runs->seq <= seq);
	spin_unlock(&work_lock);
	return done;
}

/* Under work_lock. */
static bool runs_in_me(const struct work_struct *work)
{
	struct worker *runs = work_runner(work);

	return runs && runs->task == current;
}

/* Under work_lock. U64_MAX: nothing is queued */
static u64 oldest_seq(struct workqueue_struct *wq)
{
	struct work_struct *work = list_first_entry_or_null(&wq->items, struct work_struct, entry);

	return work ? work->seq : U64_MAX;
}

/* After a fork, or without a thread at the time, nobody may have been started for what is queued.
 */
static void workers_ensure(u64 until)
{
	struct workqueue_struct *wq;
	struct worker *worker;

	do {
		worker = NULL;
		spin_lock(&work_lock);
		list_for_each_entry(wq, &all_queues, all)
			if (!worker && !wq->nr_workers && oldest_seq(wq) <= until)
				worker = worker_reserve(wq);
		spin_unlock(&work_lock);
		if (worker && !host_worker_start(worker_main, worker, worker->wq->name))
			worker_stand_in(worker, until);
	} while (worker);
}

bool flush_work(struct work_struct *work)
{
	struct worker *runs;
	bool self, busy;
	u64 seq = 0;

	might_sleep();
	spin_lock(&work_lock);
	runs = work_runner(work);
	self = runs_in_me(work);
	busy = work_queued(work) || runs;
	if (busy)
		seq = work_queued(work) ? work->seq : runs->seq;
	spin_unlock(&work_lock);
	if (WARN(self, "flush_work(): called from the item itself") || !busy)
		return false;
	workers_ensure(seq);
	wait_event(work_done_wq, work_done(work, seq));
	return true;
}

static bool queue_done(const struct workqueue_struct *wq, u64 seq)
{
	struct work_struct *work;
	struct worker *worker;
	bool done = true;

	spin_lock(&work_lock);
	list_for_each_entry(work, &wq->items, entry)
		if (work->seq <= seq)
			done = false;
	list_for_each_entry(worker, &wq->workers, node)
		if (worker->item && worker->seq <= seq)
			done = false;
	spin_unlock(&work_lock);
	return done;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	struct worker *worker;
	bool self = false;
	u64 seq;

	might_sleep();
	spin_lock(&work_lock);
	seq = last_seq;
	list_for_each_entry(worker, &wq->workers, node)
		if (worker->task == current)
			self = true;
	spin_unlock(&work_lock);
	if (WARN(self, "flush_workqueue(%s): called from an item on it", wq->name))
		return;
	workers_ensure(seq);
	wait_event(work_done_wq, queue_done(wq, seq));
}

/* Under work_lock. */
static bool work_unqueue(struct work_struct *work)
{
	struct workqueue_struct *wq;
	struct work_struct *other;

	if (!work->pending)
		return false;
	list_for_each_entry(wq, &all_queues, all)
		list_for_each_entry(other, &wq->items, entry)
			if (other == work) {
				list_del_init(&work->entry);
				work->pending = false;
				wq->nr_items--;
				return true;
			}
	return false;
}

/*
 * Take @work off its queue or its timer and return, with work_lock held, whether it was pending.  A
 * timer that is being called will queue it as soon as it gets the lock.
 */
static bool work_grab(struct work_struct *work) __acquires(&work_lock)
{
	for (;;) {
		spin_lock(&work_lock);
		if (!work->delayed)
			return work_unqueue(work);
		if (timer_delete(&to_delayed_work(work)->timer)) {
			work->delayed = false;
			work->pending = false;
			return true;
		}
		spin_unlock(&work_lock);
		port_yield();
	}
}

bool cancel_work(struct work_struct *work)
{
	bool unqueued = work_grab(work);

	spin_unlock(&work_lock);
	return unqueued;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool unqueued, self;
	u64 seq;

	might_sleep();
	unqueued = work_grab(work);
	self = runs_in_me(work);
	if (!self)
		work->cancelling++;
	seq = last_seq;
	spin_unlock(&work_lock);
	if (WARN(self, "cancel_work_sync(): called from the item itself"))
		return unqueued;
	wait_event(work_done_wq, work_done(work, seq));
	spin_lock(&work_lock);
	work->cancelling--;
	spin_unlock(&work_lock);
	return unqueued;
}

/* --- after a delay ---------------------------------------------------------------------------- */

void host_delayed_work_timer(struct timer_list *timer)
{
	struct delayed_work *dwork = from_timer(dwork, timer, timer);
	struct worker *another;

	spin_lock(&work_lock);
	another = work_insert(dwork->wq, &dwork->work);
	spin_unlock(&work_lock);
	if (another)
		worker_start(another);
}

/* Under work_lock, for an item that is not pending. Returns a worker to start. */
static struct worker *work_delay(struct workqueue_struct *wq, struct delayed_work *dwork,
				 unsigned long delay)
{
	if (!delay)
		return work_insert(wq, &dwork->work);
	dwork->wq = wq;
	dwork->work.pending = true;
	dwork->work.delayed = true;
	mod_timer(&dwork->timer, jiffies + delay);
	return NULL;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
			unsigned long delay)
{
	struct worker *another = NULL;
	bool queue;

	pthread_once(&fork_once, work_init_once);
	spin_lock(&work_lock);
	queue = !dwork->work.pending && !dwork->work.cancelling;
	if (queue)
		another = work_delay(wq, dwork, delay);
	spin_unlock(&work_lock);
	if (another)
		worker_start(another);
	return queue;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)
{
	struct worker *another = NULL;
	bool pending;

	pthread_once(&fork_once, work_init_once);
	pending = work_grab(&dwork->work);
	if (!dwork->work.cancelling)
		another = work_delay(wq, dwork, delay);
	spin_unlock(&work_lock);
	if (another)
		worker_start(another);
	return pending;
}

bool flush_delayed_work(struct delayed_work *dwork)
{
	struct worker *another = NULL;

	might_sleep();
	spin_lock(&work_lock);
	while (dwork->work.delayed) {
		if (timer_delete(&dwork->timer)) {
			another = work_insert(dwork->wq, &dwork->work);
			break;
		}
		/* It is being called and waits for the lock. */
		spin_unlock(&work_lock);
		port_yield();
		spin_lock(&work_lock);
	}
	spin_unlock(&work_lock);
	if (another)
		worker_start(another);
	return flush_work(&dwork->work);
}

bool cancel_delayed_work(struct delayed_work *dwork)
{
	return cancel_work(&dwork->work);
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	return cancel_work_sync(&dwork->work);
}

/* --- queues ----------------------------------------------------------------------------------- */

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);
	va_list args;

	if (!wq)
		return NULL;
	va_start(args, max_active);
	vscnprintf(wq->name, sizeof(wq->name), fmt, args);
	va_end(args);
	wq->max_active = flags & __WQ_ORDERED ? 1 : max_active ?: WORKERS_DEFAULT;
	INIT_LIST_HEAD(&wq->items);
	INIT_LIST_HEAD(&wq->workers);
	init_waitqueue_head(&wq->more);
	spin_lock(&work_lock);
	list_add_tail(&wq->all, &all_queues);
	spin_unlock(&work_lock);
	return wq;
}

static bool queue_is_empty(const struct workqueue_struct *wq)
{
	bool empty;

	spin_lock(&work_lock);
	empty = !wq->nr_workers;
	spin_unlock(&work_lock);
	return empty;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	if (WARN(wq == &events, "destroy_workqueue(%s): a system queue", wq->name))
		return;
	flush_workqueue(wq);
	spin_lock(&work_lock);
	wq->dying = true;
	spin_unlock(&work_lock);
	wake_up_all(&wq->more);
	wait_event(work_done_wq, queue_is_empty(wq));
	spin_lock(&work_lock);
	list_del(&wq->all);
	spin_unlock(&work_lock);
	kfree(wq);
}
