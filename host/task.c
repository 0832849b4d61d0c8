/* SPDX-License-Identifier: MIT */
/*
 * task.c - threads as tasks: made at first use, put to sleep, woken, signalled, ended
 *
 * Invariants
 *   1  A sleeping thread is in port_wait() on its own __state; whoever changes that word to run
 * wakes it. 2  A kthread's own reference is put by the reaper, after its thread has been joined: a
 * task whose last reference is gone runs no more.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include "host/lockdep.h"
#include "host/raw-lock.h"
#include "host/task.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct host_kthread {
	int (*fn)(void *data);
	void *data;
	struct port_thread *thread;
	struct task_struct *task;
	bool should_stop; /* atomic */
	bool begun;       /* atomic: in its function */
	bool worker;      /* runs even if stopped before: what was queued counts on it */
	int result;       /* valid once exited */
	struct completion exited;
	struct list_head ended; /* under register_lock */
};

__thread struct task_struct *host_current_task;

static u32 register_lock;
static LIST_HEAD(registered_tasks);
/* Tasks of threads that a fork left behind: locks and lists of this process may still name them. */
static LIST_HEAD(lost_tasks);
/* kthreads whose function has returned and whose thread is still to be joined. */
static LIST_HEAD(ended_kthreads);

static pthread_once_t task_once = PTHREAD_ONCE_INIT;
static pthread_key_t task_key;

static void task_register(struct task_struct *task)
{
	host_raw_lock(&register_lock);
	list_add(&task->registered, &registered_tasks);
	host_raw_unlock(&register_lock);
}

static void task_unregister(struct task_struct *task)
{
	WARN(task->rcu_nesting, "%s ends inside a reader section", task->comm);
	WARN(task->spin_depth, "%s ends with a spinlock held", task->comm);
	host_raw_lock(&register_lock);
	list_del_init(&task->registered);
	host_raw_unlock(&register_lock);
}

static void task_thread_exit(void *arg)
{
	struct task_struct *task = arg;

	task_unregister(task);
	host_current_task = NULL;
	put_task_struct(task);
}

static void task_fork_prepare(void)
{
	host_raw_lock(&register_lock);
}

static void task_fork_parent(void)
{
	host_raw_unlock(&register_lock);
}

static void task_fork_child(void)
{
	struct task_struct *task = host_current_task;

	list_splice_init(&registered_tasks, &lost_tasks);
	if (task) {
		list_move(&task->registered, &registered_tasks);
		WRITE_ONCE(task->pid, gettid());
		task->tgid = getpid();
	}
	INIT_LIST_HEAD(&ended_kthreads);
	host_raw_unlock(&register_lock);
}

static void task_init_once(void)
{
	pthread_key_create(&task_key, task_thread_exit);
	pthread_atfork(task_fork_prepare, task_fork_parent, task_fork_child);
}

static struct task_struct *task_alloc(void)
{
	struct task_struct *task = calloc(1, sizeof(*task));

	if (task) {
		refcount_set(&task->usage, 1);
		INIT_LIST_HEAD(&task->registered);
		task->tgid = getpid();
	}
	return task;
}

struct task_struct *host_task_adopt(void)
{
	struct task_struct *task = task_alloc();

	if (!task) {
		fprintf(stderr, "libdmabuf: no memory for a thread's task\n");
		abort();
	}
	pthread_once(&task_once, task_init_once);
	task->pid = gettid();
	pthread_getname_np(pthread_self(), task->comm, sizeof(task->comm));
	task_register(task);
	host_current_task = task;
	pthread_setspecific(task_key, task);
	return task;
}

void put_task_struct(struct task_struct *task)
{
	if (!refcount_dec_and_test(&task->usage))
		return;
	host_lock_held_free(task->held_locks);
	free(task->kthread);
	free(task);
}

bool host_task_reader_before(u64 epoch)
{
	struct task_struct *task;
	bool found = false;

	host_raw_lock(&register_lock);
	list_for_each_entry(task, &registered_tasks, registered) {
		u64 entered = smp_load_acquire(&task->rcu_epoch);

		if (entered && entered < epoch) {
			found = true;
			break;
		}
	}
	host_raw_unlock(&register_lock);
	return found;
}

/* --- signals ---------------------------------------------------------------------------------- */

static bool signal_set(unsigned int state, struct task_struct *task)
{
	unsigned int signals = __atomic_load_n(&task->signals, __ATOMIC_SEQ_CST);

	if (state & TASK_INTERRUPTIBLE)
		return signals != 0;
	return (state & TASK_WAKEKILL) && (signals & HOST_SIGNAL_FATAL);
}

static bool wait_must_fail(struct task_struct *task)
{
	return task == current && port_should_fail(PORT_FAULT_WAIT);
}

int signal_pending(struct task_struct *task)
{
	return signal_set(TASK_INTERRUPTIBLE, task) || wait_must_fail(task);
}

int fatal_signal_pending(struct task_struct *task)
{
	return signal_set(TASK_WAKEKILL, task) || wait_must_fail(task);
}

int signal_pending_state(unsigned int state, struct task_struct *task)
{
	if (!(state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)))
		return 0;
	return signal_set(state, task) || wait_must_fail(task);
}

void flush_signals(struct task_struct *task)
{
	__atomic_store_n(&task->signals, 0, __ATOMIC_SEQ_CST);
}

void host_signal_task(struct task_struct *task)
{
	__atomic_fetch_or(&task->signals, HOST_SIGNAL_PENDING, __ATOMIC_SEQ_CST);
	wake_up_state(task, TASK_INTERRUPTIBLE);
}

void host_kill_task(struct task_struct *task)
{
	__atomic_fetch_or(&task->signals, HOST_SIGNAL_PENDING | HOST_SIGNAL_FATAL,
			  __ATOMIC_SEQ_CST);
	wake_up_state(task, TASK_INTERRUPTIBLE | TASK_WAKEKILL);
}

/* --- sleeping and waking ---------------------------------------------------------------------- */

void __might_sleep(const char *file, int line)
{
	struct task_struct *task = current;

	if (likely(!(task->spin_depth | task->irq_depth | task->preempt_depth | task->rcu_nesting)))
		return;
	host_warn(file, line,
		  "might_sleep(): spinlocks held %d, interrupts off %d, preemption off %d, "
		  "reader sections %d",
		  task->spin_depth, task->irq_depth, task->preempt_depth, task->rcu_nesting);
}

/* @deadline: on the port's clock, 0 for none. */
static void sleep_until_running(u64 deadline)
{
	struct task_struct *task = current;

	for (;;) {
		unsigned int state = smp_load_acquire(&task->__state);
		s64 left = PORT_FOREVER;

		if (state == TASK_RUNNING)
			return;
		if (deadline)
			left = (s64)(deadline - port_time_ns());
		if (left <= 0 || signal_set(state, task)) {
			__set_current_state(TASK_RUNNING);
			return;
		}
		port_wait(&task->__state, state, left);
	}
}

void schedule(void)
{
	might_sleep();
	sleep_until_running(0);
}

long schedule_timeout(long timeout)
{
	u64 deadline;
	s64 left;

	might_sleep();
	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		sleep_until_running(0);
		return timeout;
	}
	if (WARN(timeout < 0, "schedule_timeout(%ld): negative", timeout)) {
		__set_current_state(TASK_RUNNING);
		return 0;
	}
	/* More than the clock holds is longer than anybody waits. */
	timeout = min(timeout, (long)(S64_MAX / 2 / NSEC_PER_JIFFY));
	deadline = port_time_ns() + (u64)timeout * NSEC_PER_JIFFY;
	sleep_until_running(deadline);
	left = (s64)(deadline - port_time_ns());
	return left <= 0 ? 0 : DIV_ROUND_UP(left, NSEC_PER_JIFFY);
}

long schedule_timeout_interruptible(long timeout)
{
	__set_current_state(TASK_INTERRUPTIBLE);
	return schedule_timeout(timeout);
}

long schedule_timeout_killable(long timeout)
{
	__set_current_state(TASK_KILLABLE);
	return schedule_timeout(timeout);
}

long schedule_timeout_uninterruptible(long timeout)
{
	__set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}

int wake_up_state(struct task_struct *task, unsigned int states)
{
	unsigned int state;

	/* Between the waker's condition and the state: the other half is in set_current_state(). */
	smp_mb();
	state = READ_ONCE(task->__state);
	do {
		if (!(state & states))
			return 0;
	} while (!try_cmpxchg(&task->__state, &state, TASK_RUNNING));
	port_wake(&task->__state, 1);
	return 1;
}

int wake_up_process(struct task_struct *task)
{
	return wake_up_state(task, ~0u);
}

void yield(void)
{
	might_sleep();
	port_yield();
}

/* --- kthreads --------------------------------------------------------------------------------- */

/* Join the threads that have ended and put the references they had on their tasks. */
static void kthread_reap(void)
{
	for (;;) {
		struct host_kthread *kthread;

		host_raw_lock(&register_lock);
		kthread = list_first_entry_or_null(&ended_kthreads, struct host_kthread, ended);
		if (kthread)
			list_del_init(&kthread->ended);
		host_raw_unlock(&register_lock);
		if (!kthread)
			return;
		port_thread_join(kthread->thread);
		put_task_struct(kthread->task);
	}
}

/* Those that ended last; without it a thread that nobody joined looks like a leak. */
static __attribute__((__destructor__)) void kthread_reap_at_exit(void)
{
	kthread_reap();
}

static void kthread_main(void *arg)
{
	struct task_struct *task = arg;
	struct host_kthread *kthread = task->kthread;

	host_current_task = task;
	WRITE_ONCE(task->pid, gettid());
	sleep_until_running(0);
	if (READ_ONCE(kthread->should_stop) && !kthread->worker) {
		kthread->result = -EINTR;
	} else {
		WRITE_ONCE(kthread->begun, true);
		kthread->result = kthread->fn(kthread->data);
	}

	/* Before complete_all(): who has waited for the end finds the thread to join. */
	task_unregister(task);
	host_raw_lock(&register_lock);
	list_add_tail(&kthread->ended, &ended_kthreads);
	host_raw_unlock(&register_lock);
	complete_all(&kthread->exited);
	host_current_task = NULL;
}

/* The thread is asleep in TASK_UNINTERRUPTIBLE; registered here, so a grace period never misses it.
 */
int yield_to(struct task_struct *task, bool preempt)
{
	struct host_kthread *kthread = task->kthread;

	do {
		yield();
	} while (kthread && !READ_ONCE(kthread->begun) && !READ_ONCE(kthread->should_stop) &&
		 smp_load_acquire(&task->__state) == TASK_RUNNING);
	return 1;
}

static struct task_struct *kthread_new(int (*fn)(void *data), void *data, const char *name,
				       bool worker)
{
	struct host_kthread *kthread = calloc(1, sizeof(*kthread));
	struct task_struct *task = task_alloc();

	if (!kthread || !task)
		goto free_both;
	pthread_once(&task_once, task_init_once);
	kthread->fn = fn;
	kthread->data = data;
	kthread->worker = worker;
	kthread->task = task;
	INIT_LIST_HEAD(&kthread->ended);
	init_completion(&kthread->exited);
	task->kthread = kthread;
	task->__state = TASK_UNINTERRUPTIBLE;
	scnprintf(task->comm, sizeof(task->comm), "%s", name);
	task_register(task);
	kthread->thread = port_thread_create(kthread_main, task, task->comm);
	if (!kthread->thread)
		goto unregister;
	return task;

unregister:
	task_unregister(task);
free_both:
	free(kthread);
	free(task);
	return NULL;
}

struct task_struct *kthread_create(int (*threadfn)(void *data), void *data, const char *namefmt,
				   ...)
{
	struct task_struct *task;
	char name[TASK_COMM_LEN];
	va_list args;

	might_sleep();
	kthread_reap();
	va_start(args, namefmt);
	vscnprintf(name, sizeof(name), namefmt, args);
	va_end(args);
	task = kthread_new(threadfn, data, name, false);
	return task ? task : ERR_PTR(-ENOMEM);
}

bool host_worker_start(int (*fn)(void *data), void *data, const char *name)
{
	struct task_struct *task = kthread_new(fn, data, name, true);

	if (task)
		wake_up_process(task);
	return task;
}

int kthread_stop(struct task_struct *task)
{
	struct host_kthread *kthread = task->kthread;
	int result;

	might_sleep();
	if (WARN(!kthread, "kthread_stop(%s): not a kthread", task->comm) ||
	    WARN(task == current, "kthread_stop(%s): a thread cannot wait for its own end",
		 task->comm))
		return -EINVAL;
	get_task_struct(task);
	WRITE_ONCE(kthread->should_stop, true);
	wake_up_process(task);
	wait_for_completion(&kthread->exited);
	result = kthread->result;
	kthread_reap();
	put_task_struct(task);
	return result;
}

static struct task_struct *worker_get(void)
{
	struct task_struct *task, *found = NULL;

	host_raw_lock(&register_lock);
	list_for_each_entry(task, &registered_tasks, registered)
		if (task->kthread && task->kthread->worker) {
			found = get_task_struct(task);
			break;
		}
	host_raw_unlock(&register_lock);
	return found;
}

void host_workers_stop(void)
{
	struct task_struct *task;

	while ((task = worker_get()))
		kthread_stop_put(task);
}

int kthread_stop_put(struct task_struct *task)
{
	int result = kthread_stop(task);

	put_task_struct(task);
	return result;
}

bool kthread_should_stop(void)
{
	struct host_kthread *kthread = current->kthread;

	if (WARN(!kthread, "kthread_should_stop(): not in a kthread"))
		return true;
	return READ_ONCE(kthread->should_stop);
}
