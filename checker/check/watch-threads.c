/* SPDX-License-Identifier: MIT */
/*
 * watch-threads.c - see watch-threads.h
 *
 * A thread has ended when the host has taken its task from the register of all readers; a reference
 * keeps the task until its place here is taken.
 */
#include <pthread.h>
#include <stdio.h>

#include <linux/kthread.h>
#include <linux/list.h>

#include "checker/check/finding.h"
#include "checker/check/watch-threads.h"
#include "checker/check/watch.h"

REAL(kthread_create);

#define THREADS 512 /* a driver that has more is ended for that (job.c) */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct {
	struct task_struct *task;
	struct check_stack stack;
} made[THREADS];
static unsigned int last;

static bool is_left(unsigned int i)
{
	return made[i].task && !list_empty(&made[i].task->registered);
}

static void note(struct task_struct *task)
{
	unsigned int i = 0;

	pthread_mutex_lock(&lock);
	while (i < THREADS && is_left(i))
		i++;
	if (i < THREADS) {
		if (made[i].task)
			put_task_struct(made[i].task);
		made[i].task = get_task_struct(task);
		check_stack_take(&made[i].stack);
		last = i;
	}
	pthread_mutex_unlock(&lock);
}

struct task_struct *kthread_create(int (*threadfn)(void *data), void *data, const char *namefmt,
				   ...)
{
	struct task_struct *task;
	char name[TASK_COMM_LEN];
	va_list args;

	va_start(args, namefmt);
	vsnprintf(name, sizeof(name), namefmt, args);
	va_end(args);
	task = real_kthread_create(threadfn, data, "%s", name);
	if (!IS_ERR(task))
		note(task);
	return task;
}

unsigned int watch_threads_left(void)
{
	unsigned int left = 0;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < THREADS; i++)
		left += is_left(i);
	pthread_mutex_unlock(&lock);
	return left;
}

void watch_threads_tell(enum check_rule rule, const char *what)
{
	unsigned int left = watch_threads_left(), tries = THREADS, i;
	struct check_stack stack = {};
	char name[TASK_COMM_LEN];

	pthread_mutex_lock(&lock);
	for (i = last; tries && !is_left(i); tries--)
		i = (i + 1) % THREADS;
	if (tries) {
		stack = made[i].stack;
		snprintf(name, sizeof(name), "%s", made[i].task->comm);
	}
	pthread_mutex_unlock(&lock);
	if (tries)
		check_found_call(rule, NULL, &stack, NULL,
				 "%u thread%s of the driver's, here the last of them, \"%s\", %s",
				 left, left == 1 ? "" : "s", name, what);
}
