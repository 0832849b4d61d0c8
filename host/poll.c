/* SPDX-License-Identifier: MIT */
/*
 * poll.c - sleep until a file is ready
 *
 * Invariants
 *   PO1  The poller queues itself on the first pass only, asks again after every wake-up, and
 *        leaves all queues before it drops the file that keeps them.
 *   PO2  No wake-up is lost: triggered is cleared before the file is asked, and the state is set
 *        before triggered is looked at.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "host/file.h"

struct poller {
	poll_table table;
	struct task_struct *task;
	struct list_head entries; /* poll_entry.node */
	int error;                /* an entry could not be made */
	bool triggered;           /* written by wakers */
};

struct poll_entry {
	struct wait_queue_entry wait;
	struct wait_queue_head *queue;
	struct list_head node;
	struct poller *poller;
	__poll_t events;
};

/* Under the queue's lock. */
static int poll_wake(struct wait_queue_entry *wait, unsigned int mode, int flags, void *key)
{
	struct poll_entry *entry = container_of(wait, struct poll_entry, wait);

	if (key && !(key_to_poll(key) & entry->events))
		return 0;
	smp_store_release(&entry->poller->triggered, true);
	return wake_up_state(entry->poller->task, mode);
}

static void poll_queue(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct poller *poller = container_of(table, struct poller, table);
	struct poll_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry) {
		poller->error = -ENOMEM;
		return;
	}
	init_waitqueue_func_entry(&entry->wait, poll_wake);
	entry->queue = queue;
	entry->poller = poller;
	entry->events = poll_requested_events(table);
	list_add(&entry->node, &poller->entries);
	add_wait_queue(queue, &entry->wait);
}

static __poll_t ask(struct file *file, poll_table *table)
{
	if (!file->f_op->poll)
		return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
	return file->f_op->poll(file, table);
}

static int poll_loop(struct poller *poller, struct file *file, long timeout)
{
	__poll_t wanted = poller->table._key, ready;

	for (;;) {
		ready = ask(file, &poller->table) & wanted;
		poller->table._qproc = NULL;
		if (ready)
			return ready;
		if (poller->error)
			return poller->error;
		if (!timeout)
			return 0;
		if (signal_pending(current))
			return -EINTR;
		set_current_state(TASK_INTERRUPTIBLE);
		if (!smp_load_acquire(&poller->triggered))
			timeout = schedule_timeout(timeout);
		__set_current_state(TASK_RUNNING);
		smp_store_mb(poller->triggered, false);
	}
}

int host_poll(int fd, __poll_t events, int timeout_ms)
{
	long timeout = timeout_ms < 0 ? MAX_SCHEDULE_TIMEOUT : msecs_to_jiffies(timeout_ms);
	struct poller poller = { .task = current };
	struct poll_entry *entry, *next;
	struct file *file;
	int ret;

	might_sleep();
	file = host_fget(fd);
	if (!file)
		return -EBADF;
	INIT_LIST_HEAD(&poller.entries);
	init_poll_funcptr(&poller.table, timeout ? poll_queue : NULL);
	poller.table._key = events | EPOLLERR | EPOLLHUP;
	ret = poll_loop(&poller, file, timeout);
	list_for_each_entry_safe(entry, next, &poller.entries, node) {
		remove_wait_queue(entry->queue, &entry->wait);
		kfree(entry);
	}
	fput(file);
	return ret;
}
