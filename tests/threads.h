/* SPDX-License-Identifier: MIT */
/*
 * threads.h - kthreads of a test, whose function may return before it is stopped
 *
 * kthread_stop() of a thread that may have ended by itself needs a reference, taken before it runs.
 */
#ifndef TESTS_THREADS_H
#define TESTS_THREADS_H

#include <linux/kthread.h>

/* test_thread_start - run @fn(@data); the caller gives the result to test_thread_end() */
static inline struct task_struct *test_thread_start(int (*fn)(void *data), void *data)
{
	struct task_struct *thread = kthread_create(fn, data, "test");

	if (IS_ERR(thread))
		host_bug(__FILE__, __LINE__, __func__, "no thread for a test");
	get_task_struct(thread);
	wake_up_process(thread);
	return thread;
}

/*
 * test_thread_end - ask it to stop, wait for it, return what @fn returned; -EINTR when it was asked
 * before it had begun: a test whose threads must have run waits for them by other means first
 */
static inline int test_thread_end(struct task_struct *thread)
{
	return kthread_stop_put(thread);
}

/* test_thread_asleep - wait until it sleeps: in a lock, a wait, or for ever */
static inline void test_thread_asleep(struct task_struct *thread)
{
	while (task_is_running(thread))
		yield();
}

#endif
