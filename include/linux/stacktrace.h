/* SPDX-License-Identifier: MIT */
/*
 * stacktrace.h - who called: addresses to keep, and to print much later
 */
#ifndef _LINUX_STACKTRACE_H
#define _LINUX_STACKTRACE_H

#include <linux/types.h>

/**
 * stack_trace_save - the return addresses of the callers, the nearest first
 * @skip: leave out so many, beside this function itself
 *
 * Context: any thread that may sleep.  Returns how many, at most @size.
 */
unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skip);

/**
 * stack_trace_snprint - as text, a line each, @spaces blanks in front
 *
 * The function if it is exported, else the object's file, and the offset in it, which addr2line
 * understands; with a sanitizer function, file and line.  Never an address, as in Linux.
 * Context: may sleep.  Returns the bytes written, without the ending NUL.
 */
int stack_trace_snprint(char *buf, size_t size, const unsigned long *entries,
			unsigned int nr_entries, int spaces);

#endif
