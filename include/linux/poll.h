/* SPDX-License-Identifier: MIT */
/*
 * poll.h - asking a file whether it is ready, and being woken when it is
 *
 * The file's side only: ->poll() calls poll_wait() for each queue that will be woken, then returns
 * the events that are true now.  Who asks fills in a poll_table.
 */
#ifndef _LINUX_POLL_H
#define _LINUX_POLL_H

#include <sys/epoll.h>
#include <linux/types.h>
#include <linux/fs.h>
#include <linux/wait.h>

struct poll_table_struct;

/* Called for each queue: add yourself to it. */
typedef void (*poll_queue_proc)(struct file *file, wait_queue_head_t *queue,
				struct poll_table_struct *table);

typedef struct poll_table_struct {
	poll_queue_proc _qproc; /* NULL: only ask */
	__poll_t _key;          /* the events asked for */
} poll_table;

/** poll_wait - tell who asks about @queue. Context: may sleep. @table may be NULL */
static inline void poll_wait(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	if (table && table->_qproc && queue)
		table->_qproc(file, queue, table);
}

/** poll_does_not_wait - does the asker want no wake-up? */
static inline bool poll_does_not_wait(const poll_table *table)
{
	return !table || !table->_qproc;
}

/** poll_requested_events - the events asked for; all when nobody said */
static inline __poll_t poll_requested_events(const poll_table *table)
{
	return table ? table->_key : ~(__poll_t)0;
}

static inline void init_poll_funcptr(poll_table *table, poll_queue_proc qproc)
{
	table->_qproc = qproc;
	table->_key = ~(__poll_t)0;
}

#endif
