/* SPDX-License-Identifier: MIT */
/*
 * barrier.h - order between accesses (what Linux calls <asm/barrier.h>)
 *
 * smp_load_acquire() and smp_store_release() order one access; the fences order all before with all
 * after.  smp_store_mb() is a sequentially consistent store: one xchg on x86, never mov and mfence.
 *
 * The thread sanitizer does not know fences.  In its builds each is a read-modify-write of one
 * shared word, which it does know: stronger than the fence, so prefer acquire and release accesses
 * in new code, which it checks exactly.
 */
#ifndef _LINUX_BARRIER_H
#define _LINUX_BARRIER_H

#include <linux/compiler.h>

#ifdef HOST_TSAN
extern unsigned int host_fence_word;
#define HOST_FENCE(order) ((void)__atomic_fetch_add(&host_fence_word, 0, __ATOMIC_ACQ_REL))
#else
#define HOST_FENCE(order) __atomic_thread_fence(order)
#endif

#define smp_mb()                               \
	do {                                   \
		port_point(PORT_ATOMIC, NULL); \
		HOST_FENCE(__ATOMIC_SEQ_CST);  \
	} while (0)
#define smp_rmb() HOST_FENCE(__ATOMIC_ACQUIRE)
#define smp_wmb() HOST_FENCE(__ATOMIC_RELEASE)
#define mb() smp_mb()
#define rmb() smp_rmb()
#define wmb() smp_wmb()
/* Software devices run on CPUs, so what orders CPUs orders them. */
#define dma_rmb() smp_rmb()
#define dma_wmb() smp_wmb()

/* Beside a read-modify-write: on x86 that instruction is a full fence already. */
#if (defined(__x86_64__) || defined(__i386__)) && !defined(HOST_TSAN) && \
	!defined(LIBDMABUF_SCHEDULES)
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#else
#define smp_mb__before_atomic() smp_mb()
#define smp_mb__after_atomic() smp_mb()
#endif
#define smp_mb__after_spinlock() smp_mb()

#define smp_load_acquire(p)                                    \
	({                                                     \
		typeof(&*(p)) acquire_p_ = (p);                \
		port_point(PORT_ATOMIC, acquire_p_);           \
		__atomic_load_n(acquire_p_, __ATOMIC_ACQUIRE); \
	})

#define smp_store_release(p, v)                                      \
	do {                                                         \
		typeof(&*(p)) release_p_ = (p);                      \
		port_point(PORT_ATOMIC, release_p_);                 \
		__atomic_store_n(release_p_, (v), __ATOMIC_RELEASE); \
	} while (0)

/* A later plain load may overtake a C11 seq_cst store on machines other than x86: hence the fence
 * there. */
#if (defined(__x86_64__) || defined(__i386__)) && !defined(LIBDMABUF_SCHEDULES)
#define HOST_AFTER_STORE_MB() barrier()
#else
#define HOST_AFTER_STORE_MB() HOST_FENCE(__ATOMIC_SEQ_CST)
#endif
#define smp_store_mb(var, value)                                       \
	do {                                                           \
		typeof(&(var)) store_p_ = &(var);                      \
		port_point(PORT_ATOMIC, store_p_);                     \
		__atomic_store_n(store_p_, (value), __ATOMIC_SEQ_CST); \
		HOST_AFTER_STORE_MB();                                 \
	} while (0)

#endif
