/* SPDX-License-Identifier: MIT */
/*
 * stacktrace-test.c - who called, and what is said of it
 */
#include <linux/compiler.h>
#include <linux/sprintf.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "tests/ktap.h"

static noinline unsigned int save(unsigned long *store, unsigned int size, unsigned int skip)
{
	unsigned int n = stack_trace_save(store, size, skip);

	barrier();
	return n;
}

static void callers_are_kept_the_nearest_first(struct ktap *t)
{
	unsigned long all[8] = {}, less[8] = {}, few[2] = {};
	unsigned int n = save(all, 8, 0);

	KT_CHECK(t, n >= 4);
	KT_EQ(t, save(few, 2, 0), 2);
	KT_EQ(t, save(few, 0, 0), 0);
	n = save(less, 8, 1);
	KT_CHECK(t, n >= 3);
	/* Beyond this function's own lines, one frame apart. */
	KT_CHECK(t, less[2] == all[3]);
	KT_EQ(t, save(few, 2, 100), 0);
}

static void each_is_a_line(struct ktap *t)
{
	unsigned long entries[3] = {};
	char text[1024], little[8];
	unsigned int lines = 0;
	int len;

	KT_EQ(t, save(entries, 3, 0), 3);
	len = stack_trace_snprint(text, sizeof(text), entries, 3, 2);
	KT_EQ(t, len, strlen(text));
	for (const char *at = text; *at; at = strchr(at, '\n') + 1, lines++)
		KT_CHECK(t, !strncmp(at, "  ", 2));
	KT_EQ(t, lines, 3);
	for (int i = 0; i < 3; i++) {
		char address[32];

		snprintf(address, sizeof(address), "%lx", entries[i]);
		KT_CHECK(t, !strstr(text, address));
	}
	len = stack_trace_snprint(little, sizeof(little), entries, 3, 0);
	KT_CHECK(t, len < sizeof(little) && strlen(little) == len);
	KT_EQ(t, stack_trace_snprint(little, 0, entries, 3, 0), 0);
	KT_EQ(t, stack_trace_snprint(text, sizeof(text), entries, 0, 0), 0);
	KT_CHECK(t, !text[0]);
}

KTAP_MAIN(KTAP_CASE(callers_are_kept_the_nearest_first), KTAP_CASE(each_is_a_line))
