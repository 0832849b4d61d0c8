/* SPDX-License-Identifier: MIT */
/*
 * job.h - a worker seen from outside: started, listened to, and ended when it does not end itself
 *
 * Invariants
 *   JB1  A job ends: after its seconds without news, or with more memory or threads than a driver
 *        needs, it is asked where it is, and then killed.
 *   JB2  However it ended, what it found until then has been told.
 */
#ifndef CHECKER_CHECK_JOB_H
#define CHECKER_CHECK_JOB_H

#include <stdbool.h>

#include "checker/check/rules.h"

struct json_object;

struct check_job {
	const char *worker; /* path of the program */
	const char *driver; /* of the shared object */
	const char *machine, *policy;
	unsigned long seed;
	enum check_rule only;    /* or CHECK_RULES */
	unsigned int seconds;    /* so long may a call take */
	unsigned long schedules; /* how many the explorer tries, if it is the worker; or 0 */
	bool pictures;           /* are findings told with what it takes to draw them? */
	bool hasty; /* what never came on another machine is not waited for (drive.h) */

	/* Told of each { "finding" }, { "cannot" } and { "done" } (finding.h); the object goes on return. */
	void (*told)(const struct check_job *job, struct json_object *object);
	void *context;
};

/**
 * check_job_run - run it to its end
 *
 * Returns 0, or -errno when it could not be started.
 */
int check_job_run(const struct check_job *job);

#endif
