/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - many worlds explored, a few processes at a time
 */
#ifndef CHECKER_EXPLORE_JOBS_H
#define CHECKER_EXPLORE_JOBS_H

#include <sys/types.h>

#include "checker/explore/explore.h"

struct explore_job {
	struct explore_config config; /* agents: may point to the array below */
	char agents[32];
	struct explore_result result; /* once done; until then only its progress counts */
	pid_t pid;                    /* of who runs it, or 0 */
};

struct explore_listener {
	void (*done)(const struct explore_job *job, void *context);
	void (*progress)(const struct explore_job *job,
			 void *context); /* of each that runs, every 2 s */
	void *context;
};

/** explore_jobs - room for @nr jobs that children can fill, zeroed; NULL without memory.  Stays */
struct explore_job *explore_jobs(unsigned int nr);

/**
 * explore_worlds - fill in agents and exporter of every world that is run when none is named
 *
 * The CPU with two devices of every pair of kinds, on every exporter that makes a difference to
 * them; with a second thread of the CPU's, with a mapping nobody brackets, with a device that could
 * snoop and does not.  @jobs: NULL to count.  Returns how many.
 */
unsigned int explore_worlds(struct explore_job *jobs);

/**
 * explore_run_jobs - explore_run() for each, in a child of its own, in their order
 *
 * Returns 0, or -errno when no child could be made; those that ran have been told.
 */
int explore_run_jobs(struct explore_job *jobs, unsigned int nr, unsigned int at_a_time,
		     const struct explore_listener *listener);

#endif
