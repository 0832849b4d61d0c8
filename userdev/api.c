/* SPDX-License-Identifier: MIT */
/*
 * api.c - see libdmabuf-run.h
 */
#include <errno.h>
#include <fcntl.h>
#include <libdmabuf-run.h>
#include <libdmabuf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userdev/options.h"
#include "userdev/run.h"

#define API __attribute__((visibility("default")))

struct libdmabuf_run {
	pid_t supervisor;
};

static int count_of(const char *const *words)
{
	int count = 0;

	while (words && words[count])
		count++;
	return count;
}

/* Parsed before there is a process, so that a wrong word is an error here. */
static int parse(const char *const *words, struct run_parsed *parsed)
{
	const int count = count_of(words);
	char **argv = calloc(count + 2, sizeof(*argv));
	enum run_said said;

	if (!argv)
		return -ENOMEM;
	argv[0] = (char *)"run";
	for (int i = 0; i < count; i++)
		argv[i + 1] = (char *)words[i];
	said = run_parse(parsed, count + 1, argv);
	free(argv);
	return said == RUN_SAID_OPTIONS && parsed->words == count + 1 ? 0 : -EINVAL;
}

API int libdmabuf_run_start(const char *const *options, char *const *argv,
			    struct libdmabuf_run **run)
{
	static struct run_parsed parsed;
	int ret;

	*run = NULL;
	if (!argv || !argv[0])
		return -EINVAL;
	ret = parse(options, &parsed);
	if (ret)
		return ret;
	*run = calloc(1, sizeof(**run));
	if (!*run)
		return -ENOMEM;
	(*run)->supervisor = fork();
	if (!(*run)->supervisor) {
		/* What is open of this library's is the parent's. */
		libdmabuf_fini();
		_exit(run_program(&parsed.options, argv));
	}
	if ((*run)->supervisor > 0)
		return 0;
	ret = -errno;
	free(*run);
	*run = NULL;
	return ret;
}

API pid_t libdmabuf_run_pid(const struct libdmabuf_run *run)
{
	return run->supervisor;
}

API int libdmabuf_run_wait(struct libdmabuf_run *run, int *status)
{
	int ret = 0;

	while (waitpid(run->supervisor, status, 0) < 0)
		if (errno != EINTR) {
			ret = -errno;
			break;
		}
	free(run);
	return ret;
}

API void libdmabuf_run_kill(struct libdmabuf_run *run)
{
	int status;

	if (!run)
		return;
	sigqueue(run->supervisor, SIGTERM, (union sigval){ .sival_int = RUN_KILL });
	libdmabuf_run_wait(run, &status);
}
