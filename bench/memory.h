/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what a buffer, an attachment and a mapping hold of the host's memory
 *
 * Counted by a heap in the place of malloc() (host/slab.h), for as many as show what tables grow by: the same
 * source on every core, so that only the core differs.  Not counted: the bytes shared themselves.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stddef.h>

#define MEMORY_ROWS 10
#define MEMORY_N 100

struct memory_row {
	const char *name;
	const char *machine;
	size_t bytes; /* the buffer's */
	double held;  /* bytes asked for, for one */
	double blocks;
};

/**
 * bench_memory - fill all @rows, in the same order on every core
 *
 * Context: no other thread works on buffers.  Ends the program when memory is short.
 */
void bench_memory(struct memory_row rows[MEMORY_ROWS]);

#endif
