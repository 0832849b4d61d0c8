/* SPDX-License-Identifier: MIT */
/*
 * rwsem.c - reader-writer semaphores that are handed over, first come, first served
 *
 * Invariants
 *   1  Whoever lets go gives it to those at the head of the queue before he drops wait_lock: a waiter
 *      wakes up as holder, nobody can overtake him, and no wake-up is lost.
 *   2  A waiter that gives up looks at the queue as one who lets go: readers behind a writer that
 *      has left may go on.
 *   3  reads[0..nr_reads) is what this thread reads, in no order.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include "host/lockdep.h"

struct rwsem_waiter {
	struct list_head entry;
	struct task_struct *task;
	bool write;
	bool granted; /* under wait_lock */
};

static __thread const struct rw_semaphore *reads[HOST_READS_MAX];
static __thread int nr_reads;

void __init_rwsem(struct rw_semaphore *sem, const char *name)
{
	sem->holders = 0;
	INIT_LIST_HEAD(&sem->wait_list);
	__spin_lock_init(&sem->wait_lock, name);
	sem->dep_map.owner = NULL;
	sem->dep_map.name = name;
}

/* --- what this thread reads ------------------------------------------------------------------- */

static int read_find(const struct rw_semaphore *sem)
{
	for (int i = 0; i < nr_reads; i++)
		if (reads[i] == sem)
			return i;
	return -1;
}

bool host_rwsem_read_held(const struct rw_semaphore *sem)
{
	return read_find(sem) >= 0;
}

static void read_note(const struct rw_semaphore *sem)
{
	if (!WARN(nr_reads == HOST_READS_MAX, "rwsem: more than %d read by one thread",
		  HOST_READS_MAX))
		reads[nr_reads++] = sem;
}

static bool read_forget(const struct rw_semaphore *sem)
{
	int i = read_find(sem);

	if (i < 0)
		return false;
	reads[i] = reads[--nr_reads];
	return true;
}

/* --- under wait_lock -------------------------------------------------------------------------- */

static bool rwsem_free_for(const struct rw_semaphore *sem, bool write)
{
	return write ? sem->holders == 0 : sem->holders >= 0;
}

static void rwsem_give(struct rw_semaphore *sem, struct task_struct *task, bool write)
{
	WRITE_ONCE(sem->holders, write ? -1 : sem->holders + 1);
	__atomic_store_n(&sem->dep_map.owner, write ? task : NULL, __ATOMIC_RELAXED);
}

/* Hand it to everybody at the head of the queue who can have it. */
static void rwsem_pass_on(struct rw_semaphore *sem)
{
	struct rwsem_waiter *first;

	lockdep_assert_held(&sem->wait_lock);
	while ((first = list_first_entry_or_null(&sem->wait_list, struct rwsem_waiter, entry)) &&
	       rwsem_free_for(sem, first->write)) {
		list_del_init(&first->entry);
		rwsem_give(sem, first->task, first->write);
		first->granted = true;
		wake_up_process(first->task);
	}
}

static bool rwsem_try(struct rw_semaphore *sem, struct task_struct *task, bool write)
{
	if (!list_empty(&sem->wait_list) || !rwsem_free_for(sem, write))
		return false;
	rwsem_give(sem, task, write);
	return true;
}

/* --- taking and dropping ---------------------------------------------------------------------- */

/* Called and returning with wait_lock held, which it drops while asleep. */
static int rwsem_wait(struct rw_semaphore *sem, bool write, unsigned int state)
{
	struct rwsem_waiter waiter = { .task = current, .write = write };
	int err = 0;

	list_add_tail(&waiter.entry, &sem->wait_list);
	for (;;) {
		set_current_state(state);
		if (waiter.granted)
			break;
		if (signal_pending_state(state, waiter.task)) {
			list_del(&waiter.entry);
			rwsem_pass_on(sem);
			err = -EINTR;
			break;
		}
		spin_unlock(&sem->wait_lock);
		schedule();
		spin_lock(&sem->wait_lock);
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

static int rwsem_down(struct rw_semaphore *sem, bool write, unsigned int state, const char *who)
{
	int err = 0;

	port_point(PORT_LOCK, sem);
	might_sleep();
	if (WARN(rwsem_is_held(sem), "%s(%s): held by this thread already", who, sem->dep_map.name))
		return -EDEADLK;
	lock_want(&sem->dep_map, LOCK_KIND_SLEEP, NULL);
	if (state != TASK_UNINTERRUPTIBLE && port_should_fail(PORT_FAULT_WAIT))
		return -EINTR;
	spin_lock(&sem->wait_lock);
	if (!rwsem_try(sem, current, write))
		err = rwsem_wait(sem, write, state);
	spin_unlock(&sem->wait_lock);
	if (!err && !write)
		read_note(sem);
	if (!err)
		lock_take(&sem->dep_map, LOCK_KIND_SLEEP);
	return err;
}

void down_read(struct rw_semaphore *sem)
{
	rwsem_down(sem, false, TASK_UNINTERRUPTIBLE, __func__);
}

int down_read_interruptible(struct rw_semaphore *sem)
{
	return rwsem_down(sem, false, TASK_INTERRUPTIBLE, __func__);
}

int down_read_killable(struct rw_semaphore *sem)
{
	return rwsem_down(sem, false, TASK_KILLABLE, __func__);
}

void down_write(struct rw_semaphore *sem)
{
	rwsem_down(sem, true, TASK_UNINTERRUPTIBLE, __func__);
}

int down_write_killable(struct rw_semaphore *sem)
{
	return rwsem_down(sem, true, TASK_KILLABLE, __func__);
}

static int rwsem_trylock(struct rw_semaphore *sem, bool write)
{
	bool taken;

	spin_lock(&sem->wait_lock);
	taken = rwsem_try(sem, current, write);
	spin_unlock(&sem->wait_lock);
	if (taken && !write)
		read_note(sem);
	if (taken)
		lock_take(&sem->dep_map, LOCK_KIND_SLEEP);
	return taken;
}

int down_read_trylock(struct rw_semaphore *sem)
{
	if (WARN(host_rwsem_read_held(sem), "%s(%s): held by this thread already", __func__,
		 sem->dep_map.name))
		return 0;
	return rwsem_trylock(sem, false);
}

int down_write_trylock(struct rw_semaphore *sem)
{
	return rwsem_trylock(sem, true);
}

void up_read(struct rw_semaphore *sem)
{
	if (WARN(!read_forget(sem), "up_read(%s): not read by this thread", sem->dep_map.name))
		return;
	lock_drop(&sem->dep_map);
	spin_lock(&sem->wait_lock);
	WRITE_ONCE(sem->holders, sem->holders - 1);
	rwsem_pass_on(sem);
	spin_unlock(&sem->wait_lock);
}

/* The writer's hold ends; @readers of him stay. */
static void write_end(struct rw_semaphore *sem, int readers, const char *who)
{
	if (WARN(!lockdep_is_held(sem), "%s(%s): not written by this thread", who,
		 sem->dep_map.name))
		return;
	spin_lock(&sem->wait_lock);
	__atomic_store_n(&sem->dep_map.owner, NULL, __ATOMIC_RELAXED);
	WRITE_ONCE(sem->holders, readers);
	if (readers)
		read_note(sem);
	else
		lock_drop(&sem->dep_map);
	rwsem_pass_on(sem);
	spin_unlock(&sem->wait_lock);
}

void up_write(struct rw_semaphore *sem)
{
	write_end(sem, 0, __func__);
}

void downgrade_write(struct rw_semaphore *sem)
{
	write_end(sem, 1, __func__);
}

int rwsem_is_locked(struct rw_semaphore *sem)
{
	return READ_ONCE(sem->holders) != 0;
}

int rwsem_is_contended(struct rw_semaphore *sem)
{
	return !list_empty(&sem->wait_list);
}
