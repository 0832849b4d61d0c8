/* SPDX-License-Identifier: MIT */
/*
 * refcount.h - reference counts that leak rather than free too early
 *
 * Invariants
 *   1  0 is final: taking a reference at 0 is a use after free.  It WARNs and saturates.
 *   2  Overflow and underflow WARN and saturate; a saturated count never reaches 0 again, so the
 * object leaks, and every further use is harmless.
 *
 * Ordering: increments are relaxed; a decrement is release, and the one that reaches 0 acquire, so
 * the destructor sees everything done under the other references.  inc_not_zero on success is a
 * control dependency only: what it guards must be published by other means.
 */
#ifndef _LINUX_REFCOUNT_H
#define _LINUX_REFCOUNT_H

#include <linux/atomic.h>
#include <linux/bug.h>

struct mutex;
struct spinlock;

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n)               \
	{                              \
		.refs = ATOMIC_INIT(n) \
	}
#define REFCOUNT_MAX 0x7fffffff
#define REFCOUNT_SATURATED (-0x40000000)

/* host_refcount_saturate - pin the count and WARN: "refcount: @what" */
void host_refcount_saturate(refcount_t *r, const char *what);

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return atomic_read(&r->refs);
}

static inline void refcount_add(int i, refcount_t *r)
{
	int old = atomic_fetch_add_relaxed(i, &r->refs);

	if (unlikely(!old))
		host_refcount_saturate(r, "addition on 0; use-after-free");
	else if (unlikely(old < 0 || old > REFCOUNT_MAX - i))
		host_refcount_saturate(r, "saturated; leaking memory");
}

static inline void refcount_inc(refcount_t *r)
{
	refcount_add(1, r);
}

static inline bool __must_check refcount_add_not_zero(int i, refcount_t *r)
{
	int old = atomic_read(&r->refs);

	do {
		if (!old)
			return false;
	} while (!atomic_try_cmpxchg_relaxed(&r->refs, &old, (int)((unsigned int)old + i)));
	if (unlikely(old < 0 || old > REFCOUNT_MAX - i))
		host_refcount_saturate(r, "saturated; leaking memory");
	return true;
}

static inline bool __must_check refcount_inc_not_zero(refcount_t *r)
{
	return refcount_add_not_zero(1, r);
}

static inline bool __must_check refcount_sub_and_test(int i, refcount_t *r)
{
	int old;

	port_point(PORT_ATOMIC, r);
	old = __atomic_fetch_sub(&r->refs.counter, i, __ATOMIC_ACQ_REL);
	if (old > 0 && old == i)
		return true;
	if (unlikely(old <= 0 || old < i))
		host_refcount_saturate(r, "underflow; use-after-free");
	return false;
}

static inline bool __must_check refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

/* refcount_dec - WARNs when it was the last: the caller says it cannot be */
static inline void refcount_dec(refcount_t *r)
{
	if (unlikely(atomic_fetch_sub_release(1, &r->refs) <= 1))
		host_refcount_saturate(r, "decrement hit 0; leaking memory");
}

/* refcount_dec_not_one - true when it was dropped, false when it is the last */
bool __must_check refcount_dec_not_one(refcount_t *r);

/* Dropping the last one takes @lock first: true with the count at 0 and @lock held, else neither.
 */
bool __must_check refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock);
bool __must_check refcount_dec_and_lock(refcount_t *r, struct spinlock *lock);

#endif
