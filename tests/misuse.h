/* SPDX-License-Identifier: MIT */
/*
 * misuse.h - what a call does when it is called wrongly: one row a way, checked and printed
 *
 * A test of wrong calls is a case full of rows:
 *
 *	ROW(t, "dma_buf_attach", "no device", ARGUMENT, "WARN without a buffer, -EINVAL", SAME,
 *	    misuse_ptr(dma_buf_attach(dmabuf, NULL)));
 *
 * The row runs the expression, notes its WARNs and its value, and fails the case when they are not
 * what it says.  `PROGRAM --table` prints every row instead, as lines of a Markdown table; rows
 * that fail end it with status 1.
 *
 * What a row expects: `WARN words, value` - one WARN that contains the words (none given: any
 * text), then the value; `2 WARNs words, value`, where the first contains them; `value` alone; the
 * value is missing where the call returns nothing, and then `nothing` stands for no WARN.  Values
 * are errnos by name, numbers, NULL, `a pointer`, DMA_MAPPING_ERROR.  `BUG` and `crash` run in a
 * child of their own.
 *
 * Invariants
 *   MU1  A row whose result is not Linux 6.12's says why.
 *   MU2  Every WARN inside a row is the row's; outside it is the case's (tests/ktap.h).
 */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include <limits.h>

#include <linux/err.h>
#include "tests/ktap.h"

enum misuse_kind { ARGUMENT, LOCK, ORDER, DESCRIPTOR, SIZE };

struct misuse {
	const char *call;
	const char *what; /* is wrong */
	enum misuse_kind kind;
	const char *here;
	const char *in_linux; /* NULL: the same */
	const char *why;      /* it differs */
};

/* Values beside numbers. */
enum misuse_value {
	MISUSE_VOID = INT_MIN,
	MISUSE_NULL,
	MISUSE_POINTER,
	MISUSE_NO_ADDRESS,
};

/* What Linux 6.12 does: nothing else, or something else and why that is so. */
#define SAME NULL, NULL
#define LINUX(what, why) what, why

#define ROW(t, call, what, kind, here, in_linux, expr)                                  \
	do {                                                                            \
		static const struct misuse row_ = { call, what, kind, here, in_linux }; \
		if (misuse_begin(t, &row_))                                             \
			misuse_end(t, &row_, __FILE__, __LINE__, (long)(expr));         \
	} while (0)

/* A rule that only checking builds assert (LIBDMABUF_CHECKS); elsewhere the row is not run. */
#ifdef LIBDMABUF_CHECKS
#define ROW_CHECKED ROW
#else
#define ROW_CHECKED(t, call, what, kind, here, in_linux, expr)                          \
	do {                                                                            \
		static const struct misuse row_ = { call, what, kind, here, in_linux }; \
		misuse_not_run(&row_);                                                  \
	} while (0)
#endif

/* What nothing catches and no child survives; @why there is nothing to run. */
#define ROW_NOT_RUN(call, what, kind, here, in_linux)                                   \
	do {                                                                            \
		static const struct misuse row_ = { call, what, kind, here, in_linux }; \
		misuse_not_run(&row_);                                                  \
	} while (0)

/* A call that returns nothing. */
#define VOID(call) ((call), MISUSE_VOID)

static inline long misuse_ptr(const void *p)
{
	return IS_ERR(p) ? PTR_ERR(p) : p ? MISUSE_POINTER : MISUSE_NULL;
}

/* Pointers to nothing and to nowhere that no compiler sees through. */
void *misuse_null(void);

bool misuse_begin(struct ktap *t, const struct misuse *row);
void misuse_end(struct ktap *t, const struct misuse *row, const char *file, int line, long value);
void misuse_not_run(const struct misuse *row);

int misuse_main(int argc, char **argv, const struct ktap_case *cases, size_t count);

#define MISUSE_MAIN(...)                                                               \
	int main(int argc, char **argv)                                                \
	{                                                                              \
		static const struct ktap_case cases[] = { __VA_ARGS__ };               \
		return misuse_main(argc, argv, cases, sizeof(cases) / sizeof(*cases)); \
	}

#endif
