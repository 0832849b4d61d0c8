/* SPDX-License-Identifier: MIT */
/*
 * check.c - `dmabuf check`: what is wrong with this driver?
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/check/build.h"
#include "checker/check/job.h"
#include "checker/check/report-page.h"
#include "cli/commands.h"
#include "dma/machine.h"

/* Devices that snoop, no IOMMU: the explorer knows no other. */
#define SCHEDULES_MACHINE "pc"
/* It tries ten times as many on a machine that has nothing else to do. */
#define SCHEDULES_A_SECOND 1000

static const char help[] =
	"usage: dmabuf check [OPTIONS] DRIVER.c|FOLDER|DRIVER.so...\n"
	"\n"
	"Builds a driver, kernel source as it is, and runs it on machines made of software: as "
	"exporter with\n"
	"devices that import from it, as importer of buffers that move and that do not. Tells "
	"which rules of\n"
	"dma-buf it breaks, with the call that did it and the call that made things so. Checking a "
	"driver runs\n"
	"its code, in a process of its own for each machine.\n"
	"\n"
	"What registers a dma-heap or has a struct vb2_mem_ops or drm_driver is driven as it is, "
	"and so is a\n"
	"misc device whose ioctl is known or listed. Anything else says how in an adapter of some "
	"lines:\n"
	"<libdmabuf-check.h>. A FOLDER's Kbuild is read for obj-m, NAME-y, -I and -D.\n"
	"\n"
	"  --machine NAME   only on this machine; all: on each (default)\n"
	"  --policy NAME    remap: as Linux from 6.15 on; cached: mappings are kept; both "
	"(default)\n"
	"  --rule ID        look only for this rule, such as LOCK-01; --list has them\n"
	"  --seed N         bytes and chances are made of it (default 1)\n"
	"  --timeout N      a call that takes N seconds does not come back (default 10)\n"
	"  --format NAME    text (default), json, sarif or ktap, on standard output\n"
	"  -I DIR, -D NAME[=VALUE]   for the compiler; CONFIG_NAME=y also for a Kbuild\n"
	"  --report FILE    write a page to look at: each finding with its two stacks and a "
	"picture of "
	"what was\n"
	"                   done with the buffer; loads nothing\n"
	"  --schedules N    instead: two threads at a time use what DMABUF_CHECK() says, in N "
	"orders "
	"each at\n"
	"                   most: races, deadlocks, lost wake-ups, uses of freed memory; on "
	"machine "
	"pc\n"
	"  --missing        nothing is run: which headers and symbols it needs that are not here, "
	"who needs\n"
	"                   each, and where a stub goes; exit status 1 when there are any\n"
	"  --list           all rules with their meaning; nothing is run\n"
	"\n"
	"Exit status: 0 no rule is broken; 1 some are; 2 a driver could not be built or run, or "
	"usage.\n"
	"\n"
	"Examples:\n"
	"  dmabuf check my_heap.c\n"
	"  dmabuf check --machine arm --rule COH-03 my_adapter.c\n"
	"  dmabuf check --schedules 10000 my_adapter.c\n"
	"  dmabuf check --missing -I include drivers/my-driver/\n"
	"  dmabuf check --report my_heap.html my_heap.c\n"
	"  dmabuf check --format sarif drivers/my-driver/ >my-driver.sarif\n";

static void print_help(void)
{
	fputs(help, stdout);
	printf("\nMachines:\n");
	for (const struct machine_type *type = machine_types; type->name; type++)
		printf("  %-10s %s\n", type->name, type->like);
}

#define WORKER "dmabuf-check-worker"
#define EXPLORER "dmabuf-check-schedules"
#define LIBRARY "libdmabuf-check.so"

struct options {
	const struct machine_type *machine; /* NULL: all */
	const char *policy;                 /* NULL: both */
	enum check_rule rule;               /* CHECK_RULES: all */
	unsigned long seed, timeout;
	enum report_format format;
	const char *page; /* a file, or NULL */
	bool list;
	unsigned long schedules; /* 0: drivers are run, not explored */
	struct words compiler;
	bool missing;
	char worker[PATH_MAX], library[PATH_MAX];
	struct report report;
};

static int usage_error(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf check: %s: %s; see dmabuf check --help\n", what, why);
	return EXIT_FAILED;
}

static int list(enum report_format format)
{
	if (format == REPORT_JSON)
		report_print_rules(stdout);
	for (enum check_rule rule = 0; format != REPORT_JSON && rule < CHECK_RULES; rule++)
		printf("%-9s %-13s %s\n", check_rules[rule].id, check_rules[rule].category,
		       check_rules[rule].meaning);
	return EXIT_EXACT;
}

/* --- running ---------------------------------------------------------------------------------- */

struct run {
	struct options *options;
	struct report_driver *driver;
};

static void told(const struct check_job *job, struct json_object *object)
{
	struct run *run = job->context;

	report_take(run->driver, job->machine, job->policy, object);
}

/* On a terminal: what is done now, in one line that the report takes the place of; NULL: nothing. */
static void progress(const struct check_job *job, const char *name)
{
	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	if (job)
		fprintf(stderr, "%s: on %s/%s ", name, job->machine, job->policy);
}

static int run_on(struct run *run, const struct driver_module *module, const char *machine,
		  const char *policy)
{
	struct check_job job = {
		.worker = run->options->worker,
		.driver = module->so,
		.machine = machine,
		.policy = policy,
		.seed = run->options->seed,
		.only = run->options->rule,
		/* Who hung once has had his time. */
		.seconds = report_broken(run->driver, CHECK_RUN_02) ? 1 : run->options->timeout,
		.schedules = run->options->schedules,
		.hasty = report_broken(run->driver, CHECK_FENCE_01) ||
			 report_broken(run->driver, CHECK_LIFE_11) ||
			 report_broken(run->driver, CHECK_LIFE_13) ||
			 report_broken(run->driver, CHECK_LIFE_14),
		.pictures = run->options->page,
		.told = told,
		.context = run,
	};
	int ret;

	job.seconds += job.schedules / SCHEDULES_A_SECOND;
	progress(&job, run->driver->name);
	ret = check_job_run(&job);
	run->driver->runs++;
	if (ret)
		return usage_error(job.worker, strerror(-ret));
	return EXIT_EXACT;
}

static int run_module(struct options *options, const struct driver_module *module,
		      struct report_driver *driver)
{
	static const char *const policies[] = { "remap", "cached" };
	struct run run = { options, driver };
	int ret = EXIT_EXACT;

	for (const struct machine_type *m = machine_types; m->name; m++) {
		if (options->machine && m != options->machine)
			continue;
		if (options->schedules && strcmp(m->name, SCHEDULES_MACHINE))
			continue;
		for (unsigned int p = 0; p < 2 && !ret && !run.driver->cannot; p++)
			if (!options->policy || !strcmp(options->policy, policies[p]))
				ret = run_on(&run, module, m->name, policies[p]);
	}
	progress(NULL, NULL);
	return ret;
}

static int check_path(struct options *options, const char *path)
{
	struct driver_request request = { .path = path,
					  .options = options->compiler,
					  .schedules = options->schedules };
	struct report_driver *first = NULL, *driver;
	struct driver_build build;
	int ret;

	if (!options->schedules) { /* else the loader says what lacks */
		words_add(&request.programs, "%s", options->worker);
		words_add(&request.programs, "%s", options->library);
	} else if (strlen(path) > 3 && !strcmp(path + strlen(path) - 3, ".so")) {
		return usage_error(path, "--schedules needs the source, to hear of each access");
	}
	if (options->missing) {
		ret = driver_missing(&request, stdout);
		if (!ret)
			printf("%s: nothing that it needs is missing\n", path);
		goto free;
	}
	ret = driver_build(&request, &build);
	for (size_t i = 0; !ret && i < build.nr; i++) {
		driver = report_driver(&options->report,
				       build.nr > 1 ? build.modules[i].name : path);
		first = first ? first : driver;
		ret = run_module(options, &build.modules[i], driver);
	}
	if (!ret && build.nr > 1)
		report_excuse_idle(first);
	driver_build_free(&build);
free:
	words_free(&request.programs);
	return ret;
}

/* --- options ---------------------------------------------------------------------------------- */

/* The worker lies beside this program, or where an installed copy has what is not for people. */
static int find_worker(struct options *options)
{
	static const char *const folders[] = { "", "checker/schedules/", "../libexec/dmabuf/" };
	const char *name = options->schedules ? EXPLORER : WORKER;
	char self[PATH_MAX / 2] = "";
	char *slash;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return usage_error("/proc/self/exe", strerror(errno));
	slash = strrchr(self, '/');
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(options->worker, PATH_MAX, "%s%s%s", self, folders[i], name);
		snprintf(options->library, PATH_MAX, "%s%s" LIBRARY, self, folders[i]);
		if (!access(options->worker, X_OK))
			return EXIT_EXACT;
	}
	fprintf(stderr, "dmabuf check: no %s beside %sdmabuf: `ninja -C build` makes it%s\n", name,
		self, options->schedules ? ", but not with a sanitizer" : "");
	return EXIT_FAILED;
}

static int parse_policy(struct options *options, const char *name)
{
	if (strcmp(name, "both") && strcmp(name, "remap") && strcmp(name, "cached"))
		return usage_error(name, "--policy is remap, cached or both");
	options->policy = strcmp(name, "both") ? name : NULL;
	return EXIT_EXACT;
}

static int parse_machine(struct options *options, const char *name)
{
	options->machine = strcmp(name, "all") ? machine_type_find(name) : NULL;
	if (!options->machine && strcmp(name, "all"))
		return usage_error(name, "no such machine (dmabuf check --help has them)");
	return EXIT_EXACT;
}

static int parse_number(unsigned long *number, const char *value, const char *option)
{
	char *end;

	*number = strtoul(value, &end, 0);
	if (!*value || *end || *value == '-')
		return usage_error(value, option);
	return EXIT_EXACT;
}

static int parse_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'm':
		return parse_machine(options, value);
	case 'p':
		return parse_policy(options, value);
	case 'r':
		options->rule = check_rule_find(value);
		if (options->rule == CHECK_RULES)
			return usage_error(value, "no such rule (--list has them)");
		return EXIT_EXACT;
	case 's':
		return parse_number(&options->seed, value, "--seed is a number");
	case 't':
		return parse_number(&options->timeout, value, "--timeout is a number");
	case 'f':
		options->format = report_format_find(value);
		if (options->format == REPORT_FORMATS)
			return usage_error(value, "--format is text, json, sarif or ktap");
		return EXIT_EXACT;
	case 'R':
		options->page = value;
		return EXIT_EXACT;
	case 'S':
		if (parse_number(&options->schedules, value, "--schedules is a number"))
			return EXIT_FAILED;
		if (!options->schedules)
			return usage_error(value, "--schedules is a number from 1 on");
		return EXIT_EXACT;
	case 'M':
		options->missing = true;
		return EXIT_EXACT;
	case 'I':
	case 'D':
		words_add(&options->compiler, "-%c%s", option, value);
		return EXIT_EXACT;
	default:
		fprintf(stderr, "dmabuf check: try `dmabuf check --help`\n");
		return EXIT_FAILED;
	}
}

/* As they were given; the caller's to free. */
static char *compiler_options(const struct words *words)
{
	char *text = words_format("%s", ""), *longer;

	for (size_t i = 0; i < words->nr; i++) {
		longer = words_format("%s%s ", text, words->word[i]);
		free(text);
		text = longer;
	}
	return text;
}

static int check_paths(struct options *options, char **paths, int nr)
{
	int worst = EXIT_EXACT, ret;

	for (int i = 0; i < nr; i++) {
		ret = check_path(options, paths[i]);
		worst = ret > worst ? ret : worst;
	}
	if (options->report.drivers)
		report_print(&options->report, options->format, stdout);
	ret = options->page && options->report.drivers
		      ? report_page(&options->report, options->page)
		      : 0;
	if (ret)
		worst = usage_error(options->page, strerror(-ret));
	if (report_cannot(&options->report))
		worst = EXIT_FAILED;
	return worst == EXIT_EXACT && report_findings(&options->report) ? EXIT_WRONG : worst;
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "machine", required_argument, NULL, 'm' },
		{ "policy", required_argument, NULL, 'p' },
		{ "rule", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "format", required_argument, NULL, 'f' },
		{ "list", no_argument, NULL, 'l' },
		{ "report", required_argument, NULL, 'R' },
		{ "schedules", required_argument, NULL, 'S' },
		{ "missing", no_argument, NULL, 'M' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct options chosen = { .rule = CHECK_RULES, .seed = 1, .timeout = 10 };
	char *compiler;
	int c, ret;

	optind = 1;
	while ((c = getopt_long(argc, argv, "hI:D:", options, NULL)) != -1) {
		if (c == 'h') {
			print_help();
			return EXIT_EXACT;
		}
		if (c == 'l') {
			chosen.list = true;
			continue;
		}
		if (parse_option(&chosen, c, optarg))
			return EXIT_FAILED;
	}
	if (chosen.list)
		return list(chosen.format);
	if (optind == argc)
		return usage_error("no driver", "name a source, a folder or a shared object");
	if (chosen.schedules && chosen.machine && strcmp(chosen.machine->name, SCHEDULES_MACHINE))
		return usage_error(chosen.machine->name, "--schedules is of " SCHEDULES_MACHINE);
	if (find_worker(&chosen))
		return EXIT_FAILED;
	compiler = compiler_options(&chosen.compiler);
	chosen.report.command = cli_command;
	chosen.report.options = compiler;
	chosen.report.seed = chosen.seed;
	chosen.report.schedules = chosen.schedules;
	ret = check_paths(&chosen, argv + optind, argc - optind);
	report_free(&chosen.report);
	words_free(&chosen.compiler);
	free(compiler);
	return ret;
}
