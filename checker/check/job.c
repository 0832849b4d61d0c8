/* SPDX-License-Identifier: MIT */
/* job.c - see job.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checker/check/job.h"

#define NSEC_PER_SEC 1000000000L
#define JOB_TICK_MS 100
#define JOB_PATIENCE 2 /* seconds from the question to the end, or as many as a call has */
#define JOB_LAST_MS 2  /* for its end, once it says no more */
/* What a worker with a driver that does nothing has is 60 MiB and 3 threads. */
#define JOB_MEBIBYTES 1024
#define JOB_THREADS 256

/* What is asked of a worker by a signal (mishap.c). */
#define ASK_HUNG SIGUSR1
#define ASK_MEMORY SIGUSR2
#define ASK_THREADS SIGURG

struct moment {
	struct timespec time;
	long waited; /* for a CPU until then, ns */
};

struct running {
	const struct check_job *job;
	pid_t pid;
	int news, log; /* its lines; its standard error */
	char *line;    /* not yet complete */
	size_t length;
	char at[256]; /* what it said it tries */
	struct moment heard, looked, since;
	int asked; /* by a signal, once; since then */
	bool news_came, found, done;
};

/* --- starting --------------------------------------------------------------------------------- */

static void exec_worker(const struct check_job *job, int news, int log)
{
	char seed[32], fd[16], schedules[32];
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0); /* what the driver starts ends with it */
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	fcntl(news, F_SETFD, 0);
	snprintf(seed, sizeof(seed), "%lu", job->seed);
	snprintf(fd, sizeof(fd), "%d", news);
	snprintf(schedules, sizeof(schedules), "%lu", job->schedules);
	execl(job->worker, job->worker, job->driver, job->machine, job->policy, seed,
	      job->only == CHECK_RULES ? "-" : check_rules[job->only].id, fd,
	      job->schedules  ? schedules
	      : job->pictures ? "pictures"
			      : "-",
	      job->hasty ? "hasty" : "-", NULL);
	_exit(127);
}

static int start(struct running *r)
{
	int ends[2];

	r->log = memfd_create("worker", MFD_CLOEXEC);
	if (r->log < 0)
		return -errno;
	if (pipe2(ends, O_CLOEXEC) < 0)
		goto close_log;
	fflush(NULL);
	r->pid = fork();
	if (!r->pid)
		exec_worker(r->job, ends[1], r->log);
	close(ends[1]);
	r->news = ends[0];
	if (r->pid > 0)
		return 0;
	close(ends[0]);
close_log:
	close(r->log);
	return -errno;
}

/* --- listening -------------------------------------------------------------------------------- */

static void take_line(struct running *r, const char *line)
{
	struct json_object *object = json_tokener_parse(line), *at;

	if (!object)
		return; /* cut off by its end */
	if (json_object_object_get_ex(object, "finding", &at)) {
		r->found = true;
		r->job->told(r->job, object);
	} else if (json_object_object_get_ex(object, "at", &at)) {
		snprintf(r->at, sizeof(r->at), "%s", json_object_get_string(at));
	} else {
		r->done = !json_object_object_get_ex(object, "ways", &at);
		r->job->told(r->job, object);
	}
	json_object_put(object);
}

/* Returns false at the end. */
static bool take_news(struct running *r)
{
	char bytes[65536], *end, *line;
	ssize_t n = read(r->news, bytes, sizeof(bytes));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	r->news_came = true;
	r->line = realloc(r->line, r->length + n + 1);
	if (!r->line)
		abort();
	memcpy(r->line + r->length, bytes, n);
	r->length += n;
	r->line[r->length] = '\0';
	for (line = r->line; (end = memchr(line, '\n', r->length - (line - r->line)));
	     line = end + 1) {
		*end = '\0';
		take_line(r, line);
	}
	r->length -= line - r->line;
	memmove(r->line, line, r->length + 1);
	return true;
}

/* --- bounds ----------------------------------------------------------------------------------- */

static long proc_number(pid_t pid, const char *file, const char *format)
{
	char path[64], line[256];
	long number = 0;
	FILE *proc;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	proc = fopen(path, "r");
	while (proc && fgets(line, sizeof(line), proc))
		if (sscanf(line, format, &number) == 1)
			break;
	if (proc)
		fclose(proc);
	return number;
}

/* Nanoseconds for which threads of @pid could have run and no CPU was free; 0 where nobody tells. */
static long waited_for_cpu(pid_t pid)
{
	char path[64];
	long waited = 0, ns;
	struct dirent *thread;
	DIR *threads;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (threads && (thread = readdir(threads))) {
		if (thread->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", pid, thread->d_name);
		stat = fopen(path, "r");
		if (stat && fscanf(stat, "%*u %ld", &ns) == 1)
			waited += ns;
		if (stat)
			fclose(stat);
	}
	if (threads)
		closedir(threads);
	return waited;
}

static struct moment moment_now(pid_t pid)
{
	struct moment now = { .waited = waited_for_cpu(pid) };

	clock_gettime(CLOCK_MONOTONIC, &now.time);
	return now;
}

/* Were those @seconds?  On busy CPUs they take longer, ten times at most. */
static bool has_had(const struct moment *since, const struct moment *now, long seconds)
{
	long passed = now->time.tv_sec - since->time.tv_sec;

	return passed - (now->waited - since->waited) / NSEC_PER_SEC >= seconds ||
	       passed >= 10 * seconds;
}

/* The signal that asks about what is too much, or 0. */
static int too_much(const struct running *r)
{
	if (has_had(&r->heard, &r->looked, r->job->seconds))
		return ASK_HUNG;
	if (proc_number(r->pid, "status", "VmRSS: %ld kB") > JOB_MEBIBYTES * 1024L)
		return ASK_MEMORY;
	if (proc_number(r->pid, "status", "Threads: %ld") > JOB_THREADS)
		return ASK_THREADS;
	return 0;
}

static bool is_tick(const struct running *r)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - r->looked.time.tv_sec) * NSEC_PER_SEC + now.tv_nsec -
		       r->looked.time.tv_nsec >=
	       JOB_TICK_MS * (NSEC_PER_SEC / 1000);
}

static void keep_in_bounds(struct running *r)
{
	long patience = r->job->seconds > JOB_PATIENCE ? r->job->seconds : JOB_PATIENCE;

	if (!is_tick(r))
		return;
	r->looked = moment_now(r->pid);
	if (r->news_came)
		r->heard = r->looked;
	r->news_came = false;
	if (r->asked) {
		if (has_had(&r->since, &r->looked, patience))
			kill(-r->pid, SIGKILL);
		return;
	}
	r->asked = too_much(r);
	r->since = r->looked;
	if (r->asked)
		kill(r->pid, r->asked);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void tell(struct running *r, enum check_rule rule, const char *text)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "finding", json_object_new_string(check_rules[rule].id));
	json_object_object_add(object, "text", json_object_new_string(text));
	json_object_object_add(object, "at", json_object_new_string(r->at));
	r->job->told(r->job, object);
	json_object_put(object);
}

/* The last line that a worker wrote before it died; its symbols say most. */
static void last_line(struct running *r, char *text, size_t size)
{
	off_t end = lseek(r->log, 0, SEEK_END);
	off_t from = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
	ssize_t n = pread(r->log, text, size - 1, from);
	char *line;

	text[n < 0 ? 0 : n] = '\0';
	while ((line = strrchr(text, '\n')) && !line[1])
		*line = '\0';
	if (line)
		memmove(text, line + 1, strlen(line));
}

static void tell_end(struct running *r, int status)
{
	char line[200], text[512];

	if (r->done || (r->found && WIFEXITED(status)))
		return;
	if (r->asked) {
		tell(r, r->asked == ASK_HUNG ? CHECK_RUN_02 : CHECK_RUN_05,
		     r->asked == ASK_HUNG ? "a call does not come back, and no thread says where"
					  : "too much memory or too many threads");
		return;
	}
	last_line(r, line, sizeof(line));
	snprintf(text, sizeof(text), "the process ends by %s %d; its last words: %s",
		 WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 line[0] ? line : "none");
	tell(r, CHECK_RUN_01, text);
}

/* It stays a zombie, and its number its own. */
static bool has_ended(const struct running *r)
{
	siginfo_t info = {};

	return !waitid(P_PID, r->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

/* Until it ends: it may close the pipe before, and a child of the driver's may have it open after. */
static void listen_until_end(struct running *r)
{
	struct pollfd news = { .fd = r->news, .events = POLLIN };

	for (;;) {
		int ready = poll(&news, 1, news.fd < 0 ? JOB_LAST_MS : JOB_TICK_MS);

		if (ready > 0 && !take_news(r))
			news.fd = -1;
		else if (ready <= 0 && has_ended(r))
			break;
		keep_in_bounds(r);
	}
}

int check_job_run(const struct check_job *job)
{
	struct running r = { .job = job };
	int status, ret;

	ret = start(&r);
	if (ret)
		return ret;
	r.heard = r.looked = moment_now(r.pid);
	listen_until_end(&r);
	kill(-r.pid, SIGKILL);
	waitpid(r.pid, &status, 0);
	tell_end(&r, status);
	close(r.news);
	close(r.log);
	free(r.line);
	return 0;
}
