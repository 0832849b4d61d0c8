/* SPDX-License-Identifier: MIT */
/*
 * measure.h - a row of `dmabuf bench`: a loop over one operation, and what it stands on
 *
 * A group is a source of rows about one part of the API.  bench.c takes every row of every group in
 * every round.
 *
 * Invariants
 *   1  A loop is a function of its own named loop_*, so that callgrind can collect inside loops
 *      alone; the calls it makes are what the row measures.
 *   2  A loop leaves everything as it found it: it runs any number of times.
 *   3  What a loop may not be charged for lies outside work_start() and work_stop(); a loop that
 *      calls neither is charged for all of it.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <linux/kernel.h>

#include "bench/subject.h"
#include "host/port.h"

#define KIB 1024ul
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
/* A round of this row takes so many pairs that it lasts about half a millisecond. */
#define PAIRS_TIMED (~0ull)

struct measure;

/*
 * What one thread of one measure works on; its loop takes the next of `n` things each time and
 * wraps.
 */
struct work {
	const struct measure *measure;
	struct subject *subject;
	struct dma_buf_attachment **attach; /* in random order */
	atomic_t **lines;
	void *priv; /* what ->setup() of a group made */
	const struct work
		*first; /* that of the row's first thread, which is ready; NULL: this is it */
	unsigned int n, next;
	u64 pairs;
	u64 ns;      /* of all pairs */
	u64 started; /* work_start() */
	int cpu;
	void (*loop)(struct work *work);
	u32 *gate;
};

struct measure {
	const char *name;
	void (*loop)(struct work *work);
	/* Optional, both: what the loop works on, before the first round and after the last. */
	void (*setup)(struct work *work);
	void (*teardown)(struct work *work);
	unsigned int n, threads; /* how many things a pair touches or takes turns among */
	size_t bytes;
	const char *machine; /* NULL: none, or its kind makes no difference */
	enum subject_kind kind;
	/*
	 * The row whose ns it is divided by, and what the ratio must not exceed; NULL: a figure by
	 * itself.
	 */
	const char *base;
	unsigned int base_n; /* on one thread */
	size_t base_bytes;
	const char *base_machine;
	double target;
	u64 pairs; /* a round; 0: the default */
};

#define BASE(name_, n_, bytes_, target_) \
	.base = name_, .base_n = n_, .base_bytes = bytes_, .target = target_
#define ATOMIC(n_, target_) BASE("atomic_pair", n_, 0, target_)

struct bench_group {
	const struct measure *measures;
	size_t count;
};

extern const struct bench_group bench_maps, bench_buffers, bench_fences, bench_resvs, bench_dma;
extern const struct bench_group bench_ucx; /* of another library (ucx.h): for --peers alone */

/** bench_checked - @ptr, or the end of the program with a message that names @what */
void *bench_checked(void *ptr, const char *what);

/** bench_zeroed - memory for one or more things, or the end of the program */
void *bench_zeroed(size_t bytes);

/** bench_shuffle - @n pointers in random order */
void bench_shuffle(void **things, unsigned int n);

struct dma_fence;

/** bench_fence - an unsignaled fence of @context, the caller's */
struct dma_fence *bench_fence(u64 context, u64 seqno);

/** bench_fence_end - signal it and put it */
void bench_fence_end(struct dma_fence *fence);

/** work_take - the index of the next thing */
static inline unsigned int work_take(struct work *work)
{
	unsigned int i = work->next;

	work->next = i + 1 < work->n ? i + 1 : 0;
	return i;
}

/** work_start, work_stop - charge the row for what is between, and for nothing else */
static inline void work_start(struct work *work)
{
	work->started = port_time_ns();
}

static inline void work_stop(struct work *work)
{
	work->ns += port_time_ns() - work->started;
}

#endif
