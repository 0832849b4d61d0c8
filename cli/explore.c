/* SPDX-License-Identifier: MIT */
/*
 * explore.c - `dmabuf explore`: every legal program on a small buffer, on the real core
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kernel.h>

#include "checker/explore/jobs.h"
#include "cli/commands.h"

#define DEFAULT_OPS 6
#define MOST_OPS 64
#define MOST_JOBS 64

/* clang-format off */
static const char help[] =
	"usage: dmabuf explore [OPTIONS]\n"
	"\n"
	"Runs every legal program up to a length on the real core: a buffer of two cache lines, the CPU and\n"
	"devices that attach, map for each direction, write, read, bracket, unmap, detach. Between any two\n"
	"operations the caches may write a line back, or drop it and fetch it again; while one moves bytes the\n"
	"others go on. In every state: who may read finds the newest bytes, no device may do more than it asked\n"
	"for, the core has no complaint. Equal states are visited once.\n"
	"\n"
	"  --ops N          programs of at most N operations (default 6)\n"
	"  --agents LIST    one world with these (default: the CPU with every pair of devices); up to 4 of\n"
	"                   cpu: the CPU, which brackets; vmap: through a mapping nobody brackets;\n"
	"                   co: a device that snoops; nc: one that does not; b: behind bounce slots;\n"
	"                   ns: one that could snoop and does not; dco dnc db: dynamic importers;\n"
	"                   again: the one before, once more; own ownnc: the exporter's own device\n"
	"  --exporter NAME  with --agents: widens (default): mappings are widened in place; narrow: a table\n"
	"                   for each direction; pins: can move; blind: does not tell its own accesses;\n"
	"                   syncs: all mappings when the CPU begins and ends; uncached: the CPU's mappings;\n"
	"                   moves: it moves the buffer while nobody uses it, and takes it away one day\n"
	"  --jobs N         so many worlds at a time (default: one for each processor)\n"
	"  --lines N        cache lines of the buffer, 1 to 4 (default 2)\n"
	"  --seconds N      stop each world after so long\n"
	"  --json FILE|-    write worlds and what was found as JSON; with - instead of the table\n"
	"  --report FILE    with --agents: draw the shortest program that violates, else one of the longest,\n"
	"                   as a page to look at\n"
	"  --fault NAME     plant a fault, to see it found: no-sync, one-sync-less, unmap-syncs, map-wider,\n"
	"                   no-cpu-begin, no-device-sync, loses-slot, keeps-address, two-calls, leaks,\n"
	"                   move-untold, move-no-freeze, reuses-early\n"
	"  --mutations ...  of a program that lies where it was built, after `ninja -C build mutants`: make mistakes\n"
	"                   in a copy of the core's coherence and slots, one at a time, and see each noticed. Behind\n"
	"                   it --seed N: 30 of them, drawn by N; --long: all; --only TEXT: those whose line holds\n"
	"                   TEXT, a name, a file, a function; --table: a page instead of TAP\n"
	"\n"
	"A row says how many states and programs a world has, and how often a mapping was torn down beside an\n"
	"open writer of the CPU. `all` instead of a length: no longer program leads anywhere new. Of what is\n"
	"violated the shortest program is printed.\n"
	"\n"
	"Exit status: 0 nothing violated, as far as it went; 1 something was; 2 usage, output or memory.\n"
	"\n"
	"Examples:\n"
	"  dmabuf explore\n"
	"  dmabuf explore --agents cpu,nc,b --ops 9\n"
	"  dmabuf explore --agents cpu,nc --fault unmap-syncs --ops 8 --report stale.html\n"
	"  dmabuf explore --mutations --seed 2\n"
	"  dmabuf explore --mutations --only no-gather\n";
/* clang-format on */

struct report {
	FILE *table; /* or NULL */
	struct json_object *worlds;
	unsigned int violated, unfinished;
};

static int usage_error(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf explore: %s: %s; see dmabuf explore --help\n", what, why);
	return EXIT_FAILED;
}

/* --- what is told ----------------------------------------------------------------------------- */

static const char *verdict_name(enum explore_verdict verdict)
{
	static const char *const names[] = {
		[EXPLORE_CLEAN] = "clean",
		[EXPLORE_VIOLATED] = "violated",
		[EXPLORE_STOPPED] = "stopped",
		[EXPLORE_UNTRIED] = "untried",
	};

	return names[verdict];
}

static struct json_object *json_world(const struct explore_job *job)
{
	const struct explore_result *result = &job->result;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "agents", json_object_new_string(job->config.agents));
	json_object_object_add(
		o, "exporter",
		json_object_new_string(explore_exporter_names[job->config.exporter]));
	json_object_object_add(o, "verdict", json_object_new_string(verdict_name(result->verdict)));
	json_object_object_add(o, "length", json_object_new_int(result->at.length));
	json_object_object_add(o, "closed", json_object_new_boolean(result->at.closed));
	json_object_object_add(o, "states", json_object_new_int64(result->at.states));
	json_object_object_add(o, "steps", json_object_new_int64(result->at.steps));
	json_object_object_add(o, "programs", json_object_new_double(result->at.programs));
	json_object_object_add(o, "leaves", json_object_new_int64(result->at.leaves));
	json_object_object_add(o, "text", json_object_new_string(result->text));
	return o;
}

static void done(const struct explore_job *job, void *context)
{
	const struct explore_result *result = &job->result;
	struct report *report = context;
	char length[16] = "all";

	report->violated += result->verdict == EXPLORE_VIOLATED;
	report->unfinished += result->verdict == EXPLORE_UNTRIED || result->report_error;
	if (report->worlds)
		json_object_array_add(report->worlds, json_world(job));
	if (result->verdict == EXPLORE_UNTRIED)
		fprintf(stderr, "dmabuf explore: %s: %s\n", job->config.agents, result->text);
	if (result->report_error)
		fprintf(stderr, "dmabuf explore: %s: %s\n", job->config.report,
			strerror(-result->report_error));
	if (!report->table)
		return;
	if (!result->at.closed)
		snprintf(length, sizeof(length), "%u", result->at.length);
	fprintf(report->table, "%-8s %-13s %6s %11llu %12.4g %10llu  %s\n",
		explore_exporter_names[job->config.exporter], job->config.agents, length,
		(unsigned long long)result->at.states, result->at.programs,
		(unsigned long long)result->at.leaves, verdict_name(result->verdict));
	if (result->verdict == EXPLORE_VIOLATED)
		fputs(result->text, report->table);
	fflush(report->table);
}

static void progress(const struct explore_job *job, void *context)
{
	fprintf(stderr, "dmabuf explore: %s, %s: %u operations done, %llu states\n",
		explore_exporter_names[job->config.exporter], job->config.agents,
		job->result.at.length, (unsigned long long)job->result.at.states);
}

static bool write_json(const char *path, struct json_object *worlds)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "w") : stdout;
	bool written =
		file &&
		fprintf(file, "%s\n",
			json_object_to_json_string_ext(worlds, JSON_C_TO_STRING_PRETTY)) >= 0;

	if (file && file != stdout && fclose(file))
		written = false;
	if (!written)
		fprintf(stderr, "dmabuf explore: %s: %s\n", path, strerror(errno));
	return written;
}

/* --- the command ------------------------------------------------------------------------------ */

static int run(const struct explore_config *config, unsigned int at_a_time, const char *json)
{
	unsigned int nr = config->agents ? 1 : explore_worlds(NULL);
	struct explore_job *jobs = explore_jobs(nr);
	struct report report = { .table = json && !strcmp(json, "-") ? NULL : stdout };
	struct explore_listener listener = { done, progress, &report };
	int err;

	if (!jobs) {
		fprintf(stderr, "dmabuf explore: no memory\n");
		return EXIT_FAILED;
	}
	for (unsigned int i = 0; i < nr; i++)
		jobs[i].config = *config;
	if (!config->agents)
		explore_worlds(jobs);
	if (json)
		report.worlds = json_object_new_array();
	if (report.table)
		printf("%-8s %-13s %6s %11s %12s %10s\n", "exporter", "agents", "length", "states",
		       "programs", "leaves");
	err = explore_run_jobs(jobs, nr, at_a_time, &listener);
	if (err)
		fprintf(stderr, "dmabuf explore: no process: %s\n", strerror(-err));
	if (json && !write_json(json, report.worlds))
		err = -EIO;
	json_object_put(report.worlds);
	if (err || (report.unfinished && !report.violated) || (config->report && report.unfinished))
		return EXIT_FAILED;
	return report.violated ? EXIT_WRONG : EXIT_EXACT;
}

/* A number from @least to @most; -1: not one. */
static long number(const char *text, long least, long most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	return errno || end == text || *end || value < least || value > most ? -1 : value;
}

/* Which of @names; -1: none. */
static int choice(const char *text, const char *const *names, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!strcmp(text, names[i]))
			return i;
	return -1;
}

/* They are made in a copy of the core, which is never installed: checker/mutants. */
static int run_mutations(char **argv)
{
	static const char beside[] = "checker/mutants/mutations";
	char path[PATH_MAX + sizeof(beside)];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);
	char *name;

	if (len < 0 || len == PATH_MAX)
		return usage_error("--mutations", "where this program lies cannot be told");
	path[len] = '\0';
	name = strrchr(path, '/') + 1;
	memcpy(name, beside, sizeof(beside));
	argv[0] = path;
	fflush(NULL);
	execv(path, argv);
	return usage_error("--mutations", "only in the folder where dmabuf was built");
}

int cli_explore(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "agents", required_argument, NULL, 'a' },
		{ "exporter", required_argument, NULL, 'e' },
		{ "fault", required_argument, NULL, 'f' },
		{ "jobs", required_argument, NULL, 'n' },
		{ "json", required_argument, NULL, 'j' },
		{ "lines", required_argument, NULL, 'l' },
		{ "mutations", no_argument, NULL, 'm' },
		{ "report", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct explore_config config = { .ops = DEFAULT_OPS, .lines = 2 };
	long at_a_time = sysconf(_SC_NPROCESSORS_ONLN), value = 0;
	const char *json = NULL, *wrong = NULL;
	bool exporter = false;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			value = number(optarg, 0, MOST_OPS);
			wrong = "--ops takes a number up to 64";
			config.ops = value;
			break;
		case 'a':
			config.agents = optarg;
			wrong = explore_parse(optarg);
			value = wrong ? -1 : 0;
			break;
		case 'e':
			value = choice(optarg, explore_exporter_names, EXPLORE_EXPORTERS);
			wrong = "--exporter is widens, narrow, pins, blind, syncs, uncached or "
				"moves";
			config.exporter = value;
			exporter = true;
			break;
		case 'f':
			value = choice(optarg, explore_fault_names, EXPLORE_FAULTS);
			wrong = "there is no such --fault";
			config.fault = value;
			break;
		case 'n':
			value = at_a_time = number(optarg, 1, MOST_JOBS);
			wrong = "--jobs takes a number from 1 to 64";
			break;
		case 'j':
			json = optarg;
			break;
		case 'm':
			return run_mutations(argv + optind - 1);
		case 'r':
			config.report = optarg;
			break;
		case 'l':
			value = number(optarg, 1, 4);
			wrong = "--lines takes a number from 1 to 4";
			config.lines = value;
			break;
		case 's':
			value = number(optarg, 1, 1000000);
			wrong = "--seconds takes a number from 1 on";
			config.ms = value * 1000;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_EXACT;
		default:
			fprintf(stderr, "dmabuf explore: try `dmabuf explore --help`\n");
			return EXIT_FAILED;
		}
		if (value < 0)
			return usage_error(optarg, wrong);
	}
	if (optind < argc)
		return usage_error(argv[optind], "an argument too many");
	if (exporter && !config.agents)
		return usage_error("--exporter", "it needs --agents");
	if (config.report && !config.agents)
		return usage_error("--report", "it draws one world, that of --agents");
	return run(&config, at_a_time < 1 ? 1 : at_a_time, json);
}
