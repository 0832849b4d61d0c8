/* SPDX-License-Identifier: MIT */
/*
 * compare.h - the same cases on several cores, answer by answer
 *
 * Invariants
 *   CM1  Two cores answer a case alike, or the case has an exception for one of them.  What the
 *	  exporter was asked beside what the case looks at counts, too, but of policy `cached`:
 *	  that it asks less is its point.
 *   CM2  Where a case has an exception for a core, that core answers otherwise than one without it.
 *   CM3  What breaks either, and what failed, is printed and counted.
 *
 * Deliberately not here: running the cases (run.h).
 */
#ifndef CONFORMANCE_COMPARE_H
#define CONFORMANCE_COMPARE_H

#include <stdio.h>

#include "run.h"

#define CONFORMANCE_COLUMNS 4

/* What one core answered, in the order of the cases. */
struct conformance_column {
	const char *title;
	enum world_core core;
	struct conformance_answer {
		const struct world_case *running;
		enum conformance_verdict verdict;
		char text[512], answers[2048], asked[1024];
	} * answer;
	unsigned int nr, room;
};

/** conformance_column_init - for so many cases; returns 0 or -ENOMEM */
int conformance_column_init(struct conformance_column *column, unsigned int cases);
void conformance_column_free(struct conformance_column *column);

/** conformance_collect - told() of a request whose context is a column: adds the answer to it */
void conformance_collect(const struct conformance_result *result, void *context);

/**
 * conformance_compare - print which cases are not answered alike, who answers what, and why
 * @columns: of the same cases, at most CONFORMANCE_COLUMNS
 *
 * Returns how many cases break CM1 or CM2 or failed.
 */
unsigned int conformance_compare(const struct conformance_column *columns, unsigned int nr,
				 FILE *to);

#endif
