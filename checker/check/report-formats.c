/* SPDX-License-Identifier: MIT */
/* report-formats.c - see report-formats.h */
#include <json-c/json.h>
#include <string.h>

#include "checker/check/report-formats.h"

static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void print_object(struct json_object *object, FILE *file)
{
	fprintf(file, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static struct json_object *finding_json(const struct report_finding *finding)
{
	const struct check_rule_words *rule = &check_rules[finding->rule];
	struct json_object *object = json_object_new_object(), *where = json_object_new_array();
	static const char *const kept[] = { "call", "state", "events" };

	add(object, "rule", rule->id);
	add(object, "category", rule->category);
	add(object, "meaning", rule->meaning);
	add(object, "source", rule->source);
	if (check_advice[finding->rule])
		add(object, "advice", check_advice[finding->rule]);
	add(object, "text", report_string(finding->object, "text"));
	add(object, "at", report_string(finding->object, "at"));
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (report_array(finding->object, kept[i]))
			json_object_object_add(
				object, kept[i],
				json_object_get(report_array(finding->object, kept[i])));
	for (unsigned int i = 0; i < finding->nr_where; i++)
		json_object_array_add(where, json_object_new_string(finding->where[i]));
	json_object_object_add(object, "where", where);
	return object;
}

void report_print_json(const struct report *report, FILE *file)
{
	struct json_object *object = json_object_new_object(), *drivers = json_object_new_array();

	json_object_object_add(object, "seed", json_object_new_int64(report->seed));
	for (struct report_driver *driver = report->drivers; driver; driver = driver->next) {
		struct json_object *one = json_object_new_object();
		struct json_object *findings = json_object_new_array();

		add(one, "name", driver->name);
		if (driver->cannot)
			add(one, "cannot", driver->cannot);
		json_object_object_add(one, "runs", json_object_new_int(driver->runs));
		json_object_object_add(one, "ways", json_object_new_int(driver->ways));
		for (struct report_finding *f = driver->findings; f; f = f->next)
			json_object_array_add(findings, finding_json(f));
		json_object_object_add(one, "findings", findings);
		json_object_array_add(drivers, one);
	}
	json_object_object_add(object, "drivers", drivers);
	print_object(object, file);
}

void report_print_rules(FILE *file)
{
	struct json_object *rules = json_object_new_array();

	for (unsigned int i = 0; i < CHECK_RULES; i++) {
		struct json_object *rule = json_object_new_object();

		add(rule, "id", check_rules[i].id);
		add(rule, "category", check_rules[i].category);
		add(rule, "meaning", check_rules[i].meaning);
		add(rule, "source", check_rules[i].source);
		if (check_advice[i])
			add(rule, "advice", check_advice[i]);
		json_object_array_add(rules, rule);
	}
	print_object(rules, file);
}

/* --- SARIF ------------------------------------------------------------------------------------ */

static struct json_object *message(const char *text)
{
	struct json_object *object = json_object_new_object();

	add(object, "text", text);
	return object;
}

/* Where a frame is; NULL when no source line is known. */
static struct json_object *location(struct json_object *frame)
{
	struct json_object *object, *physical, *artifact, *region, *line;

	if (!json_object_object_get_ex(frame, "line", &line) || json_object_get_int(line) < 1)
		return NULL;
	artifact = json_object_new_object();
	add(artifact, "uri", report_string(frame, "file"));
	region = json_object_new_object();
	json_object_object_add(region, "startLine", json_object_get(line));
	physical = json_object_new_object();
	json_object_object_add(physical, "artifactLocation", artifact);
	json_object_object_add(physical, "region", region);
	object = json_object_new_object();
	json_object_object_add(object, "physicalLocation", physical);
	return object;
}

/* The driver's innermost frame in @stack, as a list of at most one. */
static struct json_object *locations(struct json_object *stack)
{
	struct json_object *list = json_object_new_array(), *of_driver, *at;

	for (size_t i = 0; stack && i < json_object_array_length(stack); i++) {
		struct json_object *frame = json_object_array_get_idx(stack, i);

		if (json_object_object_get_ex(frame, "driver", &of_driver) &&
		    !json_object_get_boolean(of_driver))
			continue;
		at = location(frame);
		if (!at)
			continue;
		json_object_array_add(list, at);
		break;
	}
	return list;
}

static struct json_object *sarif_result(const struct report_finding *finding)
{
	struct json_object *result = json_object_new_object(), *related, *at;
	struct json_object *state = report_array(finding->object, "state");

	add(result, "ruleId", check_rules[finding->rule].id);
	add(result, "level", "error");
	json_object_object_add(result, "message", message(report_string(finding->object, "text")));
	json_object_object_add(result, "locations",
			       locations(report_array(finding->object, "call")));
	if (!state)
		return result;
	related = locations(report_array(state, "stack"));
	at = json_object_array_get_idx(related, 0);
	if (at)
		json_object_object_add(at, "message", message(report_string(state, "what")));
	json_object_object_add(result, "relatedLocations", related);
	return result;
}

static struct json_object *sarif_rules(void)
{
	struct json_object *rules = json_object_new_array();

	for (unsigned int i = 0; i < CHECK_RULES; i++) {
		struct json_object *rule = json_object_new_object();

		add(rule, "id", check_rules[i].id);
		json_object_object_add(rule, "shortDescription", message(check_rules[i].meaning));
		json_object_object_add(rule, "help", message(check_rules[i].source));
		if (check_advice[i])
			json_object_object_add(rule, "fullDescription", message(check_advice[i]));
		json_object_array_add(rules, rule);
	}
	return rules;
}

void report_print_sarif(const struct report *report, FILE *file)
{
	struct json_object *log = json_object_new_object(), *runs = json_object_new_array();
	struct json_object *run = json_object_new_object(), *tool = json_object_new_object();
	struct json_object *driver = json_object_new_object(), *results = json_object_new_array();

	add(driver, "name", "dmabuf check");
	json_object_object_add(driver, "rules", sarif_rules());
	json_object_object_add(tool, "driver", driver);
	json_object_object_add(run, "tool", tool);
	for (struct report_driver *d = report->drivers; d; d = d->next)
		for (struct report_finding *f = d->findings; f; f = f->next)
			json_object_array_add(results, sarif_result(f));
	json_object_object_add(run, "results", results);
	json_object_array_add(runs, run);
	add(log, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	add(log, "version", "2.1.0");
	json_object_object_add(log, "runs", runs);
	print_object(log, file);
}

/* --- KTAP ------------------------------------------------------------------------------------- */

static const struct report_finding *finding_of(const struct report_driver *driver,
					       enum check_rule rule)
{
	const struct report_finding *finding = driver->findings;

	while (finding && finding->rule != rule)
		finding = finding->next;
	return finding;
}

static void ktap_driver(const struct report_driver *driver, unsigned int number, FILE *file)
{
	fprintf(file, "  KTAP version 1\n  1..%d\n", CHECK_RULES);
	for (enum check_rule rule = 0; rule < CHECK_RULES; rule++) {
		const struct report_finding *finding = finding_of(driver, rule);

		if (finding)
			fprintf(file, "  # %s\n", report_string(finding->object, "text"));
		fprintf(file, "  %sok %d %s\n", finding ? "not " : "", rule + 1,
			check_rules[rule].id);
	}
	fprintf(file, "%sok %u %s\n", driver->findings ? "not " : "", number, driver->name);
}

void report_print_ktap(const struct report *report, FILE *file)
{
	unsigned int nr = 0;

	for (struct report_driver *driver = report->drivers; driver; driver = driver->next)
		nr++;
	fprintf(file, "KTAP version 1\n1..%u\n", nr);
	nr = 0;
	for (struct report_driver *driver = report->drivers; driver; driver = driver->next)
		if (driver->cannot)
			fprintf(file, "ok %u %s # SKIP %s\n", ++nr, driver->name, driver->cannot);
		else
			ktap_driver(driver, ++nr, file);
}
