/* SPDX-License-Identifier: MIT */
/* report-formats.h - what report_print() and report_page() share, and a report for other programs */
#ifndef CHECKER_CHECK_REPORT_FORMATS_H
#define CHECKER_CHECK_REPORT_FORMATS_H

#include "checker/check/report.h"

/* One object: { seed, drivers: [{ name, cannot, runs, ways, findings: [...] }] }. */
void report_print_json(const struct report *report, FILE *file);

/* SARIF 2.1.0, for what shows findings beside source lines. */
void report_print_sarif(const struct report *report, FILE *file);

/* A test for each driver and rule. */
void report_print_ktap(const struct report *report, FILE *file);

/* A member of @object: "" where there is none; NULL where there is none. */
const char *report_string(struct json_object *object, const char *key);
struct json_object *report_array(struct json_object *object, const char *key);

/* The command that shows @finding again. */
#define REPORT_AGAIN_BYTES 4352
void report_again(const struct report *report, const struct report_driver *driver,
		  const struct report_finding *finding, char text[REPORT_AGAIN_BYTES]);

/* In a line, without its end: how it went with @driver. */
void report_verdict_of(const struct report_driver *driver, FILE *file);

#endif
