/* SPDX-License-Identifier: MIT */
/*
 * run.h - runs conformance cases, one after the other, and says how each ended
 *
 * What the cases are is in *-cases.c, what they stand on in world.h.  Who calls chooses the core:
 * the policy of buffers exported from then on, or which core is linked.
 */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "world.h"

enum conformance_verdict { CONFORMANCE_PASSED, CONFORMANCE_FAILED, CONFORMANCE_SKIPPED };

struct conformance_result {
	const struct world_case *running;
	enum conformance_verdict verdict;
	const char *text; /* why it failed, at FILE:LINE, or was skipped; else empty */
	/* until the next case: what was seen, line by line; what else the exporter was asked */
	const char *answers, *asked;
	unsigned int number, count; /* of those that run, from 1 */
};

struct conformance_request {
	enum world_core core;  /* whose exceptions hold */
	bool fatal;            /* run also what it does not survive (not_on) */
	char *const *patterns; /* of the cases wanted */
	int nr;
	void (*told)(const struct conformance_result *result, void *context); /* after each */
	void *context;
};

/* All groups, NULL at the end. */
extern const struct world_group *const conformance_groups[];

/** conformance_wanted - does one of @patterns match @name? Shell patterns; none: all are wanted */
bool conformance_wanted(const char *name, char *const *patterns, int nr);

/** conformance_count - how many cases are wanted */
unsigned int conformance_count(char *const *patterns, int nr);

/**
 * conformance_run - run those wanted
 *
 * Context: the process's only user of dma-buf; WARNs are hooked meanwhile, and messages that are no
 * errors are not printed: that a device says it faulted is part of a case.
 * Returns how many failed.
 */
unsigned int conformance_run(const struct conformance_request *request);

#endif
