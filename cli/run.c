/* SPDX-License-Identifier: MIT */
/*
 * run.c - `dmabuf run`: a program with the devices it looks for
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "userdev/run.h"

#define HEAPS_MOST 14

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
	"  --no-preload        load nothing into PROGRAM: all that it asks for costs a system call "
	"to the\n"
	"                      supervisor, as in a static program; for programs that bear no "
	"LD_PRELOAD\n"
	"\n"
	"Exit status: that of PROGRAM, and a signal that ends it ends this command likewise; 2 it "
	"could not be\n"
	"tried, 126 PROGRAM cannot be executed, 127 it is not found.\n"
	"\n"
	"Examples:\n"
	"  dmabuf run -- ls -l /dev/dma_heap\n"
	"  dmabuf run --limit 256M -- meson test\n"
	"  dmabuf run --heap camera:64M -- ./capture /dev/dma_heap/camera\n";

static int usage_error(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf run: %s: %s; see dmabuf run --help\n", what, why);
	return EXIT_FAILED;
}

/* Bytes, with K, M or G behind; 0 if it is no such number. */
static unsigned long long parse_size(const char *text)
{
	unsigned long long bytes;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	bytes = strtoull(text, &end, 10);
	switch (*end) {
	case 'G':
		shift += 10; /* fall through */
	case 'M':
		shift += 10; /* fall through */
	case 'K':
		shift += 10;
		end++;
	}
	if (!isdigit((unsigned char)*text) || *end || errno || bytes > ~0ULL >> shift)
		return 0;
	return bytes << shift;
}

/* What a heap may be called; with its limit in plain bytes it goes to @room. */
static const char *parse_heap(char *text, char *room, size_t size)
{
	char *colon = strchr(text, ':');
	unsigned long long bytes = 0;

	if (colon) {
		*colon = '\0';
		bytes = parse_size(colon + 1);
		if (!bytes)
			return "SIZE is bytes, or a number with K, M or G";
	}
	if (!*text || strlen(text) > 31 ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-,.") != strlen(text) ||
	    text[0] == '.')
		return "NAME is 1 to 31 letters, digits, or _ - , .";
	if (bytes)
		snprintf(room, size, "%s:%llu", text, bytes);
	else
		snprintf(room, size, "%s", text);
	return NULL;
}

int cli_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "heap", required_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ "limit", required_argument, NULL, 'l' },
		{ "no-preload", no_argument, NULL, 'p' },
		{},
	};
	static char rooms[HEAPS_MOST][64];
	const char *heaps[HEAPS_MOST + 1] = { NULL };
	struct run_options run = { .heaps = heaps };
	unsigned int count = 0;
	bool preloaded = true;
	const char *why;
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'H':
			if (count == HEAPS_MOST)
				return usage_error("--heap", "that many heaps there cannot be");
			why = parse_heap(optarg, rooms[count], sizeof(rooms[count]));
			if (why)
				return usage_error("--heap", why);
			heaps[count] = rooms[count];
			count++;
			break;
		case 'l':
			run.limit = parse_size(optarg);
			if (!run.limit)
				return usage_error("--limit",
						   "SIZE is bytes, or a number with K, M or G");
			break;
		case 'p':
			preloaded = false;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_EXACT;
		default:
			fprintf(stderr, "dmabuf run: see dmabuf run --help\n");
			return EXIT_FAILED;
		}
	}
	if (optind == argc)
		return usage_error("PROGRAM", "which one?");
	if (preloaded)
		run.preload = run_preload();
	return run_program(&run, argv + optind);
}
