/* SPDX-License-Identifier: MIT */
/*
 * sched/task.h - references to tasks
 *
 * `current` needs none.  Another thread's task needs one, or something that keeps that thread
 * running.
 */
#ifndef _LINUX_SCHED_TASK_H
#define _LINUX_SCHED_TASK_H

#include <linux/sched.h>

static inline struct task_struct *get_task_struct(struct task_struct *task)
{
	refcount_inc(&task->usage);
	return task;
}

/* put_task_struct - the last one frees @task, which by then runs no more */
void put_task_struct(struct task_struct *task);

#endif
