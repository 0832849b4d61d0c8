/* SPDX-License-Identifier: MIT */
/*
 * finding.h - a rule was broken: what the worker tells its parent
 *
 * Invariants
 *   FI1  Each rule is told once by a worker, the first time.
 *   FI2  What is told is on its way before the call returns: the next instruction may be the last.
 *
 * The way is a pipe with one JSON object a line:
 *	{ "finding": ID, "text", "call": [frame...], "state": { "what", "stack": [frame...] },
 *	  "events": [text...], "at": what was being tried, "picture": null or as history.h says }
 *	{ "at": what is tried now }
 *	{ "ways": how many were begun }
 *	{ "done": true }, { "cannot": why it is not tried } or { "idle": why there is nothing to try }
 */
#ifndef CHECKER_CHECK_FINDING_H
#define CHECKER_CHECK_FINDING_H

#include <stdbool.h>

#include "checker/check/rules.h"
#include "checker/check/stack.h"

struct dma_buf;
struct json_object;

/* The call that made things as they are. */
struct check_state {
	const char *what; /* "the attachment was made by"; NULL: unknown */
	struct check_stack stack;
};

/** check_findings_open - tell of findings on @fd; only of @only unless it is CHECK_RULES */
void check_findings_open(int fd, enum check_rule only);

/**
 * check_found - @rule was broken by the call that this one is made on behalf of
 * @dmabuf: the buffer whose last events are told, readable or not, or NULL
 * @state: or NULL
 *
 * Context: any thread, any lock.
 */
void check_found(enum check_rule rule, const struct dma_buf *dmabuf,
		 const struct check_state *state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** check_found_call - the same where the call was made earlier, by @call */
void check_found_call(enum check_rule rule, const struct dma_buf *dmabuf,
		      const struct check_stack *call, const struct check_state *state,
		      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** check_first - is @rule to be told, for the first time?  Then who asks tells it */
bool check_first(enum check_rule rule);

/** check_told - was this one broken until now, whether it was told or not? */
bool check_told(enum check_rule rule);

/** check_any_found - was any rule broken until now, whether it was told or not? */
bool check_any_found(void);

/** check_at - what is tried from now on; kept for findings and for who wonders why it takes long */
void check_at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** check_at_text - what is tried now */
const char *check_at_text(void);

/** check_tell - @object as a line, which it takes */
void check_tell(struct json_object *object);

#endif
