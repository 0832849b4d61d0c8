/* SPDX-License-Identifier: MIT */
/*
 * ktap.h - the test harness: cases in one program, KTAP on standard output
 *
 * A test program is NAME-test.c beside the concept it tests:
 *
 *	#include "tests/ktap.h"
 *
 *	static void wakes_all(struct ktap *t)
 *	{
 *		KT_EQ(t, count, 3);
 *	}
 *
 *	KTAP_MAIN(KTAP_CASE(wakes_all), KTAP_CASE(...))
 *
 * A case fails when a check in it fails, and when a WARN fires that it did not announce with
 * ktap_expect_warn(), and when an announced one did not fire.  A failed check ends neither the case
 * nor the program; KT_ASSERT returns from the case.  `PROGRAM --case NAME` runs one, `--list` names
 * them, `--long` sets ktap_long.  Exit status: 0 all passed or skipped, 1 a case failed.  Where an
 * emulator runs it, the environment has KTAP_EMULATED (tests/arm64.ini).
 */
#ifndef TESTS_KTAP_H
#define TESTS_KTAP_H

#include <stdbool.h>
#include <stddef.h>

struct ktap;

struct ktap_case {
	const char *name;
	void (*run)(struct ktap *t);
};

/* --long was given: the same test with larger numbers. */
extern bool ktap_long;

int ktap_main(int argc, char **argv, const struct ktap_case *cases, size_t count);

/* The failed check is reported with file, line and text. Returns @ok. */
bool ktap_check(struct ktap *t, bool ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * ktap_expect_warn - exactly one WARN whose text contains @part must fire in this case (call per
 * WARN)
 */
void ktap_expect_warn(struct ktap *t, const char *part);

/** ktap_skip - this case cannot run here, and why; counted as skipped, never as passed */
void ktap_skip(struct ktap *t, const char *why);

#define KTAP_CASE(fn)   \
	{               \
#fn, fn \
	}

#define KTAP_MAIN(...)                                                               \
	int main(int argc, char **argv)                                              \
	{                                                                            \
		static const struct ktap_case cases[] = { __VA_ARGS__ };             \
		return ktap_main(argc, argv, cases, sizeof(cases) / sizeof(*cases)); \
	}

#define KT_CHECK(t, cond) ktap_check(t, cond, __FILE__, __LINE__, "%s", #cond)

#define KT_EQ(t, got, want)                                                                   \
	({                                                                                    \
		long long got_ = (long long)(got), want_ = (long long)(want);                 \
		ktap_check(t, got_ == want_, __FILE__, __LINE__, "%s is %lld, not %s (%lld)", \
			   #got, got_, #want, want_);                                         \
	})

#define KT_ASSERT(t, cond)              \
	do {                            \
		if (!KT_CHECK(t, cond)) \
			return;         \
	} while (0)

#endif
