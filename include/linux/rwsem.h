/* SPDX-License-Identifier: MIT */
/*
 * rwsem.h - many readers or one writer, whose waiters sleep
 *
 * Context: may sleep; not under a spinlock, not in a reader section of RCU; _trylock and up: any.
 *
 * Invariants
 *   1  Fair: waiters get it in the order they came, readers next to each other together.  Who comes
 *      while somebody waits queues behind him, also a reader while readers have it.
 *   2  It is known who holds it: dep_map names the writer; each thread lists what it reads.
 *
 * Rules, each with its WARN
 *   3  Not recursive, in no combination: after the WARN the caller goes on as if he had taken it
 *      again, or gets -EDEADLK.  (A second read would wait for ever once a writer has come between.)
 *   4  Its holder drops it, as what he took it.  After the WARN it is as before.
 *   5  A thread reads at most HOST_READS_MAX at a time.
 *
 * Semantics: Linux 6.12.  DIFFERS: rules 3 to 5 are checked in every build; Linux lets a reader
 * that finds others reading pass a waiting writer for a while.
 */
#ifndef _LINUX_RWSEM_H
#define _LINUX_RWSEM_H

#include <linux/cleanup.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>

#define HOST_READS_MAX 48

struct rw_semaphore {
	/* under wait_lock; others read holders */
	int holders; /* readers, or -1: a writer */
	struct list_head wait_list;
	spinlock_t wait_lock;

	struct lockdep_map dep_map; /* owner: the writer, NULL while others read */
};

#define __RWSEM_INITIALIZER(lockname)                                    \
	{                                                                \
		.wait_list = LIST_HEAD_INIT((lockname).wait_list),       \
		.wait_lock = __SPIN_LOCK_UNLOCKED((lockname).wait_lock), \
		.dep_map = { .name = #lockname },                        \
	}
#define DECLARE_RWSEM(name) struct rw_semaphore name = __RWSEM_INITIALIZER(name)

void __init_rwsem(struct rw_semaphore *sem, const char *name);
#define init_rwsem(sem)                           \
	({                                        \
		static const char name_[] = #sem; \
		__init_rwsem(sem, name_);         \
	})

/* down_read - take it to read; the others: 0, or -EINTR when a signal came (_killable: a fatal one) */
void down_read(struct rw_semaphore *sem);
int __must_check down_read_interruptible(struct rw_semaphore *sem);
int __must_check down_read_killable(struct rw_semaphore *sem);
/* down_read_trylock - 1 when taken, 0 when a writer has it or anybody waits */
int down_read_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);

/* down_write - take it alone; _killable: 0, or -EINTR when a fatal signal came */
void down_write(struct rw_semaphore *sem);
int __must_check down_write_killable(struct rw_semaphore *sem);
/* down_write_trylock - 1 when taken, 0 when anybody, also the caller, has it */
int down_write_trylock(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);

/* downgrade_write - from the writer to a reader, with no other writer between; others may join */
void downgrade_write(struct rw_semaphore *sem);

/* rwsem_is_locked, rwsem_is_contended - does anybody hold it, wait for it? As of some moment */
int rwsem_is_locked(struct rw_semaphore *sem);
int rwsem_is_contended(struct rw_semaphore *sem);

/* host_rwsem_read_held - does this thread hold @sem to read? */
bool host_rwsem_read_held(const struct rw_semaphore *sem);

static inline bool rwsem_is_held(const struct rw_semaphore *sem)
{
	return lockdep_is_held(sem) || host_rwsem_read_held(sem);
}

/*
 * rwsem_assert_held - WARN unless this thread holds it: in any way, to read only, to write.  DIFFERS:
 * lockdep_assert_held() and lockdep_is_held() of an rwsem speak of the writer alone.
 */
#define rwsem_assert_held(sem) ((void)WARN(!rwsem_is_held(sem), "rwsem_assert_held(%s)", #sem))
#define rwsem_assert_held_write(sem) \
	((void)WARN(!lockdep_is_held(sem), "rwsem_assert_held_write(%s)", #sem))
#define lockdep_assert_held_write(sem) \
	((void)WARN(!lockdep_is_held(sem), "lockdep_assert_held_write(%s)", #sem))
#define lockdep_assert_held_read(sem) \
	((void)WARN(!host_rwsem_read_held(sem), "lockdep_assert_held_read(%s)", #sem))

#define down_read_nested(sem, subclass) (lock_is_nested(subclass), down_read(sem))
#define down_write_nested(sem, subclass) (lock_is_nested(subclass), down_write(sem))
#define down_write_nest_lock(sem, nest_lock) down_write(sem)

DEFINE_GUARD(rwsem_read, struct rw_semaphore *, down_read(_T), up_read(_T))
DEFINE_GUARD_COND(rwsem_read, _try, down_read_trylock(_T))
DEFINE_GUARD_COND(rwsem_read, _intr, down_read_interruptible(_T) == 0)
DEFINE_GUARD(rwsem_write, struct rw_semaphore *, down_write(_T), up_write(_T))
DEFINE_GUARD_COND(rwsem_write, _try, down_write_trylock(_T))

#endif
