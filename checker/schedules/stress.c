/* SPDX-License-Identifier: MIT */
/*
 * stress.c - the same scenarios on real threads, again and again: what a stress test would find
 *
 *	stress SCENARIO SECONDS
 *
 * Built twice, plainly and with the thread sanitizer.  What is planted comes from the environment
 * (checker/mutants/switch.h).  Prints what went wrong, or how many rounds did not.
 *
 * Exit status: 0 nothing went wrong, 1 something did, 2 usage, 3 it hangs; a crash and the sanitizer
 * have their own.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/compiler.h>
#include "checker/schedules/schedules.h"
#include "host/port.h"
#include "host/warn.h"

#define HANG_SECONDS 5

static const struct scenario *scenario;
static pthread_barrier_t begin, end;

static void __attribute__((noreturn)) found(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
	_exit(1);
}

void schedule_fail(const char *text)
{
	found(text);
}

static void warned(const char *file, int line, const char *text)
{
	found(text);
}

/* Nothing here may be printed with a lock that the program hangs in. */
static void hangs(int signal)
{
	static const char text[] = "it hangs\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(4);
	_exit(3);
}

static void run_thread(void *arg)
{
	void (*run)(void) = arg;

	for (;;) {
		pthread_barrier_wait(&begin);
		run();
		pthread_barrier_wait(&end);
	}
}

static const struct scenario *scenario_named(const char *name)
{
	for (int i = 0; scenarios[i]; i++)
		if (!strcmp(scenarios[i]->name, name))
			return scenarios[i];
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long rounds = 0;
	uint64_t until;
	int nr = 0;

	if (argc == 3)
		scenario = scenario_named(argv[1]);
	if (!scenario || atof(argv[2]) <= 0) {
		fprintf(stderr, "usage: stress SCENARIO SECONDS\n");
		return 2;
	}
	host_set_warn_hook(warned);
	signal(SIGALRM, hangs);
	while (nr < SCHEDULE_THREADS && scenario->threads[nr].run)
		nr++;
	pthread_barrier_init(&begin, NULL, nr + 1);
	pthread_barrier_init(&end, NULL, nr + 1);
	for (int i = 0; i < nr; i++)
		port_thread_create(run_thread, scenario->threads[i].run, scenario->threads[i].name);
	if (scenario->first)
		scenario->first();
	until = port_time_ns() + (uint64_t)(atof(argv[2]) * 1e9);
	while (port_time_ns() < until) {
		alarm(HANG_SECONDS);
		scenario->setup();
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&end);
		scenario->finish();
		rounds++;
	}
	printf("%lu rounds\n", rounds);
	fflush(stdout);
	_exit(0);
}
