/* SPDX-License-Identifier: MIT */
/*
 * refused.c - what the command that stands on Linux's core refuses to do
 *
 * What is explored is what our core keeps (checker/explore/state.c), and Linux's keeps nothing; drivers
 * are checked, schedules are run and the devices of `dmabuf run` stand on our core.
 */
#include <stdio.h>

#include "cli/commands.h"

static int refuse(const char *command)
{
	fprintf(stderr, "dmabuf %s: this program has Linux's core, and that needs ours\n", command);
	return EXIT_FAILED;
}

int cli_check(int argc, char **argv)
{
	return refuse("check");
}

int cli_doctor(int argc, char **argv)
{
	return refuse("doctor");
}

int cli_explore(int argc, char **argv)
{
	return refuse("explore");
}

int cli_run(int argc, char **argv)
{
	return refuse("run");
}

int cli_schedules(int argc, char **argv)
{
	return refuse("schedules");
}
