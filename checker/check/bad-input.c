/* SPDX-License-Identifier: MIT */
/* bad-input.c - a driver that does to its process what the environment says: DMABUF_CHECK_DOES */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <libdmabuf-check.h>
#include <linux/bug.h>
#include <linux/completion.h>

static void (*volatile nothing)(void);

static bool does(const char *what)
{
	const char *chosen = getenv("DMABUF_CHECK_DOES");

	return chosen && !strcmp(chosen, what);
}

static void spin(void)
{
	for (;;)
		barrier();
}

static void eat(void)
{
	size_t bytes = 64 << 20;

	for (char *more; (more = malloc(bytes));)
		memset(more, 1, bytes);
	spin();
}

/* The child has the pipe to the checker; it says its number and stays. */
static void leave_child(void)
{
	FILE *file = fopen(getenv("DMABUF_CHECK_CHILD"), "w");
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, 0);
		for (;;)
			pause();
	}
	fprintf(file, "%d\n", child);
	fclose(file);
}

static int run(struct device *dev, struct dma_buf *dmabuf)
{
	DECLARE_COMPLETION_ONSTACK(never);

	if (does("crash"))
		*(volatile int *)8 = 1;
	if (does("null"))
		nothing();
	if (does("bug"))
		BUG();
	if (does("hang"))
		wait_for_completion(&never);
	if (does("spin"))
		spin();
	if (does("ignore")) {
		signal(SIGUSR1, SIG_IGN);
		spin();
	}
	if (does("eat"))
		eat();
	if (does("exit"))
		exit(0);
	if (does("leave"))
		_exit(0);
	if (does("kill"))
		kill(getpid(), SIGKILL);
	if (does("child"))
		leave_child();
	if (does("close")) {
		close_range(3, ~0u, 0);
		spin();
	}
	if (does("print")) {
		printf("{\"finding\": \"RUN-01\"}\n");
		fflush(stdout);
	}
	return 0;
}

DMABUF_CHECK({ .name = "bad-input", .run = run });
