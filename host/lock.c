/* SPDX-License-Identifier: MIT */
/*
 * lock.c - spinlocks, mutexes, and reference counts that saturate or take a lock at zero
 *
 * Invariants
 *   1  A waiter sets its state, then looks at the lock; unlock changes the lock, then wakes: no
 *      wake-up is lost.
 *   2  MUTEX_WAITERS is set while the queue is not empty, so unlock goes through wait_lock: what a
 *      queued waiter reads of the holder under wait_lock stays valid until it lets go of wait_lock.
 *   3  A waiter that gives up passes on the wake-up that may have been his.
 */
#include "host/lockdep.h"
#include "host/mutex.h"
#include "host/raw-lock.h"

#ifdef HOST_TSAN
unsigned int host_fence_word;
#endif

void host_raw_lock_slow(u32 *word)
{
	for (int i = 0; i < HOST_SPIN_TRIES; i++) {
		cpu_relax();
		if (READ_ONCE(*word) == 0 && host_raw_trylock(word))
			return;
	}
	while (xchg_acquire(word, 2) != 0)
		port_wait(word, 2, PORT_FOREVER);
}

/* --- spinlock --------------------------------------------------------------------------------- */

void __spin_lock_init(spinlock_t *lock, const char *name)
{
	lock->word = 0;
	lock->dep_map.owner = NULL;
	lock->dep_map.name = name;
}

static void spin_taken(spinlock_t *lock, struct task_struct *task)
{
	__atomic_store_n(&lock->dep_map.owner, task, __ATOMIC_RELAXED);
	task->spin_depth++;
	lock_take(&lock->dep_map, LOCK_KIND_SPIN);
}

static bool owned_by(const struct lockdep_map *map, const struct task_struct *task)
{
	return __atomic_load_n(&map->owner, __ATOMIC_RELAXED) == task;
}

void spin_lock(spinlock_t *lock)
{
	struct task_struct *task = current;

	if (WARN(owned_by(&lock->dep_map, task), "spin_lock(%s): held by this thread already",
		 lock->dep_map.name))
		return;
	port_point(PORT_LOCK, lock);
	lock_want(&lock->dep_map, LOCK_KIND_SPIN, NULL);
	host_raw_lock(&lock->word);
	spin_taken(lock, task);
}

int spin_trylock(spinlock_t *lock)
{
	port_point(PORT_LOCK, lock);
	if (!host_raw_trylock(&lock->word))
		return 0;
	spin_taken(lock, current);
	return 1;
}

void spin_unlock(spinlock_t *lock)
{
	struct task_struct *task = current;

	if (WARN(!owned_by(&lock->dep_map, task), "spin_unlock(%s): not held by this thread",
		 lock->dep_map.name))
		return;
	task->spin_depth--;
	lock_drop(&lock->dep_map);
	__atomic_store_n(&lock->dep_map.owner, NULL, __ATOMIC_RELAXED);
	host_raw_unlock(&lock->word);
	host_irq_work_poll(task);
}

/* --- mutex ------------------------------------------------------------------------------------ */

void __mutex_init(struct mutex *lock, const char *name)
{
	atomic_long_set(&lock->owner, 0);
	__spin_lock_init(&lock->wait_lock, name);
	INIT_LIST_HEAD(&lock->wait_list);
	lock->dep_map.owner = NULL;
	lock->dep_map.name = name;
}

void mutex_destroy(struct mutex *lock)
{
	WARN(mutex_is_locked(lock), "mutex_destroy(%s): locked", lock->dep_map.name);
}

bool mutex_is_locked(struct mutex *lock)
{
	return mutex_owner(lock) != NULL;
}

static void mutex_taken(struct mutex *lock, struct task_struct *task)
{
	__atomic_store_n(&lock->dep_map.owner, task, __ATOMIC_RELAXED);
	if (task)
		lock_take(&lock->dep_map, LOCK_KIND_SLEEP);
	else
		lock_drop(&lock->dep_map);
}

/* Take it if it is free and not promised to the first waiter; @first: that is me. */
static bool mutex_try(struct mutex *lock, struct task_struct *task, bool first)
{
	long old = atomic_long_read(&lock->owner);

	do {
		if ((old & ~MUTEX_FLAGS) || ((old & MUTEX_HANDOFF) && !first))
			return false;
	} while (!atomic_long_try_cmpxchg_acquire(&lock->owner, &old,
						  (long)task | (old & MUTEX_WAITERS)));
	mutex_taken(lock, task);
	return true;
}

static struct mutex_waiter *mutex_first(struct mutex *lock)
{
	return list_first_entry_or_null(&lock->wait_list, struct mutex_waiter, list);
}

/* Under wait_lock. */
static void mutex_wake_first(struct mutex *lock)
{
	struct mutex_waiter *first = mutex_first(lock);

	if (first)
		wake_up_process(first->task);
}

/* Under wait_lock: @waiter has the lock, or gave up. */
static void mutex_dequeue(struct mutex *lock, struct mutex_waiter *waiter, bool taken)
{
	long old, flags;

	list_del(&waiter->list);
	flags = list_empty(&lock->wait_list) ? MUTEX_FLAGS : MUTEX_HANDOFF;
	if (taken) {
		if (flags == MUTEX_FLAGS)
			atomic_long_andnot(flags, &lock->owner);
		return;
	}
	old = atomic_long_fetch_andnot(flags, &lock->owner);
	if (!(old & ~MUTEX_FLAGS))
		mutex_wake_first(lock);
}

/* The holder often is about to let go: cheaper than a sleep. */
static bool mutex_spin(struct mutex *lock, struct task_struct *task)
{
	for (int i = 0; i < HOST_SPIN_TRIES; i++) {
		if (mutex_try(lock, task, false))
			return true;
		cpu_relax();
	}
	return false;
}

/* Under wait_lock, which it lets go of while asleep. */
static int mutex_wait(struct mutex *lock, unsigned int state, struct ww_mutex *ww,
		      struct mutex_waiter *waiter)
{
	bool woken_first = false;

	for (;;) {
		bool first = mutex_first(lock) == waiter;

		set_current_state(state);
		if (mutex_try(lock, waiter->task, first))
			return 0;
		if (signal_pending_state(state, waiter->task))
			return -EINTR;
		if (waiter->ctx && host_ww_must_die(ww, waiter))
			return -EDEADLK;
		/* Overtaken although I was first and awake: the next unlock is mine. */
		if (first && woken_first) {
			atomic_long_or(MUTEX_HANDOFF, &lock->owner);
			if (mutex_try(lock, waiter->task, true))
				return 0;
		}
		spin_unlock(&lock->wait_lock);
		schedule();
		spin_lock(&lock->wait_lock);
		woken_first = first;
	}
}

static int mutex_lock_slow(struct mutex *lock, unsigned int state, struct ww_mutex *ww,
			   struct ww_acquire_ctx *ctx)
{
	struct mutex_waiter waiter = { .task = current, .ctx = ctx };
	int err = 0;

	if (mutex_spin(lock, waiter.task)) {
		if (ctx)
			host_ww_taken(ww, ctx, false);
		return 0;
	}

	spin_lock(&lock->wait_lock);
	if (ctx)
		err = host_ww_enqueue(ww, &waiter);
	else
		list_add_tail(&waiter.list, &lock->wait_list);
	if (err)
		goto unlock;
	atomic_long_fetch_or(MUTEX_WAITERS, &lock->owner);
	if (ctx)
		host_ww_blocked(ww, &waiter);
	err = mutex_wait(lock, state, ww, &waiter);
	__set_current_state(TASK_RUNNING);
	mutex_dequeue(lock, &waiter, !err);
	if (!err && ctx)
		host_ww_taken(ww, ctx, true);
unlock:
	spin_unlock(&lock->wait_lock);
	return err;
}

int host_mutex_lock(struct mutex *lock, unsigned int state, struct ww_mutex *ww,
		    struct ww_acquire_ctx *ctx, const char *who)
{
	struct task_struct *task = current;
	long free = 0;

	port_point(PORT_LOCK, lock);
	might_sleep();
	if (WARN(owned_by(&lock->dep_map, task), "%s(%s): held by this thread already", who,
		 lock->dep_map.name))
		return -EDEADLK;
	lock_want(&lock->dep_map, ww ? LOCK_KIND_WW : LOCK_KIND_SLEEP, ctx);
	if (state != TASK_UNINTERRUPTIBLE && port_should_fail(PORT_FAULT_WAIT))
		return -EINTR;
	if (likely(atomic_long_try_cmpxchg_acquire(&lock->owner, &free, (long)task))) {
		mutex_taken(lock, task);
		if (ctx)
			host_ww_taken(ww, ctx, false);
		return 0;
	}
	return mutex_lock_slow(lock, state, ww, ctx);
}

void mutex_lock(struct mutex *lock)
{
	host_mutex_lock(lock, TASK_UNINTERRUPTIBLE, NULL, NULL, __func__);
}

int mutex_lock_interruptible(struct mutex *lock)
{
	return host_mutex_lock(lock, TASK_INTERRUPTIBLE, NULL, NULL, __func__);
}

int mutex_lock_killable(struct mutex *lock)
{
	return host_mutex_lock(lock, TASK_KILLABLE, NULL, NULL, __func__);
}

int mutex_trylock(struct mutex *lock)
{
	port_point(PORT_LOCK, lock);
	return mutex_try(lock, current, false);
}

void mutex_unlock(struct mutex *lock)
{
	struct task_struct *task = current;
	long old = (long)task;

	if (WARN(!owned_by(&lock->dep_map, task), "mutex_unlock(%s): not held by this thread",
		 lock->dep_map.name))
		return;
	port_point(PORT_LOCK, lock);
	mutex_taken(lock, NULL);
	/* Acquire as well: who takes a ww_mutex next relies on seeing ctx cleared and the flags. */
	if (likely(__atomic_compare_exchange_n(&lock->owner.counter, &old, 0, false,
					       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
		return;
	spin_lock(&lock->wait_lock);
	atomic_long_fetch_and(MUTEX_FLAGS, &lock->owner);
	mutex_wake_first(lock);
	spin_unlock(&lock->wait_lock);
}

/* --- reference counts that meet locks --------------------------------------------------------- */

void host_refcount_saturate(refcount_t *r, const char *what)
{
	atomic_set(&r->refs, REFCOUNT_SATURATED);
	WARN(1, "refcount_t: %s", what);
}

bool refcount_dec_not_one(refcount_t *r)
{
	int old = atomic_read(&r->refs);

	do {
		if (old == 1)
			return false;
		if (unlikely(old <= 0)) {
			host_refcount_saturate(r, "underflow; use-after-free");
			return true;
		}
	} while (!atomic_try_cmpxchg_release(&r->refs, &old, old - 1));
	return true;
}

bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	mutex_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	mutex_unlock(lock);
	return false;
}

bool refcount_dec_and_lock(refcount_t *r, spinlock_t *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	spin_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	spin_unlock(lock);
	return false;
}
