/* SPDX-License-Identifier: MIT */
/*
 * conformance.c - `dmabuf conformance`: does the core answer as Linux documents?
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/ktime.h>
#include <linux/printk.h>

#include "checker/conformance/run.h"
#include "cli/commands.h"

#define PROGRESS_NS 2000000000LL

static const char help[] =
	"usage: dmabuf conformance [OPTIONS] [NAME...]\n"
	"\n"
	"Asks the core what Linux documents of dma-buf: attach, map, directions, pins, references, "
	"who waits\n"
	"for which fence, CPU access, vmap, the bounds of mmap, poll, ioctls, error codes, the "
	"order "
	"and the\n"
	"locks of callbacks, and bytes on every machine. Each case is small, has one rule and says "
	"where Linux\n"
	"has it. Prints KTAP; a case that fails says which check did, in which file.\n"
	"\n"
	"  NAME             only cases whose name this shell pattern matches; several are added "
	"up\n"
	"  --policy NAME    cached: mappings are kept (default); remap: as Linux from 6.15 on\n"
	"  --list           name and rule of each case; nothing is run\n"
	"  --json FILE|-    write cases and verdicts as JSON; with - instead of KTAP\n"
	"\n"
	"A case knows who answers otherwise than its rule, and why: policy `cached` keeps "
	"mappings, "
	"Linux 6.12\n"
	"maps at attach. Those answers are checked, too, and --json has them (`otherwise`). What "
	"differs from\n"
	"Linux in the library's own way is in docs/differences.md.\n"
	"\n"
	"Exit status: 0 all passed or skipped; 1 some failed; 2 usage or output, or no case has "
	"that "
	"name.\n"
	"\n"
	"Examples:\n"
	"  dmabuf conformance\n"
	"  dmabuf conformance --policy remap 'map.*' 'move.*'\n"
	"  dmabuf conformance --list 'cpu.mmap*'\n"
	"  dmabuf conformance --json - 'bytes.arm.*'\n";

static const struct {
	enum world_core core;
	const char *name;
} core_names[] = {
	{ OURS_CACHED, "cached" },    { OURS_REMAP, "remap" },
	{ LINUX_6_12, "Linux 6.12" }, { LINUX_6_12_MOVES, "Linux 6.12, DMABUF_MOVE_NOTIFY" },
	{ LINUX_6_15, "Linux 6.15" },
};

static const char *const verdict_names[] = {
	[CONFORMANCE_PASSED] = "pass",
	[CONFORMANCE_FAILED] = "fail",
	[CONFORMANCE_SKIPPED] = "skip",
};

struct report {
	FILE *ktap; /* or NULL */
	struct json_object *cases;
	unsigned int verdicts[3];
	ktime_t spoke;
	bool quiet; /* nobody sees the cases as they come */
};

static int usage_error(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf conformance: %s: %s; see dmabuf conformance --help\n", what, why);
	return EXIT_FAILED;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static void add_exception(struct json_object *list, const struct world_exception *exception,
			  bool run)
{
	struct json_object *object, *cores;

	if (!exception->cores)
		return;
	object = json_object_new_object();
	cores = json_object_new_array();
	for (unsigned int i = 0; i < ARRAY_SIZE(core_names); i++)
		if (exception->cores & core_names[i].core)
			json_object_array_add(cores, json_object_new_string(core_names[i].name));
	json_object_object_add(object, "cores", cores);
	add_string(object, "why", exception->why);
	json_object_object_add(object, "runs", json_object_new_boolean(run));
	json_object_array_add(list, object);
}

static struct json_object *json_case(const struct world_case *c)
{
	struct json_object *object = json_object_new_object(), *list = json_object_new_array();

	add_string(object, "name", c->name);
	add_string(object, "rule", c->rule);
	add_string(object, "source", c->source);
	add_string(object, "machine", c->machine ?: "arm");
	add_exception(list, &c->otherwise, true);
	add_exception(list, &c->also, true);
	add_exception(list, &c->not_on, false);
	json_object_object_add(object, "otherwise", list);
	return object;
}

static int write_json(const char *path, struct json_object *cases)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "w") : stdout;
	bool written = file &&
		       fprintf(file, "%s\n",
			       json_object_to_json_string_ext(cases, JSON_C_TO_STRING_PRETTY)) >= 0;

	if (file && file != stdout && fclose(file))
		written = false;
	if (!written)
		fprintf(stderr, "dmabuf conformance: %s: %s\n", path, strerror(errno));
	json_object_put(cases);
	return written ? EXIT_EXACT : EXIT_FAILED;
}

/* --- cases as they end ------------------------------------------------------------------------ */

static void print_progress(struct report *report, const struct conformance_result *result)
{
	ktime_t now = ktime_get();

	if (!report->quiet || now - report->spoke < PROGRESS_NS)
		return;
	report->spoke = now;
	fprintf(stderr, "dmabuf conformance: case %u of %u\n", result->number, result->count);
}

static void told(const struct conformance_result *result, void *context)
{
	struct report *report = context;
	bool failed = result->verdict == CONFORMANCE_FAILED;

	report->verdicts[result->verdict]++;
	if (report->ktap) {
		if (failed)
			fprintf(report->ktap, "# %s\n# rule: %s\n# %s\n", result->text,
				result->running->rule, result->running->source);
		fprintf(report->ktap, "%s %u %s%s%s\n", failed ? "not ok" : "ok", result->number,
			result->running->name,
			result->verdict == CONFORMANCE_SKIPPED ? " # SKIP " : "",
			result->verdict == CONFORMANCE_SKIPPED ? result->text : "");
	}
	if (report->cases) {
		struct json_object *object = json_case(result->running);

		add_string(object, "verdict", verdict_names[result->verdict]);
		add_string(object, "text", result->text);
		json_object_array_add(report->cases, object);
	}
	print_progress(report, result);
}

static int list(char *const *patterns, int nr, const char *json)
{
	struct json_object *cases = json ? json_object_new_array() : NULL;

	for (const struct world_group *const *g = conformance_groups; *g; g++) {
		for (unsigned int i = 0; i < (*g)->nr; i++) {
			const struct world_case *c = &(*g)->cases[i];

			if (!conformance_wanted(c->name, patterns, nr))
				continue;
			if (cases)
				json_object_array_add(cases, json_case(c));
			if (!json || strcmp(json, "-"))
				printf("%-40s %s\n", c->name, c->rule);
		}
	}
	return json ? write_json(json, cases) : EXIT_EXACT;
}

static int run(char *const *patterns, int nr, enum dma_buf_policy policy, const char *json)
{
	enum world_core core = policy == DMA_BUF_POLICY_REMAP ? OURS_REMAP : OURS_CACHED;
	struct report report = {
		.ktap = json && !strcmp(json, "-") ? NULL : stdout,
		.cases = json ? json_object_new_array() : NULL,
		.spoke = ktime_get(),
	};
	int ret;

	report.quiet = !report.ktap || !isatty(STDOUT_FILENO);
	/* That a device says it faulted is part of a case. */
	host_printk_level(2);
	dma_buf_set_policy(policy);
	if (report.ktap)
		printf("KTAP version 1\n1..%u\n", conformance_count(patterns, nr));
	ret = conformance_run(core, patterns, nr, told, &report) ? EXIT_WRONG : EXIT_EXACT;
	if (report.ktap)
		printf("# %u passed, %u failed, %u skipped\n", report.verdicts[CONFORMANCE_PASSED],
		       report.verdicts[CONFORMANCE_FAILED], report.verdicts[CONFORMANCE_SKIPPED]);
	if (json && write_json(json, report.cases))
		return EXIT_FAILED;
	return ret;
}

int cli_conformance(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "json", required_argument, NULL, 'j' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	enum dma_buf_policy policy = DMA_BUF_POLICY_CACHED;
	const char *json = NULL;
	bool only_list = false;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (strcmp(optarg, "cached") && strcmp(optarg, "remap"))
				return usage_error(optarg, "--policy is cached or remap");
			policy = strcmp(optarg, "remap") ? DMA_BUF_POLICY_CACHED
							 : DMA_BUF_POLICY_REMAP;
			break;
		case 'j':
			json = optarg;
			break;
		case 'l':
			only_list = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_EXACT;
		default:
			fprintf(stderr, "dmabuf conformance: try `dmabuf conformance --help`\n");
			return EXIT_FAILED;
		}
	}
	for (int i = optind; i < argc; i++)
		if (!conformance_count(argv + i, 1))
			return usage_error(argv[i], "no case has this name");
	if (only_list)
		return list(argv + optind, argc - optind, json);
	return run(argv + optind, argc - optind, policy, json);
}
