/* SPDX-License-Identifier: MIT */
/*
 * options.h - the words of `dmabuf run`, for the command and for libdmabuf-run
 */
#ifndef USERDEV_OPTIONS_H
#define USERDEV_OPTIONS_H

#include "userdev/run.h"

#define RUN_HEAPS_MOST 14

/* Options, and the room for what they point to. */
struct run_parsed {
	struct run_options options;
	const char *heaps[RUN_HEAPS_MOST + 1];
	char rooms[RUN_HEAPS_MOST][64];
	int words; /* of argv that are no program's: argv[words] is the first that is */
};

enum run_said {
	RUN_SAID_OPTIONS,
	RUN_SAID_HELP,
	RUN_SAID_WRONG, /* and a line on standard error said why */
};

/** run_parse - @argv[0] is not looked at. Not for two threads at once */
enum run_said run_parse(struct run_parsed *parsed, int argc, char **argv);

#endif
