/* SPDX-License-Identifier: MIT */
/*
 * schedules.c - `dmabuf schedules`: small programs of several threads on the real core, in every order
 *
 * The explorer is a program of its own, for it stands on a core that tells it of every access
 * (checker/schedules); this one finds and starts it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/version.h"

/* clang-format off */
static const char help[] =
	"usage: dmabuf schedules [OPTIONS]\n"
	"\n"
	"Runs small programs of two to four threads on the real core in every order. Threads are switched at\n"
	"every lock, wait, reader section and atomic access, and an atomic load sees any value that C11 lets it\n"
	"see, so a barrier too few shows. A schedule fails by a broken rule or WARN, a deadlock or a lost\n"
	"wake-up, a use of freed memory, a race on plain data, or objects left behind. The shortest schedule that\n"
	"fails is printed, with what makes it again.\n"
	"\n"
	"  --scenario NAME  this one (default: all of them; --list names them)\n"
	"  --list           the scenarios, and the mistakes that can be planted\n"
	"  --seconds N      so long for each scenario; on a busy machine of the processor (default 10)\n"
	"  --runs N         so many schedules at most, whatever time they take: the same ones every time\n"
	"  --seed N         of what is drawn by chance behind the systematic search (default 1)\n"
	"  --replay WORD    with --scenario: that schedule, step by step; what a failure printed\n"
	"  --planted        plant each mistake, one after the other, and find it\n"
	"  --plant NAME     with --scenario or alone: with this mistake\n"
	"\n"
	"A row says how far the search came: `all` orders, or all with so many deviations from running one\n"
	"thread after the other and seeing the newest values, and then others by chance; how many choices the\n"
	"longest schedule has; how many schedules there were, and how many a second of the processor.\n"
	"\n"
	"Exit status: 0 nothing fails (--planted: each is found), 1 something does, 2 usage or memory.\n"
	"\n"
	"Examples:\n"
	"  dmabuf schedules\n"
	"  dmabuf schedules --scenario map-freeze --seconds 60\n"
	"  dmabuf schedules --scenario map-freeze --plant thaw-wakes-nobody\n"
	"  dmabuf schedules --planted --seconds 5\n";
/* clang-format on */

/* Where it was built, or where it was installed: both beside this program. */
static const char *const places[] = { "checker/schedules/dmabuf-schedules", SCHEDULES_INSTALLED };

int cli_schedules(int argc, char **argv)
{
	char path[2 * PATH_MAX];
	ssize_t len;
	char *name;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return EXIT_EXACT;
	}
	len = readlink("/proc/self/exe", path, PATH_MAX);
	if (len < 0 || len == PATH_MAX) {
		fprintf(stderr, "dmabuf schedules: where this program lies cannot be told\n");
		return EXIT_FAILED;
	}
	path[len] = '\0';
	name = strrchr(path, '/') + 1;
	fflush(NULL);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(name, path + sizeof(path) - name, "%s", places[i]);
		execv(path, argv);
	}
	fprintf(stderr, "dmabuf schedules: %s: %s; builds with a sanitizer have none\n", path,
		strerror(errno));
	return EXIT_FAILED;
}
