/* SPDX-License-Identifier: MIT */
/*
 * completion.h - "it is done", said once or n times, waited for by anybody
 *
 * complete() lets one waiter through, now or later; complete_all() every one until
 * reinit_completion(). Context: complete*() anywhere; wait_for_*() may sleep. Ordering: what was
 * done before complete() is seen after the wait. Ownership: a completion on the waiter's stack may
 * go as soon as the wait has returned.
 */
#ifndef _LINUX_COMPLETION_H
#define _LINUX_COMPLETION_H

#include <linux/wait.h>

struct completion {
	unsigned int done; /* under wait.lock */
	struct wait_queue_head wait;
};

#define COMPLETION_INITIALIZER(work)                          \
	{                                                     \
		0, __WAIT_QUEUE_HEAD_INITIALIZER((work).wait) \
	}
#define DECLARE_COMPLETION(work) struct completion work = COMPLETION_INITIALIZER(work)
#define DECLARE_COMPLETION_ONSTACK(work) DECLARE_COMPLETION(work)

static inline void init_completion(struct completion *x)
{
	x->done = 0;
	init_waitqueue_head(&x->wait);
}

/* reinit_completion - use it again; nobody may be waiting or completing */
static inline void reinit_completion(struct completion *x)
{
	x->done = 0;
}

void complete(struct completion *x);
void complete_all(struct completion *x);

void wait_for_completion(struct completion *x);
/* 0, or -ERESTARTSYS */
int __must_check wait_for_completion_interruptible(struct completion *x);
int __must_check wait_for_completion_killable(struct completion *x);
/* Jiffies left, at least 1; 0: @timeout jiffies have passed */
unsigned long wait_for_completion_timeout(struct completion *x, unsigned long timeout);
/* The same, or -ERESTARTSYS */
long __must_check wait_for_completion_interruptible_timeout(struct completion *x,
							    unsigned long timeout);
long __must_check wait_for_completion_killable_timeout(struct completion *x, unsigned long timeout);
/* true: it was done, and one wait has been used up */
bool try_wait_for_completion(struct completion *x);
bool completion_done(struct completion *x);

#endif
