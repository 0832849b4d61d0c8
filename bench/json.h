/* SPDX-License-Identifier: MIT */
/*
 * json.h - the bench's figures as a file
 *
 * Apart from the measures because json-c and the kernel's names do not fit into one source.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stddef.h>

/* One row: @ns nanoseconds a pair over @n attachments or lines on @threads threads, buffers of
 * @bytes. */
struct bench_result {
	const char *name;
	unsigned int n, threads;
	size_t bytes;
	double ns;
};

/** bench_write_json - a list of {"name","n","threads","bytes","ns"} into @path; 0, or 2 after a
 * message */
int bench_write_json(const char *path, const struct bench_result *results, size_t count);

#endif
