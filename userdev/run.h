/* SPDX-License-Identifier: MIT */
/*
 * run.h - a program with the devices it looks for
 */
#ifndef USERDEV_RUN_H
#define USERDEV_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct run_options {
	const char *const *heaps; /* "NAME" or "NAME:BYTES", NULL behind the last; or NULL */
	uint64_t limit;      /* bytes of all buffers together; 0: half of the machine's memory */
	const char *trace;   /* a file: a line for each call that was served; NULL: none */
	const char *preload; /* the part that is preloaded; NULL: none */
	bool stats;          /* say at the end what was used */
	bool strict;         /* broken rules and leaks give exit status 1 */
};

/* With sigqueue(SIGTERM) to the supervisor: end the program, whatever it says to signals. */
#define RUN_KILL 0x6b696c6c

/* Exit statuses that are not the program's. */
#define RUN_BROKEN_RULES 1
#define RUN_FAILED 2
#define RUN_NOT_EXECUTABLE 126
#define RUN_NOT_FOUND 127

/** run_preload - where the part that is preloaded is installed, or lies beside this program; or NULL */
const char *run_preload(void);

/**
 * run_program - run @argv with devices until it and all its children have ended
 *
 * Context: this process has one thread, and none of libdmabuf's; it is the program's parent.
 * Signals that are sent to this process go to the program; a program that a signal ends makes this
 * process end likewise.
 * Returns the program's exit status; RUN_... when there is none, after a line on standard error.
 */
int run_program(const struct run_options *options, char *const *argv);

#endif
