/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h - short exclusion
 *
 * Context: anywhere.  While one is held nothing may sleep (might_sleep() WARNs).  The critical
 * section should be short, but a waiter gives up its CPU after a while: the holder may have lost
 * his.
 *
 * Rules, each with its WARN
 *   1  A spinlock is not recursive.  After the WARN the caller goes on as if it had taken it again.
 *   2  Its holder unlocks it.  After the WARN the lock is as before.
 *
 * There are no interrupts.  The _irq variants count a depth per thread (irqs_disabled()), so that
 * what Linux runs "when interrupts are on again" has its moment.  DIFFERS: spin_unlock_irq() ends
 * one level, not all.
 */
#ifndef _LINUX_SPINLOCK_H
#define _LINUX_SPINLOCK_H

#include <linux/cleanup.h>
#include <linux/lockdep_types.h>
#include <linux/sched.h>

typedef struct spinlock {
	u32 word; /* 0 free, 1 held, 2 held and somebody sleeps */
	struct lockdep_map dep_map;
} spinlock_t;

typedef spinlock_t raw_spinlock_t;

#define __SPIN_LOCK_UNLOCKED(lockname)                     \
	{                                                  \
		.word = 0, .dep_map = {.name = #lockname } \
	}
#define DEFINE_SPINLOCK(x) spinlock_t x = __SPIN_LOCK_UNLOCKED(x)

void __spin_lock_init(spinlock_t *lock, const char *name);
#define spin_lock_init(lock)                       \
	({                                         \
		static const char name_[] = #lock; \
		__spin_lock_init(lock, name_);     \
	})

void spin_lock(spinlock_t *lock);
int spin_trylock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);

static inline int spin_is_locked(spinlock_t *lock)
{
	return READ_ONCE(lock->word) != 0;
}

/* host_irq_work_run - run what @task, the caller, has queued (<linux/irq_work.h>) */
void host_irq_work_run(struct task_struct *task);

/* host_irq_work_poll - the same if now is the moment: what ends a spinlock or turns interrupts on */
static __always_inline void host_irq_work_poll(struct task_struct *task)
{
	if (unlikely(task->irq_works) && !task->spin_depth && !task->irq_depth)
		host_irq_work_run(task);
}

static inline void local_irq_disable(void)
{
	current->irq_depth++;
}

static inline void local_irq_enable(void)
{
	struct task_struct *task = current;

	task->irq_depth--;
	host_irq_work_poll(task);
}

#define local_irq_save(flags) ((void)((flags) = current->irq_depth++))

static inline void local_irq_restore(unsigned long flags)
{
	struct task_struct *task = current;

	task->irq_depth = (int)flags;
	host_irq_work_poll(task);
}

static inline void spin_lock_irq(spinlock_t *lock)
{
	local_irq_disable();
	spin_lock(lock);
}

static inline void spin_unlock_irq(spinlock_t *lock)
{
	spin_unlock(lock);
	local_irq_enable();
}

#define spin_lock_irqsave(lock, flags) \
	do {                           \
		local_irq_save(flags); \
		spin_lock(lock);       \
	} while (0)

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

#define spin_trylock_irqsave(lock, flags)           \
	({                                          \
		local_irq_save(flags);              \
		int spin_try_ = spin_trylock(lock); \
		if (!spin_try_)                     \
			local_irq_restore(flags);   \
		spin_try_;                          \
	})

#define spin_trylock_irq(lock)                      \
	({                                          \
		local_irq_disable();                \
		int spin_try_ = spin_trylock(lock); \
		if (!spin_try_)                     \
			local_irq_enable();         \
		spin_try_;                          \
	})

#define spin_lock_bh(lock) spin_lock(lock)
#define spin_trylock_bh(lock) spin_trylock(lock)
#define spin_unlock_bh(lock) spin_unlock(lock)
#define spin_lock_nested(lock, subclass) (lock_is_nested(subclass), spin_lock(lock))
#define spin_lock_irqsave_nested(lock, flags, subclass) \
	do {                                            \
		lock_is_nested(subclass);               \
		spin_lock_irqsave(lock, flags);         \
	} while (0)

#define raw_spin_lock_init(lock) spin_lock_init(lock)
#define raw_spin_lock(lock) spin_lock(lock)
#define raw_spin_unlock(lock) spin_unlock(lock)
#define raw_spin_trylock(lock) spin_trylock(lock)
#define raw_spin_lock_irq(lock) spin_lock_irq(lock)
#define raw_spin_unlock_irq(lock) spin_unlock_irq(lock)
#define raw_spin_lock_irqsave(lock, flags) spin_lock_irqsave(lock, flags)
#define raw_spin_unlock_irqrestore(lock, flags) spin_unlock_irqrestore(lock, flags)

DEFINE_LOCK_GUARD_0(irq, local_irq_disable(), local_irq_enable())
DEFINE_LOCK_GUARD_0(irqsave, local_irq_save(_T->flags), local_irq_restore(_T->flags),
		    unsigned long flags)

DEFINE_LOCK_GUARD_1(spinlock, spinlock_t, spin_lock(_T->lock), spin_unlock(_T->lock))
DEFINE_LOCK_GUARD_1_COND(spinlock, _try, spin_trylock(_T->lock))
DEFINE_LOCK_GUARD_1(spinlock_irq, spinlock_t, spin_lock_irq(_T->lock), spin_unlock_irq(_T->lock))
DEFINE_LOCK_GUARD_1_COND(spinlock_irq, _try, spin_trylock_irq(_T->lock))
DEFINE_LOCK_GUARD_1(spinlock_bh, spinlock_t, spin_lock_bh(_T->lock), spin_unlock_bh(_T->lock))
DEFINE_LOCK_GUARD_1_COND(spinlock_bh, _try, spin_trylock_bh(_T->lock))
DEFINE_LOCK_GUARD_1(spinlock_irqsave, spinlock_t, spin_lock_irqsave(_T->lock, _T->flags),
		    spin_unlock_irqrestore(_T->lock, _T->flags), unsigned long flags)
DEFINE_LOCK_GUARD_1_COND(spinlock_irqsave, _try, spin_trylock_irqsave(_T->lock, _T->flags))
DEFINE_LOCK_GUARD_1(raw_spinlock, raw_spinlock_t, spin_lock(_T->lock), spin_unlock(_T->lock))
DEFINE_LOCK_GUARD_1_COND(raw_spinlock, _try, spin_trylock(_T->lock))
DEFINE_LOCK_GUARD_1(raw_spinlock_irq, raw_spinlock_t, spin_lock_irq(_T->lock),
		    spin_unlock_irq(_T->lock))
DEFINE_LOCK_GUARD_1(raw_spinlock_irqsave, raw_spinlock_t, spin_lock_irqsave(_T->lock, _T->flags),
		    spin_unlock_irqrestore(_T->lock, _T->flags), unsigned long flags)

#define assert_spin_locked(lock) lockdep_assert_held(lock)

#include <linux/lockdep.h>

#endif
