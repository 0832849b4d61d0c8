/* SPDX-License-Identifier: MIT */
/*
 * compare-test.c - a difference without a reason is found, a reason without a difference, too
 */
#include <stdlib.h>

#include "compare.h"
#include "tests/ktap.h"

static const struct world_case plain = { "group.plain", "a rule" };
static const struct world_case keeps = { "group.keeps", "a rule",
					 .otherwise = { OURS_CACHED, "KEEPS" } };
static const struct world_case both = { "group.both", "a rule",
					.otherwise = { OURS_CACHED, "KEEPS" },
					.also = { LINUX_6_12, "OLD" } };
static const struct world_case old = { "group.old", "a rule", .otherwise = { LINUX_6_12, "OLD" } };
static const struct world_case dies = { "group.dies", "a rule", .not_on = { LINUX_6_12, "BUG" } };

/* What cached, remap and Linux answer; NULL: it is not asked. */
struct answered {
	const struct world_case *running;
	const char *answers[3];
	unsigned int failed;  /* a bit each */
	const char *asked[3]; /* beside that */
};

static char text[4096];

static void collect(struct conformance_column *column, const struct answered *answered,
		    unsigned int i)
{
	bool failed = answered->failed & 1u << i;
	struct conformance_result result = {
		.running = answered->running,
		.verdict = failed ? CONFORMANCE_FAILED : CONFORMANCE_PASSED,
		.text = failed ? "it is 3, not 4" : "",
		.answers = answered->answers[i] ?: "",
		.asked = answered->asked[i] ?: "",
	};

	if (!answered->answers[i]) {
		result.verdict = CONFORMANCE_SKIPPED;
		result.text = answered->running->not_on.why;
	}
	conformance_collect(&result, column);
}

/* What is printed is in text. */
static unsigned int compare(struct ktap *t, const struct answered *answered)
{
	struct conformance_column columns[] = {
		{ .title = "cached", .core = OURS_CACHED },
		{ .title = "remap", .core = OURS_REMAP },
		{ .title = "linux", .core = LINUX_6_12 },
	};
	FILE *to = fmemopen(text, sizeof(text), "w");
	unsigned int wrong;

	for (unsigned int i = 0; i < ARRAY_SIZE(columns); i++) {
		KT_EQ(t, conformance_column_init(&columns[i], 1), 0);
		collect(&columns[i], answered, i);
	}
	wrong = conformance_compare(columns, ARRAY_SIZE(columns), to);
	fclose(to);
	for (unsigned int i = 0; i < ARRAY_SIZE(columns); i++)
		conformance_column_free(&columns[i]);
	return wrong;
}

static void alike_is_counted(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &plain, { "a: 1\n", "a: 1\n", "a: 1\n" } }), 0);
	KT_CHECK(t, !strcmp(text, "\n1 cases: 1 answered alike by all, 0 not, 0 of them without a "
				  "reason\n"));
}

static void a_difference_has_a_reason(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &keeps, { "a: 1\nb: 2\n", "a: 1\n", "a: 1\n" } }),
	      0);
	KT_CHECK(t, strstr(text, "\n  cached                                  b: 2\n"));
	KT_CHECK(t, strstr(text, "\n  remap, linux                            no more\n"));
	KT_CHECK(t, strstr(text, "\n  why cached: KEEPS\n"));
	KT_CHECK(t, !strstr(text, "WRONG") && !strstr(text, "a: 1"));
}

static void each_exception_has_its_own(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &both, { "a: 2\n", "a: 1\n", "a: 3\n" } }), 0);
	KT_CHECK(t, strstr(text, "\n  why cached: KEEPS\n  why linux: OLD\n"));
	KT_EQ(t, compare(t, &(struct answered){ &both, { "a: 2\n", "a: 1\n", "a: 2\n" } }), 0);
}

static void a_difference_without_a_reason(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &plain, { "a: 1\n", "a: 1\n", "a: 2\n" } }), 1);
	KT_CHECK(t, strstr(text, "WRONG: a difference that no exception explains"));
	/* Nor does the exception of one explain what another answers. */
	KT_EQ(t, compare(t, &(struct answered){ &keeps, { "a: 1\n", "a: 2\n", "a: 3\n" } }), 1);
	/* A line more is a difference. */
	KT_EQ(t, compare(t, &(struct answered){ &plain, { "a: 1\n", "a: 1\n", "a: 1\nWARN\n" } }),
	      1);
}

static void a_reason_without_a_difference(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &keeps, { "a: 1\n", "a: 1\n", "a: 1\n" } }), 1);
	KT_CHECK(t, strstr(text, "WRONG: an exception, but no difference"));
	KT_EQ(t, compare(t, &(struct answered){ &both, { "a: 2\n", "a: 1\n", "a: 1\n" } }), 1);
}

static void a_failed_case_is_wrong(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &plain, { "a: 3\n", "a: 3\n", "a: 3\n" }, 7 }), 1);
	KT_CHECK(t, strstr(text, "FAILED it is 3, not 4\n"));
	KT_EQ(t, compare(t, &(struct answered){ &keeps, { "a: 3\n", "a: 1\n", "a: 1\n" }, 1 }), 1);
}

/* Of policy cached it does not count. */
static void what_else_is_asked_counts(struct ktap *t)
{
	static const char *const same[] = { "a: 1\n", "a: 1\n", "a: 1\n" };
	struct answered answered = { .running = &plain };

	memcpy(answered.answers, same, sizeof(same));
	memcpy(answered.asked, (const char *[]){ "attach", "attach", "attach pin" }, sizeof(same));
	KT_EQ(t, compare(t, &answered), 1);
	KT_CHECK(t, strstr(text, "\n  remap                                   exporter: attach\n"));
	KT_CHECK(t, strstr(text,
			   "\n  linux                                   exporter: attach pin\n"));
	answered.running = &old;
	KT_EQ(t, compare(t, &answered), 0);
	memcpy(answered.asked, (const char *[]){ "", "attach", "attach" }, sizeof(same));
	answered.running = &plain;
	KT_EQ(t, compare(t, &answered), 0);
	KT_CHECK(t, strstr(text, "1 answered alike"));
	answered.running = &old;
	KT_EQ(t, compare(t, &answered), 1);
}

static void who_is_not_asked_is_named(struct ktap *t)
{
	KT_EQ(t, compare(t, &(struct answered){ &dies, { "a: 1\n", "a: 1\n" } }), 0);
	KT_CHECK(t, strstr(text, "cached, remap                           a: 1\n"));
	KT_CHECK(t, strstr(text, "linux                                   is not asked: BUG\n"));
}

KTAP_MAIN(KTAP_CASE(alike_is_counted), KTAP_CASE(a_difference_has_a_reason),
	  KTAP_CASE(each_exception_has_its_own), KTAP_CASE(a_difference_without_a_reason),
	  KTAP_CASE(a_reason_without_a_difference), KTAP_CASE(a_failed_case_is_wrong),
	  KTAP_CASE(what_else_is_asked_counts), KTAP_CASE(who_is_not_asked_is_named))
