/* SPDX-License-Identifier: MIT */
/*
 * explorer.c - the explorer as a judge: all worlds, one operation longer each time
 *
 * Reports TAP: a case for each length, which fails with the shortest program that violates.
 *
 * Deliberately not here: time limits and crashes, which are the business of who started it (judge).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/explore/jobs.h"

#define SHORTEST 2
#define LONGEST 6
#define EVERY_WORLD 3 /* operations */

/* Small enough for what takes many operations: a leave beside a writer, and a return. */
static const char *const small[] = { "cpu,nc", "cpu,b", "cpu,dnc", "vmap,nc" };
#define SMALL (sizeof(small) / sizeof(small[0]))

static struct explore_result result;

/* On one line, as a program is written down. */
static void print_violation(unsigned int nr, const struct explore_config *config)
{
	printf("not ok %u - %s, %s:", nr, explore_exporter_names[config->exporter], config->agents);
	for (char *line = strtok(result.text, "\n"); line; line = strtok(NULL, "\n"))
		printf("%s%s", line == result.text ? " " : "; ", line + strspn(line, " \t"));
	putchar('\n');
}

static bool holds(unsigned int nr, const struct explore_config *config)
{
	explore_run(config, &result);
	if (result.verdict == EXPLORE_CLEAN)
		return true;
	print_violation(nr, config);
	return false;
}

int main(void)
{
	unsigned int worlds = explore_worlds(NULL);
	struct explore_job *jobs = explore_jobs(worlds);

	if (!jobs)
		return 2;
	explore_worlds(jobs);
	printf("TAP version 13\n1..%d\n", LONGEST - SHORTEST + 1);
	fflush(stdout);
	for (unsigned int ops = SHORTEST; ops <= LONGEST; ops++) {
		unsigned int nr = ops - SHORTEST + 1;

		for (unsigned int i = 0; i < (ops > EVERY_WORLD ? SMALL : worlds); i++) {
			struct explore_config config = { .agents = small[i % SMALL] };

			if (ops <= EVERY_WORLD)
				config = jobs[i].config;
			config.ops = ops;
			if (!holds(nr, &config))
				return 1;
		}
		printf("ok %u - programs of at most %u operations\n", nr, ops);
		fflush(stdout);
	}
	return 0;
}
