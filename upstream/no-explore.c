/* SPDX-License-Identifier: MIT */
/*
 * no-explore.c - what the command that stands on Linux's core refuses: `dmabuf check`,
 * `dmabuf explore`, `dmabuf run`, `dmabuf schedules`
 *
 * What is explored is what our core keeps (checker/explore/state.c), and Linux's keeps nothing.  The
 * devices of a run stand on our core; its schedules are run, and drivers are checked on it.
 */
#include <stdio.h>

#include "cli/commands.h"

int cli_check(int argc, char **argv)
{
	fprintf(stderr,
		"dmabuf check: this program has Linux's core; drivers are checked on ours\n");
	return EXIT_FAILED;
}

int cli_explore(int argc, char **argv)
{
	fprintf(stderr, "dmabuf explore: this program has Linux's core, which keeps no mappings\n");
	return EXIT_FAILED;
}

int cli_run(int argc, char **argv)
{
	fprintf(stderr, "dmabuf run: this program has Linux's core; devices stand on ours\n");
	return EXIT_FAILED;
}

int cli_schedules(int argc, char **argv)
{
	fprintf(stderr, "dmabuf schedules: this program has Linux's core; ours is run\n");
	return EXIT_FAILED;
}

int cli_doctor(int argc, char **argv)
{
	return cli_run(argc, argv);
}
