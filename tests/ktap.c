/* SPDX-License-Identifier: MIT */
/*
 * ktap.c - runs cases one after the other and tells of them in TAP 13
 *
 * Invariants
 *   1  A check, a WARN or a skip may come from any thread: report_lock guards the case and the
 *      output.
 *   2  Every line is flushed: what a crash leaves behind says how far the program came.
 *   3  Between two cases nothing is pending: RCU callbacks of a case run in that case.
 */
#include "tests/ktap.h"
#include "host/warn.h"

#include <linux/rcupdate.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EXPECTED_MAX 32

struct expected_warn {
	const char *part;
	bool fired;
};

struct ktap {
	const struct ktap_case *running;

	/* under report_lock */
	bool failed;
	const char *skipped; /* why, or NULL */
	struct expected_warn expected[EXPECTED_MAX];
	size_t nr_expected;
};

bool ktap_long;

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ktap the_case;

static void diagnose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Under report_lock. */
static void diagnose(const char *fmt, ...)
{
	char text[5000], *line, *end;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (line = text; line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		printf("# %s\n", line);
	}
	fflush(stdout);
}

bool ktap_check(struct ktap *t, bool ok, const char *file, int line, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	if (ok)
		return true;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pthread_mutex_lock(&report_lock);
	t->failed = true;
	diagnose("%s:%d: %s: %s", file, line, t->running->name, text);
	pthread_mutex_unlock(&report_lock);
	return false;
}

void ktap_expect_warn(struct ktap *t, const char *part)
{
	pthread_mutex_lock(&report_lock);
	if (t->nr_expected < EXPECTED_MAX) {
		t->expected[t->nr_expected++] = (struct expected_warn){ .part = part };
	} else {
		t->failed = true;
		diagnose("%s: more than %d WARNs announced", t->running->name, EXPECTED_MAX);
	}
	pthread_mutex_unlock(&report_lock);
}

void ktap_skip(struct ktap *t, const char *why)
{
	pthread_mutex_lock(&report_lock);
	t->skipped = why;
	pthread_mutex_unlock(&report_lock);
}

static void warn_hook(const char *file, int line, const char *text)
{
	struct ktap *t = &the_case;

	pthread_mutex_lock(&report_lock);
	for (size_t i = 0; i < t->nr_expected; i++) {
		struct expected_warn *expected = &t->expected[i];

		if (!expected->fired && strstr(text, expected->part)) {
			expected->fired = true;
			goto unlock;
		}
	}
	t->failed = true;
	diagnose("%s:%d: %s: unannounced WARN: %s", file, line,
		 t->running ? t->running->name : "between cases", text);
unlock:
	pthread_mutex_unlock(&report_lock);
}

/* Returns whether it failed. */
static bool run_case(const struct ktap_case *c, size_t number)
{
	struct ktap *t = &the_case;
	bool failed;

	pthread_mutex_lock(&report_lock);
	*t = (struct ktap){ .running = c };
	pthread_mutex_unlock(&report_lock);
	host_warn_rearm();

	c->run(t);
	rcu_barrier();

	pthread_mutex_lock(&report_lock);
	for (size_t i = 0; i < t->nr_expected; i++) {
		if (t->expected[i].fired)
			continue;
		t->failed = true;
		diagnose("%s: announced WARN did not fire: %s", c->name, t->expected[i].part);
	}
	failed = t->failed;
	printf("%s %zu - %s", failed ? "not ok" : "ok", number, c->name);
	if (!failed && t->skipped)
		printf(" # SKIP %s", t->skipped);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&report_lock);
	return failed;
}

static int usage(const char *program)
{
	fprintf(stderr, "usage: %s [--long] [--list | --case NAME]\n", program);
	return 2;
}

int ktap_main(int argc, char **argv, const struct ktap_case *cases, size_t count)
{
	const char *only = NULL;
	bool list = false, failed = false;
	size_t first = 0, end = count;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--long"))
			ktap_long = true;
		else if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--case") && i + 1 < argc)
			only = argv[++i];
		else
			return usage(argv[0]);
	}
	if (list) {
		for (size_t i = 0; i < count; i++)
			puts(cases[i].name);
		return 0;
	}
	if (only) {
		while (first < count && strcmp(cases[first].name, only))
			first++;
		if (first == count) {
			fprintf(stderr, "%s: no case %s\n", argv[0], only);
			return 2;
		}
		end = first + 1;
	}

	host_set_warn_hook(warn_hook);
	printf("TAP version 13\n1..%zu\n", end - first);
	fflush(stdout);
	for (size_t i = first; i < end; i++)
		failed |= run_case(&cases[i], i - first + 1);
	host_set_warn_hook(NULL);
	return failed;
}
