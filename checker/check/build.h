/* SPDX-License-Identifier: MIT */
/*
 * build.h - from a driver's source to a file that a process can load
 *
 * A driver is a kernel's C source, a folder with a Kbuild (or Makefile) that names obj-m, or a shared
 * object that somebody else has made.  It is compiled against our headers, with AddressSanitizer, and
 * linked with nothing: the process that loads it gives it the kernel's symbols.
 *
 * A folder dmabuf-stubs beside the driver is its writer's: headers there go before ours, its .c files
 * are built with each module.
 *
 * What is said, is said on standard error: the compiler's own words, or one line.
 *
 * Deliberately not here: loading it, and whether it is any good.  A folder's Kbuild is read by make
 * itself, which runs what it says in $(shell ...); checking a driver runs its code in any case.
 */
#ifndef CHECKER_CHECK_BUILD_H
#define CHECKER_CHECK_BUILD_H

#include <stdbool.h>
#include <stdio.h>

#include "checker/check/words.h"

struct driver_request {
	const char *path;     /* DRIVER.c, a folder or DRIVER.so */
	struct words options; /* -I DIR and -D NAME[=VALUE], as for a compiler, each in one word */
	bool schedules; /* for the schedule explorer: it is told of each access, ASan is not there */
	struct words
		programs; /* whose symbols it will find when it is loaded; none: that is not asked */
};

struct driver_module {
	char *name; /* as the kernel would call it, but for its dashes, which stay */
	char *so;
	char *source; /* the one it was made of, or NULL when there are several or none is known */
};

struct driver_build {
	struct driver_module *modules; /* one per obj-m; one of a source or a shared object */
	size_t nr;
	char *folder; /* of our own, goes with driver_build_free(); or NULL */
};

/**
 * driver_build - make what @request names loadable
 *
 * Context: may sleep; starts compilers. Returns 0, or 2 when it could not, which it has said. @build
 * is the caller's to free in both cases.
 */
int driver_build(const struct driver_request *request, struct driver_build *build);
void driver_build_free(struct driver_build *build);

/**
 * driver_missing - each header and symbol that @request needs and we lack, a line each
 * @out: gets them: what it is, who needs it, where a stub of one's own would go
 *
 * Context: as above. Returns 0 when nothing lacks, 1 when something does, 2 when that could not be
 * found out, which it has said.
 */
int driver_missing(const struct driver_request *request, FILE *out);

#endif
