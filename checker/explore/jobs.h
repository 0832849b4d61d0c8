/* SPDX-License-Identifier: MIT */
/*
 * jobs.h - many worlds explored, a few processes at a time
 *
 * Invariants
 *   JO1  No world sees another's memory, or what its parent had: each child begins with none.
 *   JO2  A child that a mistake of the core ends is a violation (EX3), not the end of the others.
 *
 * Deliberately not here: what a world is and what is checked in it (explore.h).
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
	/* in the order of the jobs, however they end */
	void (*done)(const struct explore_job *job, void *context);
	void (*progress)(const struct explore_job *job,
			 void *context); /* of each that runs, every 2 s */
	void *context;
};

/**
 * explore_jobs - room for @nr jobs that children can fill, zeroed
 *
 * Ownership: it stays until the process ends.  Returns NULL without memory.
 */
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
 * @jobs: of explore_jobs(); config, but for progress and context, which are set here
 * @at_a_time: at least one
 *
 * Context: as explore_run(), which may have been called before; sleeps until the last has ended.
 * Waits for no other children of the process's.
 * Returns 0, or -errno when no child could be made; those that ran have been told.
 */
int explore_run_jobs(struct explore_job *jobs, unsigned int nr, unsigned int at_a_time,
		     const struct explore_listener *listener);

#endif
