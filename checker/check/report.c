/* SPDX-License-Identifier: MIT */
/* report.c - see report.h; what is for programs is in report-formats.c */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "checker/check/report-formats.h"

static const char *const format_names[] = {
	[REPORT_TEXT] = "text",
	[REPORT_JSON] = "json",
	[REPORT_SARIF] = "sarif",
	[REPORT_KTAP] = "ktap",
};

enum report_format report_format_find(const char *name)
{
	enum report_format format = 0;

	while (format < REPORT_FORMATS && strcmp(format_names[format], name))
		format++;
	return format;
}

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* --- putting together ------------------------------------------------------------------------- */

struct report_driver *report_driver(struct report *report, const char *name)
{
	struct report_driver **at = &report->drivers;

	while (*at)
		at = &(*at)->next;
	*at = need(calloc(1, sizeof(**at)));
	(*at)->name = need(strdup(name));
	return *at;
}

static void take_finding(struct report_driver *driver, const char *machine, const char *policy,
			 enum check_rule rule, struct json_object *object)
{
	struct report_finding **at = &driver->findings, *finding;

	while (*at && (*at)->rule != rule)
		at = &(*at)->next;
	if (!*at) {
		*at = need(calloc(1, sizeof(**at)));
		(*at)->rule = rule;
		(*at)->object = json_object_get(object);
	}
	finding = *at;
	if (finding->nr_where < REPORT_WHERE)
		snprintf(finding->where[finding->nr_where++], sizeof(finding->where[0]), "%s/%s",
			 machine, policy);
}

void report_take(struct report_driver *driver, const char *machine, const char *policy,
		 struct json_object *object)
{
	const char *id = report_string(object, "finding");
	struct json_object *ways;

	if (id[0]) {
		take_finding(driver, machine, policy, check_rule_find(id), object);
	} else if (json_object_object_get_ex(object, "ways", &ways)) {
		if (driver->ways < (unsigned int)json_object_get_int(ways))
			driver->ways = json_object_get_int(ways);
	} else if (!driver->cannot && !json_object_object_get_ex(object, "done", NULL)) {
		driver->idle = json_object_object_get_ex(object, "idle", NULL);
		driver->cannot =
			need(strdup(report_string(object, driver->idle ? "idle" : "cannot")));
	}
}

void report_excuse_idle(struct report_driver *first)
{
	struct report_driver *driver;
	unsigned int ways = 0;

	for (driver = first; driver; driver = driver->next)
		ways += driver->ways;
	for (driver = first; ways && driver; driver = driver->next) {
		if (!driver->idle)
			continue;
		free(driver->cannot);
		driver->cannot = NULL;
	}
}

bool report_broken(const struct report_driver *driver, enum check_rule rule)
{
	const struct report_finding *finding = driver->findings;

	while (finding && finding->rule != rule)
		finding = finding->next;
	return finding;
}

unsigned int report_findings(const struct report *report)
{
	unsigned int nr = 0;

	for (struct report_driver *driver = report->drivers; driver; driver = driver->next)
		for (struct report_finding *f = driver->findings; f; f = f->next)
			nr++;
	return nr;
}

unsigned int report_cannot(const struct report *report)
{
	unsigned int nr = 0;

	for (struct report_driver *driver = report->drivers; driver; driver = driver->next)
		nr += driver->cannot != NULL;
	return nr;
}

void report_free(struct report *report)
{
	struct report_driver *driver;
	struct report_finding *finding;

	while ((driver = report->drivers)) {
		report->drivers = driver->next;
		while ((finding = driver->findings)) {
			driver->findings = finding->next;
			json_object_put(finding->object);
			free(finding);
		}
		free(driver->cannot);
		free(driver->name);
		free(driver);
	}
}

/* --- as text ---------------------------------------------------------------------------------- */

const char *report_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

struct json_object *report_array(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static void print_stack(FILE *file, const char *title, struct json_object *stack)
{
	size_t nr = stack ? json_object_array_length(stack) : 0;

	if (nr)
		fprintf(file, "  %s\n", title);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *frame = json_object_array_get_idx(stack, i), *line;

		fprintf(file, "    %s", report_string(frame, "function"));
		if (json_object_object_get_ex(frame, "line", &line))
			fprintf(file, "  %s:%d", report_string(frame, "file"),
				json_object_get_int(line));
		fprintf(file, "\n");
	}
}

static void print_schedule(FILE *file, struct json_object *steps)
{
	size_t nr = steps ? json_object_array_length(steps) : 0;

	if (nr)
		fprintf(file, "  the schedule:\n");
	for (size_t i = 0; i < nr; i++)
		fprintf(file, "    %s\n",
			json_object_get_string(json_object_array_get_idx(steps, i)));
}

void report_again(const struct report *report, const struct report_driver *driver,
		  const struct report_finding *finding, char text[REPORT_AGAIN_BYTES])
{
	const char *slash = strchr(finding->where[0], '/');
	char schedules[48] = "";

	if (report->schedules)
		snprintf(schedules, sizeof(schedules), "--schedules %lu ", report->schedules);

	snprintf(text, REPORT_AGAIN_BYTES,
		 "%s check --machine %.*s --policy %s --rule %s --seed %lu %s%s%s", report->command,
		 (int)(slash - finding->where[0]), finding->where[0], slash + 1,
		 check_rules[finding->rule].id, report->seed, schedules, report->options,
		 driver->name);
}

static void print_finding(FILE *file, const struct report *report,
			  const struct report_driver *driver, const struct report_finding *finding)
{
	const struct check_rule_words *rule = &check_rules[finding->rule];
	struct json_object *events = report_array(finding->object, "events");
	struct json_object *state = report_array(finding->object, "state");
	size_t nr = events ? json_object_array_length(events) : 0;
	char title[300], again[REPORT_AGAIN_BYTES];

	fprintf(file, "%s: %s (%s): %s\n", driver->name, rule->id, rule->category, rule->meaning);
	fprintf(file, "  %s\n", report_string(finding->object, "text"));
	if (check_advice[finding->rule])
		fprintf(file, "  what to do: %s\n", check_advice[finding->rule]);
	print_stack(file, "the call:", report_array(finding->object, "call"));
	if (state) {
		snprintf(title, sizeof(title), "%s", report_string(state, "what"));
		print_stack(file, title, report_array(state, "stack"));
	}
	if (nr)
		fprintf(file, "  the buffer until then:\n");
	for (size_t i = 0; i < nr; i++)
		fprintf(file, "    %s\n",
			json_object_get_string(json_object_array_get_idx(events, i)));
	print_schedule(file, report_array(finding->object, "schedule"));
	fprintf(file, "  while: %s\n", report_string(finding->object, "at"));
	fprintf(file, "  on:");
	for (unsigned int i = 0; i < finding->nr_where; i++)
		fprintf(file, " %s", finding->where[i]);
	report_again(report, driver, finding, again);
	fprintf(file, "\n  again: %s\n", again);
	fprintf(file, "  Linux: %s\n\n", rule->source);
}

void report_verdict_of(const struct report_driver *driver, FILE *file)
{
	unsigned int nr = 0;

	for (struct report_finding *f = driver->findings; f; f = f->next)
		nr++;
	if (driver->cannot)
		fprintf(file, "%s: not tried: %s", driver->name, driver->cannot);
	else
		fprintf(file, "%s: %u rule%s broken; driven %u way%s in %u runs", driver->name, nr,
			nr == 1 ? "" : "s", driver->ways, driver->ways == 1 ? "" : "s",
			driver->runs);
}

static void print_text(const struct report *report, FILE *file)
{
	for (struct report_driver *driver = report->drivers; driver; driver = driver->next) {
		for (struct report_finding *f = driver->findings; f; f = f->next)
			print_finding(file, report, driver, f);
		report_verdict_of(driver, file);
		fprintf(file, "\n");
	}
}

void report_print(const struct report *report, enum report_format format, FILE *file)
{
	switch (format) {
	case REPORT_JSON:
		report_print_json(report, file);
		break;
	case REPORT_SARIF:
		report_print_sarif(report, file);
		break;
	case REPORT_KTAP:
		report_print_ktap(report, file);
		break;
	default:
		print_text(report, file);
	}
}
