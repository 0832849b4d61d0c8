/* SPDX-License-Identifier: MIT */
/*
 * report.h - what the workers of one run found, put together and printed
 *
 * Invariants
 *   RP1  A rule that a driver breaks is there once, as the first worker saw it, with the names of
 *        all machines and policies where it was broken.
 */
#ifndef CHECKER_CHECK_REPORT_H
#define CHECKER_CHECK_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "checker/check/rules.h"

struct json_object;

#define REPORT_WHERE 16 /* machines times policies, at most */

struct report_finding {
	struct report_finding *next;
	enum check_rule rule;
	struct json_object *object; /* as the first worker told it */
	char where[REPORT_WHERE][32];
	unsigned int nr_where;
};

struct report_driver {
	struct report_driver *next;
	char *name;                      /* as on the command line, or of its module */
	struct report_finding *findings; /* in the order they were told */
	char *cannot;                    /* why it could not be tried, or NULL */
	bool idle;                       /* it has nothing that could be tried */
	unsigned int runs, ways;
};

struct report {
	struct report_driver *drivers; /* in order */
	const char *command;           /* that the program was called by */
	const char *options;           /* for the compiler, a space behind each */
	unsigned long seed, schedules; /* schedules: of the explorer, or 0 */
};

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_SARIF, REPORT_KTAP, REPORT_FORMATS };

/** report_format_find - by name, or REPORT_FORMATS */
enum report_format report_format_find(const char *name);

/** report_driver - one more driver */
struct report_driver *report_driver(struct report *report, const char *name);

/** report_take - a line of a worker (finding.h) about @driver on @machine under @policy */
void report_take(struct report_driver *driver, const char *machine, const char *policy,
		 struct json_object *object);

/**
 * report_excuse_idle - of a folder's modules, from @first on, some may only serve the others
 *
 * If any was driven, one that has nothing to drive is no failure.
 */
void report_excuse_idle(struct report_driver *first);

/** report_broken - is @rule among @driver's findings? */
bool report_broken(const struct report_driver *driver, enum check_rule rule);

/** report_findings - rules broken, over all drivers; report_cannot - drivers that were not tried */
unsigned int report_findings(const struct report *report);
unsigned int report_cannot(const struct report *report);

/** report_print - all of it, to @file */
void report_print(const struct report *report, enum report_format format, FILE *file);

/** report_print_rules - all rules as an array of { id, category, meaning, source } */
void report_print_rules(FILE *file);

void report_free(struct report *report);

#endif
