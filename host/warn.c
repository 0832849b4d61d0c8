/* SPDX-License-Identifier: MIT */
/*
 * warn.c - WARN, BUG, and where they go
 *
 * Invariants
 *   1  The hook is one atomic word: it can be changed while other threads warn.
 */
#include "host/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static host_warn_hook_t warn_hook;

/* A site that has warned holds the round it warned in; sites begin at 0. */
static unsigned int warn_round = 1;

host_warn_hook_t host_set_warn_hook(host_warn_hook_t hook)
{
	return __atomic_exchange_n(&warn_hook, hook, __ATOMIC_ACQ_REL);
}

void host_warn_print(const char *file, int line, const char *text)
{
	fprintf(stderr, "WARNING: %s:%d: %s\n", file, line, text);
}

void host_warn(const char *file, int line, const char *fmt, ...)
{
	host_warn_hook_t hook = __atomic_load_n(&warn_hook, __ATOMIC_ACQUIRE);
	char text[4096]; /* stacks are long */
	va_list args;
	size_t len;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = strlen(text);
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	(hook ?: host_warn_print)(file, line, text);
}

bool host_warn_first(unsigned int *site)
{
	unsigned int round = __atomic_load_n(&warn_round, __ATOMIC_RELAXED);

	return __atomic_exchange_n(site, round, __ATOMIC_RELAXED) != round;
}

void host_warn_rearm(void)
{
	__atomic_add_fetch(&warn_round, 1, __ATOMIC_RELAXED);
}

void host_bug(const char *file, int line, const char *func, const char *condition)
{
	fprintf(stderr, "BUG: %s:%d: %s(): %s\n", file, line, func, condition);
	fflush(stderr);
	abort();
}
