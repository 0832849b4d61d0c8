/* SPDX-License-Identifier: MIT */
/*
 * ww_mutex.c - who backs off: wait-die and wound-wait over the queue of a mutex
 *
 * Two threads meet at a lock in one of two ways, and each sees the other:
 *   the waiter sets MUTEX_WAITERS, then reads ww->ctx;
 *   the holder sets ww->ctx, then reads MUTEX_WAITERS (host_ww_taken()).
 * Both are full fences, so at least one finds the other and decides by age.
 *
 * Invariants
 *   1  Waiters with a context stand by age, oldest first; those without keep their place of
 * arrival. 2  ww->ctx of another thread is followed only under wait_lock with MUTEX_WAITERS set:
 * its holder cannot finish unlocking, so the context lives.
 */
#include "host/lockdep.h"
#include "host/mutex.h"

void ww_mutex_init(struct ww_mutex *lock, struct ww_class *ww_class)
{
	__mutex_init(&lock->base, ww_class->mutex_name);
	lock->ctx = NULL;
	lock->ww_class = ww_class;
}

void ww_mutex_destroy(struct ww_mutex *lock)
{
	mutex_destroy(&lock->base);
}

void ww_acquire_init(struct ww_acquire_ctx *ctx, struct ww_class *ww_class)
{
	*ctx = (struct ww_acquire_ctx){
		.task = current,
		.ww_class = ww_class,
		.stamp = (unsigned long)atomic_long_inc_return(&ww_class->stamp),
		.is_wait_die = ww_class->is_wait_die != 0,
	};
	if (IS_ENABLED(HOST_LOCKDEP)) {
		host_lock_drop(ctx);
		host_lock_want(ctx, ww_class->acquire_name, LOCK_KIND_WW, NULL);
		host_lock_take(ctx, ww_class->acquire_name, LOCK_KIND_WW);
	}
}

void ww_acquire_done(struct ww_acquire_ctx *ctx)
{
	WARN(ctx->done, "ww_acquire_done(): called before");
	ctx->done = true;
}

void ww_acquire_fini(struct ww_acquire_ctx *ctx)
{
	WARN(ctx->acquired, "ww_acquire_fini(): %u locks still held", ctx->acquired);
	lock_drop(ctx);
	ctx->done = true;
}

static bool younger(const struct ww_acquire_ctx *a, const struct ww_acquire_ctx *b)
{
	return (long)(a->stamp - b->stamp) > 0;
}

/* Only who holds something can be in a cycle. */
static bool holds_some(struct ww_acquire_ctx *ctx)
{
	return READ_ONCE(ctx->acquired) > 0;
}

/* Wound-wait: the younger holder @victim will give up where it next waits for a lock. */
static void ww_wound(struct ww_mutex *ww, struct ww_acquire_ctx *victim,
		     const struct ww_acquire_ctx *by)
{
	struct task_struct *owner = mutex_owner(&ww->base);

	if (!victim || !owner || victim->is_wait_die || !younger(victim, by) || !holds_some(victim))
		return;
	WRITE_ONCE(victim->wounded, 1);
	if (owner != current)
		wake_up_process(owner);
}

int host_ww_enqueue(struct ww_mutex *ww, struct mutex_waiter *waiter)
{
	struct ww_acquire_ctx *ctx = waiter->ctx;
	struct list_head *before = &ww->base.wait_list;
	struct mutex_waiter *cur;

	list_for_each_entry_reverse(cur, &ww->base.wait_list, list)
	{
		if (!cur->ctx)
			continue;
		if (younger(ctx, cur->ctx)) {
			if (ctx->is_wait_die && holds_some(ctx))
				return -EDEADLK;
			break;
		}
		before = &cur->list;
		/* It will find me, older, ahead of it. */
		if (ctx->is_wait_die && holds_some(cur->ctx))
			wake_up_process(cur->task);
	}
	list_add_tail(&waiter->list, before);
	return 0;
}

void host_ww_blocked(struct ww_mutex *ww, struct mutex_waiter *waiter)
{
	smp_mb__after_atomic();
	ww_wound(ww, smp_load_acquire(&ww->ctx), waiter->ctx);
}

bool host_ww_must_die(struct ww_mutex *ww, struct mutex_waiter *waiter)
{
	struct ww_acquire_ctx *ctx = waiter->ctx, *holder;
	struct mutex_waiter *cur = waiter;

	if (!holds_some(ctx))
		return false;
	if (!ctx->is_wait_die)
		return READ_ONCE(ctx->wounded);
	holder = smp_load_acquire(&ww->ctx);
	if (holder && younger(ctx, holder))
		return true;
	list_for_each_entry_continue_reverse(cur, &ww->base.wait_list,
					     list) if (cur->ctx) return true;
	return false;
}

/* Under wait_lock: those in the queue that waited for another holder now wait for @ctx. */
static void ww_check_waiters(struct ww_mutex *ww, struct ww_acquire_ctx *ctx)
{
	struct mutex_waiter *cur;

	list_for_each_entry(cur, &ww->base.wait_list, list) {
		if (!cur->ctx)
			continue;
		if (!ctx->is_wait_die)
			ww_wound(ww, ctx, cur->ctx);
		else if (younger(cur->ctx, ctx) && holds_some(cur->ctx))
			wake_up_process(cur->task);
	}
}

void host_ww_taken(struct ww_mutex *ww, struct ww_acquire_ctx *ctx, bool locked)
{
	WRITE_ONCE(ctx->acquired, ctx->acquired + 1);
	smp_store_mb(ww->ctx, ctx);
	if (likely(!(atomic_long_read(&ww->base.owner) & MUTEX_WAITERS)))
		return;
	if (!locked)
		spin_lock(&ww->base.wait_lock);
	ww_check_waiters(ww, ctx);
	if (!locked)
		spin_unlock(&ww->base.wait_lock);
}

/* A context that holds nothing cannot be wounded: nobody finds it at a lock. */
static void ww_begin(struct ww_mutex *lock, struct ww_acquire_ctx *ctx, const char *who)
{
	WARN(ctx->ww_class != lock->ww_class, "%s(%s): context of another class", who,
	     lock->base.dep_map.name);
	WARN(ctx->task != current, "%s(%s): context of another thread", who,
	     lock->base.dep_map.name);
	WARN(ctx->done, "%s(%s): after ww_acquire_done()", who, lock->base.dep_map.name);
	if (ctx->acquired == 0)
		WRITE_ONCE(ctx->wounded, 0);
}

static int ww_lock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx, unsigned int state,
		   const char *who)
{
	if (ctx) {
		if (READ_ONCE(lock->ctx) == ctx)
			return -EALREADY;
		ww_begin(lock, ctx, who);
	}
	return host_mutex_lock(&lock->base, state, lock, ctx, who);
}

int ww_mutex_lock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx)
{
	return ww_lock(lock, ctx, TASK_UNINTERRUPTIBLE, __func__);
}

int ww_mutex_lock_interruptible(struct ww_mutex *lock, struct ww_acquire_ctx *ctx)
{
	return ww_lock(lock, ctx, TASK_INTERRUPTIBLE, __func__);
}

void ww_mutex_lock_slow(struct ww_mutex *lock, struct ww_acquire_ctx *ctx)
{
	WARN(ctx->acquired, "ww_mutex_lock_slow(%s): %u locks held", lock->base.dep_map.name,
	     ctx->acquired);
	ww_lock(lock, ctx, TASK_UNINTERRUPTIBLE, __func__);
}

int ww_mutex_lock_slow_interruptible(struct ww_mutex *lock, struct ww_acquire_ctx *ctx)
{
	WARN(ctx->acquired, "ww_mutex_lock_slow_interruptible(%s): %u locks held",
	     lock->base.dep_map.name, ctx->acquired);
	return ww_lock(lock, ctx, TASK_INTERRUPTIBLE, __func__);
}

int ww_mutex_trylock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx)
{
	if (ctx)
		ww_begin(lock, ctx, __func__);
	if (!mutex_trylock(&lock->base))
		return 0;
	if (ctx)
		host_ww_taken(lock, ctx, false);
	return 1;
}

void ww_mutex_unlock(struct ww_mutex *lock)
{
	struct ww_acquire_ctx *ctx = READ_ONCE(lock->ctx);

	if (WARN(!lockdep_is_held(&lock->base), "ww_mutex_unlock(%s): not held by this thread",
		 lock->base.dep_map.name))
		return;
	if (ctx) {
		WRITE_ONCE(ctx->acquired, ctx->acquired - 1);
		WRITE_ONCE(lock->ctx, NULL);
	}
	mutex_unlock(&lock->base);
}
