/* SPDX-License-Identifier: MIT */
/*
 * sched/signal.h - is this wait to be broken off?
 *
 * A task's signal is a flag (host/task.h sets it) that stays until flush_signals().  Real signals
 * of the process are not mapped to it.  For the caller's own task the question is also one to
 * port_should_fail(PORT_FAULT_WAIT), so that a sweep can break off every wait in turn.
 */
#ifndef _LINUX_SCHED_SIGNAL_H
#define _LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>

/* signal_pending - would an interruptible wait of @task end with -ERESTARTSYS? */
int signal_pending(struct task_struct *task);

/* fatal_signal_pending - is it to be killed? */
int fatal_signal_pending(struct task_struct *task);

/* signal_pending_state - does @task have a signal that a wait in @state lets through? */
int signal_pending_state(unsigned int state, struct task_struct *task);

/* flush_signals - forget them all */
void flush_signals(struct task_struct *task);

#endif
