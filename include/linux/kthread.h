/* SPDX-License-Identifier: MIT */
/*
 * kthread.h - threads of the library's own
 *
 * Ownership: the task belongs to its thread, which puts it when @threadfn returns.  Whoever calls
 * kthread_stop() on a thread that may have ended by itself holds a reference (get_task_struct()).
 */
#ifndef _LINUX_KTHREAD_H
#define _LINUX_KTHREAD_H

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/timer.h>

/**
 * kthread_create - a thread that will run @threadfn(@data) after wake_up_process()
 *
 * Returns the task or ERR_PTR(-ENOMEM).  Context: may sleep.
 */
struct task_struct *kthread_create(int (*threadfn)(void *data), void *data, const char *namefmt,
				   ...) __printf(3, 4);

/* kthread_run - kthread_create() and wake it */
#define kthread_run(threadfn, data, namefmt, ...)                               \
	({                                                                      \
		struct task_struct *kthread_task_ =                             \
			kthread_create(threadfn, data, namefmt, ##__VA_ARGS__); \
		if (!IS_ERR(kthread_task_))                                     \
			wake_up_process(kthread_task_);                         \
		kthread_task_;                                                  \
	})

/**
 * kthread_stop - make kthread_should_stop() true in @task, wake it, wait until it has ended
 *
 * Returns what its function returned; -EINTR when that never began.  Context: may sleep.
 */
int kthread_stop(struct task_struct *task);

/* kthread_stop_put - kthread_stop(), then put the caller's reference */
int kthread_stop_put(struct task_struct *task);

/* kthread_should_stop - in a kthread: has somebody called kthread_stop()? */
bool kthread_should_stop(void);

#endif
