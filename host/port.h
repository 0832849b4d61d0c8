/* SPDX-License-Identifier: MIT */
/*
 * port.h - the one door between the kernel's primitives and the machine below
 *
 * Everything in host/ that creates a thread, blocks, wakes, may be switched away, reads time, draws
 * a random number, touches an atomic or may be made to fail goes through here and nowhere else.  So
 * a schedule explorer, a fault sweep or another operating system replaces one file.
 *
 * Invariants
 *   P1  No other file calls futex, clock_gettime, getrandom, pthread_create or sched_yield.
 *   P2  A blocked thread is inside port_wait(); a thread that may be switched passes port_point().
 *   P3  Every allocation, callback and wait that can fail asks port_should_fail() first.
 *   P4  A call of the system's that can fail for want of descriptors, addresses, space or threads
 *       is made here.
 *
 * Deliberately not here: policy.  Fairness, ownership and lock order belong to the primitives
 * above.
 */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "host/labels.h"

/* --- threads ---------------------------------------------------------------------------------- */

struct port_thread;

/**
 * port_thread_create - start @fn(@arg) in a thread of its own
 *
 * The thread has all signals blocked: the program's handlers never run in it.
 * Context: may sleep.  Returns NULL when the system has no thread left (PORT_FAULT_THREAD).
 * Ownership: the caller owns the result and gives it to port_thread_join() exactly once.
 */
struct port_thread *port_thread_create(void (*fn)(void *arg), void *arg, const char *name);

/** port_thread_join - wait until the thread has returned, free @thread */
void port_thread_join(struct port_thread *thread);

/** port_yield - let another runnable thread go first */
void port_yield(void);

/* --- blocking --------------------------------------------------------------------------------- */

#define PORT_FOREVER INT64_MAX

/**
 * port_wait - sleep while *@addr == @expected, at most @timeout_ns nanoseconds
 *
 * Returns 0 when woken (also spuriously: look again), -EAGAIN when *@addr was already different,
 * -ETIMEDOUT after @timeout_ns.  Ordering: none; the caller's atomics order.
 */
int port_wait(const uint32_t *addr, uint32_t expected, int64_t timeout_ns);

/** port_wake - wake at most @count threads (INT_MAX: all) that sleep on @addr */
void port_wake(const uint32_t *addr, int count);

/* --- time and chance -------------------------------------------------------------------------- */

/** port_time_ns - monotonic time, nanoseconds */
uint64_t port_time_ns(void);

/** port_thread_ns - how long this thread has been on a processor, nanoseconds; costs a system call */
uint64_t port_thread_ns(void);

/** port_real_ns - wall-clock time since 1970, nanoseconds */
uint64_t port_real_ns(void);

/** port_random - 64 bits; repeatable after port_random_seed() */
uint64_t port_random(void);
void port_random_seed(uint64_t seed);

/* --- memory barriers that the other side pays for --------------------------------------------- */

/** port_barrier_all - every other thread of this process passes a full barrier (membarrier) */
void port_barrier_all(void);

/* --- switch points ---------------------------------------------------------------------------- */

enum port_point_kind {
	PORT_ATOMIC, /* about to touch an atomic or take a spinlock */
	PORT_LOCK,   /* about to take a sleeping lock */
	PORT_BLOCK,  /* about to sleep */
	PORT_WAKE,   /* about to wake somebody */
	PORT_RCU,    /* about to enter or leave a reader section */
};

/*
 * The hook that is told of every switch point, or NULL.  Built in only with -DPORT_POINTS:
 * otherwise port_point() is empty and the hot path carries nothing.  @addr may not be initialized
 * yet: the hook looks at the address only.
 */
#if __has_attribute(access)
extern void (*port_point_hook)(enum port_point_kind kind, const void *addr)
	__attribute__((access(none, 2)));
#else
extern void (*port_point_hook)(enum port_point_kind kind, const void *addr);
#endif

static inline void port_point(enum port_point_kind kind, const void *addr)
{
#ifdef PORT_POINTS
	if (port_point_hook)
		port_point_hook(kind, addr);
#else
	(void)kind;
	(void)addr;
#endif
}

/*
 * The hook that takes over blocking, or NULL.  When set, port_wait() and port_wake() call these
 * instead of the system: a scheduler of coroutines stands on it.
 */
struct port_scheduler {
	int (*wait)(const uint32_t *addr, uint32_t expected, int64_t timeout_ns);
	void (*wake)(const uint32_t *addr, int count);
	void (*yield)(void);
};
extern const struct port_scheduler *port_scheduler;

/* --- failure on demand ------------------------------------------------------------------------ */

enum port_fault {
	PORT_FAULT_ALLOC,    /* ENOMEM */
	PORT_FAULT_CALLBACK, /* of an exporter or importer that was written to fail: EIO */
	PORT_FAULT_WAIT,     /* a signal is pending: EINTR */
	PORT_FAULT_SLEEP,    /* the system ends a sleep too early */
	PORT_FAULT_FD,       /* no descriptor left: EMFILE */
	PORT_FAULT_MAP,      /* no addresses, or too many mappings: ENOMEM */
	PORT_FAULT_SPACE,    /* no room in a file: ENOSPC */
	PORT_FAULT_THREAD,   /* no thread left: EAGAIN */
	PORT_FAULT_COPY,     /* a program's pointer leads nowhere: EFAULT */
	PORT_FAULT_NR
};

/**
 * port_fault_name - "alloc", "callback", ...
 */
const char *port_fault_name(enum port_fault kind);

/**
 * port_fail_nth - the @nth next question (1 = the next) of this kind, asked by this thread, is
 * answered with yes, all others with no; 0 switches off.
 *
 * port_fail_from - so are all later ones
 */
void port_fail_nth(enum port_fault kind, uint64_t nth);
void port_fail_from(enum port_fault kind, uint64_t nth);

/**
 * port_fail_errno - which error calls of this kind, made by this thread, are made to fail with
 * @error: ENFILE for EMFILE, say; 0: the one beside the kind
 */
void port_fail_errno(enum port_fault kind, int error);

/**
 * port_fault_count - how often this thread has asked since the last port_fail_nth() of that kind
 */
uint64_t port_fault_count(enum port_fault kind);

/** port_should_fail - must this allocation, callback or interruptible wait fail now? */
bool port_should_fail(enum port_fault kind);

/**
 * port_failure - the same, for who hands the error on: 0, or the errno to fail with
 */
int port_failure(enum port_fault kind);

/* --- the system's calls that can fail --------------------------------------------------------- */

/*
 * Each is the system's call of its name: same arguments, result and errno, but EINTR, after which
 * it is made again.  It is made to fail by PORT_FAULT_FD (memfd_create, open), _MAP (mmap,
 * munmap, mprotect) or _SPACE (ftruncate, fallocate).
 *
 * munmap() fails only where it would cut a mapping in two.  Who unmaps all that one mmap() gave
 * uses the system's.
 */
int port_memfd_create(const char *name, unsigned int flags);
int port_open(const char *path, int flags);
int port_ftruncate(int fd, int64_t bytes);
int port_fallocate(int fd, int mode, int64_t offset, int64_t bytes);
void *port_mmap(void *addr, size_t bytes, int prot, int flags, int fd, int64_t offset);
int port_munmap(void *addr, size_t bytes);
int port_mprotect(void *addr, size_t bytes, int prot);

#endif
