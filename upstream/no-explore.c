/* SPDX-License-Identifier: MIT */
/*
 * no-explore.c - `dmabuf explore` of the command that stands on Linux's core: refused
 *
 * What is explored is what our core keeps (checker/explore/state.c), and Linux's keeps nothing.
 */
#include <stdio.h>

#include "cli/commands.h"

int cli_explore(int argc, char **argv)
{
	fprintf(stderr, "dmabuf explore: this program has Linux's core, which keeps no mappings\n");
	return EXIT_FAILED;
}
