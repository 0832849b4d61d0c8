/* SPDX-License-Identifier: MIT */
/*
 * seqlock.h - readers that hold nothing and read again when a writer came between
 *
 *	do {
 *		seq = read_seqbegin(&lock);
 *		a = READ_ONCE(x);
 *		b = READ_ONCE(y);
 *	} while (read_seqretry(&lock, seq));
 *
 * Invariants
 *   SE1  The number is odd while a writer is inside, and grows by 2 with each.
 *   SE2  When read_seqretry() says false, what was read is what one writer left, whole.
 *   SE3  Readers hold up nobody; writers exclude each other: a seqlock by its own lock, a seqcount
 *        by the lock its type names, which is asserted, or the caller's.
 *
 * Rule: what readers read is written with WRITE_ONCE() and read with READ_ONCE(), for a reader may
 * look in the middle of a write.
 * Context: a writer may not sleep inside (a seqcount_mutex_t's may), as readers spin for it; a
 * reader waits only in read_seqbegin().  Semantics: Linux 6.12.
 * Not here: latches, read_seqbegin_or_lock().
 */
#ifndef _LINUX_SEQLOCK_H
#define _LINUX_SEQLOCK_H

#include <linux/barrier.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/processor.h>
#include <linux/spinlock.h>

typedef struct seqcount {
	unsigned int sequence;
} seqcount_t;

#define SEQCNT_ZERO(name)     \
	{                     \
		.sequence = 0 \
	}
#define seqcount_init(s) ((void)((s)->sequence = 0))

/* A count that knows the lock of its writers. */
typedef struct {
	seqcount_t seqcount;
	spinlock_t *lock;
} seqcount_spinlock_t;

typedef struct {
	seqcount_t seqcount;
	struct mutex *lock;
} seqcount_mutex_t;

#define SEQCNT_SPINLOCK_ZERO(name, l)                      \
	{                                                  \
		.seqcount = SEQCNT_ZERO(name), .lock = (l) \
	}
#define SEQCNT_MUTEX_ZERO(name, l) SEQCNT_SPINLOCK_ZERO(name, l)
#define seqcount_spinlock_init(s, l) ((void)((s)->seqcount.sequence = 0, (s)->lock = (l)))
#define seqcount_mutex_init(s, l) ((void)((s)->seqcount.sequence = 0, (s)->lock = (l)))

static inline seqcount_t *host_seqcount_of_spinlock(seqcount_spinlock_t *s)
{
	return &s->seqcount;
}

static inline seqcount_t *host_seqcount_of_mutex(seqcount_mutex_t *s)
{
	return &s->seqcount;
}

static inline seqcount_t *host_seqcount_of(seqcount_t *s)
{
	return s;
}

#define host_seqcount(s)                                         \
	_Generic((s), seqcount_t *                               \
		 : host_seqcount_of, seqcount_spinlock_t *       \
		 : host_seqcount_of_spinlock, seqcount_mutex_t * \
		 : host_seqcount_of_mutex)(s)

static inline void host_seqcount_check_spinlock(seqcount_spinlock_t *s)
{
	lockdep_assert_held(s->lock);
}

static inline void host_seqcount_check_mutex(seqcount_mutex_t *s)
{
	lockdep_assert_held(s->lock);
}

static inline void host_seqcount_check_none(seqcount_t *s)
{
}

#define host_seqcount_check(s)                                      \
	_Generic((s), seqcount_t *                                  \
		 : host_seqcount_check_none, seqcount_spinlock_t *  \
		 : host_seqcount_check_spinlock, seqcount_mutex_t * \
		 : host_seqcount_check_mutex)(s)

/* --- readers ---------------------------------------------------------------------------------- */

static inline unsigned int host_seq_begin(const seqcount_t *s)
{
	unsigned int seq, spins = 0;

	while ((seq = smp_load_acquire(&s->sequence)) & 1) {
		/* The writer may have lost his CPU to us. */
		if (++spins % 128 == 0)
			port_yield();
		else
			cpu_relax();
	}
	return seq;
}

static inline bool host_seq_retry(const seqcount_t *s, unsigned int start)
{
	smp_rmb();
	return READ_ONCE(s->sequence) != start;
}

#define read_seqcount_begin(s) host_seq_begin(host_seqcount(s))
#define read_seqcount_retry(s, start) host_seq_retry(host_seqcount(s), start)
/* raw_read_seqcount - without waiting for a writer: odd then; raw_seqcount_begin - fails its retry */
#define raw_read_seqcount(s) smp_load_acquire(&host_seqcount(s)->sequence)
#define raw_seqcount_begin(s) (raw_read_seqcount(s) & ~1u)

/* --- writers ---------------------------------------------------------------------------------- */

static inline void host_seq_write_begin(seqcount_t *s)
{
	WRITE_ONCE(s->sequence, s->sequence + 1);
	smp_wmb();
}

static inline void host_seq_write_end(seqcount_t *s)
{
	smp_store_release(&s->sequence, s->sequence + 1);
}

#define write_seqcount_begin(s)                         \
	do {                                            \
		host_seqcount_check(s);                 \
		host_seq_write_begin(host_seqcount(s)); \
	} while (0)
#define write_seqcount_end(s) host_seq_write_end(host_seqcount(s))

/* write_seqcount_invalidate - who is reading now reads again, though nothing was written */
#define write_seqcount_invalidate(s)                    \
	do {                                            \
		host_seqcount_check(s);                 \
		host_seq_write_begin(host_seqcount(s)); \
		host_seq_write_end(host_seqcount(s));   \
	} while (0)

/* --- with a lock of its own ------------------------------------------------------------------- */

typedef struct {
	seqcount_t seqcount;
	spinlock_t lock;
} seqlock_t;

#define __SEQLOCK_UNLOCKED(name)                                                         \
	{                                                                                \
		.seqcount = SEQCNT_ZERO(name), .lock = __SPIN_LOCK_UNLOCKED((name).lock) \
	}
#define DEFINE_SEQLOCK(name) seqlock_t name = __SEQLOCK_UNLOCKED(name)

#define seqlock_init(sl)                        \
	do {                                    \
		seqcount_init(&(sl)->seqcount); \
		spin_lock_init(&(sl)->lock);    \
	} while (0)

static inline unsigned int read_seqbegin(const seqlock_t *sl)
{
	return host_seq_begin(&sl->seqcount);
}

static inline bool read_seqretry(const seqlock_t *sl, unsigned int start)
{
	return host_seq_retry(&sl->seqcount, start);
}

static inline void write_seqlock(seqlock_t *sl)
{
	spin_lock(&sl->lock);
	host_seq_write_begin(&sl->seqcount);
}

static inline void write_sequnlock(seqlock_t *sl)
{
	host_seq_write_end(&sl->seqcount);
	spin_unlock(&sl->lock);
}

static inline void write_seqlock_irq(seqlock_t *sl)
{
	spin_lock_irq(&sl->lock);
	host_seq_write_begin(&sl->seqcount);
}

static inline void write_sequnlock_irq(seqlock_t *sl)
{
	host_seq_write_end(&sl->seqcount);
	spin_unlock_irq(&sl->lock);
}

#define write_seqlock_irqsave(sl, flags)               \
	do {                                           \
		spin_lock_irqsave(&(sl)->lock, flags); \
		host_seq_write_begin(&(sl)->seqcount); \
	} while (0)

static inline void write_sequnlock_irqrestore(seqlock_t *sl, unsigned long flags)
{
	host_seq_write_end(&sl->seqcount);
	spin_unlock_irqrestore(&sl->lock, flags);
}

/* read_seqlock_excl - a reader who shuts writers out, and other such readers */
static inline void read_seqlock_excl(seqlock_t *sl)
{
	spin_lock(&sl->lock);
}

static inline void read_sequnlock_excl(seqlock_t *sl)
{
	spin_unlock(&sl->lock);
}

#endif
