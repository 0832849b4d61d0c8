/* SPDX-License-Identifier: MIT */
/*
 * raw-lock.h - exclusion below `current`: one word, no owner, no rules
 *
 * What every other lock is made of, and what guards the register of tasks while a thread has no
 * task yet. The word is 0 free, 1 held, 2 held and somebody may sleep (U. Drepper, "Futexes are
 * tricky", 2011).
 */
#ifndef HOST_RAW_LOCK_H
#define HOST_RAW_LOCK_H

#include <linux/atomic.h>
#include <linux/processor.h>

/* Long enough for a short critical section on another CPU, shorter than a sleep and a wake-up. */
#ifdef LIBDMABUF_SCHEDULES /* nobody goes on meanwhile */
#define HOST_SPIN_TRIES 0
#else
#define HOST_SPIN_TRIES 100
#endif

void host_raw_lock_slow(u32 *word);

static inline bool host_raw_trylock(u32 *word)
{
	u32 free = 0;

	return try_cmpxchg_acquire(word, &free, 1);
}

static inline void host_raw_lock(u32 *word)
{
	if (unlikely(!host_raw_trylock(word)))
		host_raw_lock_slow(word);
}

/* The word may be gone, its memory reused, once it is 0: the wake-up uses the address only. */
static inline void host_raw_unlock(u32 *word)
{
	if (unlikely(xchg_release(word, 0) == 2))
		port_wake(word, 1);
}

#endif
