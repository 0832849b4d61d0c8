/* SPDX-License-Identifier: MIT */
/*
 * task.h - tasks as the host sees them: signals that a test sets, and the register of all readers
 *
 * Invariants
 *   1  Every task whose thread may be in a reader section is registered: from its first use of the
 *      kernel's API to its thread's end.
 *   2  After a fork only the forking thread's task is registered in the child.
 */
#ifndef HOST_TASK_H
#define HOST_TASK_H

#include <linux/sched.h>

#define HOST_SIGNAL_PENDING 0x1u
#define HOST_SIGNAL_FATAL 0x2u

/**
 * host_signal_task - a signal: interruptible waits of @task end with -ERESTARTSYS (locks: -EINTR)
 *
 * It stays pending until flush_signals().  Context: anywhere; the caller keeps @task alive.
 */
void host_signal_task(struct task_struct *task);

/** host_kill_task - a fatal one: ends killable waits, too */
void host_kill_task(struct task_struct *task);

/**
 * host_task_reader_before - is any thread inside a reader section of an epoch before @epoch?
 *
 * Ordering: when it answers no, everything those sections did happened before.
 */
bool host_task_reader_before(u64 epoch);

/**
 * host_worker_start - a kthread that runs @fn(@data) at once, until host_workers_stop()
 *
 * @fn returns when kthread_should_stop() says so and it has nothing left to do, after noting that
 * there is no such worker any more: the next use starts another.
 * Returns false when the system has no thread or memory left.  Context: anywhere, also with
 * spinlocks held.  It does not exist in a child after fork: whoever starts workers starts them
 * again there.
 */
bool host_worker_start(int (*fn)(void *data), void *data, const char *name);

/**
 * host_workers_stop - end all workers, once each has done what was queued for it, and join them
 *
 * Context: may sleep; nobody queues work meanwhile, or a new worker may outlive the call.
 */
void host_workers_stop(void);

#endif
