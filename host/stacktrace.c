/* SPDX-License-Identifier: MIT */
/*
 * stacktrace.c - see linux/stacktrace.h and stacktrace.h
 */
#include <dlfcn.h>
#include <execinfo.h>

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sprintf.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "host/stacktrace.h"

#define DEPTH 32

/* Of the sanitizers' own library; absent without one. */
__attribute__((weak)) void __sanitizer_symbolize_pc(void *pc, const char *format, char *text,
						    size_t size);

void stack_frame_name(const void *pc, char *text, size_t size)
{
	Dl_info info;
	char *slash;

	if (__sanitizer_symbolize_pc) {
		char where[256], *colon;

		__sanitizer_symbolize_pc((char *)pc - 1, "%f %s:%l", where, sizeof(where));
		where[sizeof(where) - 1] = '\0';
		slash = strrchr(where, '/');
		colon = strchr(where, ' ');
		if (slash && colon && slash > colon)
			memmove(colon + 1, slash + 1, strlen(slash));
		strscpy(text, where, size);
		return;
	}
	if (!dladdr(pc, &info) || !info.dli_fname) {
		strscpy(text, "a place that nobody can name", size);
		return;
	}
	slash = strrchr(info.dli_fname, '/');
	scnprintf(text, size, "%s+0x%zx",
		  info.dli_sname
			  ?: slash ? slash + 1
				   : info.dli_fname,
		  (size_t)((const char *)pc -
			   (const char *)(info.dli_sname ? info.dli_saddr : info.dli_fbase)));
}

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
		char name[192];

		stack_frame_name((const void *)entries[i], name, sizeof(name));
		used += scnprintf(buf + used, size - used, "%*s%s\n", spaces, "", name);
	}
	return used;
}
