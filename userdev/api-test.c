/* SPDX-License-Identifier: MIT */
/*
 * api-test.c - libdmabuf-run: a harness that puts devices under one child
 */
#include <errno.h>
#include <fcntl.h>
#include <libdmabuf-run.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/ktap.h"

static int status_of(struct ktap *t, const char *const *options, const char *script)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	struct libdmabuf_run *run;
	int status = -1;

	KT_CHECK(t, !libdmabuf_run_start(options, argv, &run));
	KT_CHECK(t, libdmabuf_run_pid(run) > 0);
	KT_CHECK(t, !libdmabuf_run_wait(run, &status));
	return status;
}

static const char *const bare[] = { "--no-preload", NULL };

/* An emulator has no filters, and a sandbox may have its own. */
static bool is_possible(struct ktap *t)
{
	int status = status_of(t, bare, "exit 0");

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	ktap_skip(t, "no run is possible here: dmabuf doctor says why");
	return false;
}

static void a_child_has_devices(struct ktap *t)
{
	int status;

	if (!is_possible(t))
		return;
	status = status_of(t, bare, "test -c /dev/dma_heap/system && test -c /dev/udmabuf");

	KT_CHECK(t, WIFEXITED(status) && !WEXITSTATUS(status));
	KT_CHECK(t, access("/dev/dma_heap/system", F_OK));
}

static void status_is_the_program_s(struct ktap *t)
{
	int status;

	if (!is_possible(t))
		return;
	status = status_of(t, bare, "exit 5");

	KT_CHECK(t, WIFEXITED(status) && WEXITSTATUS(status) == 5);
	status = status_of(t, bare, "kill -TERM $$");
	KT_CHECK(t, WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void wrong_options_are_refused(struct ktap *t)
{
	const char *const none[] = { "--no-such", NULL }, *const word[] = { "word", NULL };
	char *argv[] = { (char *)"true", NULL }, *empty[] = { NULL };
	struct libdmabuf_run *run;

	KT_CHECK(t, libdmabuf_run_start(none, argv, &run) == -EINVAL && !run);
	KT_CHECK(t, libdmabuf_run_start(word, argv, &run) == -EINVAL && !run);
	KT_CHECK(t, libdmabuf_run_start(NULL, empty, &run) == -EINVAL && !run);
}

static void kill_ends_it(struct ktap *t)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"trap '' TERM; exec sleep 1000",
			 NULL };
	struct libdmabuf_run *run;
	pid_t supervisor;

	KT_CHECK(t, !libdmabuf_run_start(bare, argv, &run));
	supervisor = libdmabuf_run_pid(run);
	libdmabuf_run_kill(run);
	KT_CHECK(t, kill(supervisor, 0) && errno == ESRCH);
	libdmabuf_run_kill(NULL);
}

KTAP_MAIN(KTAP_CASE(a_child_has_devices), KTAP_CASE(status_is_the_program_s),
	  KTAP_CASE(wrong_options_are_refused), KTAP_CASE(kill_ends_it))
