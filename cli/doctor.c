/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - `dmabuf doctor`: does `dmabuf run` work here?
 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "userdev/doctor.h"

static const char help[] =
	"usage: dmabuf doctor\n"
	"\n"
	"Tries each thing that `dmabuf run` stands on, and prints a line for it: whether this "
	"machine, "
	"or\n"
	"container, allows it, and what is lost without it. docs/run.md says more.\n"
	"\n"
	"Exit status: 0 all of it is there; 1 something is missing; 2 `dmabuf run` cannot work "
	"here.\n"
	"\n"
	"Examples:\n"
	"  dmabuf doctor\n"
	"  podman run -v $PWD:/src IMAGE /src/build/dmabuf doctor\n";

int cli_doctor(int argc, char **argv)
{
	int missing;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return EXIT_EXACT;
	}
	if (argc > 1) {
		fprintf(stderr, "dmabuf doctor: %s: takes no arguments; see dmabuf doctor --help\n",
			argv[1]);
		return EXIT_FAILED;
	}
	fflush(stdout);
	missing = run_doctor();
	return missing < 0 ? EXIT_FAILED : missing ? EXIT_WRONG : EXIT_EXACT;
}
