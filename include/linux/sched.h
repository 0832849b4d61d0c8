/* SPDX-License-Identifier: MIT */
/*
 * sched.h - threads as tasks: who am I, sleep, be woken
 *
 * Every thread that uses the kernel's API has a task, made at its first use of it: the library's
 * own kthreads and any thread of the program.  It goes when the thread ends and its last reference
 * is put.
 *
 * Sleeping (Linux 6.12's protocol, no wake-up is lost)
 *
 *	for (;;) {
 *		set_current_state(TASK_UNINTERRUPTIBLE);
 *		if (condition)
 *			break;
 *		schedule();
 *	}
 *	__set_current_state(TASK_RUNNING);
 *
 * Invariants
 *   1  __state is the word a sleeper sleeps on; only its own task sets it to sleep, wakers set it
 * to run. 2  schedule() returns with __state == TASK_RUNNING, also early: look at the condition
 * again. 3  spin_depth, irq_depth and rcu_nesting count what forbids sleeping; might_sleep() looks
 * at them.
 *
 * Deliberately not here: priorities, affinity, preemption of one task by another.
 */
#ifndef _LINUX_SCHED_H
#define _LINUX_SCHED_H

#include <linux/barrier.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/processor.h>
#include <linux/refcount.h>

#define TASK_RUNNING 0x0000
#define TASK_INTERRUPTIBLE 0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_WAKEKILL 0x0100
#define TASK_NOLOAD 0x0400
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_IDLE (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)

#define TASK_COMM_LEN 16
#define MAX_SCHEDULE_TIMEOUT LONG_MAX

struct held_locks;
struct mm_struct;
struct host_kthread;
struct irq_work;

struct task_struct {
	/* any thread, atomically */
	unsigned int __state;
	unsigned int signals; /* host/task.h */
	refcount_t usage;

	/* written by the task, read by synchronize_rcu(): 0 outside, else the epoch it entered in
	 */
	u64 rcu_epoch;

	/* the task alone */
	int rcu_nesting;
	int spin_depth;
	int irq_depth;
	int preempt_depth;
	struct irq_work *irq_works; /* to run when spin_depth and irq_depth are 0 */
	struct irq_work **irq_works_last;
	void *journal_info; /* free for whoever runs on this thread */

	/* never change */
	struct mm_struct *mm;
	struct host_kthread *kthread; /* NULL: a thread of the program */
	pid_t pid;                    /* of a kthread: known once it runs */
	pid_t tgid;
	char comm[TASK_COMM_LEN];

	/* under the registry's lock (host/task.c) */
	struct list_head registered;

	/* the task alone, in builds with LIBDMABUF_CHECKS: host/lockdep.h */
	struct held_locks *held_locks;
};

extern __thread struct task_struct *host_current_task;

/*
 * host_task_adopt - make a task for this thread, which has none yet; never fails, aborts without
 * memory
 */
struct task_struct *host_task_adopt(void);

static __always_inline struct task_struct *host_current(void)
{
	struct task_struct *task = host_current_task;

	return likely(task) ? task : host_task_adopt();
}

/* current - this thread's task; valid as long as the thread */
#define current host_current()

#define set_current_state(state) smp_store_mb(current->__state, (state))
#define __set_current_state(state) WRITE_ONCE(current->__state, (state))
#define get_current_state() READ_ONCE(current->__state)
#define task_is_running(task) (READ_ONCE((task)->__state) == TASK_RUNNING)

/**
 * schedule - sleep until the state is TASK_RUNNING
 *
 * Returns at once when it is, and when a signal is pending that the state lets through.
 * Context: sleeps; WARNs where that is forbidden.
 */
void schedule(void);

/**
 * schedule_timeout - schedule(), at most @timeout jiffies; MAX_SCHEDULE_TIMEOUT: for ever
 *
 * Returns the jiffies left, rounded up: 0 only after all of @timeout; @timeout itself if for ever.
 */
long schedule_timeout(long timeout);
long schedule_timeout_interruptible(long timeout);
long schedule_timeout_killable(long timeout);
long schedule_timeout_uninterruptible(long timeout);

/**
 * wake_up_state - let @task run if it sleeps in one of @states
 *
 * Returns 1 if it did.
 * Context: anywhere; the caller keeps @task alive.
 * Ordering: what the waker did before is seen by the woken.
 */
int wake_up_state(struct task_struct *task, unsigned int states);
int wake_up_process(struct task_struct *task);

/* might_sleep - WARNs with a spinlock held, interrupts off, or inside a reader section */
void __might_sleep(const char *file, int line);
#define might_sleep() __might_sleep(__FILE__, __LINE__)
#define might_sleep_if(cond)           \
	do {                           \
		if (cond)              \
			might_sleep(); \
	} while (0)

/* cond_resched - a place where a long loop may be switched away; 0: nothing is preempted here */
static inline int cond_resched(void)
{
	might_sleep();
	return 0;
}

void yield(void);

/*
 * yield_to - let @task run: a kthread that was woken has entered its function when this returns, so
 * that a kthread_stop() that follows does not come before it.  Returns 1.
 */
int yield_to(struct task_struct *task, bool preempt);

#define in_interrupt() 0
#define in_task() 1
#define in_atomic() (current->spin_depth > 0 || current->preempt_depth > 0)
#define irqs_disabled() (current->irq_depth > 0)

static inline void preempt_disable(void)
{
	current->preempt_depth++;
}

static inline void preempt_enable(void)
{
	current->preempt_depth--;
}

static inline pid_t task_pid_nr(const struct task_struct *task)
{
	return READ_ONCE(task->pid);
}

static inline pid_t task_tgid_nr(const struct task_struct *task)
{
	return task->tgid;
}

#define get_task_comm(buf, task) ((char *)memcpy((buf), (task)->comm, TASK_COMM_LEN))

#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>

#endif
