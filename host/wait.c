/* SPDX-License-Identifier: MIT */
/*
 * wait.c - wait queues, completions, and the shared queues of variables
 *
 * Invariants
 *   1  An entry is on its queue from before the state is set until it is taken off under the
 *      queue's lock, by its waiter or by autoremove_wake_function(): while the lock is held, the
 *      task of a queued entry lives.
 *   2  The waker's last access to an entry is the release store that makes it look empty.
 */
#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/wait.h>

void __init_waitqueue_head(struct wait_queue_head *wq, const char *name)
{
	__spin_lock_init(&wq->lock, name);
	INIT_LIST_HEAD(&wq->head);
}

int default_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	return wake_up_state(entry->private, mode);
}

int autoremove_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags,
			     void *key)
{
	int woken = default_wake_function(entry, mode, flags, key);

	if (woken)
		list_del_init_careful(&entry->entry);
	return woken;
}

int woken_wake_function(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	__atomic_fetch_or(&entry->flags, WQ_FLAG_WOKEN, __ATOMIC_SEQ_CST);
	return default_wake_function(entry, mode, flags, key);
}

long wait_woken(struct wait_queue_entry *entry, unsigned int mode, long timeout)
{
	/* The state is set before the flag is looked at: who sets it later wakes us. */
	set_current_state(mode);
	if (!(READ_ONCE(entry->flags) & WQ_FLAG_WOKEN) &&
	    !(current->kthread && kthread_should_stop()))
		timeout = schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
	__atomic_fetch_and(&entry->flags, ~WQ_FLAG_WOKEN, __ATOMIC_SEQ_CST);
	return timeout;
}

void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	spin_lock(&wq->lock);
	__add_wait_queue(wq, entry);
	spin_unlock(&wq->lock);
}

void add_wait_queue_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	entry->flags |= WQ_FLAG_EXCLUSIVE;
	spin_lock(&wq->lock);
	__add_wait_queue_entry_tail(wq, entry);
	spin_unlock(&wq->lock);
}

void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	spin_lock(&wq->lock);
	__remove_wait_queue(wq, entry);
	spin_unlock(&wq->lock);
}

/* Returns true when the queue was empty. */
static bool wait_enqueue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	bool was_empty = list_empty(&wq->head);

	if (!list_empty(&entry->entry))
		return was_empty;
	if (entry->flags & WQ_FLAG_EXCLUSIVE)
		__add_wait_queue_entry_tail(wq, entry);
	else
		__add_wait_queue(wq, entry);
	return was_empty;
}

void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry, int state)
{
	spin_lock(&wq->lock);
	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	wait_enqueue(wq, entry);
	set_current_state((unsigned int)state);
	spin_unlock(&wq->lock);
}

bool prepare_to_wait_exclusive(struct wait_queue_head *wq, struct wait_queue_entry *entry,
			       int state)
{
	bool was_empty;

	spin_lock(&wq->lock);
	entry->flags |= WQ_FLAG_EXCLUSIVE;
	was_empty = wait_enqueue(wq, entry);
	set_current_state((unsigned int)state);
	spin_unlock(&wq->lock);
	return was_empty;
}

long prepare_to_wait_event(struct wait_queue_head *wq, struct wait_queue_entry *entry, int state)
{
	long ret = 0;

	spin_lock(&wq->lock);
	if (signal_pending_state(state, current)) {
		/* Off the queue first: a wake-up from now on goes to the next exclusive waiter. */
		list_del_init(&entry->entry);
		ret = -ERESTARTSYS;
	} else {
		wait_enqueue(wq, entry);
		set_current_state((unsigned int)state);
	}
	spin_unlock(&wq->lock);
	return ret;
}

void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	__set_current_state(TASK_RUNNING);
	if (list_empty_careful(&entry->entry))
		return;
	spin_lock(&wq->lock);
	list_del_init(&entry->entry);
	spin_unlock(&wq->lock);
}

static int wake_up_entries(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	struct wait_queue_entry *entry, *next;
	int total = 0;

	list_for_each_entry_safe(entry, next, &wq->head, entry) {
		unsigned int flags = entry->flags;
		int woken = entry->func(entry, mode, 0, key);

		if (woken < 0)
			break;
		total += woken > 0;
		if (woken && (flags & WQ_FLAG_EXCLUSIVE) && --nr == 0)
			break;
	}
	return total;
}

int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	int total;

	spin_lock(&wq->lock);
	total = wake_up_entries(wq, mode, nr, key);
	spin_unlock(&wq->lock);
	return total;
}

void __wake_up_locked(struct wait_queue_head *wq, unsigned int mode, int nr)
{
	lockdep_assert_held(&wq->lock);
	wake_up_entries(wq, mode, nr, NULL);
}

void __wake_up_locked_key(struct wait_queue_head *wq, unsigned int mode, void *key)
{
	lockdep_assert_held(&wq->lock);
	wake_up_entries(wq, mode, 1, key);
}

/* --- variables -------------------------------------------------------------------------------- */

#define VAR_QUEUES_BITS 6
#define VAR_QUEUE(n) [n] = __WAIT_QUEUE_HEAD_INITIALIZER(var_queues[n])
#define VAR_QUEUE4(n) VAR_QUEUE(n), VAR_QUEUE(n + 1), VAR_QUEUE(n + 2), VAR_QUEUE(n + 3)
#define VAR_QUEUE16(n) VAR_QUEUE4(n), VAR_QUEUE4(n + 4), VAR_QUEUE4(n + 8), VAR_QUEUE4(n + 12)

static struct wait_queue_head var_queues[1 << VAR_QUEUES_BITS] = {
	VAR_QUEUE16(0),
	VAR_QUEUE16(16),
	VAR_QUEUE16(32),
	VAR_QUEUE16(48),
};

struct wait_queue_head *host_var_waitqueue(const void *var)
{
	/* Multiplicative hashing, Knuth 6.4: the high bits of a product with the golden ratio */
	u64 hash = (u64)(uintptr_t)var * 0x9e3779b97f4a7c15ull;

	return &var_queues[hash >> (64 - VAR_QUEUES_BITS)];
}

void wake_up_var(void *var)
{
	wake_up_all(host_var_waitqueue(var));
}

/* --- completions ------------------------------------------------------------------------------ */

/* What complete_all() leaves: so many that no wait uses it up. */
#define COMPLETE_ALL UINT_MAX

void complete(struct completion *x)
{
	spin_lock(&x->wait.lock);
	if (x->done != COMPLETE_ALL)
		x->done++;
	wake_up_entries(&x->wait, TASK_NORMAL, 1, NULL);
	spin_unlock(&x->wait.lock);
}

void complete_all(struct completion *x)
{
	spin_lock(&x->wait.lock);
	x->done = COMPLETE_ALL;
	wake_up_entries(&x->wait, TASK_NORMAL, 0, NULL);
	spin_unlock(&x->wait.lock);
}

bool try_wait_for_completion(struct completion *x)
{
	bool done;

	spin_lock(&x->wait.lock);
	done = x->done > 0;
	if (done && x->done != COMPLETE_ALL)
		x->done--;
	spin_unlock(&x->wait.lock);
	return done;
}

bool completion_done(struct completion *x)
{
	bool done;

	spin_lock(&x->wait.lock);
	done = x->done > 0;
	spin_unlock(&x->wait.lock);
	return done;
}

/* Jiffies left, at least 1; 0 when they have passed; -ERESTARTSYS. */
static long completion_wait(struct completion *x, long timeout, unsigned int state)
{
	long ret = timeout;

	might_sleep();
	if (try_wait_for_completion(x))
		return max(ret, 1L);
	return ___wait_event(x->wait, ___wait_cond_timeout(try_wait_for_completion(x)), state, 1,
			     ret, __ret = schedule_timeout(__ret));
}

void wait_for_completion(struct completion *x)
{
	completion_wait(x, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE);
}

int wait_for_completion_interruptible(struct completion *x)
{
	return (int)min(completion_wait(x, MAX_SCHEDULE_TIMEOUT, TASK_INTERRUPTIBLE), 0L);
}

int wait_for_completion_killable(struct completion *x)
{
	return (int)min(completion_wait(x, MAX_SCHEDULE_TIMEOUT, TASK_KILLABLE), 0L);
}

unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout)
{
	return (unsigned long)completion_wait(x, (long)min(timeout, (unsigned long)LONG_MAX),
					      TASK_UNINTERRUPTIBLE);
}

long wait_for_completion_killable_timeout(struct completion *x, unsigned long timeout)
{
	return completion_wait(x, (long)min(timeout, (unsigned long)LONG_MAX), TASK_KILLABLE);
}

long wait_for_completion_interruptible_timeout(struct completion *x, unsigned long timeout)
{
	return completion_wait(x, (long)min(timeout, (unsigned long)LONG_MAX), TASK_INTERRUPTIBLE);
}
