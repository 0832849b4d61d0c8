/* SPDX-License-Identifier: MIT */
/*
 * stacktrace.c - see linux/stacktrace.h
 */
#include <execinfo.h>
#include <stdlib.h>

#include <linux/minmax.h>
#include <linux/sprintf.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#define DEPTH 32

unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skip)
{
	void *frames[DEPTH];
	unsigned int depth = backtrace(frames, DEPTH), first = min(skip + 1, depth);
	unsigned int n = min(depth - first, size);

	for (unsigned int i = 0; i < n; i++)
		store[i] = (unsigned long)frames[first + i];
	return n;
}

int stack_trace_snprint(char *buf, size_t size, const unsigned long *entries,
			unsigned int nr_entries, int spaces)
{
	size_t used = 0;

	if (!size)
		return 0;
	buf[0] = '\0';
	for (unsigned int i = 0; i < nr_entries && used + 1 < size; i++) {
		void *frame = (void *)entries[i];
		/* The C library's own memory: it knows nothing of kfree(). */
		char **text = backtrace_symbols(&frame, 1);

		used += scnprintf(buf + used, size - used, "%*s%s\n", spaces, "",
				  text ? text[0] : "?");
		(free)(text);
	}
	return used;
}
