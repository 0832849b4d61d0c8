/* SPDX-License-Identifier: MIT */
/*
 * json.h - the bench's figures as a file
 *
 * Apart from the measures because json-c and the kernel's names do not fit into one source.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stddef.h>

#define BENCH_ALLOCATIONS 8 /* in the place of the first of enum dma_cost that is not one pair's */
#define BENCH_COUNTS 9
#define BENCH_PEERS 3

/*
 * One row: @ns nanoseconds a pair over @n things on @threads threads, buffers of @bytes, and what a
 * pair counts.
 */
struct bench_result {
	const char *name;
	const char *machine; /* "" for none */
	unsigned int n, threads;
	size_t bytes;
	double ns; /* 0: of what is held, no time */
	const char *count_name[BENCH_COUNTS];
	double count[BENCH_COUNTS];
	struct {
		const char *peer; /* NULL: no such row */
		double ratio, target;
	} beside[BENCH_PEERS];
};

/**
 * bench_write_json - the rows as a list into @path; 0, or 2 after a message
 *
 * Each is {"name", "machine", "n", "threads", "bytes", "ns", "counts": {name of what is not 0: how
 * many}}, and of ours beside others "peers": {name: {"ratio": of ours to theirs, "target": what it may
 * be}}, without a target if it has none.  What is held has no ns.
 */
int bench_write_json(const char *path, const struct bench_result *results, size_t count);

/** bench_try_json - can @path be opened to be written? 0, or 2 after a message; it may be made, empty */
int bench_try_json(const char *path);

#endif
