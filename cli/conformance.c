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

#include "checker/conformance/compare.h"
#include "checker/conformance/run.h"
#include "cli/commands.h"
#include "pipeline/core.h"
#include "upstream/rival.h"

#define PROGRESS_NS 2000000000LL
#define CONFORMANCE_CORES 2 /* so many find room for their thread-local storage */

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
	"  --core NAME      ask Linux 6.12's own core, on the same devices: linux-6.12 or "
	"linux-6.12-notify\n"
	"                   (CONFIG_DMABUF_MOVE_NOTIFY), made by upstream/build in a source tree, "
	"or the path\n"
	"                   of one\n"
	"  --compare        ask both policies and each --core, twice at most; print the cases that "
	"are not\n"
	"                   answered alike, with the reason\n"
	"  --fatal          ask also what that core does not survive: it may end the program\n"
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
	"Exit status: 0 all passed or skipped; 1 some failed, or with --compare differ without a "
	"reason;\n"
	"2 usage or output, or no case has that name.\n"
	"\n"
	"Examples:\n"
	"  dmabuf conformance\n"
	"  dmabuf conformance --policy remap 'map.*' 'move.*'\n"
	"  dmabuf conformance --list 'cpu.mmap*'\n"
	"  dmabuf conformance --json - 'bytes.arm.*'\n"
	"  dmabuf conformance --compare --core linux-6.12\n";

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

struct options {
	enum dma_buf_policy policy;
	const struct rival *core[CONFORMANCE_CORES]; /* none: this program's own */
	unsigned int cores;
	const char *json;
	char *const *patterns;
	int nr;
	bool list, compare, fatal, has_policy;
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

static void add_answers(struct json_object *object, const char *answers)
{
	struct json_object *list = json_object_new_array();

	for (const char *line = answers, *end; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		json_object_array_add(list, json_object_new_string_len(line, end - line));
		if (!*end)
			break;
	}
	json_object_object_add(object, "answers", list);
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
		add_answers(object, result->answers);
		add_string(object, "asked", result->asked);
		json_object_array_add(report->cases, object);
	}
	print_progress(report, result);
}

static int list(const struct options *options)
{
	struct json_object *cases = options->json ? json_object_new_array() : NULL;

	for (const struct world_group *const *g = conformance_groups; *g; g++) {
		for (unsigned int i = 0; i < (*g)->nr; i++) {
			const struct world_case *c = &(*g)->cases[i];

			if (!conformance_wanted(c->name, options->patterns, options->nr))
				continue;
			if (cases)
				json_object_array_add(cases, json_case(c));
			if (!cases || strcmp(options->json, "-"))
				printf("%-40s %s\n", c->name, c->rule);
		}
	}
	return cases ? write_json(options->json, cases) : EXIT_EXACT;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* @core: NULL for ours, which has a policy */
static enum world_core core_of(const struct rival *core, enum dma_buf_policy policy)
{
	if (core)
		return core->move_notify ? LINUX_6_12_MOVES : LINUX_6_12;
	return policy == DMA_BUF_POLICY_REMAP ? OURS_REMAP : OURS_CACHED;
}

/* Returns how many cases failed. */
static unsigned int ask(const struct rival *core, enum dma_buf_policy policy,
			struct conformance_request request)
{
	request.core = core_of(core, policy);
	if (core)
		return core->run_conformance(&request);
	dma_buf_set_policy(policy);
	return conformance_run(&request);
}

static int run(const struct options *options)
{
	const char *json = options->json;
	struct report report = {
		.ktap = json && !strcmp(json, "-") ? NULL : stdout,
		.cases = json ? json_object_new_array() : NULL,
		.spoke = ktime_get(),
	};
	struct conformance_request request = {
		.fatal = options->fatal,
		.patterns = options->patterns,
		.nr = options->nr,
		.told = told,
		.context = &report,
	};
	int ret;

	report.quiet = !report.ktap || !isatty(STDOUT_FILENO);
	if (report.ktap)
		printf("KTAP version 1\n1..%u\n",
		       conformance_count(options->patterns, options->nr));
	ret = ask(options->cores ? options->core[0] : core_own(), options->policy, request)
		      ? EXIT_WRONG
		      : EXIT_EXACT;
	if (report.ktap)
		printf("# %u passed, %u failed, %u skipped\n", report.verdicts[CONFORMANCE_PASSED],
		       report.verdicts[CONFORMANCE_FAILED], report.verdicts[CONFORMANCE_SKIPPED]);
	if (json && write_json(json, report.cases))
		return EXIT_FAILED;
	return ret;
}

static int ask_column(struct conformance_column *column, const struct rival *core,
		      enum dma_buf_policy policy, struct conformance_request request)
{
	if (conformance_column_init(column, conformance_count(request.patterns, request.nr)))
		return usage_error("--compare", strerror(ENOMEM));
	request.told = conformance_collect;
	request.context = column;
	column->title = core ? core->name : policy == DMA_BUF_POLICY_REMAP ? "remap" : "cached";
	column->core = core_of(core, policy);
	ask(core, policy, request);
	return EXIT_EXACT;
}

/* A column each: our policies, or this program's own core in their place, then those of --core. */
static int compare(const struct options *options)
{
	struct conformance_request request = {
		.fatal = options->fatal,
		.patterns = options->patterns,
		.nr = options->nr,
	};
	struct conformance_column columns[CONFORMANCE_COLUMNS] = {};
	unsigned int nr = 0;
	int ret;

	ret = ask_column(&columns[nr++], core_own(), DMA_BUF_POLICY_CACHED, request);
	if (!ret && !core_own())
		ret = ask_column(&columns[nr++], NULL, DMA_BUF_POLICY_REMAP, request);
	for (unsigned int i = 0; !ret && i < options->cores; i++)
		ret = ask_column(&columns[nr++], options->core[i], DMA_BUF_POLICY_CACHED, request);
	if (!ret && conformance_compare(columns, nr, stdout))
		ret = EXIT_WRONG;
	while (nr)
		conformance_column_free(&columns[--nr]);
	return ret;
}

/* --- the command ------------------------------------------------------------------------------ */

static int add_core(struct options *options, const char *name)
{
	char error[RUN_ERROR_BYTES];

	if (options->cores == CONFORMANCE_CORES)
		return usage_error("--core", "not more than two");
	options->core[options->cores] = core_load(name, error);
	if (!options->core[options->cores++])
		return usage_error("--core", error);
	return EXIT_EXACT;
}

static int parse_policy(struct options *options, const char *name)
{
	options->has_policy = true;
	options->policy = strcmp(name, "remap") ? DMA_BUF_POLICY_CACHED : DMA_BUF_POLICY_REMAP;
	if (strcmp(name, "remap") && strcmp(name, "cached"))
		return usage_error(name, "--policy is cached or remap");
	return EXIT_EXACT;
}

static int parse_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'p':
		return parse_policy(options, value);
	case 'k':
		return add_core(options, value);
	case 'C':
		options->compare = true;
		return EXIT_EXACT;
	case 'f':
		options->fatal = true;
		return EXIT_EXACT;
	case 'j':
		options->json = value;
		return EXIT_EXACT;
	case 'l':
		options->list = true;
		return EXIT_EXACT;
	default:
		fprintf(stderr, "dmabuf conformance: try `dmabuf conformance --help`\n");
		return EXIT_FAILED;
	}
}

static int check_options(const struct options *options)
{
	if (options->compare && (options->list || options->json || options->has_policy))
		return usage_error("--compare", "it takes no --list, --json or --policy");
	if (options->cores > 1 && !options->compare)
		return usage_error("--core", "only --compare takes more than one");
	if ((options->cores || core_own()) && options->has_policy)
		return usage_error("--policy", "Linux's own core has none");
	for (int i = 0; i < options->nr; i++)
		if (!conformance_count(options->patterns + i, 1))
			return usage_error(options->patterns[i],
					   "no case has this name (--list has them)");
	return EXIT_EXACT;
}

int cli_conformance(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "core", required_argument, NULL, 'k' },
		{ "compare", no_argument, NULL, 'C' },
		{ "fatal", no_argument, NULL, 'f' },
		{ "json", required_argument, NULL, 'j' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct options chosen = {};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_EXACT;
		}
		if (parse_option(&chosen, c, optarg))
			return EXIT_FAILED;
	}
	chosen.patterns = argv + optind;
	chosen.nr = argc - optind;
	if (check_options(&chosen))
		return EXIT_FAILED;
	if (chosen.list)
		return list(&chosen);
	return chosen.compare ? compare(&chosen) : run(&chosen);
}
