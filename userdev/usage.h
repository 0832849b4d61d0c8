/* SPDX-License-Identifier: MIT */
/*
 * usage.h - what was used, by whom, and which rules were broken: --stats, --strict and --trace
 *
 * The rules are those of Documentation/driver-api/dma-buf.rst for a program that maps: it brackets
 * its accesses with SYNC.
 *
 * Invariants
 *   US1  Nothing is kept, and no process is looked at, unless one of the three was asked for.
 *   US2  A buffer has leaked when it was alive as the process that made it ended, and no other
 *        process had used it.
 *   US3  A broken rule is told once for each buffer and process, when the buffer goes.
 */
#ifndef USERDEV_USAGE_H
#define USERDEV_USAGE_H

#include <linux/types.h>

struct call;
struct object;
struct supervisor;

/** usage_init - open the trace.  Returns 0 or -errno, after a line on standard error */
int usage_init(struct supervisor *s);

/** usage_made, usage_map, usage_sync - a process made, mapped or SYNCed a buffer */
void usage_made(struct supervisor *s, const struct call *call, struct object *object);
void usage_map(struct supervisor *s, const struct call *call, struct object *object);
void usage_sync(struct supervisor *s, const struct call *call, struct object *object, u64 flags);

/** usage_exit - a process is about to end */
void usage_exit(struct supervisor *s, const struct call *call);

/** usage_end - a buffer goes */
void usage_end(struct supervisor *s, struct object *object);

/**
 * usage_trace - a call was answered with @ret
 * @object: may be NULL
 * @what: its name, or the path it was for; what is not printable, a blank or a backslash, is \xNN
 */
void usage_trace(struct supervisor *s, const struct call *call, const struct object *object,
		 const char *what, long ret);

/** usage_fini - print what was asked for.  Returns how many rules were broken and buffers leaked */
unsigned int usage_fini(struct supervisor *s);

#endif
