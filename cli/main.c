/* SPDX-License-Identifier: MIT */
/*
 * main.c - the `dmabuf` command
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/version.h"
#include "pipeline/core.h"
#include "upstream/rival.h"

static const struct command {
	const char *name, *purpose;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "pipeline", "send a video through a chain of devices and check every byte",
	  cli_pipeline },
	{ "conformance", "does the core answer as Linux documents? each rule a case",
	  cli_conformance },
	{ "explore", "every legal program on a small buffer: is what is read the newest?",
	  cli_explore },
	{ "run", "run a program with dma-heaps, udmabuf and sw_sync where the kernel has none",
	  cli_run },
	{ "check", "what is wrong with this driver? builds it, runs it on every machine",
	  cli_check },
	{ "schedules",
	  "small programs of several threads in every order, every value seen that may be",
	  cli_schedules },
	{ "doctor", "does dmabuf run work here, and what of it?", cli_doctor },
	{ "bench", "what each call costs, as ratios of one run", bench_main },
};

const char *cli_command;

static void print_help(void)
{
	printf("usage: dmabuf COMMAND [OPTIONS]\n\n"
	       "Buffers shared between devices, with mappings that are cached and stay "
	       "coherent.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		printf("  %-12s %s\n", commands[i].name, commands[i].purpose);
	printf("\n`dmabuf COMMAND --help` explains a command with examples.\n"
	       "Exit status: 0 done and right, 1 done and wrong, 2 not done.\n");
}

/* What was printed must have arrived. */
static int finish(int status)
{
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "dmabuf: standard output: %s\n",
			errno ? strerror(errno) : "cannot write all of it");
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	/* A reader that goes away is an error to report, not a reason to die silently. */
	signal(SIGPIPE, SIG_IGN);
	cli_command = argc ? argv[0] : "dmabuf";
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_help();
		return finish(EXIT_EXACT);
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("dmabuf " DMABUF_VERSION "%s%s\n", core_own() ? ", core " : "",
		       core_own() ? core_own()->name : "");
		return finish(EXIT_EXACT);
	}
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return finish(commands[i].run(argc - 1, argv + 1));
	if (argc > 1)
		fprintf(stderr, "dmabuf: unknown command '%s'; `dmabuf --help` lists them\n",
			argv[1]);
	else
		fprintf(stderr, "dmabuf: which command? `dmabuf --help` lists them\n");
	return EXIT_FAILED;
}
