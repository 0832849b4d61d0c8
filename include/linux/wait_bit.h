/* SPDX-License-Identifier: MIT */
/*
 * wait_bit.h - wait for a variable without a queue of its own
 *
 * The queue is found by the variable's address in a small table that all share, so a waiter may be
 * woken for a neighbour's sake; the macros look at the condition again.
 */
#ifndef _LINUX_WAIT_BIT_H
#define _LINUX_WAIT_BIT_H

#include <linux/wait.h>

/* host_var_waitqueue - the queue of those who wait for @var */
struct wait_queue_head *host_var_waitqueue(const void *var);

/* wake_up_var - all who wait for @var; call it after changing it, with a full fence between */
void wake_up_var(void *var);

#define wait_var_event(var, condition) wait_event(*host_var_waitqueue(var), condition)
#define wait_var_event_interruptible(var, condition) \
	wait_event_interruptible(*host_var_waitqueue(var), condition)
#define wait_var_event_killable(var, condition) \
	wait_event_killable(*host_var_waitqueue(var), condition)
#define wait_var_event_timeout(var, condition, timeout) \
	wait_event_timeout(*host_var_waitqueue(var), condition, timeout)

#endif
