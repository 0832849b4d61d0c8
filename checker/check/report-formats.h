/* SPDX-License-Identifier: MIT */
/* report-formats.h - a report for other programs; behind report_print() */
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

#endif
