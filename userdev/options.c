/* SPDX-License-Identifier: MIT */
/*
 * options.c - see options.h
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userdev/options.h"

static enum run_said wrong(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf run: %s: %s; see dmabuf run --help\n", what, why);
	return RUN_SAID_WRONG;
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
static const char *parse_heap(const char *said, char *room, size_t size)
{
	char text[64];
	char *colon;
	unsigned long long bytes = 0;

	if (strlen(said) >= sizeof(text))
		return "NAME is 1 to 31 letters, digits, or _ - , .";
	strcpy(text, said);
	colon = strchr(text, ':');
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
		snprintf(room, size, "%.31s:%llu", text, bytes);
	else
		snprintf(room, size, "%.31s", text);
	return NULL;
}

enum run_said run_parse(struct run_parsed *parsed, int argc, char **argv)
{
	static const struct option options[] = {
		{ "heap", required_argument, NULL, 'H' },  { "help", no_argument, NULL, 'h' },
		{ "limit", required_argument, NULL, 'l' }, { "no-preload", no_argument, NULL, 'p' },
		{ "stats", no_argument, NULL, 's' },       { "strict", no_argument, NULL, 'S' },
		{ "trace", required_argument, NULL, 't' }, {},
	};
	struct run_options *run = &parsed->options;
	unsigned int count = 0;
	const char *why;
	int option;

	*parsed = (struct run_parsed){};
	run->heaps = parsed->heaps;
	run->preload = run_preload();
	optind = 0;
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'H':
			if (count == RUN_HEAPS_MOST)
				return wrong("--heap", "that many heaps there cannot be");
			why = parse_heap(optarg, parsed->rooms[count],
					 sizeof(parsed->rooms[count]));
			if (why)
				return wrong("--heap", why);
			parsed->heaps[count] = parsed->rooms[count];
			count++;
			break;
		case 'l':
			run->limit = parse_size(optarg);
			if (!run->limit)
				return wrong("--limit",
					     "SIZE is bytes, or a number with K, M or G");
			break;
		case 's':
			run->stats = true;
			break;
		case 'S':
			run->strict = true;
			break;
		case 't':
			run->trace = optarg;
			break;
		case 'p':
			run->preload = NULL;
			break;
		case 'h':
			return RUN_SAID_HELP;
		default:
			fprintf(stderr, "dmabuf run: see dmabuf run --help\n");
			return RUN_SAID_WRONG;
		}
	}
	parsed->words = optind;
	return RUN_SAID_OPTIONS;
}
