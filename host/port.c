/* SPDX-License-Identifier: MIT */
/*
 * port.c - host/port.h on Linux: pthreads, futex, membarrier
 *
 * Invariants
 *   1  Nothing here uses the kernel's API of include/linux: everything there stands on this file.
 *   2  Fault counters belong to one thread: a sweep in one thread disturbs no other.
 */
#include "host/port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void (*port_point_hook)(enum port_point_kind kind, const void *addr);
const struct port_scheduler *port_scheduler;

struct port_thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
	char name[16]; /* what Linux keeps of a thread's name */
};

static void *port_thread_main(void *arg)
{
	struct port_thread *thread = arg;

	pthread_setname_np(pthread_self(), thread->name);
	thread->fn(thread->arg);
	return NULL;
}

struct port_thread *port_thread_create(void (*fn)(void *arg), void *arg, const char *name)
{
	struct port_thread *thread;
	sigset_t all, before;
	int err;

	if (port_should_fail(PORT_FAULT_THREAD))
		return NULL;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->fn = fn;
	thread->arg = arg;
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread->id, NULL, port_thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		free(thread);
		return NULL;
	}
	return thread;
}

void port_thread_join(struct port_thread *thread)
{
	pthread_join(thread->id, NULL);
	free(thread);
}

void port_yield(void)
{
	if (port_scheduler)
		port_scheduler->yield();
	else
		sched_yield();
}

int port_wait(const uint32_t *addr, uint32_t expected, int64_t timeout_ns)
{
	struct timespec limit;
	long ret;

	port_point(PORT_BLOCK, addr);
	if (port_scheduler)
		return port_scheduler->wait(addr, expected, timeout_ns);
	if (timeout_ns <= 0)
		return __atomic_load_n(addr, __ATOMIC_RELAXED) == expected ? -ETIMEDOUT : -EAGAIN;
	if (port_should_fail(PORT_FAULT_SLEEP))
		return 0;
	limit.tv_sec = timeout_ns / 1000000000;
	limit.tv_nsec = timeout_ns % 1000000000;
	ret = syscall(SYS_futex, addr, FUTEX_WAIT_PRIVATE, expected,
		      timeout_ns == PORT_FOREVER ? NULL : &limit, NULL, 0);
	if (!ret || errno == EINTR)
		return 0;
	return -errno;
}

void port_wake(const uint32_t *addr, int count)
{
	port_point(PORT_WAKE, addr);
	if (port_scheduler)
		port_scheduler->wake(addr, count);
	else
		syscall(SYS_futex, addr, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t port_time_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t port_thread_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t port_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* 0: not seeded yet.  Advanced atomically, so each number is drawn once, whoever draws it. */
static uint64_t random_state;

/* splitmix64: a counter, mixed; the increment is the golden ratio's fraction */
#define RANDOM_STEP 0x9e3779b97f4a7c15ull

static uint64_t random_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void port_random_seed(uint64_t seed)
{
	/* mixing never maps a seed to the "not seeded" 0, except one, which gets a neighbour's
	 * place */
	seed = random_mix(seed + RANDOM_STEP);
	__atomic_store_n(&random_state, seed ? seed : 1, __ATOMIC_RELAXED);
}

uint64_t port_random(void)
{
	if (!__atomic_load_n(&random_state, __ATOMIC_RELAXED)) {
		uint64_t seed, unset = 0;

		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
			seed = port_time_ns();
		seed |= 1;
		__atomic_compare_exchange_n(&random_state, &unset, seed, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	}
	return random_mix(__atomic_add_fetch(&random_state, RANDOM_STEP, __ATOMIC_RELAXED));
}

/*
 * The kernel answers EPERM until the process has registered its intent, which an exec forgets.
 * Without the expedited command (before Linux 4.14) the global one does the same, in milliseconds.
 */
void port_barrier_all(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		return;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		return;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0)
		return;
	fprintf(stderr, "libdmabuf: this system has no membarrier(): %s\n", strerror(errno));
	abort();
}

/* --- failure on demand ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int error;
} fault_kinds[PORT_FAULT_NR] = {
	[PORT_FAULT_ALLOC] = { "alloc", ENOMEM }, [PORT_FAULT_CALLBACK] = { "callback", EIO },
	[PORT_FAULT_WAIT] = { "wait", EINTR },    [PORT_FAULT_SLEEP] = { "sleep", EINTR },
	[PORT_FAULT_FD] = { "fd", EMFILE },       [PORT_FAULT_MAP] = { "map", ENOMEM },
	[PORT_FAULT_SPACE] = { "space", ENOSPC }, [PORT_FAULT_THREAD] = { "thread", EAGAIN },
	[PORT_FAULT_COPY] = { "copy", EFAULT },
};

static __thread struct {
	uint64_t first, last; /* fail if asked for the first-th to last-th time; 0: off */
	uint64_t asked;
	int error; /* 0: the kind's */
} fault[PORT_FAULT_NR];

const char *port_fault_name(enum port_fault kind)
{
	return fault_kinds[kind].name;
}

void port_fail_nth(enum port_fault kind, uint64_t nth)
{
	fault[kind].first = nth;
	fault[kind].last = nth;
	fault[kind].asked = 0;
}

void port_fail_from(enum port_fault kind, uint64_t nth)
{
	port_fail_nth(kind, nth);
	fault[kind].last = UINT64_MAX;
}

void port_fail_errno(enum port_fault kind, int error)
{
	fault[kind].error = error;
}

uint64_t port_fault_count(enum port_fault kind)
{
	return fault[kind].asked;
}

bool port_should_fail(enum port_fault kind)
{
	uint64_t asked = ++fault[kind].asked;

	return __builtin_expect(fault[kind].first != 0, 0) && asked >= fault[kind].first &&
	       asked <= fault[kind].last;
}

int port_failure(enum port_fault kind)
{
	if (!port_should_fail(kind))
		return 0;
	return fault[kind].error ? fault[kind].error : fault_kinds[kind].error;
}

/* --- the system's calls that can fail --------------------------------------------------------- */

static bool call_fails(enum port_fault kind)
{
	int error = port_failure(kind);

	if (error)
		errno = error;
	return error;
}

int port_memfd_create(const char *name, unsigned int flags)
{
	return call_fails(PORT_FAULT_FD) ? -1 : memfd_create(name, flags);
}

int port_open(const char *path, int flags)
{
	int fd;

	do
		fd = call_fails(PORT_FAULT_FD) ? -1 : open(path, flags);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/*
 * Beyond RLIMIT_FSIZE the system refuses with EFBIG and a signal that ends programs which know
 * nothing of our file: that one is taken back.
 */
int port_ftruncate(int fd, int64_t bytes)
{
	const struct timespec now = {};
	sigset_t too_large, before, pending;
	int ret, error;

	sigemptyset(&too_large);
	sigaddset(&too_large, SIGXFSZ);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &too_large, &before);
	do
		ret = call_fails(PORT_FAULT_SPACE) ? -1 : ftruncate(fd, bytes);
	while (ret && errno == EINTR);
	error = errno;
	if (ret && error == EFBIG && !sigismember(&pending, SIGXFSZ))
		while (sigtimedwait(&too_large, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return ret;
}

int port_fallocate(int fd, int mode, int64_t offset, int64_t bytes)
{
	int ret;

	do
		ret = call_fails(PORT_FAULT_SPACE) ? -1 : fallocate(fd, mode, offset, bytes);
	while (ret && errno == EINTR);
	return ret;
}

void *port_mmap(void *addr, size_t bytes, int prot, int flags, int fd, int64_t offset)
{
	if (call_fails(PORT_FAULT_MAP))
		return MAP_FAILED;
	return mmap(addr, bytes, prot, flags, fd, offset);
}

int port_munmap(void *addr, size_t bytes)
{
	return call_fails(PORT_FAULT_MAP) ? -1 : munmap(addr, bytes);
}

int port_mprotect(void *addr, size_t bytes, int prot)
{
	return call_fails(PORT_FAULT_MAP) ? -1 : mprotect(addr, bytes, prot);
}
