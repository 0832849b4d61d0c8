/* SPDX-License-Identifier: MIT */
/*
 * warn.h - where a WARN goes
 *
 * Every WARN of <linux/bug.h> ends in host_warn().  It formats the text and gives it to the hook;
 * the default prints it to standard error.  A test harness hooks in and fails a case that warned
 * unannounced.
 *
 * Invariants
 *   1  A WARN returns to its caller: it never ends the program and takes no lock of the kernel's
 *      API.
 *   2  A ..._ONCE site fires once between two calls of host_warn_rearm(), in whatever thread.
 */
#ifndef HOST_WARN_H
#define HOST_WARN_H

#include <stdbool.h>
#include "host/labels.h"

/**
 * host_warn_hook_t - is told of one WARN
 *
 * Context: any thread, with any lock held, inside a reader section: must not sleep on the kernel's
 * primitives nor WARN.  @text ends without a newline and is gone when the hook returns.
 */
typedef void (*host_warn_hook_t)(const char *file, int line, const char *text);

/** host_set_warn_hook - give WARNs to @hook (NULL: to standard error); returns the hook before */
host_warn_hook_t host_set_warn_hook(host_warn_hook_t hook);

/** host_warn_print - what is done without a hook; for one that only looks on */
void host_warn_print(const char *file, int line, const char *text);

/** host_warn - a rule was broken at @file:@line; what WARN() calls */
void host_warn(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** host_warn_first - is this the first WARN of the site that owns *@site since the last rearm? */
bool host_warn_first(unsigned int *site);

/** host_warn_rearm - let every ..._ONCE site fire once more: a new test case begins */
void host_warn_rearm(void);

/** host_bug - print and abort; what BUG() calls */
void host_bug(const char *file, int line, const char *func, const char *condition)
	__attribute__((noreturn));

#endif
