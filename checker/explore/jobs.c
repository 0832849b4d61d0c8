/* SPDX-License-Identifier: MIT */
/*
 * jobs.c - several worlds at a time, each in a process of its own
 *
 * A child leaves its result and, as it goes, its progress in memory shared with its parent; one
 * that ends otherwise than by run_child() has found what explore_run() cannot tell.
 */
#include <errno.h>
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checker/explore/jobs.h"
#include "host/memory.h"

#define LOOK_US 20000
#define TELL_NS 2000000000LL

static void note_progress(const struct explore_config *config, const struct explore_progress *at)
{
	struct explore_job *job = config->context;

	job->result.at = *at;
}

static void run_child(struct explore_job *job)
{
	struct explore_config config = job->config;
	struct explore_result result;

	/* What the parent made is shared, and every sibling would allocate in it. */
	host_memory_fini(true);
	config.progress = note_progress;
	config.context = job;
	explore_run(&config, &result);
	job->result = result;
	_exit(0);
}

/* A sanitizer that reports ends it by a status.  SIGKILL is not its own: the system had no memory. */
static void child_died(struct explore_job *job, int status)
{
	bool signaled = WIFSIGNALED(status);

	if (!status)
		return;
	job->result.verdict =
		signaled && WTERMSIG(status) == SIGKILL ? EXPLORE_UNTRIED : EXPLORE_VIOLATED;
	snprintf(job->result.text, sizeof(job->result.text),
		 "  => the process ended by %s %d, after %llu states (EX3)\n",
		 signaled ? "signal" : "status", signaled ? WTERMSIG(status) : WEXITSTATUS(status),
		 (unsigned long long)job->result.at.states);
}

static int start(struct explore_job *job)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		run_child(job);
	if (pid < 0)
		return -errno;
	job->pid = pid;
	return 0;
}

/* Has one's process ended just now?  Only ours are asked. */
static bool ended(struct explore_job *jobs, unsigned int nr)
{
	int status;

	for (unsigned int i = 0; i < nr; i++) {
		if (jobs[i].pid <= 0 || waitpid(jobs[i].pid, &status, WNOHANG) != jobs[i].pid)
			continue;
		jobs[i].pid = 0;
		child_died(&jobs[i], status);
		return true;
	}
	return false;
}

struct explore_job *explore_jobs(unsigned int nr)
{
	struct explore_job *jobs = mmap(NULL, nr * sizeof(*jobs), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return jobs == MAP_FAILED ? NULL : jobs;
}

int explore_run_jobs(struct explore_job *jobs, unsigned int nr, unsigned int at_a_time,
		     const struct explore_listener *listener)
{
	unsigned int started = 0, running = 0, done = 0;
	ktime_t told = ktime_get();
	int err = 0;

	BUG_ON(!at_a_time);
	while (running || (started < nr && !err)) {
		while (running < at_a_time && started < nr && !err) {
			err = start(&jobs[started]);
			if (!err) {
				started++;
				running++;
			}
		}
		if (ended(jobs, started)) {
			running--;
			while (done < started && !jobs[done].pid)
				listener->done(&jobs[done++], listener->context);
			continue;
		}
		if (ktime_get() - told >= TELL_NS) {
			told = ktime_get();
			for (unsigned int i = 0; i < started; i++)
				if (jobs[i].pid)
					listener->progress(&jobs[i], listener->context);
		}
		usleep(LOOK_US);
	}
	return err;
}

/* --- which worlds ----------------------------------------------------------------------------- */

/* Pairs of these, beside the CPU. */
static const char *const kept_kinds[] = { "co", "nc", "b" };
static const char *const all_kinds[] = { "co", "nc", "b", "dco", "dnc", "db" };

static const struct {
	enum explore_exporter exporter;
	const char *const *kinds;
	unsigned int nr;
} pairs[] = {
	{ EXPLORE_WIDENS, kept_kinds, ARRAY_SIZE(kept_kinds) },
	{ EXPLORE_NARROW, kept_kinds, ARRAY_SIZE(kept_kinds) },
	{ EXPLORE_PINS, all_kinds, ARRAY_SIZE(all_kinds) },
};

static const struct {
	enum explore_exporter exporter;
	const char *agents;
} others[] = {
	/* two threads of the CPU's, a mapping nobody brackets, a device that chooses */
	{ EXPLORE_WIDENS, "cpu,cpu,nc" },
	{ EXPLORE_WIDENS, "cpu,cpu,b" },
	{ EXPLORE_WIDENS, "cpu,vmap,nc" },
	{ EXPLORE_WIDENS, "cpu,vmap,b" },
	{ EXPLORE_WIDENS, "cpu,ns,co" },
	{ EXPLORE_WIDENS, "cpu,ns,b" },
	/* two importers of one device; maps with the reservation held */
	{ EXPLORE_WIDENS, "cpu,nc,again" },
	{ EXPLORE_WIDENS, "cpu,b,again" },
	{ EXPLORE_NARROW, "cpu,nc,again" },
	{ EXPLORE_PINS, "cpu,dnc,again" },
	{ EXPLORE_WIDENS, "cpu,dnc,nc" },
	{ EXPLORE_NARROW, "cpu,db,b" },
	/* the exporter's own device, told and not */
	{ EXPLORE_WIDENS, "cpu,own,nc" },
	{ EXPLORE_WIDENS, "cpu,own,b" },
	{ EXPLORE_WIDENS, "cpu,ownnc,nc" },
	{ EXPLORE_WIDENS, "cpu,ownnc,b" },
	{ EXPLORE_PINS, "cpu,own,dnc" },
	{ EXPLORE_BLIND, "cpu,own,nc" },
	{ EXPLORE_BLIND, "own,nc,b" },
	/* its own syncs; the CPU past its caches */
	{ EXPLORE_SYNCS, "cpu,co,nc" },
	{ EXPLORE_SYNCS, "cpu,nc,b" },
	{ EXPLORE_UNCACHED, "cpu,co,nc" },
	{ EXPLORE_UNCACHED, "cpu,nc,b" },
	{ EXPLORE_UNCACHED, "vmap,co,b" },
	{ EXPLORE_UNCACHED, "cpu,own,nc" },
	/* it moves, and is taken away: kept mappings, some that are told, both */
	{ EXPLORE_MOVES, "cpu,co,nc" },
	{ EXPLORE_MOVES, "cpu,nc,b" },
	{ EXPLORE_MOVES, "cpu,nc,again" },
	{ EXPLORE_MOVES, "cpu,dco,dnc" },
	{ EXPLORE_MOVES, "cpu,nc,dnc" },
	{ EXPLORE_MOVES, "cpu,b,db" },
	{ EXPLORE_MOVES, "vmap,ns,dco" },
};

static void add(struct explore_job *jobs, unsigned int *nr, enum explore_exporter exporter,
		const char *agents)
{
	struct explore_job *job = jobs ? &jobs[*nr] : NULL;

	++*nr;
	if (!job)
		return;
	snprintf(job->agents, sizeof(job->agents), "%s", agents);
	job->config.agents = job->agents;
	job->config.exporter = exporter;
}

unsigned int explore_worlds(struct explore_job *jobs)
{
	unsigned int nr = 0;
	char agents[32];

	for (unsigned int p = 0; p < ARRAY_SIZE(pairs); p++) {
		for (unsigned int i = 0; i < pairs[p].nr; i++) {
			for (unsigned int k = i; k < pairs[p].nr; k++) {
				snprintf(agents, sizeof(agents), "cpu,%s,%s", pairs[p].kinds[i],
					 pairs[p].kinds[k]);
				add(jobs, &nr, pairs[p].exporter, agents);
			}
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		add(jobs, &nr, others[i].exporter, others[i].agents);
	return nr;
}
