/* SPDX-License-Identifier: MIT */
/*
 * sweep.c - see sweep.h
 */
#include "tests/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "host/memory.h"
#include "host/warn.h"
#include "tests/ktap.h"

/* Seconds after which a cold run counts as hanging. */
#define HANGS 30

/* What an allocator of the C library or of a sanitizer may map meanwhile. */
#define MAPS_SLACK 64

/* LeakSanitizer's, where it is. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* What a kind of failure may look like to the caller, and its second errno, 0 for none. */
static const struct {
	int allowed[4];
	int other;
} answers[PORT_FAULT_NR] = {
	[PORT_FAULT_ALLOC] = { { ENOMEM } },
	[PORT_FAULT_CALLBACK] = { { EIO, EBUSY }, EBUSY },
	[PORT_FAULT_WAIT] = { { EINTR, ERESTARTSYS } },
	[PORT_FAULT_FD] = { { EMFILE, ENFILE, ENOMEM }, ENFILE },
	[PORT_FAULT_MAP] = { { ENOMEM } },
	[PORT_FAULT_SPACE] = { { ENOMEM, ENOSPC } },
	[PORT_FAULT_THREAD] = { { ENOMEM } },
	[PORT_FAULT_COPY] = { { EFAULT } },
};

/* One run, and what to say of it. */
struct attempt {
	const struct sweep_scenario *scenario;
	unsigned int variant;
	enum port_fault kind;
	unsigned int nth; /* 0: nothing fails */
	bool and_later;
	struct sweep_report *report;
};

static __attribute__((format(printf, 2, 3))) void complain(const struct attempt *a, const char *fmt,
							   ...)
{
	char *at = a->report->first;
	size_t room = sizeof(a->report->first);
	va_list args;
	int used;

	if (a->report->complaints++)
		return;
	used = snprintf(at, room, "%s, variant %u, %s %u%s: ", a->scenario->name, a->variant,
			port_fault_name(a->kind), a->nth, a->and_later ? " and later" : "");
	va_start(args, fmt);
	vsnprintf(at + used, room - used, fmt, args);
	va_end(args);
}

/* --- what must not grow ----------------------------------------------------------------------- */

struct census {
	unsigned int fds, aliases, maps;
	unsigned long pages;
	size_t buffers; /* bytes of what dma_buf_list() says */
};

static void count_text(void *context, const char *text, size_t len)
{
	*(size_t *)context += len;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int fds = 0;

	while (dir && readdir(dir))
		fds++;
	if (dir)
		closedir(dir);
	return fds;
}

static void count_maps(struct census *census)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		census->maps++;
		census->aliases += strstr(line, "libdmabuf-memory") != NULL;
	}
	if (maps)
		fclose(maps);
}

/* What was put off has happened. */
static void settle(void)
{
	rcu_barrier();
	flush_workqueue(system_wq);
	flush_delayed_fput();
	rcu_barrier();
}

static struct census take_census(void)
{
	struct host_memory_stats memory;
	struct census census = {};

	settle();
	host_memory_stats(&memory);
	census.pages = memory.pages_used;
	dma_buf_list(DMA_BUF_LIST_TEXT, count_text, &census.buffers);
	census.fds = count_fds();
	count_maps(&census);
	return census;
}

static void compare_census(const struct attempt *a, const struct census *before)
{
	struct census now = take_census();

	if (now.fds != before->fds)
		complain(a, "%u descriptors, %u before", now.fds, before->fds);
	if (now.pages != before->pages)
		complain(a, "%lu pages used, %lu before", now.pages, before->pages);
	if (now.buffers != before->buffers)
		complain(a, "other buffers than before");
	if (now.aliases != before->aliases)
		complain(a, "%u mappings of memory, %u before", now.aliases, before->aliases);
	if (now.maps > before->maps + MAPS_SLACK)
		complain(a, "%u mappings, %u before", now.maps, before->maps);
}

/* --- one run ---------------------------------------------------------------------------------- */

static const struct attempt *running; /* whose WARNs they are */

static void warn_complains(const char *file, int line, const char *text)
{
	complain(running, "WARN at %s:%d: %s", file, line, text);
}

static bool allowed(enum port_fault kind, int error)
{
	for (size_t i = 0; i < sizeof(answers[kind].allowed) / sizeof(int); i++)
		if (error && answers[kind].allowed[i] == error)
			return true;
	return false;
}

static void all_succeed(void)
{
	for (int kind = 0; kind < PORT_FAULT_NR; kind++) {
		port_fail_nth(kind, 0);
		port_fail_errno(kind, 0);
	}
}

/* Returns what the scenario did. */
static int run_failing(const struct attempt *a)
{
	int ret;

	all_succeed();
	if (a->and_later)
		port_fail_from(a->kind, a->nth);
	else
		port_fail_nth(a->kind, a->nth);
	if (a->and_later)
		port_fail_errno(a->kind, answers[a->kind].other);
	ret = a->scenario->run(a->variant);
	all_succeed();
	return ret;
}

/* SW1 and SW4; what must not grow is the caller's to look at. */
static void run_twice(const struct attempt *a)
{
	int ret = run_failing(a);

	a->report->runs++;
	if (ret < 0 && allowed(a->kind, -ret))
		a->report->errors++;
	else if (ret)
		complain(a, "ended with %d", ret);
	ret = a->scenario->run(a->variant);
	if (ret)
		complain(a, "ended with %d when run again", ret);
}

static void look_for_leaks(const struct attempt *a)
{
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
		complain(a, "LeakSanitizer found something");
}

/* --- all runs --------------------------------------------------------------------------------- */

static void sweep_warm(struct attempt *a)
{
	unsigned int points[PORT_FAULT_NR];
	struct census before;

	/* Once for what is made at first use and stays. */
	if (a->scenario->run(a->variant))
		complain(a, "failed though nothing was to");
	before = take_census();
	all_succeed();
	if (a->scenario->run(a->variant))
		complain(a, "failed the second time though nothing was to");
	for (int kind = 0; kind < PORT_FAULT_NR; kind++) {
		points[kind] = port_fault_count(kind);
		a->report->points[kind] += points[kind];
	}
	for (a->kind = 0; a->kind < PORT_FAULT_NR; a->kind++) {
		for (a->nth = 1; a->nth <= points[a->kind]; a->nth++) {
			for (int later = 0; later < 2; later++) {
				a->and_later = later;
				run_twice(a);
				compare_census(a, &before);
			}
		}
	}
	a->kind = 0;
	a->nth = 0;
	look_for_leaks(a);
}

/* Run @fn(@a) in a child; @a's report lies in memory that both have. */
static void in_child(struct attempt *a, void (*fn)(struct attempt *a))
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		alarm(HANGS);
		running = a;
		fn(a);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		complain(a, "no child: %s", strerror(errno));
	else if (WIFSIGNALED(status))
		complain(a, "ended by signal %d (%s)", WTERMSIG(status),
			 WTERMSIG(status) == SIGALRM ? "it hangs" : strsignal(WTERMSIG(status)));
	else if (status)
		complain(a, "the child ended with status %d", WEXITSTATUS(status));
}

static void cold_count(struct attempt *a)
{
	if (a->scenario->run(a->variant))
		complain(a, "failed though nothing was to");
	for (int kind = 0; kind < PORT_FAULT_NR; kind++)
		a->report->points[kind] = port_fault_count(kind);
}

static void cold_attempt(struct attempt *a)
{
	struct census before;

	run_twice(a);
	before = take_census();
	if (a->scenario->run(a->variant))
		complain(a, "failed the third time");
	compare_census(a, &before);
	look_for_leaks(a);
}

static void sweep_cold(struct attempt *a)
{
	struct sweep_report *report = a->report, *shared;
	unsigned int points[PORT_FAULT_NR];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED) {
		complain(a, "no memory for a child's report");
		return;
	}
	*shared = *report;
	a->report = shared;
	memset(shared->points, 0, sizeof(points));
	in_child(a, cold_count);
	memcpy(points, shared->points, sizeof(points));
	for (a->kind = 0; a->kind < PORT_FAULT_NR; a->kind++) {
		shared->points[a->kind] = report->points[a->kind] + points[a->kind];
		for (a->nth = 1; a->nth <= points[a->kind]; a->nth++) {
			for (int later = 0; later < 2; later++) {
				a->and_later = later;
				in_child(a, cold_attempt);
			}
		}
	}
	*report = *shared;
	a->report = report;
	munmap(shared, sizeof(*shared));
}

void sweep_run(const struct sweep_scenario *scenario, struct sweep_report *report)
{
	struct attempt a = { .scenario = scenario, .report = report };
	host_warn_hook_t hook_before;

	*report = (struct sweep_report){};
	running = &a;
	hook_before = host_set_warn_hook(warn_complains);
	do {
		a.kind = 0;
		a.nth = 0;
		a.and_later = false;
		if (scenario->cold)
			sweep_cold(&a);
		else
			sweep_warm(&a);
	} while (++a.variant < scenario->variants);
	host_set_warn_hook(hook_before);
	running = NULL;
}

void sweep_check(struct ktap *t, const struct sweep_scenario *scenario)
{
	struct sweep_report report;
	unsigned int points = 0;

	sweep_run(scenario, &report);
	for (int kind = 0; kind < PORT_FAULT_NR; kind++)
		points += report.points[kind];
	ktap_check(t, points, __FILE__, __LINE__, "%s: nothing in it can fail", scenario->name);
	ktap_check(t, !report.complaints, __FILE__, __LINE__, "%u complaints; %s",
		   report.complaints, report.first);
}

int sweep_table(const struct sweep_scenario *scenarios, size_t count, const char *room)
{
	unsigned int complaints = 0;

	printf("%-34s", room);
	for (int kind = 0; kind < PORT_FAULT_NR; kind++)
		printf("%9s", port_fault_name(kind));
	printf("%8s%8s%7s\n", "runs", "errors", "wrong");
	for (size_t i = 0; i < count; i++) {
		struct sweep_report report;

		sweep_run(&scenarios[i], &report);
		complaints += report.complaints;
		printf("  %-32s", scenarios[i].name);
		for (int kind = 0; kind < PORT_FAULT_NR; kind++)
			printf("%9u", report.points[kind]);
		printf("%8u%8u%7u\n", report.runs, report.errors, report.complaints);
		if (report.complaints)
			fprintf(stderr, "%s\n", report.first);
	}
	return complaints != 0;
}
