/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - whole operations, run once for each point at which they can fail
 *
 * A scenario is an operation from its first call to its last: what it made it gives back, whether it
 * came through or not.  The runner lets it come through once and counts the questions it asked of
 * port_should_fail(), for each kind of failure.  Then it runs it again for every question: that one
 * is answered with yes, and in another run that one and all later ones, with the kind's other errno
 * where there are two.
 *
 * Invariants, after each such run
 *   SW1  The scenario came through with right bytes, or ended with an errno of that kind of failure.
 *        A sleep that ends too early fails nothing.
 *   SW2  No WARN fired.
 *   SW3  Descriptors, pages, buffers and mappings of memory are as many as before, and the program's
 *        other mappings do not grow.  Where LeakSanitizer is, it finds nothing.
 *   SW4  The scenario comes through when it is run once more and nothing fails.
 *
 * Deliberately not here: failures in threads that the library starts.  What is asked there is
 * answered with no.
 */
#ifndef TESTS_SWEEP_H
#define TESTS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "host/port.h"

struct ktap;

/* What a scenario returns when bytes are wrong. */
#define SWEEP_WRONG_BYTES 10000

struct sweep_scenario {
	const char *name;
	/* Returns 0, -errno, or SWEEP_WRONG_BYTES.  @variant: below variants */
	int (*run)(unsigned int variant);
	unsigned int variants; /* 0: one */
	/*
	 * Each run in a child of its own, where nobody has used the library before: what happens at
	 * first use can fail, too.  The program itself does not use it either.
	 */
	bool cold;
};

/* Sums over variants. */
struct sweep_report {
	unsigned int points[PORT_FAULT_NR];
	unsigned int runs,
		errors; /* runs with a failure, and how many of them ended with an errno */
	unsigned int complaints;
	char first[256]; /* the first complaint */
};

/** sweep_run - all of it; what is wrong goes into @report, and nowhere else */
void sweep_run(const struct sweep_scenario *scenario, struct sweep_report *report);

/** sweep_check - sweep_run() as a case: every complaint fails it, and so does having no points */
void sweep_check(struct ktap *t, const struct sweep_scenario *scenario);

/**
 * sweep_table - print a line for each of @scenarios, under @room: points, runs, complaints
 *
 * Returns 0, or 1 if there was a complaint.
 */
int sweep_table(const struct sweep_scenario *scenarios, size_t count, const char *room);

#endif
