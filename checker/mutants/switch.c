/* SPDX-License-Identifier: MIT */
/*
 * switch.c - reads MUTANT
 */
#include "checker/mutants/switch.h"

#include <stdio.h>
#include <stdlib.h>

bool mutant_on[MUTANT_SITES];

static void __attribute__((constructor)) read_switches(void)
{
	char *rest = getenv("MUTANT");

	while (rest && *rest) {
		char *end;
		unsigned long site = strtoul(rest, &end, 10);

		if (end == rest || site >= MUTANT_SITES || (*end && *end != ',')) {
			fprintf(stderr, "MUTANT: not a list of sites: %s\n", rest);
			exit(2);
		}
		mutant_on[site] = true;
		rest = *end ? end + 1 : end;
	}
}
