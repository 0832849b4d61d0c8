/* SPDX-License-Identifier: MIT */
/*
 * conforms.c - checker/conformance's cases inside Linux: on its own core, and again with a wrap
 * around each buffer
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conformance/conformance.h"
#include "guest.h"

static struct conformance_call call;
static int device;

/* What a wrap answers otherwise than the library and than Linux. */
#define KEPT "what was mapped once is kept until it was idle, not until the last detach"
#define EACH_DIRECTION "an exporter sees an attachment for each direction"
static const struct {
	const char *name, *why;
} otherwise[] = {
	{ "buffer.export_dynamic", "a wrap is of the kind that was asked for, static here" },
	{ "map.static_on_dynamic_to", KEPT },
	{ "map.static_on_dynamic_from", KEPT },
	{ "map.static_on_dynamic_both", KEPT },
	{ "map.dynamic_on_dynamic_to", EACH_DIRECTION },
	{ "map.dynamic_on_dynamic_from", EACH_DIRECTION },
	{ "map.dynamic_on_dynamic_both", EACH_DIRECTION },
	{ NULL, NULL },
};

static const char *known(const char *name)
{
	for (unsigned int i = 0; otherwise[i].name; i++)
		if (!strcmp(otherwise[i].name, name))
			return otherwise[i].why;
	return NULL;
}

static void run(void)
{
	const char *why = call.wrapped ? known(call.name) : NULL;

	call.name_only = 0;
	if (!check(!ioctl(device, CONFORMANCE_CALL, &call), "%s", strerror(errno)))
		return;
	if (call.broken_off)
		breaks_off();
	if (call.answer == CONFORMANCE_LEFT_OUT)
		skip("%s", call.text);
	else if (why && check(call.answer == CONFORMANCE_BROKEN, "no longer otherwise: %s", why))
		skip("%s", why);
	else
		check(call.answer == CONFORMANCE_HOLDS, "%s", call.text);
}

void run_conformance(void)
{
	char name[100];
	struct guest_case one = { .name = name, .run = run, .machines = "none uml" };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	device = open("/dev/conformance", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return;
	for (unsigned int wrapped = 0; wrapped < 2; wrapped++) {
		for (unsigned int number = 0;; number++) {
			call = (struct conformance_call){ .number = number,
							  .wrapped = wrapped,
							  .page = (uintptr_t)page,
							  .name_only = 1 };
			if (ioctl(device, CONFORMANCE_CALL, &call))
				break;
			snprintf(name, sizeof(name), "%s:%s", wrapped ? "wrapped" : "linux",
				 call.name);
			run_case(&one);
		}
	}
	munmap(page, 4096);
	close(device);
}
