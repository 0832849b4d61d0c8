/* SPDX-License-Identifier: MIT */
/*
 * main.c - the explorer as a program; `dmabuf schedules` starts it
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/schedules/engine.h"
#include "checker/schedules/planted.h"

#define EXIT_CLEAN 0
#define EXIT_FOUND 1
#define EXIT_FAILED 2

struct request {
	const struct scenario *scenario; /* NULL: all */
	const struct planted *plant;
	struct search_config config;
	const char *replay;
	bool every_planted;
};

static int refuse(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf schedules: %s: %s; see dmabuf schedules --help\n", what, why);
	return EXIT_FAILED;
}

static const struct scenario *scenario_named(const char *name)
{
	for (int i = 0; scenarios[i]; i++)
		if (!strcmp(scenarios[i]->name, name))
			return scenarios[i];
	return NULL;
}

static const struct planted *planted_named(const char *name)
{
	for (const struct planted *p = planted; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

/* Its sites are for programs that read them from the environment. */
static void print_planted(const struct planted *p)
{
	char sites[64] = "";

	for (int i = 0; i < PLANTED_SITES && p->sites[i]; i++)
		snprintf(sites + strlen(sites), sizeof(sites) - strlen(sites), "%s%u", i ? "," : "",
			 p->sites[i]);
	printf("%-24s %-18s %-6s %s\n", p->name, p->scenario, sites, p->rule);
}

static void list(void)
{
	for (int i = 0; scenarios[i]; i++)
		printf("%-18s %s\n", scenarios[i]->name, scenarios[i]->what);
	putchar('\n');
	for (const struct planted *p = planted; p->name; p++)
		print_planted(p);
}

static void how_far(const struct search_result *r, char *text, size_t size)
{
	if (r->exhausted)
		snprintf(text, size, "all");
	else if (r->by_chance)
		snprintf(text, size, "%d, chance", r->bound);
	else
		snprintf(text, size, "%d", r->bound);
}

static void print_failure(const struct scenario *s, const struct planted *plant,
			  const struct search_result *r)
{
	engine->tracing = true;
	engine->nr_steps = 0;
	threads_prepare(s, plant ? plant->sites : NULL);
	search_replay(r->schedule, r->nr_schedule);
	engine->tracing = false;
	report_trace(stdout);
	printf("  dmabuf schedules --scenario %s%s%s --replay ", s->name, plant ? " --plant " : "",
	       plant ? plant->name : "");
	for (int i = 0; i < r->nr_schedule; i++)
		printf("%s%d=%d", i ? "," : "", r->schedule[i].node, r->schedule[i].choice);
	printf("%s\n", r->nr_schedule ? "" : "0=0");
}

static int explore(const struct request *request, const struct scenario *s)
{
	struct search_config config = request->config;
	struct search_result *r = world_map(sizeof(*r));
	char far[32], rate[32] = "-"; /* too quick to tell */

	config.scenario = s;
	config.sites = request->plant ? request->plant->sites : NULL;
	search(&config, r);
	how_far(r, far, sizeof(far));
	if (r->processor > 0.002)
		snprintf(rate, sizeof(rate), "%.0f", r->runs / r->processor);
	printf("%-18s %-10s %7d %12llu %9s  %s\n", s->name, far, r->longest,
	       (unsigned long long)r->runs, rate, r->verdict == VERDICT_FAILED ? "fails" : "clean");
	if (r->verdict == VERDICT_FAILED)
		print_failure(s, request->plant, r);
	fflush(stdout);
	return r->verdict == VERDICT_FAILED ? EXIT_FOUND : EXIT_CLEAN;
}

static int explore_all(const struct request *request)
{
	int status = EXIT_CLEAN;

	printf("%-18s %-10s %7s %12s %9s\n", "scenario", "deviations", "choices", "schedules",
	       "a second");
	for (int i = 0; scenarios[i]; i++)
		if (!request->scenario || request->scenario == scenarios[i])
			if (explore(request, scenarios[i]))
				status = EXIT_FOUND;
	return status;
}

static int find_planted(const struct request *request)
{
	struct search_result *r = world_map(sizeof(*r));
	int status = EXIT_CLEAN;

	printf("%-24s %-18s %10s %11s %8s  %s\n", "planted", "scenario", "schedules", "deviations",
	       "seconds", "what it shows");
	for (const struct planted *p = planted; p->name; p++) {
		struct search_config config = request->config;

		config.scenario = scenario_named(p->scenario);
		config.sites = p->sites;
		if (!config.scenario)
			return refuse(p->scenario, "planted.txt names no such scenario");
		if (request->scenario && request->scenario != config.scenario)
			continue;
		search(&config, r);
		if (r->verdict == VERDICT_FAILED) {
			printf("%-24s %-18s %10llu %11d %8.2f  %s\n", p->name, p->scenario,
			       (unsigned long long)r->runs_to_failure, r->nr_schedule, r->processor,
			       r->failure);
		} else {
			printf("%-24s %-18s %10s %11s %8.2f  of %llu\n", p->name, p->scenario,
			       "not found", "-", r->processor, (unsigned long long)r->runs);
			status = EXIT_FOUND;
		}
		fflush(stdout);
	}
	return status;
}

static int replay(const struct request *request)
{
	struct deviation *schedule = world_map(DEVIATIONS * sizeof(*schedule));
	const char *rest = request->replay;
	int nr = 0;

	while (*rest) {
		unsigned int node, choice;
		int len;

		if (nr == DEVIATIONS || sscanf(rest, "%u=%u%n", &node, &choice, &len) != 2 ||
		    (rest[len] && rest[len] != ','))
			return refuse(request->replay, "--replay takes what a failure printed");
		if (choice)
			schedule[nr++] = (struct deviation){ .node = node, .choice = choice };
		rest += len + (rest[len] == ',');
	}
	engine->tracing = true;
	threads_prepare(request->scenario, request->plant ? request->plant->sites : NULL);
	search_replay(schedule, nr);
	report_trace(stdout);
	return engine->outcome == OUTCOME_FAILED ? EXIT_FOUND : EXIT_CLEAN;
}

static int run(const struct request *request)
{
	engine->nodes = world_map(NODES * sizeof(struct node));
	engine->path = world_map(NODES * sizeof(struct taken_step));
	engine->path_steps = world_map(NODES * sizeof(int));
	engine->steps = world_map(STEPS * sizeof(struct step));
	threads_init();
	world_remember(0);
	if (request->replay)
		return replay(request);
	return request->every_planted ? find_planted(request) : explore_all(request);
}

void setup_failed(const struct scenario *scenario)
{
	fprintf(stderr, "dmabuf schedules: %s: %s\n", scenario->name, engine->failure);
	exit(EXIT_FAILED);
}

static bool number(const char *text, double least, double most, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return !errno && end != text && !*end && *value >= least && *value <= most;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "scenario", required_argument, NULL, 's' },
		{ "list", no_argument, NULL, 'l' },
		{ "seconds", required_argument, NULL, 't' },
		{ "runs", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 'r' },
		{ "replay", required_argument, NULL, 'e' },
		{ "planted", no_argument, NULL, 'p' },
		{ "plant", required_argument, NULL, 'm' },
		{},
	};
	struct request request = { .config = { .seconds = 10, .seed = 1 } };
	double value;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			request.scenario = scenario_named(optarg);
			if (!request.scenario)
				return refuse(optarg, "there is no such scenario");
			break;
		case 'l':
			list();
			return EXIT_CLEAN;
		case 't':
			if (!number(optarg, 0.01, 1e6, &request.config.seconds))
				return refuse(optarg, "--seconds takes a number above 0");
			break;
		case 'n':
			if (!number(optarg, 1, 1e15, &value))
				return refuse(optarg, "--runs takes a number from 1 on");
			request.config.most_runs = value;
			break;
		case 'r':
			if (!number(optarg, 0, 1e15, &value))
				return refuse(optarg, "--seed takes a number");
			request.config.seed = value;
			break;
		case 'e':
			request.replay = optarg;
			break;
		case 'p':
			request.every_planted = true;
			break;
		case 'm':
			request.plant = planted_named(optarg);
			if (!request.plant)
				return refuse(optarg, "there is no such mistake to plant");
			break;
		default:
			fprintf(stderr, "dmabuf schedules: try `dmabuf schedules --help`\n");
			return EXIT_FAILED;
		}
	}
	if (optind < argc)
		return refuse(argv[optind], "an argument too many");
	if (request.plant && !request.scenario)
		request.scenario = scenario_named(request.plant->scenario);
	if (request.replay && !request.scenario)
		return refuse("--replay", "it needs --scenario");
	c = run(&request);
	/* The world ends here as it stands: its destructors are not asked. */
	fflush(stdout);
	_exit(c);
}
