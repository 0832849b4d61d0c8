/* SPDX-License-Identifier: MIT */
/*
 * run.c - `dmabuf run`: a program with the devices it looks for
 */
#include <stdio.h>

#include "cli/commands.h"
#include "userdev/options.h"
#include "userdev/run.h"

static const char help[] =
	"usage: dmabuf run [OPTIONS] [--] PROGRAM [ARGUMENT...]\n"
	"\n"
	"Runs a program, unmodified, that finds /dev/dma_heap/*, /dev/udmabuf and\n"
	"/sys/kernel/debug/sync/sw_sync (also as /dev/sw_sync), which behave as Linux 6.12's: for "
	"containers\n"
	"and CI jobs whose kernel has none of them. It takes no privileges and no kernel module. "
	"Buffers are\n"
	"real descriptors of real shared memory; all processes that PROGRAM starts share the "
	"devices.\n"
	"It is not a sandbox.\n"
	"\n"
	"  --heap NAME[:SIZE]  one more heap beside system and reserved, or the limit of one; SIZE "
	"as below\n"
	"  --limit SIZE        of all buffers together: bytes, or with K, M or G; default half of "
	"the memory\n"
	"  --stats             say at the end what was allocated, shared, synced and leaked, and "
	"who mapped\n"
	"                      without SYNC, began a SYNC and did not end it, or closed within "
	"one\n"
	"  --strict            name what leaked and those who broke these rules, and then exit 1\n"
	"  --trace FILE        a line for each call that was answered\n"
	"  --no-preload        load nothing into PROGRAM: all that it asks for costs a system call "
	"to the\n"
	"                      supervisor, as in a static program; for programs that bear no "
	"LD_PRELOAD\n"
	"\n"
	"Exit status: that of PROGRAM, and a signal that ends it ends this command likewise; 1 "
	"--strict found\n"
	"something; 2 it could not be tried, 126 PROGRAM cannot be executed, 127 it is not found.\n"
	"\n"
	"Examples:\n"
	"  dmabuf run -- ls -l /dev/dma_heap\n"
	"  dmabuf run --limit 256M -- meson test\n"
	"  dmabuf run --heap camera:64M -- ./capture /dev/dma_heap/camera\n";

int cli_run(int argc, char **argv)
{
	static struct run_parsed parsed;

	switch (run_parse(&parsed, argc, argv)) {
	case RUN_SAID_HELP:
		fputs(help, stdout);
		return EXIT_EXACT;
	case RUN_SAID_WRONG:
		return EXIT_FAILED;
	default:
		break;
	}
	if (parsed.words == argc) {
		fprintf(stderr, "dmabuf run: PROGRAM: which one? see dmabuf run --help\n");
		return EXIT_FAILED;
	}
	return run_program(&parsed.options, argv + parsed.words);
}
