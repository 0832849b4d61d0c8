/* SPDX-License-Identifier: MIT */
/*
 * runner.c - Linux's self-tests of fences, each subtest a case in TAP
 *
 * Stands in the place of drivers/dma-buf/selftest.c, which is a module's.  A subtest that ends with
 * an errno has failed, and so has one in which a WARN fires.
 */
#include <stdio.h>

#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include "host/warn.h"
#include "selftest.h"

static unsigned int cases, failures;
static atomic_t warnings;

static void count_warning(const char *file, int line, const char *text)
{
	atomic_inc(&warnings);
	fprintf(stderr, "# %s:%d: %s\n", file, line, text);
}

int __sanitycheck__(void)
{
	return 0;
}

/* @data differs when a list of subtests is run more than once. */
int __subtests(const char *caller, const struct subtest *st, int count, void *data)
{
	int i;

	for (i = 0; i < count; i++) {
		int err;

		atomic_set(&warnings, 0);
		err = st[i].func(data);
		if (err)
			printf("# returned %d\n", err);
		if (err || atomic_read(&warnings)) {
			printf("not ");
			failures++;
		}
		printf("ok %u - %s/%s, %lu\n", ++cases, caller, st[i].name, (unsigned long)data);
		fflush(stdout);
	}
	return 0;
}

int main(void)
{
	host_set_warn_hook(count_warning);
#define selftest(name, func) func();
#include "selftests.h"
#undef selftest
	/* What is freed after a grace period is no leak. */
	rcu_barrier();
	printf("1..%u\n", cases);
	return failures != 0;
}
